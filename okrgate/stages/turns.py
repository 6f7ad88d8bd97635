"""Sign-off in steps: a seat whose requirement comes `after` others is asked only once these no longer block."""

from collections.abc import Mapping, Sequence

from okrgate.approvals.models import Seat
from okrgate.gates.engine import judge
from okrgate.gates.model import Gate, Rulebook
from okrgate.gates.verdict import Verdict
from okrgate.stages.facts import Snapshot

# Requirement → what comes before it and is still missing, in the words of the rules.
Turns = Mapping[str, tuple[str, ...]]


def turns(gate: Gate | None, verdict: Verdict | None) -> Turns:
    """Return which requirements of a gate wait for others, and for which."""
    if gate is None or verdict is None or not _in_steps(gate):
        return {}
    messages = {one.id: one.message for one in gate.requirements}
    blocking = {finding.id for finding in verdict.findings if finding.blocks}
    found = {
        one.id: tuple(messages[before] for before in one.after if before in blocking)
        for one in gate.requirements
    }
    return {name: first for name, first in found.items() if first}


def turns_now(rulebook: Rulebook, transition: str, snapshot: Snapshot) -> Turns:
    """Return the same as the project is now. Raises GateUnjudgeable: whose turn it is is then not known."""
    move = rulebook.transitions.get(transition)
    gate = rulebook.gates.get(move.gate or "") if move else None
    if gate is None or not _in_steps(gate):
        return {}
    facts = snapshot.facts_for(gate.id)
    return turns(gate, judge(rulebook, transition, facts, today=snapshot.today))


def asked_now(seats: Sequence[Seat], waiting: Turns) -> list[Seat]:
    """Return the seats whose turn has come."""
    return [seat for seat in seats if seat.requirement not in waiting]


def first(seats: Sequence[Seat], waiting: Turns, roles: frozenset[str]) -> str:
    """Say what comes before the seats that these roles may take; nothing when they may take none."""
    messages = dict.fromkeys(
        message
        for seat in seats
        if roles & set(seat.roles)
        for message in waiting.get(seat.requirement, ())
    )
    return f"It is not your turn yet. First: {'; '.join(messages)}." if messages else ""


def _in_steps(gate: Gate) -> bool:
    return any(one.after for one in gate.requirements)
