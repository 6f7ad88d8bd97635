"""Conditions that approvals came with: who meets them, by when, and how they were met."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from okrgate import clock
from okrgate.approvals.models import Condition, SignoffRow
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.projects import together
from okrgate.projects.models import Project


@dataclass(frozen=True)
class NewCondition:
    """A condition somebody attaches to an approval."""

    text: str
    owner_id: int
    due_on: date | None


def close_condition(condition_id: int, *, by: int, evidence: str) -> Condition:
    """Say how a condition was met. Only its owner may."""
    check_writing()
    condition = db.session().get(Condition, condition_id, with_for_update=True)
    if condition is None or condition.owner_id != by:
        raise Forbidden("Only the owner of a condition can close it.")
    if condition.closed_at is not None:
        raise Conflict("This condition is closed already.")
    if is_dropped(condition):
        raise Conflict("The approval that asked for this was taken back, so nobody has to meet it.")
    if len(evidence.strip()) < 3:
        raise Invalid("Say how it was met.", {"evidence": "Say how it was met."})
    condition.closed_at = clock.now()
    condition.closed_by_id = by
    condition.evidence = evidence.strip()
    audit.record(
        "condition.closed",
        by=by,
        project_id=condition.project_id,
        target=f"condition:{condition.id}",
        reason=condition.evidence,
    )
    return condition


def get_condition(condition_id: int) -> Condition:
    """Return a condition. Raises NotFound."""
    condition = db.session().get(Condition, condition_id)
    if condition is None:
        raise NotFound
    return condition


def in_force() -> ColumnElement[bool]:
    """Return what says, in a query of conditions, that the approval which asked for it was not taken back."""
    gone = select(SignoffRow.id).where(
        SignoffRow.id == Condition.signoff_id, SignoffRow.withdrawn_at.is_not(None)
    )
    return ~gone.exists()


def is_dropped(condition: Condition) -> bool:
    """Tell whether the approval that asked for it was taken back."""
    return db.session().get_one(SignoffRow, condition.signoff_id).withdrawn_at is not None


def conditions_owned(person: int) -> list[tuple[Condition, str]]:
    """Return the open conditions somebody owns, with their projects' references."""
    query = (
        select(Condition, Project.reference)
        .join(Project, Project.id == Condition.project_id)
        .join(SignoffRow, SignoffRow.id == Condition.signoff_id)
        .where(
            Condition.owner_id == person,
            Condition.closed_at.is_(None),
            SignoffRow.withdrawn_at.is_(None),
        )
        .order_by(Condition.due_on.is_(None), Condition.due_on, Condition.id)
        .limit(50)
    )
    return [(row.Condition, row.reference) for row in db.session().execute(query)]


def conditions_of(project_id: int) -> list[Condition]:
    """Return a project's conditions, the open ones first. Those of an approval that was taken back are none."""
    return together.many(
        Condition, project_id, lambda: list(db.session().scalars(_OF_ONE, {"project": project_id}))
    )


# Written once: to write it takes longer than to know that a project has none.
_OF_ONE = (
    select(Condition)
    .join(SignoffRow, SignoffRow.id == Condition.signoff_id)
    .where(Condition.project_id == bindparam("project"), SignoffRow.withdrawn_at.is_(None))
    .order_by(Condition.closed_at.is_not(None), Condition.id)
)


def condition_facts(project_id: int, today: date) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return the facts and the collection that gates read about conditions."""
    rows = conditions_of(project_id)
    still_open = [row for row in rows if row.closed_at is None]
    values = {
        "conditions.open": len(still_open),
        "conditions.overdue": sum(
            1 for row in still_open if row.due_on is not None and row.due_on < today
        ),
    }
    items = []
    for row in rows:
        item: dict[str, Any] = {
            "name": row.text[:200],
            "owner": str(row.owner_id),
            "closed": row.closed_at is not None,
            "gate": row.gate,
        }
        if row.due_on is not None:
            item["due"] = row.due_on
        items.append(item)
    return values, items
