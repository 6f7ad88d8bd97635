"""The inbox and the dead letters: what people see of the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Select, func, or_, select, update

from okrgate import clock
from okrgate.database import db, transaction
from okrgate.errors import NotFound
from okrgate.events import Event, ProjectEvent
from okrgate.notifications import rights, snapshots, subjects
from okrgate.notifications.models import DEAD, INBOX, MAIL, SENDING, WAITING, OutboxRow

PAGE = 50
MOST = 100


@dataclass(frozen=True)
class News:
    """One row of somebody's inbox. `path` is empty when they may no longer read what it is about."""

    id: int
    headline: str
    reference: str
    title: str
    why: str
    by: str
    path: str
    asked: bool
    unread: bool
    at: datetime


@dataclass(frozen=True)
class Backlog:
    """How the outbox stands. `oldest` is when the mail that waits longest was due."""

    waiting: int
    dead: int
    oldest: datetime | None


def inbox(
    person_id: int,
    *,
    before: int | None = None,
    among_read: bool = False,
    unread: bool = False,
) -> Sequence[News]:
    """Return a page of somebody's news: what is unread first, then the rest, each newest first.

    The page begins below row `before`, which is `among_read` or not. One more than PAGE if there is more.
    """
    is_read = OutboxRow.read_at.is_not(None)
    query = select(OutboxRow).where(OutboxRow.person_id == person_id, OutboxRow.channel == INBOX)
    if unread:
        query = query.where(OutboxRow.read_at.is_(None))
    if before is not None and among_read:
        query = query.where(is_read, OutboxRow.id < before)
    elif before is not None:
        query = query.where(or_(is_read, OutboxRow.id < before))
    rows = list(db.session().scalars(query.order_by(is_read, OutboxRow.id.desc()).limit(PAGE + 1)))
    readable = rights.readable(person_id, (row.project_id for row in rows))
    return [
        _news(row, hidden=row.project_id is not None and row.project_id not in readable)
        for row in rows
    ]


def unread_count(person_id: int | BindParameter[int]) -> Select[int]:
    """Return a query that counts somebody's unread news, up to 100."""
    unread = (
        select(OutboxRow.id)
        .where(
            OutboxRow.person_id == person_id,
            OutboxRow.channel == INBOX,
            OutboxRow.read_at.is_(None),
        )
        .limit(MOST)
        .subquery()
    )
    return select(func.count()).select_from(unread)


def mark_read(row_id: int, *, by: int) -> None:
    """Mark one of somebody's own news as read. Raises NotFound for another's."""
    with transaction() as session:
        row = session.get(OutboxRow, row_id)
        if row is None or row.person_id != by or row.channel != INBOX:
            raise NotFound
        if row.read_at is None:
            row.read_at = clock.now()


def mark_all_read(*, by: int, up_to: int | None = None) -> int:
    """Mark all of somebody's news as read, up to the newest one they saw. Return how many were not."""
    wanted = [OutboxRow.person_id == by, OutboxRow.channel == INBOX, OutboxRow.read_at.is_(None)]
    if up_to is not None:
        wanted.append(OutboxRow.id <= up_to)
    with transaction() as session:
        ids = list(session.scalars(select(OutboxRow.id).where(*wanted)))
        session.execute(update(OutboxRow).where(*wanted).values(read_at=clock.now()))
    return len(ids)


def backlog() -> Backlog:
    """Return how many mails wait past their time, how many were given up, and since when the oldest waits."""
    session, now = db.session(), clock.now()
    late = select(func.count(), func.min(OutboxRow.due_at)).where(
        OutboxRow.channel == MAIL, OutboxRow.status.in_((WAITING, SENDING)), OutboxRow.due_at <= now
    )
    waiting, oldest = session.execute(late).one()
    dead = session.scalar(
        select(func.count()).where(OutboxRow.channel == MAIL, OutboxRow.status == DEAD)
    )
    return Backlog(waiting, dead or 0, oldest)


def _news(row: OutboxRow, *, hidden: bool) -> News:
    event = _event(row)
    about = event if isinstance(event, ProjectEvent) and not hidden else None
    return News(
        id=row.id,
        headline="About something you may no longer read" if hidden else headline(row),
        reference=about.reference if about else "",
        title=about.title if about else "",
        why="" if hidden else str(row.snapshot.get("why", "")),
        by="" if hidden or event is None else event.by,
        path="" if hidden or event is None else event.path,
        asked=row.asked and not hidden,
        unread=row.read_at is None,
        at=row.created_at,
    )


def headline(row: OutboxRow) -> str:
    """Return what a row of the outbox says, in a few words."""
    event = _event(row)
    if event is None:
        return "News of a kind that this version does not know"
    said = subjects.headline(event)
    return said[:1].upper() + said[1:]


def _event(row: OutboxRow) -> Event | None:
    try:
        return snapshots.restore(row.event, row.snapshot, person_id=row.person_id, asked=row.asked)
    except (LookupError, TypeError):
        return None
