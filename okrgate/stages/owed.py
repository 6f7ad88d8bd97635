"""What somebody owes, room by room: one question to the database each, at most a page of answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy import Select, literal, select, union_all

from okrgate import clock
from okrgate.approvals.conditions import in_force
from okrgate.approvals.models import Condition
from okrgate.database import db
from okrgate.delivery.models import Statement, WorkItem
from okrgate.measurement import waiting
from okrgate.projects.models import Project
from okrgate.stages.models import FindingRequest, StoredVerdict
from okrgate.stages.reading import verdict_of
from okrgate.stages.requested import WAIVER
from okrgate.stages.work import Owed

_MOST = 20
# Beside the kinds of work items.
_CONDITION, _STATEMENT = "condition", "statement"


@dataclass(frozen=True)
class Kind:
    """What a room above asks of people: rows like those of `asked`, how they read, and where they lead."""

    query: Callable[[int], Select[Any]]
    words: Callable[[str], str]
    where: Callable[[int], str]


_more: dict[str, Kind] = {}


def add_kind(name: str, kind: Kind) -> None:
    """Let a room above have its rows read together with these. Done once; its query has the same columns."""
    _more[name] = kind


def tasks(person: int) -> Sequence[Owed]:
    """Return the conditions to meet, the statements to give, and the open tasks, sprints and blockers; one query."""
    queries = (_conditions, _statements, _work_items, *(one.query for one in _more.values()))
    asked = union_all(*(_first(one(person)) for one in queries))
    return [
        _owed(_in_words(kind, text), reference, title, _where(kind, one, reference), due)
        for kind, one, text, due, reference, title in db.session().execute(asked)
    ]


def _conditions(person: int) -> Select[Any]:
    return (
        _asked(literal(_CONDITION), Condition.id, Condition.text, Condition.due_on)
        .join(Condition, Project.id == Condition.project_id)
        .where(Condition.owner_id == person, Condition.closed_at.is_(None), in_force())
        .order_by(Condition.id)
    )


def _statements(person: int) -> Select[Any]:
    return (
        _asked(literal(_STATEMENT), Statement.id, literal(""), Statement.due)
        .join(Statement, Project.id == Statement.project_id)
        .where(
            Statement.person_id == person,
            Statement.answered_at.is_(None),
            Project.closed_at.is_(None),
        )
        .order_by(Statement.due, Statement.id)
    )


def _work_items(person: int) -> Select[Any]:
    return (
        _asked(WorkItem.kind, WorkItem.id, WorkItem.name, WorkItem.ends_on)
        .join(WorkItem, Project.id == WorkItem.project_id)
        .where(WorkItem.owner_id == person, WorkItem.open, Project.closed_at.is_(None))
        .order_by(WorkItem.ends_on.is_(None), WorkItem.ends_on, WorkItem.id)
    )


def _asked(kind: Any, one: Any, text: Any, due: Any) -> Select[Any]:
    """Begin a query for things asked of somebody: all kinds have the same columns."""
    return select(
        kind.label("kind"),
        one.label("id"),
        text.label("text"),
        due.label("due"),
        Project.reference,
        Project.title,
    ).select_from(Project)


def _first(query: Select[Any]) -> Select[Any]:
    """Return a page of it, as a part that can stand in a union on both databases."""
    return select(query.limit(_MOST).subquery())


def _in_words(kind: str, text: str) -> str:
    if kind in _more:
        return _more[kind].words(text)
    if kind == _CONDITION:
        return f"Meet the condition: {text}"
    return "Say how it went" if kind == _STATEMENT else f"{kind.capitalize()}: {text}"


def _where(kind: str, one: int, reference: str) -> str:
    if kind in _more:
        return _more[kind].where(one)
    if kind == _CONDITION:
        return url_for("approvals.close_condition", condition_id=one)
    if kind == _STATEMENT:
        return url_for("delivery.show_statement", statement_id=one)
    return url_for("stages.show_project", reference=reference)


def confirmations(person: int) -> Sequence[Owed]:
    """Return the metrics that this person keeps and has to confirm."""
    return [
        _owed(
            f"Say whether {one.metric} can be reported",
            one.reference,
            one.title,
            url_for("measurement.confirmations"),
            None,
        )
        for one in waiting.unconfirmed(person, limit=_MOST)
    ]


def readings(person: int) -> Sequence[Owed]:
    """Return the checkpoints that this person has to read."""
    return [
        _owed(
            f"Read {one.metric}: {one.name}",
            one.reference,
            one.title,
            url_for("stages.show_section", reference=one.reference, section="readings"),
            one.due,
        )
        for one in waiting.unread(person, limit=_MOST)
    ]


def waivers(person: int) -> Sequence[Owed]:
    """Return the requirements that this person is asked to set aside, while they are still missing."""
    rows = _rows(
        select(FindingRequest.requirement, StoredVerdict, Project.reference, Project.title)
        .join(
            StoredVerdict,
            (StoredVerdict.project_id == FindingRequest.project_id)
            & (StoredVerdict.transition == FindingRequest.transition),
        )
        .join(Project, Project.id == FindingRequest.project_id)
        .where(
            FindingRequest.person_id == person,
            FindingRequest.kind == WAIVER,
            FindingRequest.closed_at.is_(None),
        )
        .order_by(FindingRequest.id)
    )
    return [
        _owed(
            f"Set aside: {finding.message}",
            reference,
            title,
            url_for("stages.waive", reference=reference, requirement=requirement),
            None,
        )
        for requirement, row, reference, title in rows
        for finding in verdict_of(row).findings
        if finding.id == requirement and finding.status == "missing"
    ]


SOURCES = (tasks, confirmations, readings, waivers)


def _rows(query: Any) -> Sequence[Any]:
    return db.session().execute(query.limit(_MOST)).all()


def _owed(text: str, reference: str, title: str, url: str, due: date | None) -> Owed:
    return Owed(
        text, f"{reference} {title}".strip(), url, due, due is not None and due < clock.today()
    )
