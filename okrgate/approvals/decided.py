"""What somebody decided so far, the latest first, with its receipts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from okrgate.accounts import directory
from okrgate.approvals.asking import gate_label
from okrgate.approvals.models import Receipt, Round, SignoffRow
from okrgate.approvals.signoffs import said_by
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks


@dataclass(frozen=True)
class Decided:
    """One decision. `lapsed` when the round it was given in ended without its sign-offs.

    `withdrawn` when it was taken back, `open` while it still can be.
    `by` says whose it is where one person stood in for another: "Vik for Mia".
    """

    id: int
    reference: str
    title: str
    gate: str
    number: int
    decision: str
    reason: str
    at: datetime
    lapsed: bool
    withdrawn: bool
    open: bool
    receipt_id: int | None
    by: str = ""


def by(person: int, *, limit: int, before: tuple[datetime, int] | None = None) -> list[Decided]:
    """Return somebody's decisions, and those taken for them, older than `before` (moment, id)."""
    query = (
        select(SignoffRow, Round, Project.reference, Project.title, Receipt.id.label("receipt_id"))
        .join(Round, Round.id == SignoffRow.round_id)
        .join(Project, Project.id == SignoffRow.project_id)
        .outerjoin(Receipt, Receipt.signoff_id == SignoffRow.id)
        .where(or_(SignoffRow.person_id == person, SignoffRow.on_behalf_of_id == person))
    )
    if before is not None:
        at, number = before
        query = query.where(
            or_(SignoffRow.at < at, and_(SignoffRow.at == at, SignoffRow.id < number))
        )
    rows = (
        db.session()
        .execute(query.order_by(SignoffRow.at.desc(), SignoffRow.id.desc()).limit(limit))
        .all()
    )
    for_others = [row.SignoffRow for row in rows if row.SignoffRow.on_behalf_of_id]
    names = directory.names(
        one for row in for_others for one in (row.person_id, row.on_behalf_of_id)
    )
    return [
        Decided(
            id=row.SignoffRow.id,
            reference=row.reference,
            title=row.title,
            gate=gate_label(rulebooks.rulebook(row.Round.rulebook_version_id), row.Round),
            number=row.Round.number,
            decision=row.SignoffRow.decision,
            reason=row.SignoffRow.reason,
            at=row.SignoffRow.at,
            lapsed=row.Round.closed_as not in (None, "satisfied"),
            withdrawn=row.SignoffRow.withdrawn_at is not None,
            open=row.SignoffRow.withdrawn_at is None
            and row.Round.closed_at is None
            and row.SignoffRow.person_id == person,
            receipt_id=row.receipt_id,
            by=said_by(row.SignoffRow.person_id, row.SignoffRow.on_behalf_of_id, names)
            if row.SignoffRow.on_behalf_of_id
            else "",
        )
        for row in rows
    ]
