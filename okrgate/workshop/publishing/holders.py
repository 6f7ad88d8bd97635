"""Which roles the rules need a word from that nobody holds."""

from collections.abc import Iterator

from okrgate.accounts import directory
from okrgate.gates.model import Rulebook
from okrgate.rulebooks import service

Seat = tuple[str, tuple[str, ...]]


def unheld(text: str) -> list[str]:
    """Return the labels of roles that hard requirements of a sound text wait for and nobody holds anywhere."""
    rulebook = service.parsed(text)
    seats = list(dict.fromkeys(roles for _gate, roles in asked(rulebook)))
    held = {one.role for one in directory.holdings({role for roles in seats for role in roles})}
    return [
        " or ".join(rulebook.roles[role].label for role in roles)
        for roles in seats
        if held.isdisjoint(roles)
    ]


def asked(rulebook: Rulebook) -> Iterator[Seat]:
    """Yield (gate, roles) of every sign-off that a hard requirement waits for from people who hold roles in units."""
    for gate in rulebook.gates.values():
        for one in gate.requirements:
            if one.mode != "active" or one.severity != "hard":
                continue
            for seat in rulebook.signoff_conditions(one):
                if seat.quorum and all(rulebook.roles[role].kind == "org" for role in seat.roles):
                    yield gate.id, tuple(seat.roles)
