"""Judge an old receipt again: its own facts, by the rules of its own version, on its own day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from okrgate.approvals.models import Receipt
from okrgate.errors import NotFound
from okrgate.gates.conditions import leaves
from okrgate.gates.engine import judge_twice
from okrgate.gates.explaining import asked_by
from okrgate.gates.fact_files import facts_from_json
from okrgate.gates.model import Rulebook
from okrgate.gates.reference import Case
from okrgate.gates.typed import type_facts
from okrgate.gates.verdict import Facts, Finding, GateUnjudgeable, Verdict, Why
from okrgate.rulebooks import service as rulebooks

_STATUS = {"met": "met", "missing": "missing", "waived": "set aside", "na": "not applicable"}


@dataclass(frozen=True)
class Differs:
    """A requirement that is judged otherwise now, or in other words."""

    message: str
    then: str
    now: str


@dataclass(frozen=True)
class Again:
    """What judging again came to. `problem` is the sentence why it could not be done; `same` whether the verdict is."""

    same: bool
    allowed: bool = False
    count: int = 0
    differs: tuple[Differs, ...] = ()
    problem: str = ""


def judge_again(receipt: Receipt) -> Again:
    """Judge in the engine and in the plain reference, which must agree, and hold it against what was found then."""
    try:
        then = Verdict.from_json(receipt.verdict)
        rulebook = rulebooks.rulebook(receipt.rulebook_version_id)
        facts, _ = facts_from_json(rulebook, receipt.facts, text_numbers=True)
        now = judge_twice(rulebook, receipt.transition, facts, today=then.today)
    except GateUnjudgeable as problem:
        return Again(same=False, problem=problem.sentence)
    except (NotFound, KeyError, TypeError, ValueError):
        return Again(same=False, problem="What the receipt holds can no longer be read.")
    differs = tuple(_differs(then, now))
    return Again(
        same=then == now,
        allowed=now.allowed,
        count=len(now.findings),
        differs=differs,
    )


def needed_and_actual(receipt: Receipt, rulebook: Rulebook) -> Mapping[str, tuple[Why, ...]]:
    """Return of each requirement that was met what it needed and what there was; nothing where that cannot be told."""
    gate = rulebook.gates.get(receipt.gate)
    try:
        facts, _ = facts_from_json(rulebook, receipt.facts, text_numbers=True)
        case = _case(rulebook, facts, date.fromisoformat(receipt.verdict["today"]))
        return {
            one.id: tuple(
                dict.fromkeys(why for leaf in leaves(one.condition) for why in asked_by(case, leaf))
            )
            for one in (gate.requirements if gate else ())
        }
    except (GateUnjudgeable, KeyError, TypeError, ValueError):
        return {}


def _case(rulebook: Rulebook, facts: Facts, today: date) -> Case:
    return Case(rulebook, type_facts(rulebook, facts, today))


def _differs(then: Verdict, now: Verdict) -> list[Differs]:
    before: dict[str, Finding] = {one.id: one for one in then.findings}
    after: dict[str, Finding] = {one.id: one for one in now.findings}
    return [
        Differs(
            (after.get(name) or before[name]).message,
            _in_words(before.get(name)),
            _in_words(after.get(name)),
        )
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _in_words(finding: Finding | None) -> str:
    if finding is None:
        return "not asked"
    said = [_STATUS.get(finding.status, finding.status)]
    said += [f"{why.label}: needs {why.needed}, has {why.has or 'nothing'}" for why in finding.why]
    said += [f"{seat.have} of {seat.need} sign-offs" for seat in finding.seats]
    if finding.items:
        said.append(f"concerns {', '.join(finding.items)}")
    return "; ".join(said)
