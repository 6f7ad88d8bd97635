"""How far the sign-offs of a round are: which seats are filled, how many people it takes, and whether one more is enough."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from okrgate.approvals.models import Seat
from okrgate.gates import conditions
from okrgate.gates.conditions import Condition, SignoffCondition
from okrgate.gates.model import Requirement, Rulebook

_COUNTS = frozenset({"approved", "approved_with_conditions"})


@dataclass(frozen=True)
class Word:
    """What somebody decided in a round, in which roles, and for whom, if they stood in for somebody."""

    person_id: int
    roles: tuple[str, ...]
    decision: str
    on_behalf_of: int | None = None

    @property
    def approves(self) -> bool:
        """Tell whether it fills a seat."""
        return self.decision in _COUNTS


@dataclass(frozen=True)
class SeatLine:
    """One seat as people read it: "Managing Director, 0 of 1", who filled it and whom it waits for.

    `after` is what has to be there before anybody is asked to fill it.
    """

    roles: str
    need: int
    have: int
    filled_by: tuple[int, ...]
    waits_for: tuple[int, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seating:
    """Where a round stands: `have` of `need` people, seat by seat; `asks` is what the rules say, each sentence once.

    `either` is true when one of the seats is enough.
    """

    have: int
    need: int
    lines: tuple[SeatLine, ...]
    asks: tuple[str, ...]
    either: bool


def seating(
    rulebook: Rulebook,
    gate: str,
    seats: Sequence[Seat],
    words: Sequence[Word],
    waiting: Mapping[int, Iterable[int]],
    later: Mapping[str, tuple[str, ...]] | None = None,
) -> Seating:
    """Say where a round stands. `waiting` holds the people each seat (by id) waits for.

    `later` says which requirements wait for others, and for which.
    """
    approving = [word for word in words if word.approves]
    asked = _requirements(rulebook, gate, seats)
    need = max((people_needed(one.condition) for one in asked), default=0)
    lines = tuple(
        SeatLine(
            roles=" or ".join(_label(rulebook, role) for role in seat.roles),
            need=seat.need,
            have=min(seat.need, len(filled := _fill(seat.roles, approving))),
            filled_by=tuple(filled),
            waits_for=tuple(sorted(waiting.get(seat.id, ()))),
            after=(later or {}).get(seat.requirement, ()),
        )
        for seat in _telling(seats)
    )
    return Seating(
        have=min(len({word.person_id for word in approving}), need),
        need=need,
        lines=lines,
        asks=tuple(dict.fromkeys(seat.label for seat in seats)),
        either=len(lines) > 1 and need < sum(line.need for line in lines),
    )


def is_enough(
    rulebook: Rulebook,
    gate: str,
    seats: Sequence[Seat],
    words: Sequence[Word],
    one_more: Word,
) -> bool:
    """Tell whether this approval beside those given fills every seat that the rules ask for."""
    approving = [word for word in (*words, one_more) if word.approves]
    return all(
        _filled(requirement.condition, approving)
        for requirement in _requirements(rulebook, gate, seats)
    )


def people_needed(condition: Condition) -> int:
    """Return the fewest people whose approvals can meet a condition."""
    match condition:
        case SignoffCondition(quorum=int(quorum)):
            return quorum
        case conditions.Any(parts):
            return min((found for part in parts if (found := people_needed(part))), default=0)
        case conditions.All(parts):
            return _together(parts)
        case _:
            return 0


def _together(parts: Iterable[Condition]) -> int:
    """Seats of different roles take different people; one seat for several roles may be filled by these."""
    needed = [(part, people_needed(part)) for part in parts]
    apart, taken = 0, set[str]()
    for part, number in sorted(needed, key=lambda one: len(_roles(one[0]))):
        if number and not _roles(part) & taken:
            apart += number
            taken |= _roles(part)
    return max([apart, *(number for _, number in needed)])


def _roles(condition: Condition) -> set[str]:
    return {role for leaf in _signing(condition) for role in leaf.roles}


def _signing(condition: Condition) -> Iterator[SignoffCondition]:
    for leaf in conditions.leaves(condition):
        if isinstance(leaf, SignoffCondition) and leaf.quorum:
            yield leaf


def _filled(condition: Condition, approving: Sequence[Word]) -> bool:
    match condition:
        case SignoffCondition(roles=roles, quorum=int(quorum)):
            return len(_fill(roles, approving)) >= quorum
        case conditions.Any(parts):
            return any(_filled(part, approving) for part in parts)
        case conditions.All(parts):
            return all(_filled(part, approving) for part in parts)
        case _:
            return True


def _fill(roles: Iterable[str], approving: Iterable[Word]) -> list[int]:
    wanted = set(roles)
    return list(dict.fromkeys(word.person_id for word in approving if wanted & set(word.roles)))


def _requirements(rulebook: Rulebook, gate: str, seats: Iterable[Seat]) -> list[Requirement]:
    wanted = {seat.requirement for seat in seats}
    found = rulebook.gates.get(gate)
    return [one for one in found.requirements if one.id in wanted] if found else []


def _telling(seats: Sequence[Seat]) -> list[Seat]:
    """Leave out a seat for several roles that asks for no more people than the seats of these roles do."""
    found = []
    for seat in seats:
        parts = [
            one
            for one in seats
            if one.requirement == seat.requirement and set(one.roles) < set(seat.roles)
        ]
        if not parts or sum(one.need for one in parts) < seat.need:
            found.append(seat)
    return found


def _label(rulebook: Rulebook, role: str) -> str:
    return rulebook.roles[role].label if role in rulebook.roles else role
