"""A draft opened for its forms, and changed by them. Its text is read, changed and checked in processes of their own."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from okrgate.gates.checks import in_child
from okrgate.gates.problems import Problem
from okrgate.gates.revising import Change, Outlined, try_to_outline
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.workshop import keeping
from okrgate.workshop.rows.draft_reading import RowKey, revise_and_outline, survey
from okrgate.workshop.rows.process_rows import Process, group

_SECONDS = 15.0
_KEPT = 16
_lock = threading.Lock()
_outlines: OrderedDict[str, dict[str, object]] = OrderedDict()


class Unreadable(Exception):
    """A draft that is no rules file at all, so that no form can show it; `problems` say where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep what is wrong with it."""
        super().__init__()
        self.problems = tuple(problems)


class Unchangeable(Exception):
    """A change that could not be made; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        """Keep the sentence."""
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Opened:
    """A draft, what its text says, and the mark that a form carries to be sure of it."""

    draft: Draft
    process: Process
    seen: str


@dataclass(frozen=True)
class Findings:
    """What the check finds in a text: by row, and what belongs to no row."""

    by_row: dict[RowKey, list[Problem]]
    elsewhere: list[Problem]

    @property
    def all(self) -> list[Problem]:
        """Return everything that is found, each once, in the order of the file."""
        return sorted({*self.elsewhere, *(one for found in self.by_row.values() for one in found)})

    @property
    def errors(self) -> int:
        """Return how many errors there are altogether."""
        return sum(one.severity == "error" for one in self.all)

    def of(self, kind: str, name: str) -> list[Problem]:
        """Return what is found in one row."""
        return self.by_row.get((kind, name), [])


def opened(key: str, *, by: int) -> Opened:
    """Return what somebody works on, ready to be shown in forms. Raises Unreadable."""
    draft = drafts.begin(key, by=by)
    return Opened(draft, Process(_outline(draft.text)), keeping.digest(draft))


def change(key: str, changes: Sequence[Change], *, seen: str, by: int) -> None:
    """Make changes in somebody's draft and keep it.

    Raises keeping.Newer when the draft is not the one that was seen, Unchangeable when a change cannot be made,
    Unreadable when the text is no rules file.
    """
    draft = keeping.opened(key, seen=seen, by=by)
    text = revised(draft.text, changes)
    if text != draft.text:
        keeping.keep(key, Draft(text, draft.note, draft.based_on), seen=seen, by=by)


def revised(text: str, changes: Sequence[Change]) -> str:
    """Return a text after some changes. Raises Unchangeable, Unreadable."""
    if not changes:
        return text
    answer = in_child(revise_and_outline, (text, tuple(changes)), _SECONDS)
    if not isinstance(answer, tuple):
        raise Unchangeable(f"The change could not be made: {answer}.")
    found, outlined = answer
    if found.missing:
        raise Unchangeable(f"The change could not be made. {found.missing}")
    if found.problems:
        raise Unreadable(found.problems)
    if len(found.text.encode()) > drafts.LONGEST:
        raise Unchangeable("With this change the rules would be longer than they may be: 256 KB.")
    _remember(found.text, outlined)
    return str(found.text)


def _outline(text: str) -> dict[str, object]:
    with _lock:
        if text in _outlines:
            _outlines.move_to_end(text)
            return _outlines[text]
    found = in_child(try_to_outline, text, _SECONDS)
    if not isinstance(found, Outlined):
        raise Unreadable([Problem(1, 1, "error", str(found))])
    if found.problems:
        raise Unreadable(found.problems)
    return _remember(text, found)


def _remember(text: str, found: Outlined) -> dict[str, object]:
    whole = dict(group(found.data))
    with _lock:
        _outlines[text] = whole
        while len(_outlines) > _KEPT:
            _outlines.popitem(last=False)
    return whole


@lru_cache(maxsize=_KEPT)
def findings(text: str) -> Findings:
    """Return what the check finds in a text, row by row."""
    found = in_child(survey, text, _SECONDS)
    if not isinstance(found, tuple):
        return Findings({}, [Problem(1, 1, "error", str(found))])
    problems, lines = found
    by_row: dict[RowKey, list[Problem]] = {}
    elsewhere: list[Problem] = []
    for one in problems:
        rows = [row for row, (first, last) in lines.items() if first <= one.line <= last]
        for row in rows:
            by_row.setdefault(row, []).append(one)
        if not rows:
            elsewhere.append(one)
    return Findings(by_row, elsewhere)
