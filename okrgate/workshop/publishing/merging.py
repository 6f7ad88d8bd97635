"""Bring a text up to date: what others changed and what one changed oneself since both began from the same text.

Line by line, as version control does it. Where both changed the same lines, both are kept between plain markers: the
text cannot be published before somebody has chosen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from okrgate.errors import Conflict
from okrgate.gates.checks import in_child
from okrgate.gates.problems import Problem

_SECONDS = 10.0
_BEGIN, _BETWEEN, _END = "<<<<<<< ", "=======", ">>>>>>> "
Lines = Sequence[str]


@dataclass(frozen=True)
class Merged:
    """The text that has both; `conflicts` are the lines at which somebody has to choose."""

    text: str
    conflicts: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Texts:
    base: str
    theirs: str
    mine: str
    named: tuple[str, str]


def merge(base: str, theirs: str, mine: str, *, named: tuple[str, str]) -> Merged:
    """Return one text with the changes of both; `named` says what the two are called at a conflict.

    A process of its own does it, for nobody knows how long strange texts take. Raises Conflict when it takes too long.
    """
    found = in_child(_merge, _Texts(base, theirs, mine, named), _SECONDS)
    if not isinstance(found, Merged):
        raise Conflict("So much differs that it cannot be brought together here. Do it by hand.")
    return found


def undecided(text: str) -> list[Problem]:
    """Return the places at which both texts still stand and somebody has to choose."""
    return [
        Problem(
            number,
            1,
            "error",
            "here both texts stand: keep what is to stay, and take the three lines with the markers out",
        )
        for number, line in enumerate(text.split("\n"), 1)
        if line.startswith(_BEGIN)
    ]


def _merge(texts: _Texts) -> Merged:
    base, theirs, mine = (_lines(one) for one in (texts.base, texts.theirs, texts.mine))
    lines: list[str] = []
    conflicts: list[int] = []
    for common, ours, others in _pieces(base, mine, theirs):
        if ours in (others, common):
            lines += others
        elif others == common:
            lines += ours
        else:
            conflicts.append(len(lines) + 1)
            lines += [_BEGIN + texts.named[0], *others, _BETWEEN, *ours, _END + texts.named[1]]
    return Merged("".join(f"{line}\n" for line in lines), tuple(conflicts))


def _lines(text: str) -> Lines:
    return text.removesuffix("\n").split("\n") if text else []


def _pieces(base: Lines, mine: Lines, theirs: Lines) -> Iterator[tuple[Lines, Lines, Lines]]:
    """Yield the same place of all three, in order: between two lines that all of them kept, or one such line."""
    in_mine, in_theirs = _kept(base, mine), _kept(base, theirs)
    at = here = there = 0
    for place in sorted(in_mine.keys() & in_theirs.keys()):
        yield base[at:place], mine[here : in_mine[place]], theirs[there : in_theirs[place]]
        same = base[place : place + 1]
        yield same, same, same
        at, here, there = place + 1, in_mine[place] + 1, in_theirs[place] + 1
    yield base[at:], mine[here:], theirs[there:]


def _kept(base: Lines, other: Lines) -> dict[int, int]:
    """Return where each line of the base that was kept stands in another text."""
    first = _same(base, other)
    last = min(_same(base[::-1], other[::-1]), min(len(base), len(other)) - first)
    found = {place: place for place in range(first)}
    middle = base[first : len(base) - last], other[first : len(other) - last]
    for start, end, size in SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks():
        found |= {first + start + step: first + end + step for step in range(size)}
    return found | {len(base) - step: len(other) - step for step in range(1, last + 1)}


def _same(one: Lines, other: Lines) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
