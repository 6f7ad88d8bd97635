"""Change a rules file in one place and leave the rest as it is written: comments, order, blank lines, layout.

Nothing is written anew but what changes. What comes out is read again and has to mean what the change was to come to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from okrgate.gates.changes import Add, Carry, Change, Move, Put, Remove, Rename
from okrgate.gates.cutting import Cut, cut_out, cuts, write
from okrgate.gates.outlining import as_plain, expected, same
from okrgate.gates.places import NoPlace, Path, Place, follow, line_at
from okrgate.gates.problems import Problem, RulebookError
from okrgate.gates.rendering import WIDEST, Plain, is_group
from okrgate.gates.tree import Node, read_tree

_SEVERAL = 4
_WORD = 60

__all__ = ["Add", "Carry", "Change", "Move", "NoPlace", "Put", "Remove", "Rename", "revise"]


@dataclass(frozen=True)
class Revised:
    """A text that was changed; or `problems`, if it is no rules file, or `missing`, if something was not there."""

    text: str
    problems: tuple[Problem, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Outlined:
    """A text as plain data; or `problems`, if it is no rules file."""

    data: Plain
    problems: tuple[Problem, ...] = ()


def try_to_revise(given: tuple[str, Sequence[Change]]) -> Revised:
    """Return what `revise` makes of (text, changes), every refusal as a value: for `checks.in_child`."""
    text, changes = given
    try:
        return Revised(revise(text, changes))
    except RulebookError as error:
        return Revised(text, problems=error.problems)
    except NoPlace as error:
        return Revised(text, missing=str(error))


def try_to_outline(text: str) -> Outlined:
    """Return what `outline` makes of a text, a refusal as a value: for `checks.in_child`."""
    try:
        return Outlined(outline(text))
    except RulebookError as error:
        return Outlined(None, error.problems)


def revise(text: str, changes: Iterable[Change]) -> str:
    """Return the text after these changes, made one after the other.

    Raises RulebookError for a text that is no YAML of the rules language, NoPlace for a path that is not there.
    """
    root = read_tree(text)
    pending = list(reversed(list(changes)))
    while pending:
        several, done = _at_once(text, root, pending)
        if several is not None:
            text, root = several
            del pending[-done:]
            continue
        change, *rest = _steps(root, pending.pop())
        pending += reversed(rest)
        wanted = expected(as_plain(root), change)
        cut = cut_out(text, cuts(text, root, change))
        try:
            tree = read_tree(cut)
        except RulebookError:
            tree = None
        if tree is None or not same(as_plain(tree), wanted):
            raise NoPlace("This is laid out in a way that can only be changed in the file itself.")
        if isinstance(change, Put | Add):
            cut, tree = _spread(change.path, (text, root), (cut, tree))
        text, root = cut, tree
    return text


def _at_once(
    text: str, root: Node, pending: Sequence[Change]
) -> tuple[tuple[str, Node] | None, int]:
    """Return text and tree after as many of the next changes as are small and apart, and how many those are.

    Reading a text is what costs time, so these are read again only once. None if that is not sure, or not worth it.
    """
    wanted = as_plain(root)
    found: list[Cut] = []
    done = 0
    for change in reversed(pending):
        more = _cuts_apart(text, root, change, found)
        if more is None:
            break
        try:
            wanted = expected(wanted, change)
        except NoPlace:
            break
        found += more
        done += 1
    if done < _SEVERAL:
        return None, 0
    cut = cut_out(text, found)
    try:
        tree = read_tree(cut)
    except RulebookError:
        return None, 0
    return ((cut, tree), done) if same(as_plain(tree), wanted) else (None, 0)


def _cuts_apart(text: str, root: Node, change: Change, others: Sequence[Cut]) -> list[Cut] | None:
    """Return the cuts of a small change, if they touch none of the others."""
    if not _is_small(change):
        return None
    try:
        found = cuts(text, root, change)
    except NoPlace:
        return None
    apart = all(one.end < other.start or other.end < one.start for one in found for other in others)
    return found if apart else None


def _is_small(change: Change) -> bool:
    """Tell whether a change makes no row wider than it was by much."""
    return isinstance(change, Remove | Rename) or (
        isinstance(change, Put) and not is_group(change.value) and len(str(change.value)) < _WORD
    )


def _steps(root: Node, change: Change) -> list[Change]:
    """Return a change in smaller ones, where a group takes the place of another: what stays keeps its comments."""
    if not isinstance(change, Put) or not isinstance(change.value, Mapping):
        return [change]
    try:
        now = follow(root, change.path).value
    except NoPlace:
        return [change]
    value = change.value
    if not isinstance(now, dict) or not value or list(now) == list(value):
        return [change]
    kept = [key for key in value if key in now]
    if not kept or kept != [key for key in now if key in value]:
        return [change]
    steps: list[Change] = [Remove((*change.path, key)) for key in now if key not in value]
    before = None
    for key, one in value.items():
        if key in now:
            steps.append(Put((*change.path, key), one))
        elif before is None:
            return [change]
        else:
            steps.append(Add(change.path, one, key=key, after=before))
        before = key
    return steps


def _spread(path: Path, before: tuple[str, Node], after: tuple[str, Node]) -> tuple[str, Node]:
    """Return a text in which a row that has become too wide by a change stands in lines of its own."""
    text, root = after
    for depth in range(1, len(path) + 1):
        place = _found(text, root, path[:depth])
        if place is None or not is_group(as_plain(place.node)) or not place.node.inline:
            continue
        row = text[place.node.start : place.node.end]
        if "#" in row or "\n" in row or _width(place) <= WIDEST:
            break
        earlier = _found(*before, path[:depth])
        if earlier is not None and earlier.node.inline and _width(earlier) > WIDEST:
            break
        made = cut_out(text, [write(text, place, as_plain(place.node))])
        tree = read_tree(made)
        return (made, tree) if same(as_plain(tree), as_plain(root)) else after
    return after


def _found(text: str, root: Node, path: Path) -> Place | None:
    try:
        return Place(text, root, path)
    except NoPlace:
        return None


def _width(place: Place) -> int:
    return place.node.column + place.node.end - place.node.start


def outline(text: str) -> Plain:
    """Return a whole file as plain data: mappings, lists, exact numbers, days, words. Raises RulebookError."""
    return as_plain(read_tree(text))


def lines_of(text: str, paths: Iterable[Path]) -> list[tuple[int, int] | None]:
    """Return the first and last line (from 1) of what stands at each path; None where nothing does."""
    root = read_tree(text)
    found: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            place = Place(text, root, path)
        except NoPlace:
            found.append(None)
        else:
            found.append((line_at(text, place.start), line_at(text, place.end)))
    return found
