"""Gather the mails that somebody wants together into one."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.accounts.working_days import resting_units
from okrgate.approvals import queue
from okrgate.database import db, transaction
from okrgate.events import DigestReady, ProjectEvent, Recipient, publish
from okrgate.notifications import rights, service, snapshots
from okrgate.notifications.models import GATHERED, HELD, MAIL, OutboxRow

_PEOPLE = 200
_LINES = 100


def send_digests() -> int:
    """Write the digests that are due; return how many. On a day off of somebody's theirs waits."""
    resting = resting_units(clock.today())
    waiting = (
        select(OutboxRow.person_id)
        .join(Person, Person.id == OutboxRow.person_id)
        .where(
            OutboxRow.channel == MAIL,
            OutboxRow.status == HELD,
            OutboxRow.due_at <= clock.now(),
            Person.unit_id.is_(None) | Person.unit_id.not_in(resting),
        )
        .distinct()
        .limit(_PEOPLE)
    )
    people = list(db.session().scalars(waiting))
    for person in people:
        _gather(person)
    return len(people)


def _gather(person: int) -> None:
    """Put what waits for one person into one mail, and note it as gathered, in one transaction."""
    asked = db.session().scalar(queue.count(person)) or 0
    with transaction() as session:
        rows = _held(session, person)
        readable = rights.readable(person, (row.project_id for row in rows))
        told = [row for row in rows if row.project_id is None or row.project_id in readable]
        lines = [_line(row) for row in told]
        for row in rows:
            row.status = GATHERED
        if lines:
            publish(
                DigestReady(
                    recipients=(Recipient(person, "you chose to get these news together"),),
                    path="/inbox",
                    lines=tuple(lines[:_LINES]),
                    more=max(0, len(lines) - _LINES),
                    waiting=asked,
                    guarded=tuple(
                        ("lines", place, row.project_id, None)
                        for place, row in enumerate(told[:_LINES])
                        if row.project_id is not None
                    ),
                    channels=(MAIL,),
                )
            )


def _held(session: Session, person: int) -> Sequence[OutboxRow]:
    query = select(OutboxRow).where(
        OutboxRow.person_id == person, OutboxRow.channel == MAIL, OutboxRow.status == HELD
    )
    return session.scalars(query.order_by(OutboxRow.id).with_for_update()).all()


def _line(row: OutboxRow) -> tuple[str, str, str]:
    """Return (what it is about, what happened, the page) of one of the news."""
    said = service.headline(row)
    try:
        event = snapshots.restore(row.event, row.snapshot, person_id=row.person_id, asked=row.asked)
    except (LookupError, TypeError):
        return "", said, "/inbox"
    about = f"[{event.reference}] {event.title}" if isinstance(event, ProjectEvent) else ""
    return about, said, event.path
