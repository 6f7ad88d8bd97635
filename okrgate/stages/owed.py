"""What somebody owes, room by room: one question to the database each, at most a page of answers."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy import select

from okrgate import clock
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


def conditions(person: int) -> Sequence[Owed]:
    """Return the conditions of approvals that this person has to meet."""
    rows = _rows(
        select(Condition.id, Condition.text, Condition.due_on, Project.reference, Project.title)
        .join(Project, Project.id == Condition.project_id)
        .where(Condition.owner_id == person, Condition.closed_at.is_(None))
        .order_by(Condition.id)
    )
    return [
        _owed(
            f"Meet the condition: {text}",
            reference,
            title,
            url_for("approvals.close_condition", condition_id=one),
            due,
        )
        for one, text, due, reference, title in rows
    ]


def statements(person: int) -> Sequence[Owed]:
    """Return the projects under way that ask this person how it went."""
    rows = _rows(
        select(Statement.id, Statement.due, Project.reference, Project.title)
        .join(Project, Project.id == Statement.project_id)
        .where(
            Statement.person_id == person,
            Statement.answered_at.is_(None),
            Project.closed_at.is_(None),
        )
        .order_by(Statement.due, Statement.id)
    )
    return [
        _owed(
            "Say how it went",
            reference,
            title,
            url_for("delivery.show_statement", statement_id=one),
            due,
        )
        for one, due, reference, title in rows
    ]


def work_items(person: int) -> Sequence[Owed]:
    """Return this person's open tasks, sprints and blockers."""
    rows = _rows(
        select(WorkItem.kind, WorkItem.name, WorkItem.ends_on, Project.reference, Project.title)
        .join(Project, Project.id == WorkItem.project_id)
        .where(WorkItem.owner_id == person, WorkItem.open, Project.closed_at.is_(None))
        .order_by(WorkItem.ends_on.is_(None), WorkItem.ends_on, WorkItem.id)
    )
    return [
        _owed(
            f"{kind.capitalize()}: {name}",
            reference,
            title,
            url_for("stages.show_project", reference=reference),
            due,
        )
        for kind, name, due, reference, title in rows
    ]


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


SOURCES = (conditions, statements, work_items, confirmations, readings, waivers)


def _rows(query: Any) -> Sequence[Any]:
    return db.session().execute(query.limit(_MOST)).all()


def _owed(text: str, reference: str, title: str, url: str, due: date | None) -> Owed:
    return Owed(text, f"{reference} {title}", url, due, due is not None and due < clock.today())
