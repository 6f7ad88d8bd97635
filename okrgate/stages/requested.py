"""What was asked about findings: read beside the verdicts, and closed."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, and_, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.database import check_writing, db
from okrgate.stages.models import FindingRequest, StoredVerdict

NUDGE, WAIVER = "nudge", "waiver"
GRANTED, REFUSED = "granted", "refused"
# How long a refusal stands beside its finding.
_SHOWN = timedelta(days=30)


def asked_to_waive() -> Select[int, int]:
    """Return a query for (project id, person id) of those who were asked to set something aside."""
    return select(FindingRequest.project_id, FindingRequest.person_id).where(
        FindingRequest.kind == WAIVER
    )


def beside(project_id: int) -> tuple[list[StoredVerdict], list[FindingRequest]]:
    """Return the kept verdicts, the next gate's first, and what still counts of what was asked there. One query.

    That is: whom somebody nudged today, who was asked for a waiver, and who refused one lately.
    """
    today = clock.today()
    rows = (
        db.session()
        .execute(
            select(StoredVerdict, FindingRequest)
            .outerjoin(
                FindingRequest,
                and_(
                    FindingRequest.project_id == StoredVerdict.project_id,
                    FindingRequest.transition == StoredVerdict.transition,
                    or_(
                        and_(FindingRequest.kind == NUDGE, FindingRequest.day == today),
                        and_(
                            FindingRequest.kind == WAIVER,
                            FindingRequest.day >= today - _SHOWN,
                            or_(FindingRequest.answer.is_(None), FindingRequest.answer == REFUSED),
                        ),
                    ),
                ),
            )
            .where(StoredVerdict.project_id == project_id)
            .order_by(StoredVerdict.position, StoredVerdict.id, FindingRequest.id)
        )
        .all()
    )
    verdicts = list(dict.fromkeys(row[0] for row in rows))
    return verdicts, [row[1] for row in rows if row[1] is not None]


def nudged_today(project_id: int, requirement: str, person: int) -> FindingRequest | None:
    """Return today's nudge of one person about one requirement, by whomever."""
    return db.session().scalar(
        select(FindingRequest)
        .where(
            FindingRequest.project_id == project_id,
            FindingRequest.requirement == requirement,
            FindingRequest.kind == NUDGE,
            FindingRequest.person_id == person,
            FindingRequest.day == clock.today(),
        )
        .limit(1)
    )


def open_waivers(project_id: int, requirement: str) -> Sequence[FindingRequest]:
    """Return the open requests to set one requirement aside, a row for each person asked."""
    return list(
        db.session().scalars(
            select(FindingRequest)
            .where(
                FindingRequest.project_id == project_id,
                FindingRequest.requirement == requirement,
                FindingRequest.kind == WAIVER,
                FindingRequest.closed_at.is_(None),
            )
            .order_by(FindingRequest.id)
        )
    )


def close(
    project_id: int, requirement: str, answer: str, *, by: int, reason: str = ""
) -> frozenset[int]:
    """Close the open requests about one requirement, in the open transaction. Return who had asked."""
    check_writing()
    rows = open_waivers(project_id, requirement)
    for row in rows:
        row.closed_at, row.answer = clock.now(), answer
        row.answered_by_id, row.answer_reason = by, reason
    return frozenset(row.by_id for row in rows)


def said(rows: Sequence[FindingRequest]) -> dict[str, str] | None:
    """Return who asks for a waiver and why, in words; nothing when nobody does."""
    if not rows:
        return None
    names = directory.names([rows[0].by_id])
    return {"by": names.get(rows[0].by_id, "Somebody"), "reason": rows[0].reason}
