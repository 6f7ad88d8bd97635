"""Where the parts of a process map stand. Pure arithmetic over a rulebook; the template draws.

The normal way runs from top to bottom, one box a stage with the gate on the way to the next. Ways back bend round on
the left; ways out are named in the box they leave. So a map is as narrow as a phone and never a tangle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from okrgate.gates.model import Rulebook, Stage, Transition

WIDTH = 360
_LEFT, _RIGHT = 56, 352
_TOP = 8
_HEAD, _LINE, _FOOT = 30, 18, 8
_BETWEEN = 62
_LANE, _FIRST_LANE = 12, 12


@dataclass(frozen=True)
class Exit:
    """A way out of the normal one, in words."""

    label: str
    target: str


@dataclass(frozen=True)
class Box:
    """One stage. `kind` is start, way or end; `y` and `height` in pixels of a picture `WIDTH` wide."""

    id: str
    label: str
    kind: str
    y: int
    height: int
    exits: tuple[Exit, ...]

    @property
    def middle(self) -> int:
        """Return the height of its middle."""
        return self.y + self.height // 2


@dataclass(frozen=True)
class Step:
    """The way from one box to the next: the move, and the gate on it, if it has one."""

    label: str
    gate: str
    gate_id: str
    by_itself: bool
    start: int
    end: int

    @property
    def middle(self) -> int:
        """Return the height at which the gate stands."""
        return (self.start + self.end) // 2


@dataclass(frozen=True)
class Return:
    """A way back to an earlier box: the path of a line on the left, and the height at which it ends."""

    label: str
    path: str
    end: int
    source: str
    target: str


@dataclass(frozen=True)
class Aside:
    """A stage off the normal way: where a project waits, or an early end. `sources` name where from."""

    label: str
    kind: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class ProcessMap:
    """A whole process, laid out; `height` in pixels."""

    boxes: tuple[Box, ...]
    steps: tuple[Step, ...]
    returns: tuple[Return, ...]
    asides: tuple[Aside, ...]
    height: int
    width: int = WIDTH
    left: int = _LEFT
    right: int = _RIGHT


def draw(rulebook: Rulebook) -> ProcessMap:
    """Lay out the map of one rulebook."""
    path = rulebook.forward_path(rulebook.initial.id)
    way = [rulebook.initial.id, *(step.target for step in path)]
    boxes = tuple(_boxes(rulebook, way, path))
    places = {box.id: box for box in boxes}
    bottom = boxes[-1].y + boxes[-1].height
    return ProcessMap(
        boxes=boxes,
        steps=tuple(_steps(rulebook, path, boxes)),
        returns=tuple(_returns(rulebook, places)),
        asides=tuple(_asides(rulebook, way)),
        height=bottom + _TOP,
    )


def _boxes(rulebook: Rulebook, way: Sequence[str], path: Sequence[Transition]) -> Iterator[Box]:
    y = _TOP
    for place, stage_id in enumerate(way):
        stage = rulebook.stages[stage_id]
        taken = path[place].id if place < len(path) else None
        exits = tuple(
            Exit(one.label, _target(rulebook, one))
            for one in rulebook.transitions_from(stage_id)
            if one.id != taken and not _is_back(one, way)
        )
        height = _HEAD + _LINE * len(exits) + (_FOOT if exits else 0)
        yield Box(stage.id, stage.label, _kind(stage), y, height, exits)
        y += height + _BETWEEN


def _steps(rulebook: Rulebook, path: Sequence[Transition], boxes: Sequence[Box]) -> Iterator[Step]:
    for step, above, below in zip(path, boxes, boxes[1:], strict=False):
        gate = rulebook.gates[step.gate] if step.gate else None
        yield Step(
            label=step.label,
            gate=gate.label if gate else "",
            gate_id=gate.id if gate else "",
            by_itself=step.auto,
            start=above.y + above.height,
            end=below.y,
        )


def _returns(rulebook: Rulebook, places: dict[str, Box]) -> Iterator[Return]:
    lane = 0
    for one in rulebook.transitions.values():
        for source in one.sources:
            if source not in places or not _is_back(one, list(places)):
                continue
            start, end = places[source], places[one.target]
            if start.y <= end.y:
                continue
            x = _LEFT - _FIRST_LANE - _LANE * (lane % 3)
            lane += 1
            from_y, to_y = start.y + 14, end.y + 16
            path = f"M{_LEFT},{from_y} H{x + 6} Q{x},{from_y} {x},{from_y - 6} V{to_y + 6} Q{x},{to_y} {x + 6},{to_y} H{_LEFT - 2}"
            yield Return(one.label, path, to_y, start.label, end.label)


def _asides(rulebook: Rulebook, way: Sequence[str]) -> Iterator[Aside]:
    for stage in rulebook.stages.values():
        if stage.id in way:
            continue
        sources = {
            source: rulebook.stages[source].label
            for one in rulebook.transitions.values()
            if one.target == stage.id
            for source in one.sources
        }
        yield Aside(stage.label, "wait" if stage.holding else _kind(stage), tuple(sources.values()))


def _is_back(one: Transition, way: Sequence[str]) -> bool:
    """Tell whether a move leads to a stage of the normal way that lies before all it starts from."""
    if one.target not in way:
        return False
    return all(way.index(one.target) < way.index(source) for source in one.sources if source in way)


def _target(rulebook: Rulebook, one: Transition) -> str:
    stage = rulebook.stages.get(one.target)
    return stage.label if stage else "where it was"


def _kind(stage: Stage) -> str:
    if stage.terminal:
        return "end"
    return "start" if stage.initial else "way"
