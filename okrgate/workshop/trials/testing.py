"""A draft's own tests as a page shows them: how they go, what they cover, and which mistakes they would not notice.

A process of its own works on the text: nobody has run it yet.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from okrgate.gates.checks import TestResult, in_child
from okrgate.gates.coverage import Shown
from okrgate.gates.examining import examine
from okrgate.gates.fact_files import facts_as_json
from okrgate.gates.language import read_rulebook
from okrgate.gates.model import EmbeddedTest, Gate, Rulebook
from okrgate.gates.mutating import Survivor
from okrgate.gates.problems import Problem

_SECONDS = 20.0
_LONGEST_LINK = 3_000


@dataclass(frozen=True)
class Row:
    """One test: what it expects, what came out, and where it stands in the text."""

    name: str
    move: str
    move_id: str
    line: int
    expected: str
    got: str
    passed: bool


@dataclass(frozen=True)
class Covered:
    """One requirement: how many tests show it so, and what none shows that one should."""

    id: str
    message: str
    line: int
    met: int
    missing: int
    na: int | None
    waived: int | None
    lacking: str


@dataclass(frozen=True)
class Mistake:
    """A small mistake that no test would notice; `move` and `given` open a try at which it would show."""

    message: str
    gate: str
    words: str
    line: int
    move: str
    given: str


@dataclass(frozen=True)
class OfGate:
    """The tests of one gate's moves, and what they show of its requirements."""

    id: str
    label: str
    rows: tuple[Row, ...]
    covered: tuple[Covered, ...]

    @property
    def lacking(self) -> tuple[Covered, ...]:
        """Return the requirements that are not shown in every way yet."""
        return tuple(one for one in self.covered if one.lacking)


@dataclass(frozen=True)
class Tests:
    """Everything about a text's tests; `problems` say why nothing could be found out."""

    gates: tuple[OfGate, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    noticed: int = 0
    untried: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def rows(self) -> list[Row]:
        """Return every test."""
        return [row for gate in self.gates for row in gate.rows]

    @property
    def failing(self) -> list[Row]:
        """Return the tests that do not pass."""
        return [row for row in self.rows if not row.passed]


@lru_cache(maxsize=16)
def look(text: str) -> Tests:
    """Return how a text's own tests go. The same text is not looked at twice."""
    found = in_child(look_at_text, text, _SECONDS)
    return (
        found if isinstance(found, Tests) else Tests(problems=(Problem(1, 1, "error", str(found)),))
    )


def look_at_text(text: str) -> Tests:
    """Return how a text's own tests go, in this process."""
    rulebook, problems = read_rulebook(text)
    if rulebook is None:
        return Tests(problems=tuple(one for one in problems if one.severity == "error"))
    examined = examine(rulebook)
    gates = tuple(_gates(rulebook, examined.results, examined.shown))
    mistakes = examined.mistakes
    return Tests(
        gates=gates,
        mistakes=tuple(_mistake(rulebook, one) for one in mistakes.survivors),
        noticed=mistakes.tried - len(mistakes.survivors),
        untried=mistakes.untried,
    )


def _gates(
    rulebook: Rulebook, results: Iterable[TestResult], shown: Iterable[Shown]
) -> Iterable[OfGate]:
    by_gate: dict[str, list[Row]] = {}
    for test, result in zip(rulebook.tests, results, strict=True):
        name = rulebook.transitions[test.transition].gate or ""
        by_gate.setdefault(name, []).append(_row(rulebook, test, result))
    covered: dict[str, list[Covered]] = {}
    for one in shown:
        covered.setdefault(one.gate, []).append(_covered(rulebook, one))
    for gate in rulebook.gates.values():
        rows, known = by_gate.pop(gate.id, []), covered.get(gate.id, [])
        if rows or known:
            yield OfGate(gate.id, gate.label, tuple(rows), tuple(known))
    for rows in by_gate.values():
        yield OfGate("", "Moves without a gate", tuple(rows), ())


def _row(rulebook: Rulebook, test: EmbeddedTest, result: TestResult) -> Row:
    move = rulebook.transitions[test.transition]
    return Row(
        name=test.name,
        move=move.label,
        move_id=move.id,
        line=test.line,
        expected=expected_words(rulebook, test),
        got="As expected" if result.passed else "; ".join(result.faults),
        passed=result.passed,
    )


def expected_words(rulebook: Rulebook, test: EmbeddedTest) -> str:
    """Return what a test expects, with the requirements called by their messages."""
    gate = rulebook.gates.get(rulebook.transitions[test.transition].gate or "")
    messages = {one.id: one.message for one in gate.requirements} if gate is not None else {}
    expect, said = test.expect, []
    if expect.allowed is not None:
        said.append("Allowed" if expect.allowed else "Refused")
    if expect.missing is not None:
        said.append(f"missing: {_listed(messages, expect.missing) or 'nothing'}")
    for word, names in (
        ("met", expect.met),
        ("set aside", expect.waived),
        ("not applicable", expect.na),
    ):
        if names:
            said.append(f"{word}: {_listed(messages, names)}")
    said += [f"at fault: {', '.join(items)}" for items in expect.items.values()]
    words = "; ".join(said)
    return f"{words[:1].upper()}{words[1:]}"


def _listed(messages: dict[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"“{messages.get(one, one)}”" for one in sorted(names))


def _covered(rulebook: Rulebook, one: Shown) -> Covered:
    (asked,) = (
        each for each in rulebook.gates[one.gate].requirements if each.id == one.requirement
    )
    counts = one.counts
    return Covered(
        id=one.requirement,
        message=one.message,
        line=one.line,
        met=counts.get("met", 0),
        missing=counts.get("missing", 0),
        na=counts.get("na", 0) if asked.when is not None else None,
        waived=counts.get("waived", 0) if asked.waiver is not None else None,
        lacking=one.lacking_in_words,
    )


def _mistake(rulebook: Rulebook, one: Survivor) -> Mistake:
    gate = rulebook.gates[one.gate]
    return Mistake(
        message=one.message,
        gate=gate.label,
        words=one.words,
        line=one.line,
        move=one.transition or _first_move(rulebook, gate),
        given=_given(rulebook, gate, one),
    )


def _first_move(rulebook: Rulebook, gate: Gate) -> str:
    return next((one.id for one in rulebook.transitions.values() if one.gate == gate.id), "")


def _given(rulebook: Rulebook, gate: Gate, one: Survivor) -> str:
    if one.facts is None:
        return ""
    told = facts_as_json(rulebook, one.facts, one.today, rulebook.gate_reads(gate.id))
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _LONGEST_LINK else ""
