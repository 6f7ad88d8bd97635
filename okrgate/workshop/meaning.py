"""What a new text changes, in words. It is read and judged in a process of its own: nobody has run it yet."""

from dataclasses import dataclass
from functools import lru_cache

from okrgate.gates.checks import in_child
from okrgate.gates.differing import OTHER, Change, Meaning, differ
from okrgate.gates.language import load_rulebook
from okrgate.gates.problems import Problem, RulebookError
from okrgate.rulebooks import service, wording
from okrgate.rulebooks.service import Listed
from okrgate.workshop.publishing.loosening import may_loosen

_SECONDS = 20.0
_KEPT = 8
_KINDS = {
    "process": "The process",
    "role": "Roles",
    "signing": "Who never signs",
    "stage": "Stages",
    "move": "Moves",
    "gate": "Gates",
    "material": "What a sign-off covers",
    "factor": "Second factor",
    "question": "Questions",
    "promise": "Promises",
    "tests": "Its own tests",
    "number": "Numbers",
    "requirement": "What the gates ask",
}
_WITH_EXAMPLES = frozenset({"number", "requirement", "signing"})


@dataclass(frozen=True)
class Told:
    """What changes from one text to another; `problem` says why it could not be worked out.

    `loosens` tells whether something may have become easier; where nobody knows, it may.
    """

    changes: tuple[Change, ...] = ()
    stricter: int = 0
    looser: int = 0
    other: int = 0
    problem: str = ""
    loosens: bool = True

    @property
    def groups(self) -> list[tuple[str, list[Change]]]:
        """Return the changes by kind, what the gates ask first."""
        found: dict[str, list[Change]] = {}
        for one in self.changes:
            found.setdefault(one.kind, []).append(one)
        order = ["requirement", "number", *_KINDS]
        return [(_KINDS[kind], found.pop(kind)) for kind in order if kind in found]


def is_without_example(change: Change) -> bool:
    """Tell whether a change that should show in some project showed in none that was tried."""
    return change.kind in _WITH_EXAMPLES and change.direction != "other" and not change.examples


def since(base: Listed, text: str) -> Told:
    """Return what a text changes beside a version; of a process without one, all that it begins to ask."""
    return compare(base.text, text) if base.number else of_new(text)


def of_new(text: str) -> Told:
    """Return what a process that nobody worked by yet asks. It is a new way round the others: so it may loosen."""
    rules = service.parsed(text)
    counts = (
        f"{len(rules.stages)} stages, {len(rules.transitions)} moves and {len(rules.gates)} gates"
    )
    head = Change("process", "", f"A new process, {rules.title}: {counts}.", OTHER)
    asked = [
        Change("requirement", gate.label, f"asks: {one.message}", OTHER)
        for gate in rules.gates.values()
        for one in gate.requirements
    ]
    return Told((head, *asked), other=1 + len(asked))


def compare(before: str, after: str) -> Told:
    """Return what changes from one text to another. Raises RulebookError when one cannot be read."""
    try:
        return _compared(before, after)
    except _Unclear as problem:
        return Told(problem=f"What changes could not be put into words: {problem}.")


class _Unclear(Exception):
    """Nobody knows what changes; another time somebody may."""


@lru_cache(maxsize=_KEPT)
def _compared(before: str, after: str) -> Told:
    """Compare two texts once: whoever publishes has just looked at what changes."""
    found = in_child(_differ, (before, after), _SECONDS)
    if isinstance(found, tuple):
        raise RulebookError(found)
    if not isinstance(found, _Compared):
        raise _Unclear(found)
    told = found.meaning
    return Told(
        told.changes,
        stricter=told.count("stricter"),
        looser=told.count("looser"),
        other=told.count("other"),
        loosens=found.loosens,
    )


@dataclass(frozen=True)
class _Compared:
    meaning: Meaning
    loosens: bool


def _differ(texts: tuple[str, str]) -> _Compared | tuple[Problem, ...]:
    try:
        before, after = (load_rulebook(text) for text in texts)
    except RulebookError as error:
        return error.problems
    meaning = differ(before, after, say=wording.said)
    return _Compared(meaning, may_loosen(before, after, meaning))
