"""A condition as a form shows it: lines, groups, lists and sign-offs, each with what was typed, right or not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from okrgate.gates.rendering import Plain

DEEPEST = 8
MOST = 60
MARKS = {"where": "w", "must": "m"}
VALUE, TODAY, FACT = "value", "today", "fact:"


@dataclass(frozen=True)
class Line:
    """A comparison. `against` says what kind of thing the other side is, `typed` and `chosen` hold its value."""

    fact: str = ""
    op: str = ""
    against: str = VALUE
    typed: str = ""
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Several parts, of which all, any, none or not all have to hold."""

    how: str = "all"
    parts: "tuple[Part, ...]" = ()


@dataclass(frozen=True)
class Items:
    """Every item of a list has to (`each`), or so many items are (`count`)."""

    shape: str = "each"
    of: str = ""
    where: Group = field(default_factory=Group)
    must: Group = field(default_factory=Group)
    least: str = ""
    most: str = ""


@dataclass(frozen=True)
class Seats:
    """People who sign in some roles: at least or at most so many."""

    roles: tuple[str, ...] = ()
    bound: str = "quorum"
    number: str = "1"
    decision: str = "approved"
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """What cannot be shown as a form. It stays as it is written."""

    plain: Plain


Part = Line | Group | Items | Seats | Kept
Path = tuple[str, ...]
ROOT: Path = ("r",)


def walk(part: Part, path: Path = ROOT) -> Iterator[tuple[Path, Part]]:
    """Yield every part with its path, the outer ones first."""
    yield path, part
    for step, inner in children(part):
        yield from walk(inner, (*path, step))


def children(part: Part) -> list[tuple[str, Part]]:
    """Return the parts right inside one, by the step of a path that leads there."""
    if isinstance(part, Group):
        return [(str(index), one) for index, one in enumerate(part.parts)]
    if isinstance(part, Items):
        inside: list[tuple[str, Part]] = [(MARKS["where"], part.where)]
        return [*inside, (MARKS["must"], part.must)] if part.shape == "each" else inside
    return []


def changed(part: Part, path: Path, how: Callable[[Part], tuple[Part, ...]]) -> tuple[Part, ...]:
    """Return what stands in the place of a part after `how` was done at `path`; a path that leads nowhere changes nothing."""
    if not path:
        return how(part)
    step, *rest = path
    if isinstance(part, Items):
        return (_changed_list(part, step, tuple(rest), how),)
    if (
        isinstance(part, Group)
        and step.isdecimal()
        and len(step) < 4
        and int(step) < len(part.parts)
    ):
        index = int(step)
        instead = changed(part.parts[index], tuple(rest), how)
        return (replace(part, parts=(*part.parts[:index], *instead, *part.parts[index + 1 :])),)
    return (part,)


def _changed_list(
    part: Items, step: str, rest: Path, how: Callable[[Part], tuple[Part, ...]]
) -> Items:
    if step == MARKS["where"]:
        return replace(part, where=as_group(*changed(part.where, rest, how)))
    if step == MARKS["must"] and part.shape == "each":
        return replace(part, must=as_group(*changed(part.must, rest, how)))
    return part


def as_group(*parts: Part) -> Group:
    """Return one group of some parts: the part itself, if it is a group already."""
    if len(parts) == 1 and isinstance(parts[0], Group):
        return parts[0]
    return Group("all", parts)
