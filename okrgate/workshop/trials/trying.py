"""Try a move of a draft at any facts: how each requirement comes out, with what is needed and what there is.

`try_text` works on a text that nobody has run yet, in a process of its own. Nothing is stored.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from okrgate.gates.checks import NO_DAY, facts_of, in_child
from okrgate.gates.conditions import Count, Each, SomeFails, leaves
from okrgate.gates.differing_examples import known_to
from okrgate.gates.engine import judge_twice
from okrgate.gates.explaining import asked_by
from okrgate.gates.fact_files import facts_from_json
from okrgate.gates.language import read_rulebook
from okrgate.gates.model import Example, Requirement, Rulebook, Signoff
from okrgate.gates.problems import Problem
from okrgate.gates.reference import Case
from okrgate.gates.typed import type_facts
from okrgate.gates.verdict import Facts, Finding, GateUnjudgeable, Verdict
from okrgate.rulebooks import wording
from okrgate.workshop.trials.sheets import Sheet, reads_of, sheet_and_facts, typed_from

SECONDS = 15.0
EMPTY, FIXTURE, TEST, PROJECT = "empty", "fixture", "test", "project"
_MOST_GIVEN = 20_000


@dataclass(frozen=True)
class Begun:
    """What a try begins with: nothing, an example or a test of the text, or a project's facts.

    `signed` are a project's sign-offs by gate; `given` is what a link says instead, as JSON in the shape of an example.
    """

    kind: str = EMPTY
    name: str = ""
    facts: Facts | None = None
    signed: Mapping[str, tuple[Signoff, ...]] = field(default_factory=dict)
    given: str = ""


@dataclass(frozen=True)
class Asked:
    """What is to be tried: a text, a move, what it begins with, and (once the form was shown) what was typed.

    Where no move of the text is named, it is the first of `gate`, or of all; where `begun` is None the first example.
    """

    text: str
    move: str
    begun: Begun | None
    today: date
    typed: Mapping[str, str] | None = None
    judge: bool = True
    gate: str = ""


@dataclass(frozen=True)
class Pair:
    """One thing that is asked: what is needed, what there is, and whether that is enough."""

    label: str
    needed: str
    has: str
    met: bool


@dataclass(frozen=True)
class Lit:
    """One requirement as it comes out. `light`: met, missing, trial, advice, waived, na."""

    id: str
    message: str
    light: str
    pairs: tuple[Pair, ...]
    items: tuple[str, ...]
    only_if: str
    note: str


@dataclass(frozen=True)
class Judged:
    """How a gate comes out at these facts; `problem` says why it could not be judged."""

    allowed: bool = False
    lit: tuple[Lit, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Tried:
    """What a page of trying shows. `problems`: why the text cannot be tried at all."""

    problems: tuple[Problem, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    fixtures: tuple[str, ...] = ()
    move: str = ""
    label: str = ""
    gate: str = ""
    sheet: Sheet | None = None
    judged: Judged | None = None
    facts: Facts | None = None
    today: date = NO_DAY
    typed: Mapping[str, str] | None = None
    begun: Begun = field(default_factory=Begun)
    left_out: tuple[str, ...] = ()


def try_it(asked: Asked) -> Tried:
    """Try in a process of its own."""
    found = in_child(try_text, asked, SECONDS)
    if isinstance(found, Tried):
        return found
    return Tried(problems=(Problem(1, 1, "error", str(found)),))


def try_text(asked: Asked) -> Tried:
    """Return how a move comes out, or what keeps the text from being tried."""
    rulebook, problems = read_rulebook(asked.text)
    if rulebook is None:
        return Tried(problems=tuple(one for one in problems if one.severity == "error"))
    begun = asked.begun or _first_example(rulebook)
    tried = Tried(moves=tuple(_moves(rulebook)), fixtures=tuple(rulebook.fixtures), begun=begun)
    move = asked.move if asked.move in rulebook.transitions else _first_move(rulebook, asked.gate)
    return _tried(rulebook, replace(asked, move=move, begun=begun), tried) if move else tried


def _first_example(rulebook: Rulebook) -> Begun:
    return next((Begun(FIXTURE, name) for name in rulebook.fixtures), Begun())


def _first_move(rulebook: Rulebook, gate: str) -> str:
    moves = [one for one in rulebook.transitions.values() if one.gate is not None]
    moves.sort(key=lambda one: one.gate != gate)
    return moves[0].id if moves else ""


def _moves(rulebook: Rulebook) -> Sequence[tuple[str, str]]:
    """Return the moves with a gate, with the stage they lead out of where two are called the same."""
    moves = [one for one in rulebook.transitions.values() if one.gate is not None]
    labels = [one.label for one in moves]
    return [
        (
            one.id,
            one.label
            if labels.count(one.label) == 1
            else f"{one.label} ({', '.join(rulebook.stages[stage].label for stage in one.sources)})",
        )
        for one in moves
    ]


def _tried(rulebook: Rulebook, asked: Asked, tried: Tried) -> Tried:
    move = rulebook.transitions[asked.move]
    tried = replace(tried, move=move.id, label=move.label)
    if move.gate is None:
        return replace(tried, judged=Judged(allowed=True))
    gate = rulebook.gates[move.gate]
    typed, problem = asked.typed, ""
    if typed is None:
        facts, today, problem = _begin(rulebook, asked, gate.id)
        reads = reads_of(rulebook, gate)
        typed = typed_from(reads, facts, today)
        tried = replace(tried, left_out=_left_out(facts, typed))
    sheet, facts, today = sheet_and_facts(rulebook, gate, typed)
    tried = replace(tried, gate=gate.label, sheet=sheet, facts=facts, today=today, typed=typed)
    if problem:
        return replace(tried, judged=Judged(problem=problem))
    if sheet.errors or not asked.judge:
        return tried
    return replace(tried, judged=judged(rulebook, move.id, facts, today))


def _begin(rulebook: Rulebook, asked: Asked, gate: str) -> tuple[Facts, date, str]:
    begun = asked.begun or Begun()
    facts, today = Facts({}), asked.today
    if begun.facts is not None:
        facts = known_to(rulebook, begun.facts)
        signed = begun.signed.get(gate, ())
        signoffs = tuple(one for one in signed if one.role in rulebook.roles)
        facts = replace(facts, signoffs=signoffs)
    elif begun.kind == FIXTURE and begun.name in rulebook.fixtures:
        fixture = rulebook.fixtures[begun.name]
        facts, today = facts_of_fixture(fixture), fixture.today or asked.today
    elif begun.kind == TEST:
        test = next((one for one in rulebook.tests if one.name == begun.name), None)
        if test is not None:
            fixture = rulebook.fixtures[test.fixture]
            facts = facts_of(test, fixture)
            today = test.changes.today or fixture.today or NO_DAY
    if not begun.given:
        return facts, today, ""
    try:
        facts, day = given_facts(rulebook, begun.given)
    except (GateUnjudgeable, ValueError) as problem:
        return facts, today, getattr(problem, "sentence", "The link does not say what to try.")
    return facts, day or today, ""


def facts_of_fixture(fixture: Example) -> Facts:
    """Return the facts of an example of the text."""
    return Facts(
        dict(fixture.values),
        dict(fixture.collections),
        fixture.signoffs or (),
        fixture.waivers or (),
    )


def given_facts(rulebook: Rulebook, text: str) -> tuple[Facts, date | None]:
    """Return the facts that a link says. Raises GateUnjudgeable, ValueError."""
    if len(text) > _MOST_GIVEN:
        raise ValueError
    return facts_from_json(rulebook, json.loads(text), text_numbers=True)


def _left_out(facts: Facts, typed: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        name
        for name, rows in facts.collections.items()
        if f"list-{name}-rows" in typed and len(rows) > int(typed[f"list-{name}-rows"])
    )


def judged(rulebook: Rulebook, move: str, facts: Facts, today: date) -> Judged:
    """Return how each requirement of a move's gate comes out."""
    try:
        verdict = judge_twice(rulebook, move, facts, today=today)
    except GateUnjudgeable as problem:
        return Judged(problem=problem.sentence)
    return Judged(verdict.allowed, _lit(rulebook, verdict, facts))


def _lit(rulebook: Rulebook, verdict: Verdict, facts: Facts) -> tuple[Lit, ...]:
    if verdict.gate is None:
        return ()
    asked = {one.id: one for one in rulebook.gates[verdict.gate].requirements}
    reads = rulebook.gate_reads(verdict.gate)
    case = Case(rulebook, type_facts(rulebook, facts, verdict.today, reads))
    return tuple(_light(rulebook, case, asked[one.id], one) for one in verdict.findings)


def _light(rulebook: Rulebook, case: Case, asked: Requirement, finding: Finding) -> Lit:
    only_if = wording.said(rulebook, asked.when) if asked.when is not None else ""
    return Lit(
        id=finding.id,
        message=finding.message,
        light=light_of(finding),
        pairs=() if finding.status == "na" else _pairs(case, asked),
        items=finding.items,
        only_if=f"{only_if[:1].upper()}{only_if[1:]}",
        note=_note(asked),
    )


def light_of(finding: Finding) -> str:
    """Return the light of a finding: its status, and of a missing one whether it blocks at all."""
    if finding.status != "missing" or finding.blocks:
        return finding.status
    return "trial" if finding.mode == "evaluate" else "advice"


def _note(asked: Requirement) -> str:
    if asked.mode == "evaluate":
        return "On trial: it stops nobody yet."
    if asked.severity == "advisory":
        return "Advice: it stops nobody."
    return "It can be set aside." if asked.severity == "soft" else ""


def _pairs(case: Case, asked: Requirement) -> tuple[Pair, ...]:
    found: dict[Pair, None] = {}
    for leaf in leaves(asked.condition):
        holds = case.holds(leaf)
        whys = asked_by(case, leaf)
        for why in whys:
            found[Pair(why.label, why.needed, why.has or "not filled in", holds)] = None
        if holds and not whys and isinstance(leaf, Each | SomeFails | Count):
            found[_of_list(case, leaf)] = None
    return tuple(found)


def _of_list(case: Case, leaf: Each | SomeFails | Count) -> Pair:
    each: Any = leaf.each if isinstance(leaf, SomeFails) else leaf
    label = case.rulebook.collections[each.collection].label
    count = len(case.rows(each.collection) or ())
    words = wording.said(case.rulebook, leaf)
    every = f"for every one of {label}"
    needed = f"every one{words[len(every) :]}" if words.startswith(every) else words
    return Pair(label, needed, f"{count} in the list", met=True)
