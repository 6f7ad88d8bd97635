"""The same difference side by side: which line stands where another one stood, and which words of it are others."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+|\W")
_ALIKE = 0.4
_MOST_PAIRS = 400

Part = tuple[str, bool]


@dataclass(frozen=True)
class Changed:
    """One line of a comparison: `sign` is "-" (only before), "+" (only after), " " (both) or "…" (left out)."""

    sign: str
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True)
class Side:
    """A line of one text; each part says whether its words are only here."""

    number: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Pair:
    """What stands side by side. Both are there: one line became the other, or (`same`) is in both. None: a gap."""

    before: Side | None = None
    after: Side | None = None
    same: bool = False


def pairs(lines: Sequence[Changed]) -> Iterator[Pair]:
    """Yield the lines of a comparison side by side, in their order."""
    gone: list[Changed] = []
    come: list[Changed] = []
    left = _MOST_PAIRS
    for one in lines:
        if one.sign == "-":
            if come:
                yield from _beside(gone, come, marked=left > 0)
                left -= len(come)
                gone, come = [], []
            gone.append(one)
            continue
        if one.sign == "+":
            come.append(one)
            continue
        yield from _beside(gone, come, marked=left > 0)
        left -= len(come)
        gone, come = [], []
        if one.sign == "…":
            yield Pair()
        else:
            yield Pair(_plain(one.before, one.text), _plain(one.after, one.text), same=True)
    yield from _beside(gone, come, marked=left > 0)


def _beside(gone: Sequence[Changed], come: Sequence[Changed], *, marked: bool) -> Iterator[Pair]:
    for place in range(max(len(gone), len(come))):
        old = gone[place] if place < len(gone) else None
        new = come[place] if place < len(come) else None
        if old is None or new is None or not marked:
            yield Pair(
                _plain(old.before, old.text) if old else None,
                _plain(new.after, new.text) if new else None,
            )
        else:
            before, after = _marked(old.text, new.text)
            yield Pair(Side(old.before or 0, before), Side(new.after or 0, after))


def _plain(number: int | None, text: str) -> Side:
    return Side(number or 0, ((text, False),))


def _marked(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return two lines in parts, the words that only one of them has marked; of lines that are not alike none."""
    one, other = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.quick_ratio() < _ALIKE or matcher.ratio() < _ALIKE:
        return ((old, False),), ((new, False),)
    before: list[Part] = []
    after: list[Part] = []
    for kind, first, last, start, end in matcher.get_opcodes():
        before.append(("".join(one[first:last]), kind != "equal"))
        after.append(("".join(other[start:end]), kind != "equal"))
    return tuple(part for part in before if part[0]), tuple(part for part in after if part[0])
