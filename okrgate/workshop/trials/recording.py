"""Write a try down as a test of the rules: what was tried, and exactly what came out.

Only what differs from the example that it began with is written; what began with a project becomes an example of its
own, in which nobody and nothing is called by its name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from okrgate.gates.changes import Add, Change, Put
from okrgate.gates.checks import NO_DAY, in_child, run_tests
from okrgate.gates.engine import judge_twice
from okrgate.gates.language import read_rulebook
from okrgate.gates.model import Example, Gate, Rulebook, Signoff, Waiver
from okrgate.gates.places import NoPlace
from okrgate.gates.problems import RulebookError
from okrgate.gates.revising import outline, revise
from okrgate.gates.verdict import Facts, GateUnjudgeable, Verdict
from okrgate.workshop.trials.nameless import Nameless
from okrgate.workshop.trials.sheets import Reads, reads_of, sheet_and_facts
from okrgate.workshop.trials.trying import FIXTURE, PROJECT, SECONDS, TEST, Asked

LONGEST_NAME = 120
_STEPS = (1, Decimal("0.01"))
_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Recorded:
    """The text with the new test; or `problem`, a sentence that says why there is none."""

    text: str = ""
    problem: str = ""


def record(asked: Asked, name: str) -> Recorded:
    """Return the text with what was tried as a test of this name; worked out in a process of its own."""
    found = in_child(_record, (asked, name), SECONDS)
    return found if isinstance(found, Recorded) else Recorded(problem=f"{found}.")


def _record(given: tuple[Asked, str]) -> Recorded:
    asked, name = given
    rulebook, _ = read_rulebook(asked.text)
    if rulebook is None or asked.move not in rulebook.transitions:
        return Recorded(problem="The draft has errors: mend them first.")
    move = rulebook.transitions[asked.move]
    if move.gate is None or asked.typed is None:
        return Recorded(problem="This move has no gate, so there is nothing to test.")
    if any(one.name == name for one in rulebook.tests):
        return Recorded(problem="There is a test of this name already. Choose another name.")
    gate = rulebook.gates[move.gate]
    sheet, facts, today = sheet_and_facts(rulebook, gate, asked.typed)
    if sheet.errors:
        return Recorded(problem="Some fields cannot be taken as they are.")
    try:
        changes = _changes(rulebook, gate, asked, name, facts, today)
        text = revise(asked.text, changes)
    except (GateUnjudgeable, RulebookError, NoPlace) as problem:
        return Recorded(
            problem=f"The test could not be written: {getattr(problem, 'sentence', problem)}"
        )
    return _proved(text, name)


def _proved(text: str, name: str) -> Recorded:
    """Return the text only if it can be read and its new test passes."""
    rulebook, problems = read_rulebook(text)
    if rulebook is None:
        sentence = next(one.sentence for one in problems if one.severity == "error")
        return Recorded(problem=f"The test could not be written: {sentence}.")
    mine = tuple(one for one in rulebook.tests if one.name == name)
    (result,) = run_tests(replace(rulebook, tests=mine))
    if not result.passed:
        return Recorded(problem=f"The test would fail: {'; '.join(result.faults)}.")
    return Recorded(text)


def _changes(
    rulebook: Rulebook, gate: Gate, asked: Asked, name: str, facts: Facts, today: date
) -> list[Change]:
    reads = reads_of(rulebook, gate)
    base = _base(rulebook, asked)
    changes: list[Change] = []
    told: dict[str, Any] = {}
    unset: list[str] = []
    before = judge_twice(rulebook, asked.move, facts, today=today)
    if base is None:
        if asked.begun is not None and asked.begun.kind == PROJECT:
            facts = Nameless(rulebook).facts(facts)
        base = Example(_new_name(name, rulebook.fixtures), None, {}, {})
        changes.append(Put(("fixtures", base.id), _fixture(facts, today)))
    else:
        told, unset = _differing(reads, base, facts, today)
        beside = _numbers_beside(asked.text, gate)
        told = {
            name: _by_number(rulebook, beside.get(name, ()), value) for name, value in told.items()
        }
    verdict = judge_twice(rulebook, asked.move, facts, today=today)
    if [one.status for one in verdict.findings] != [one.status for one in before.findings]:
        raise GateUnjudgeable("Without its names this project would be judged otherwise.")
    test: dict[str, Any] = {"name": name, "transition": asked.move, "fixture": base.id}
    if told:
        test["set"] = told
    if unset:
        test["unset"] = unset
    test["expect"] = expected(verdict)
    changes.append(Add(("tests",), test) if rulebook.tests else Put(("tests",), [test]))
    return changes


def _base(rulebook: Rulebook, asked: Asked) -> Example | None:
    """Return the example that a try began with, also by way of a test."""
    begun = asked.begun
    if begun is None:
        return None
    if begun.kind == TEST:
        test = next((one for one in rulebook.tests if one.name == begun.name), None)
        return rulebook.fixtures[test.fixture] if test is not None else None
    return rulebook.fixtures.get(begun.name) if begun.kind == FIXTURE else None


def _new_name(name: str, taken: Iterable[str]) -> str:
    words = _WORD.sub("_", name.lower()).strip("_")[:40] or "example"
    slug = words if words[0].isalpha() else f"example_{words}"
    found, count = slug, 1
    while found in set(taken):
        count += 1
        found = f"{slug}_{count}"
    return found


def _fixture(facts: Facts, today: date) -> dict[str, Any]:
    told: dict[str, Any] = {"today": today, "facts": _plain_values(facts.values)}
    told |= {name: [_plain_values(row) for row in rows] for name, rows in facts.collections.items()}
    if facts.signoffs:
        told["signoffs"] = [_signoff(one) for one in facts.signoffs]
    if facts.waivers:
        told["waivers"] = [_waiver(one) for one in facts.waivers]
    return told


def _differing(
    reads: Reads, base: Example, facts: Facts, today: date
) -> tuple[dict[str, Any], list[str]]:
    """Return what a test sets and takes away, for an example to become these facts."""
    told: dict[str, Any] = {}
    unset: list[str] = []
    if today != (base.today or NO_DAY):
        told["today"] = today
    for fact in reads.facts:
        now, before = facts.values.get(fact.name), base.values.get(fact.name)
        if now is None and before is not None:
            unset.append(fact.name)
        elif now != before:
            told[fact.name] = _plain(now)
    for collection, fields in reads.lists:
        name, names = collection.name, [one.name for one in fields]
        rows = facts.collections.get(name)
        before_rows = base.collections.get(name)
        if rows is None:
            unset += [name] if before_rows is not None else []
        elif before_rows is None or _shown(rows, names) != _shown(before_rows, names):
            told[name] = _shown(rows, names)
    told |= _differing_people(reads, base, facts)
    return told, unset


def _differing_people(reads: Reads, base: Example, facts: Facts) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if (reads.signing or facts.signoffs) and facts.signoffs != (base.signoffs or ()):
        told["signoffs"] = [_signoff(one) for one in facts.signoffs]
    ids = {one.id for one in reads.waivable}
    before = tuple(one for one in base.waivers or () if one.requirement in ids)
    if facts.waivers != before:
        told["waivers"] = [_waiver(one) for one in facts.waivers]
    return told


def _numbers_beside(text: str, gate: Gate) -> Mapping[str, Sequence[str]]:
    """Return with which named numbers of the file a gate compares each fact."""
    found: dict[str, list[str]] = {}
    file: Any = outline(text)
    waiting: list[Any] = [file["gates"][gate.id]]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and isinstance(one.get("fact"), str):
            found.setdefault(one["fact"], []).extend(
                value[1:]
                for value in one.values()
                if isinstance(value, str) and value.startswith("$")
            )
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return found


def _by_number(rulebook: Rulebook, names: Sequence[str], value: Any) -> Any:
    """Return a value by the named number it lies at or just beside, so that the test outlives a change of that."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    for name in names:
        number = rulebook.params.get(name)
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            continue
        by = value - number
        if by == 0:
            return f"${name}"
        for step in _STEPS:
            if abs(by) == step:
                return f"${name} {'+' if by > 0 else '-'} {step}"
    return value


def _shown(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {name: _plain(row[name]) for name in names if row.get(name) is not None} for row in rows
    ]


def expected(verdict: Verdict) -> dict[str, Any]:
    """Return exactly what came out, as a test expects it."""
    told: dict[str, Any] = {"allowed": verdict.allowed}
    told["missing"] = [one.id for one in verdict.missing]
    for status in ("waived", "na"):
        names = [one.id for one in verdict.findings if one.status == status]
        if names:
            told[status] = names
    items = {one.id: list(one.items) for one in verdict.missing if one.items}
    if items:
        told["items"] = items
    return told


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _signoff(one: Signoff) -> dict[str, Any]:
    told: dict[str, Any] = {"role": one.role, "by": one.by, "decision": one.decision}
    if one.stale:
        told["stale"] = True
    if one.on_behalf_of:
        told["on_behalf_of"] = one.on_behalf_of
    return told


def _waiver(one: Waiver) -> dict[str, Any]:
    return {"requirement": one.requirement, "role": one.role, "by": one.by}
