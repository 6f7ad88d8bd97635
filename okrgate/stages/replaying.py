"""Past passages through gates, judged again by a draft of the rules: which would not have opened.

A receipt holds the facts of its moment. A process of its own judges them: nobody has run the draft yet.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from okrgate.approvals.models import Receipt
from okrgate.database import db
from okrgate.gates.model import Rulebook
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process, RulebookVersion
from okrgate.stages.impact_judging import is_same, turns_on_private
from okrgate.stages.impact_report import Passage, Replay
from okrgate.stages.replay_judging import Case, Lacked, judge_again

MOST = 500
_NAMED = 50
_SECONDS = 30.0
_PASSAGE = "passage"


@dataclass(frozen=True)
class Passed:
    """One passage judged again: what it would have lacked, None where that cannot be told.

    `private`: what is asked otherwise turns on what only those involved may read.
    """

    project_id: int
    gate: str
    at: datetime
    lacked: Lacked
    private: bool


@dataclass(frozen=True)
class Replayed:
    """All passages of a process judged again, the newest first, whoever may know it. As in Replay."""

    passed: tuple[Passed, ...] = ()
    same: int = 0
    left_out: int = 0
    problem: str = ""


def look(key: str, draft: Rulebook) -> Replayed:
    """Return what a draft would have made of the passages of its process."""
    query = select(RulebookVersion.id).join(Process).where(Process.key == key)
    known = {number: rulebooks.rulebook(number) for number in db.session().scalars(query)}
    touched = [
        and_(Receipt.rulebook_version_id == number, Receipt.transition == name)
        for number, rulebook in known.items()
        for name in _touched(rulebook, draft)
    ]
    total = _count(Receipt.rulebook_version_id.in_(known))
    if not touched:
        return Replayed(same=total)
    changed = _count(or_(*touched))
    rows = db.session().execute(_rows(or_(*touched))).all()
    cases = [Case(row.version, row.transition, row.facts, row.verdict["today"]) for row in rows]
    judged = judge_again(known, draft, cases, seconds=_SECONDS)
    if isinstance(judged, str):
        return Replayed(problem=judged)
    private = _private_moves({(row.version, row.transition) for row in rows}, known, draft)
    passed = [
        Passed(
            row.project_id,
            known[row.version].gates[row.gate].label,
            row.at,
            lacked,
            (row.version, row.transition) in private,
        )
        for row, lacked in zip(rows, judged, strict=True)
    ]
    return Replayed(tuple(passed), same=total - changed, left_out=changed - len(rows))


def tell(replayed: Replayed, *, reader: int | None) -> Replay:
    """Return it as somebody may know it: what they may not read is not counted. `reader` None: who sees all names."""
    whole = true() if reader is None else permissions.reads_all(reader)
    query = select(Project.id, Project.reference, Project.title, whole.label("whole")).where(
        Project.id.in_({one.project_id for one in replayed.passed})
    )
    if reader is not None:
        query = query.where(permissions.visible_clause(reader, is_auditor=False))
    shown = {row.id: row for row in db.session().execute(query)} if replayed.passed else {}
    told = [
        one
        for one in replayed.passed
        if one.project_id in shown and (shown[one.project_id].whole or not one.private)
    ]
    refused = [one for one in told if one.lacked]
    return Replay(
        looked=len(told),
        same=replayed.same,
        refused=len(refused),
        untold=sum(1 for one in told if one.lacked is None),
        hidden=len(replayed.passed) - len(told),
        left_out=replayed.left_out,
        passages=tuple(
            Passage(
                one.gate,
                one.at,
                one.lacked or (),
                shown[one.project_id].reference,
                shown[one.project_id].title,
            )
            for one in refused[:_NAMED]
        ),
        problem=replayed.problem,
    )


def _touched(own: Rulebook, draft: Rulebook) -> list[str]:
    """Return the moves through a gate of which the draft asks something else, or that it does not have."""
    return [
        one.id
        for one in own.transitions.values()
        if one.gate and not is_same(own, one, draft, draft.transitions.get(one.id))
    ]


def _count(which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Receipt).where(Receipt.kind == _PASSAGE, which)
    return db.session().scalar(query) or 0


def _rows(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Receipt.project_id,
            Receipt.rulebook_version_id.label("version"),
            Receipt.transition,
            Receipt.gate,
            Receipt.at,
            Receipt.facts,
            Receipt.verdict,
        )
        .where(Receipt.kind == _PASSAGE, which)
        .order_by(Receipt.id.desc())
        .limit(MOST)
    )


def _private_moves(
    moves: Set[tuple[int, str]], known: Mapping[int, Rulebook], draft: Rulebook
) -> set[tuple[int, str]]:
    """Return the moves of which the draft asks otherwise what only those involved may read."""
    return {
        (version, name)
        for version, name in moves
        if turns_on_private(
            known[version],
            known[version].transitions.get(name),
            draft,
            draft.transitions.get(name),
        )
    }
