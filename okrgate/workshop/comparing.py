"""Two texts, line by line: what one has and the other has not."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from okrgate.workshop.pairing import Changed, Pair, pairs

_AROUND = 3
_MOST = 4_000
_WIDEST = 2_000
_SHORT = 60


@dataclass(frozen=True)
class Difference:
    """What differs between two texts. `too_long`: nobody could compare them within a moment."""

    lines: tuple[Changed, ...]
    added: int
    removed: int
    too_long: bool = False

    @property
    def pairs(self) -> list[Pair]:
        """Return the lines side by side."""
        return list(pairs(self.lines))


@dataclass(frozen=True)
class Numbered:
    """A line of a text as it is shown with what is wrong there."""

    number: int
    text: str


def compare(before: str, after: str) -> Difference:
    """Return the difference of two texts, with some lines around each change."""
    old, new = before.splitlines(), after.splitlines()
    first = _same(old, new)
    last = _same(old[first:][::-1], new[first:][::-1])
    middle_old, middle_new = old[first : len(old) - last], new[first : len(new) - last]
    if max(len(middle_old), len(middle_new)) > _MOST:
        return Difference((), len(middle_new), len(middle_old), too_long=True)
    start = max(0, first - _AROUND)
    end = max(0, last - _AROUND)
    lines = list(_walk(old[start : len(old) - end], new[start : len(new) - end], start))
    return Difference(
        tuple(lines),
        sum(one.sign == "+" for one in lines),
        sum(one.sign == "-" for one in lines),
    )


def numbered(text: str, marked: set[int]) -> list[Numbered | None]:
    """Return the lines of a text with their numbers; of a long one only those near the marked (None: left out)."""
    lines = text.splitlines()
    if len(lines) <= _SHORT:
        return [Numbered(place, line[:_WIDEST]) for place, line in enumerate(lines, 1)]
    near = {
        place
        for line in sorted(marked)[:100]
        for place in range(line - _AROUND, line + _AROUND + 1)
        if 0 < place <= len(lines)
    }
    found: list[Numbered | None] = []
    for place in sorted(near):
        if found and found[-1] is not None and found[-1].number < place - 1:
            found.append(None)
        found.append(Numbered(place, lines[place - 1][:_WIDEST]))
    return found


def _same(old: list[str], new: list[str]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _walk(old: list[str], new: list[str], skipped: int) -> Iterator[Changed]:
    matcher = SequenceMatcher(None, old, new)
    for number, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        if number:
            yield Changed("…", None, None, "")
        for kind, first, last, start, end in group:
            if kind == "equal":
                for offset, line in enumerate(old[first:last]):
                    yield Changed(
                        " ",
                        skipped + first + offset + 1,
                        skipped + start + offset + 1,
                        line[:_WIDEST],
                    )
                continue
            for place, line in enumerate(old[first:last], skipped + first + 1):
                yield Changed("-", place, None, line[:_WIDEST])
            for place, line in enumerate(new[start:end], skipped + start + 1):
                yield Changed("+", None, place, line[:_WIDEST])
