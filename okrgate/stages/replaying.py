"""Past passages through gates, judged again by a draft of the rules: which would not have opened.

A receipt holds the facts of its moment. A process of its own judges them: nobody has run the draft yet.
"""

from collections.abc import Mapping, Sequence, Set
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
from okrgate.stages.replay_judging import Case, judge_again

MOST = 500
_NAMED = 50
_SECONDS = 30.0
_PASSAGE = "passage"


def of(key: str, draft: Rulebook, *, reader: int | None) -> Replay:
    """Return what a draft would have made of the passages of its process. `reader` None: who sees all names."""
    query = select(RulebookVersion.id).join(Process).where(Process.key == key)
    known = {number: rulebooks.rulebook(number) for number in db.session().scalars(query)}
    touched = [
        and_(Receipt.rulebook_version_id == number, Receipt.transition == name)
        for number, rulebook in known.items()
        for name in _touched(rulebook, draft)
    ]
    total = _count(Receipt.rulebook_version_id.in_(known))
    if not touched:
        return Replay(same=total)
    changed = _count(or_(*touched))
    rows = db.session().execute(_rows(or_(*touched))).all()
    cases = [Case(row.version, row.transition, row.facts, row.verdict["today"]) for row in rows]
    judged = judge_again(known, draft, cases, seconds=_SECONDS)
    if isinstance(judged, str):
        return Replay(problem=judged)
    refused = [(row, lacked) for row, lacked in zip(rows, judged, strict=True) if lacked]
    return Replay(
        looked=len(rows),
        same=total - changed,
        refused=len(refused),
        untold=sum(1 for lacked in judged if lacked is None),
        left_out=changed - len(rows),
        passages=tuple(_named(refused[:_NAMED], known, draft, reader)),
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


def _named(
    refused: Sequence[tuple[Any, tuple[str, ...]]],
    known: Mapping[int, Rulebook],
    draft: Rulebook,
    reader: int | None,
) -> list[Passage]:
    """Return the passages, those without a name last: their day and their place would say whose they are."""
    whole = true() if reader is None else permissions.reads_all(reader)
    query = select(Project.id, Project.reference, Project.title, whole.label("whole")).where(
        Project.id.in_({row.project_id for row, _ in refused})
    )
    if reader is not None:
        query = query.where(permissions.visible_clause(reader, is_auditor=False))
    shown = {row.id: row for row in db.session().execute(query)}
    private = _private_moves({(row.version, row.transition) for row, _ in refused}, known, draft)
    named, nameless = [], []
    for row, lacked in refused:
        gate = known[row.version].gates[row.gate].label
        project = shown.get(row.project_id)
        if project and (project.whole or (row.version, row.transition) not in private):
            named.append(Passage(gate, row.at, lacked, project.reference, project.title))
        else:
            nameless.append(Passage(gate, None, lacked))
    return [*named, *sorted(nameless, key=lambda one: (one.gate, one.lacked))]


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
