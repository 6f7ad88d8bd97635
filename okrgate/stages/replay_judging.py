"""Judges past passages by a draft, in a process of its own: nobody has run it yet. Knows no database: it is to begin fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from okrgate.gates.checks import in_child
from okrgate.gates.differing_examples import known_to
from okrgate.gates.fact_files import facts_from_json
from okrgate.gates.model import Gate, Requirement, Rulebook, read_by
from okrgate.gates.verdict import GateUnjudgeable, Verdict
from okrgate.stages.impact_judging import Judge, portable

Lacked = tuple[str, ...] | None


@dataclass(frozen=True)
class Case:
    """One passage: under which version, by which move, on which facts (as its receipt holds them) and day."""

    version: int
    transition: str
    facts: Mapping[str, Any]
    today: str


def judge_again(
    rulebooks: Mapping[int, Rulebook], draft: Rulebook, cases: list[Case], *, seconds: float
) -> list[Lacked] | str:
    """Return of each case what it would have lacked, None where that cannot be told; or a sentence why nothing can."""
    known = {number: portable(one) for number, one in rulebooks.items()}
    found: list[Lacked] | str = in_child(_replay, (known, portable(draft), cases), seconds)
    return found


def _replay(
    given: tuple[Mapping[int, Rulebook], Rulebook, list[Case]],
) -> list[Lacked]:
    known, draft, cases = given
    judge = Judge()
    return [_lacked(known[one.version], draft, one, judge) for one in cases]


def _lacked(own: Rulebook, draft: Rulebook, case: Case, judge: Judge) -> Lacked:
    move = draft.transitions.get(case.transition)
    if move is None or move.gate is None:
        return ()
    try:
        facts, _ = facts_from_json(own, case.facts, text_numbers=True)
        known = known_to(draft, facts)
        signed = tuple(one for one in known.signoffs if one.role in draft.roles)
        today = date.fromisoformat(case.today)
        verdict = judge.verdict(draft, move.id, known.with_signoffs(signed), today)
    except GateUnjudgeable:
        return None
    return _told(own, draft.gates[move.gate], verdict)


def _told(own: Rulebook, gate: Gate, verdict: Verdict) -> Lacked:
    """Return what was lacking as far as it was recorded; None if only what nobody recorded then was."""
    asked = {one.id: one for one in gate.requirements}
    lacking = [one for one in verdict.blocking if _was_recorded(own, asked[one.id])]
    if verdict.blocking and not lacking:
        return None
    return tuple(one.message for one in lacking)


def _was_recorded(own: Rulebook, requirement: Requirement) -> bool:
    """Tell whether the rules of then knew all that is asked: facts, lists, and of each sign-off a role."""
    return all(
        name in own.facts or name in own.collections for name in read_by(requirement)
    ) and all(
        any(role in own.roles for role in one.roles) for one in own.signoff_conditions(requirement)
    )
