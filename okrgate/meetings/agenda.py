"""The agenda: which projects, in which order, with how many minutes each."""

from sqlalchemy import func, select

from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, NotFound
from okrgate.meetings.calling import locked
from okrgate.meetings.models import CALLED, DRAFT, OPEN, AgendaItem, Meeting
from okrgate.meetings.ready import ready
from okrgate.meetings.rights import led_by
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.stages.reading import Reader

MINUTES = 10
MOST = 50


def items_of(meeting_id: int) -> list[AgendaItem]:
    """Return the agenda in its order."""
    query = select(AgendaItem).where(AgendaItem.meeting_id == meeting_id)
    return list(db.session().scalars(query.order_by(AgendaItem.place, AgendaItem.id)))


def add(meeting_id: int, round_id: int, reader: Reader) -> str:
    """Put a project at the end of the agenda; return its reference.

    Raises Conflict when it is not ready, or no longer, and for one that this person may not read.
    """
    meeting = led_by(meeting_id, reader)
    wanted = next((one for one in ready(meeting.gates, reader) if one.round_id == round_id), None)
    if wanted is None:
        raise Conflict("This project is not ready for the meeting, or no longer.")
    with transaction() as session:
        found = _open_agenda(meeting_id, reader)
        rows = items_of(meeting_id)
        if any((row.project_id, row.gate) == (wanted.project_id, wanted.gate) for row in rows):
            return wanted.reference
        if len(rows) >= MOST:
            raise Conflict(f"An agenda holds at most {MOST} projects.")
        last = session.scalar(
            select(func.max(AgendaItem.place)).where(AgendaItem.meeting_id == meeting_id)
        )
        session.add(
            AgendaItem(
                meeting_id=meeting_id,
                project_id=wanted.project_id,
                gate=wanted.gate,
                place=(last or 0) + 1,
                minutes=MINUTES,
                notes="",
            )
        )
        _changed(found, reader, added=wanted.reference)
    return wanted.reference


def remove(meeting_id: int, item_id: int, reader: Reader) -> None:
    """Take a project off the agenda. What a running meeting came to already stays."""
    led_by(meeting_id, reader)
    with transaction() as session:
        found = _open_agenda(meeting_id, reader)
        row = item_of(found, item_id)
        if row.reached_at is not None:
            raise Conflict("The meeting came to this one already, so it stays in its minutes.")
        reference = _reference(row)
        session.delete(row)
        session.flush()
        _changed(found, reader, removed=reference)


def shift(meeting_id: int, item_id: int, reader: Reader, *, by: int) -> None:
    """Move a project up (-1) or down (1) by one place; at the end nothing happens."""
    led_by(meeting_id, reader)
    with transaction():
        found = _open_agenda(meeting_id, reader)
        row = item_of(found, item_id)
        rows = items_of(meeting_id)
        here = next(index for index, one in enumerate(rows) if one.id == row.id)
        there = here + by
        if not 0 <= there < len(rows):
            return
        rows[here], rows[there] = rows[there], rows[here]
        for place, one in enumerate(rows, start=1):
            one.place = place
        _changed(found, reader, moved=_reference(row))


def allot(meeting_id: int, minutes: dict[int, int], reader: Reader) -> None:
    """Give each of these items (id → minutes) so many minutes."""
    led_by(meeting_id, reader)
    with transaction():
        found = _open_agenda(meeting_id, reader)
        rows = {row.id: row for row in items_of(meeting_id)}
        new = {
            one: count
            for one, count in minutes.items()
            if one in rows and rows[one].minutes != count
        }
        for one, count in new.items():
            rows[one].minutes = count
        if new:
            _changed(
                found, reader, minutes={_reference(rows[one]): count for one, count in new.items()}
            )


def item_of(meeting: Meeting, item_id: int) -> AgendaItem:
    """Return an item of this meeting, and of no other. Raises NotFound."""
    found = db.session().get(AgendaItem, item_id, populate_existing=True)
    if found is None or found.meeting_id != meeting.id:
        raise NotFound
    return found


def readable_item(meeting: Meeting, item_id: int, reader: Reader) -> AgendaItem:
    """Return an item whose project this person may read; to lead the meeting is not enough. Raises NotFound."""
    found = item_of(meeting, item_id)
    project = db.session().get_one(Project, found.project_id)
    permissions.check_visible(project, reader.id, is_auditor=reader.is_auditor)
    return found


def _open_agenda(meeting_id: int, reader: Reader) -> Meeting:
    found = locked(meeting_id, reader)
    if found.state not in {DRAFT, CALLED, OPEN}:
        raise Conflict("This meeting is over, so its agenda stays as it is.")
    return found


def _reference(row: AgendaItem) -> str:
    return db.session().get_one(Project, row.project_id).reference


def _changed(found: Meeting, reader: Reader, **details: object) -> None:
    found.version += 1
    audit.record(
        "meeting.agenda_changed",
        by=reader.id,
        target=f"meeting:{found.id}",
        details={"title": found.title, **details},
    )
