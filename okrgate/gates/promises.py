"""The ways through the stages on which a promise is not kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from okrgate.gates.model import Gate, Rulebook, Transition

PREVIOUS = "previous"
# The one way on that asks nothing: what is stopped half-way is no longer carried out. Of parking there is a way back.
STOP = "stop"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project stands: its stage, where it was held (while it is), and whether the promise is kept so far."""

    stage: str
    held: str | None
    kept: bool


@dataclass(frozen=True)
class Way:
    """Stages one after the other, and the gates passed since the last move that voids sign-offs."""

    stages: tuple[str, ...]
    gates: tuple[str, ...]


def broken_way(rulebook: Rulebook, stage: str, keeps: Callable[[Gate], bool]) -> Way | None:
    """Return a shortest way into a stage on which no gate that still counts keeps the promise."""
    start = Place(rulebook.initial.id, None, False)
    came: dict[Place, tuple[Place, Transition] | None] = {start: None}
    edge = [start]
    while edge:
        beyond: list[Place] = []
        for place in edge:
            if place.stage == stage and not place.kept:
                return _way(came, place)
            for move, target in _onward(rulebook, place, keeps):
                if target not in came:
                    came[target] = (place, move)
                    beyond.append(target)
        edge = beyond
    return None


def _onward(
    rulebook: Rulebook, place: Place, keeps: Callable[[Gate], bool]
) -> Iterator[tuple[Transition, Place]]:
    for move in rulebook.transitions_from(place.stage):
        if move.kind == STOP and not move.auto:
            continue
        passed = move.gate is not None and keeps(rulebook.gates[move.gate])
        kept = not move.voids_signoffs and (place.kept or passed)
        for target in _targets(rulebook, move, place):
            held = place.stage if rulebook.stages[target].holding else None
            yield move, Place(target, held, kept)


def _targets(rulebook: Rulebook, move: Transition, place: Place) -> list[str]:
    if move.target != PREVIOUS:
        return [move.target]
    if place.held is not None:
        return [place.held]
    into = (one for one in rulebook.transitions.values() if one.target == place.stage)
    return list(dict.fromkeys(stage for one in into for stage in one.sources))


def _way(came: dict[Place, tuple[Place, Transition] | None], end: Place) -> Way:
    stages, gates, counts = [end.stage], [], True
    step = came[end]
    while step is not None:
        before, move = step
        counts = counts and not move.voids_signoffs
        if counts and move.gate is not None:
            gates.append(move.gate)
        stages.append(before.stage)
        step = came[before]
    return Way(tuple(reversed(stages)), tuple(dict.fromkeys(reversed(gates))))
