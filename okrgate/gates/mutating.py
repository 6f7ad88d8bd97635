"""Small mistakes in a rulebook that none of its tests would notice. The plain judge tries them: nothing here binds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from okrgate.gates.checks import NO_DAY, facts_of
from okrgate.gates.differing_cases import MOST_CASES, projects
from okrgate.gates.expecting import Came, faults
from okrgate.gates.model import EmbeddedTest, Gate, Requirement, Rulebook, read_by
from okrgate.gates.mutations import Mutation, mutations
from okrgate.gates.outcome import Outcome, status_of
from okrgate.gates.reference import Case
from okrgate.gates.typed import TypedFacts, type_facts
from okrgate.gates.verdict import Facts, GateUnjudgeable

SECONDS = 4.0


@dataclass(frozen=True)
class Survivor:
    """A small mistake that no test notices: what follows "if", and a project at which it would show, if there is one."""

    gate: str
    requirement: str
    message: str
    line: int
    words: str
    transition: str = ""
    facts: Facts | None = None
    today: date = NO_DAY


@dataclass(frozen=True)
class Tried:
    """The mistakes that no test notices, how many were tried, and how many there was no time for."""

    survivors: tuple[Survivor, ...]
    tried: int
    untried: int


@dataclass(frozen=True)
class _Known:
    """A passing test, and what is true of each requirement in it."""

    test: EmbeddedTest
    case: Case
    outcomes: Mapping[str, Outcome]


def survivors(rulebook: Rulebook, *, seconds: float = SECONDS) -> Tried:
    """Return the small mistakes that no test of this rulebook notices, within so much time of the processor.

    A mistake that shows at no project that was tried is none: it is left out.
    """
    until = time.process_time() + seconds
    found: list[Survivor] = []
    tried = untried = 0
    for gate in rulebook.gates.values():
        moves = [one.id for one in rulebook.transitions.values() if one.gate == gate.id]
        known = _known(rulebook, gate, moves)
        for requirement in gate.requirements if moves else ():
            if requirement.mode == "off":
                continue
            for mutation in mutations(rulebook, requirement):
                if time.process_time() > until:
                    untried += 1
                    continue
                tried += 1
                if any(_notices(gate, one, requirement, mutation) for one in known):
                    continue
                found += _shown(rulebook, gate, known, requirement, mutation)
                if mutation.changed is None:
                    break
    return Tried(tuple(found), tried, untried)


def _known(rulebook: Rulebook, gate: Gate, moves: Sequence[str]) -> list[_Known]:
    found = []
    for test in rulebook.tests:
        if test.transition not in moves:
            continue
        fixture = rulebook.fixtures[test.fixture]
        today = test.changes.today or fixture.today or NO_DAY
        try:
            facts = type_facts(rulebook, facts_of(test, fixture), today)
        except GateUnjudgeable:
            continue
        case = Case(rulebook, facts)
        outcomes = {one.id: case.outcome(one) for one in gate.requirements if one.mode != "off"}
        known = _Known(test, case, outcomes)
        if not any(faults(test.expect, _came(gate.requirements, known.outcomes, facts))):
            found.append(known)
    return found


def _notices(gate: Gate, known: _Known, requirement: Requirement, mutation: Mutation) -> bool:
    changed = mutation.changed
    outcomes = dict(known.outcomes)
    if changed is not None:
        outcomes[requirement.id] = known.case.outcome(changed)
    came = _came([*_instead(gate, requirement, changed)], outcomes, known.case.facts)
    return any(faults(known.test.expect, came))


def _came(
    requirements: Sequence[Requirement], outcomes: Mapping[str, Outcome], facts: TypedFacts
) -> Came:
    statuses: dict[str, str] = {}
    items: dict[str, tuple[str, ...]] = {}
    blocking = []
    for one in requirements:
        if one.mode == "off":
            continue
        status = statuses[one.id] = status_of(one, outcomes[one.id], facts.waivers)
        items[one.id] = outcomes[one.id].faults if status != "na" else ()
        if status == "missing" and one.mode == "active" and one.severity != "advisory":
            blocking.append(one.id)
    return Came(statuses, items, tuple(blocking))


def _shown(
    rulebook: Rulebook,
    gate: Gate,
    known: Sequence[_Known],
    requirement: Requirement,
    mutation: Mutation,
) -> list[Survivor]:
    """Return the survivor with a project at which its requirement comes out otherwise; none if there is no such.

    That a requirement is not asked at all counts without one: where there are no tests there are no projects.
    """
    survivor = Survivor(
        gate=gate.id,
        requirement=requirement.id,
        message=requirement.message,
        line=requirement.line,
        words=mutation.words,
    )
    for move, facts, case in _projects(rulebook, gate, known, requirement, mutation):
        if _differs(case, requirement, mutation.changed):
            return [replace(survivor, transition=move, facts=facts, today=case.facts.today)]
    return [survivor] if mutation.changed is None else []


def _projects(
    rulebook: Rulebook,
    gate: Gate,
    known: Sequence[_Known],
    requirement: Requirement,
    mutation: Mutation,
) -> Iterator[tuple[str, Facts, Case]]:
    """Yield the projects of the tests, then others at the edges of what is asked."""
    for one in known:
        fixture = rulebook.fixtures[one.test.fixture]
        yield one.test.transition, facts_of(one.test, fixture), one.case
    changed = mutation.changed
    asked = [requirement] if changed is None else [requirement, changed]
    reads = frozenset(rulebook.never_sign).union(*map(read_by, asked))
    mistaken = replace(gate, requirements=tuple(_instead(gate, requirement, changed)))
    after = replace(rulebook, gates={**rulebook.gates, gate.id: mistaken})
    for move in dict.fromkeys(one.test.transition for one in known):
        for project in islice(projects(rulebook, after, move, asked), MOST_CASES):
            try:
                facts = type_facts(rulebook, project.facts, project.today, reads)
            except GateUnjudgeable:
                continue
            yield move, project.facts, Case(rulebook, facts)


def _instead(gate: Gate, old: Requirement, new: Requirement | None) -> Iterator[Requirement]:
    for one in gate.requirements:
        if one is not old:
            yield one
        elif new is not None:
            yield new


def _differs(case: Case, one: Requirement, changed: Requirement | None) -> bool:
    before = _marks(case, one)
    return before != (_marks(case, changed) if changed is not None else ("met", False))


def _marks(case: Case, one: Requirement) -> tuple[str, bool]:
    status = status_of(one, case.outcome(one), case.facts.waivers)
    is_missing = status == "missing" and one.mode == "active" and one.severity != "advisory"
    return "met" if status == "na" else status, is_missing
