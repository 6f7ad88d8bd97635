"""Where a project has been, read from its visits: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FORWARD = "forward"


class Stay(Protocol):
    """One visit, as far as the path needs it."""

    stage: str
    transition: str | None
    kind: str | None
    gate: str | None


@dataclass(frozen=True)
class Step:
    """A stage left forward, and the gate that was passed by it."""

    stage: str
    transition: str
    gate: str | None


def steps(visits: Sequence[Stay]) -> tuple[Step, ...]:
    """Return the forward steps that still count: coming back to a stage takes back all since it was entered."""
    taken: list[Step] = []
    for visit in visits:
        been = [step.stage for step in taken]
        if visit.stage in been:
            del taken[been.index(visit.stage) :]
        if visit.kind == FORWARD and visit.transition is not None:
            taken.append(Step(visit.stage, visit.transition, visit.gate))
    return tuple(taken)


def passed_gates(visits: Sequence[Stay]) -> tuple[str, ...]:
    """Return the gates a project has passed and not been sent back over."""
    return tuple(step.gate for step in steps(visits) if step.gate is not None)
