"""Each change of a rules file as cuts of its text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from okrgate.gates.changes import Add, Carry, Change, Move, Put, Remove, Rename
from okrgate.gates.outlining import as_plain, same
from okrgate.gates.places import (
    NoPlace,
    Path,
    Place,
    Step,
    child_place,
    column,
    dash,
    follow,
    index_of,
    is_written,
    line_end,
    own_lines,
    span,
    starts_line,
)
from okrgate.gates.rendering import Plain, after_colon, as_item, block, fits, inline, is_group, word
from okrgate.gates.tree import Node


@dataclass(frozen=True)
class Cut:
    """What takes the place of a part of the text."""

    start: int
    end: int
    text: str


def cut_out(text: str, found: Iterable[Cut]) -> str:
    """Return the text after cuts that do not touch each other."""
    for cut in sorted(found, key=lambda one: -one.start):
        text = text[: cut.start] + cut.text + text[cut.end :]
    return text


def cuts(text: str, root: Node, change: Change) -> list[Cut]:
    """Return what a change cuts out and puts in. Raises NoPlace."""
    match change:
        case Put():
            return _put(text, root, change.path, change.value)
        case Add():
            return [_add(text, root, change)]
        case Remove():
            return [_remove(text, Place(text, root, change.path))]
        case Move():
            return _move(text, root, change)
        case Rename():
            return [_rename(Place(text, root, change.path), change.to)]
        case Carry():
            return _carry(text, root, change)


def _put(text: str, root: Node, path: Path, value: Plain) -> list[Cut]:
    depth, parent = _deepest(root, path)
    if depth < len(path):
        rest = path[depth + 1 :]
        for step in reversed(rest):
            value = {str(step): value}
        key = str(path[depth])
        if parent.value is None and depth > 0:
            return [write(text, Place(text, root, path[:depth]), {key: value})]
        if not isinstance(parent.value, dict):
            raise NoPlace(f"There is no “{key}” there any more.")
        return [_insert(text, parent, key, value, None, spread=depth == 0)]
    return _overwrite(text, root, path, value)


def _deepest(root: Node, path: Path) -> tuple[int, Node]:
    """Return how many steps of a path are there, and what stands at the last of them."""
    node = root
    for depth, step in enumerate(path):
        try:
            node = follow(node, (step,))
        except NoPlace:
            return depth, node
    return len(path), node


def _overwrite(text: str, root: Node, path: Path, value: Plain) -> list[Cut]:
    """Write a value over another one: of two mappings or equally long lists only what differs, if that is one cut."""
    place = Place(text, root, path)
    if same(as_plain(place.node), value):
        return []
    inner = _differing(place.node, value)
    if inner is not None:
        return [cut for step, one in inner for cut in _overwrite(text, root, (*path, step), one)]
    return [write(text, place, value)]


def _differing(node: Node, value: Plain) -> list[tuple[Step, Plain]] | None:
    """Return which children differ, if nothing is added, taken away or moved; else None."""
    if isinstance(node.value, dict) and isinstance(value, Mapping):
        if list(node.value) != list(value):
            return None
        return [
            (key, one)
            for key, one in value.items()
            if not same(as_plain(node.value[key].value), one)
        ]
    if isinstance(node.value, list) and isinstance(value, list) and len(node.value) == len(value):
        return [
            (index, one)
            for index, one in enumerate(value)
            if not same(as_plain(node.value[index]), one)
        ]
    return None


def write(text: str, place: Place, value: Plain) -> Cut:
    """Return the cut that puts a value in the place of another one."""
    if place.parent.inline:
        start = place.node.start if is_written(place.node) else place.end
        return Cut(start, place.end, ("" if start == place.node.start else " ") + inline(value))
    if place.key is None:
        indent = column(text, dash(text, place))
        start = dash(text, place) + 1
        return Cut(start, max(place.end, start), " " + as_item(value, indent))
    indent = column(text, place.key.start)
    between = text[place.colon : place.node.start] if is_written(place.node) else ""
    if "#" in between:
        inner = column(text, place.node.start)
        shown = inline(value) if fits(value, inner) or not is_group(value) else block(value, inner)
        return Cut(place.node.start, place.end, shown)
    return Cut(place.colon, place.end, after_colon(value, indent))


def _add(text: str, root: Node, change: Add) -> Cut:
    try:
        parent = follow(root, change.path)
    except NoPlace:
        whole = [change.value] if change.key is None else {change.key: change.value}
        return _put(text, root, change.path, whole)[0]
    if not parent.value and change.path:
        whole = [change.value] if change.key is None else {change.key: change.value}
        return write(text, Place(text, root, change.path), whole)
    if change.key is None and not isinstance(parent.value, list):
        raise NoPlace("There is no list there.")
    if change.key is not None and not isinstance(parent.value, dict):
        raise NoPlace("There is no group of names there.")
    after = None if change.after is None else index_of(parent, change.after)
    return _insert(text, parent, change.key, change.value, after, spread=not change.path)


def _insert(
    text: str, parent: Node, key: str | None, value: Plain, after: int | None, *, spread: bool
) -> Cut:
    """Return the cut that adds a child behind the one numbered `after` (None: behind the last)."""
    count = len(parent.value) if isinstance(parent.value, dict | list) else 0
    if key is not None and isinstance(parent.value, dict) and key in parent.value:
        raise NoPlace(f"“{key}” is there already.")
    if count == 0:
        at = parent.start + 1
        return Cut(at, at, inline(value) if key is None else f"{word(key)}: {inline(value)}")
    brother = child_place(text, parent, count - 1 if after is None else after)
    if parent.inline:
        shown = inline(value) if key is None else f"{word(key)}: {inline(value)}"
        return Cut(brother.end, brother.end, f", {shown}")
    at = line_end(text, brother.end)
    if key is None:
        indent = column(text, dash(text, brother))
        shown = f"- {as_item(value, indent)}"
    else:
        indent = column(text, brother.start)
        shown = word(key) + ":" + after_colon(value, indent, spread=spread)
    return Cut(at, at, "\n" + " " * indent + shown)


def _remove(text: str, place: Place) -> Cut:
    brothers = len(place.parent.value) if isinstance(place.parent.value, dict | list) else 0
    if brothers == 1:
        empty = "{}" if isinstance(place.parent.value, dict) else "[]"
        if place.parent.inline:
            return Cut(place.parent.start, place.parent.end, empty)
        first = place.start if place.key is not None else dash(text, place)
        return Cut(first, place.end, empty)
    if place.parent.inline:
        return _remove_inline(text, place, brothers)
    start, end = own_lines(text, place)
    if not starts_line(text, place):
        following = child_place(text, place.parent, place.index + 1)
        return Cut(place.start, following.start, "")
    end += 1
    blank_before = start >= 2 and text[start - 2 : start] == "\n\n"
    if blank_before and (end >= len(text) or text[end] == "\n"):
        start -= 1
    return Cut(start, min(end, len(text)), "")


def _remove_inline(text: str, place: Place, brothers: int) -> Cut:
    if place.index + 1 < brothers:
        return Cut(place.start, child_place(text, place.parent, place.index + 1).start, "")
    return Cut(child_place(text, place.parent, place.index - 1).end, place.end, "")


def _move(text: str, root: Node, change: Move) -> list[Cut]:
    place = Place(text, root, change.path)
    count = len(place.parent.value) if isinstance(place.parent.value, dict | list) else 0
    other = place.index + (1 if change.by > 0 else -1)
    if change.by == 0 or not 0 <= other < count:
        return []
    pair = (place, child_place(text, place.parent, other))
    (one, two) = sorted(span(text, each) for each in pair)
    return [
        Cut(*one, text[two[0] : two[1]]),
        Cut(*two, text[one[0] : one[1]]),
    ]


def _rename(place: Place, to: str) -> Cut:
    if place.key is None or not isinstance(place.parent.value, dict):
        raise NoPlace("There is no name there.")
    if to != place.key.value and to in place.parent.value:
        raise NoPlace(f"“{to}” is there already.")
    return Cut(place.key.start, place.key.end, word(to))


def _carry(text: str, root: Node, change: Carry) -> list[Cut]:
    """Take an item with its comments to the end of another list; of lists in brackets only what it says."""
    place, target = Place(text, root, change.path), follow(root, change.to)
    if not isinstance(target.value, list) or not isinstance(place.parent.value, list):
        raise NoPlace("There is no list there.")
    if place.parent.inline or (target.inline and target.value):
        return [
            _remove(text, place),
            _add(text, root, Add(change.to, as_plain(place.node))),
        ]
    start, end = own_lines(text, place)
    lines, indent = text[start:end], column(text, dash(text, place))
    if target.value:
        last = child_place(text, target, len(target.value) - 1)
        wanted, at = column(text, dash(text, last)), line_end(text, last.end)
        there = Cut(at, at, "\n" + _shifted(lines, wanted - indent))
    else:
        there = _only(text, Place(text, root, change.to), lines, indent)
    if len(place.parent.value) == 1:
        return [Cut(start, end, " " * indent + "[]"), there]
    return [_remove(text, place), there]


def _only(text: str, empty: Place, lines: str, indent: int) -> Cut:
    """Return the cut that puts an item's lines into a list that has none."""
    if empty.key is None or empty.parent.inline:
        raise NoPlace("This is laid out in a way that can only be changed in the file itself.")
    wanted = column(text, empty.key.start) + 2
    return Cut(empty.colon, max(empty.end, empty.colon), "\n" + _shifted(lines, wanted - indent))


def _shifted(lines: str, by: int) -> str:
    """Return lines further in, or out."""
    if by >= 0:
        return "\n".join(" " * by + one if one.strip() else one for one in lines.split("\n"))
    return "\n".join(one[min(-by, len(one) - len(one.lstrip(" "))) :] for one in lines.split("\n"))
