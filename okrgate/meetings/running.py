"""Hold a meeting: begin it, step from project to project, say who is here, keep notes, end it.

Nobody decides here: each signer decides on the project's own card, and the minutes take it from the record.
"""

from sqlalchemy import select

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.meetings import minutes
from okrgate.meetings.agenda import item_of, items_of, readable_item
from okrgate.meetings.calling import locked
from okrgate.meetings.models import CALLED, CLOSED, DRAFT, OPEN, Meeting, MeetingPerson
from okrgate.meetings.rights import leads, led_by, seen_by
from okrgate.stages.reading import Reader

_LONGEST = 10_000
_STEPPED = "Somebody stepped on already. This is where the meeting is now."


def begin(meeting_id: int, reader: Reader) -> None:
    """Begin the meeting with the first project of its agenda."""
    led_by(meeting_id, reader)
    with transaction():
        found = locked(meeting_id, reader)
        if found.state != CALLED:
            raise Conflict(
                "Send the invitations first."
                if found.state == DRAFT
                else "This meeting has begun, or is over."
            )
        items = items_of(meeting_id)
        if not items:
            raise Invalid("Put at least one project on the agenda first.")
        found.state, found.opened_at = OPEN, clock.now()
        _reach(found, items[0].id)
        _arrive(found, reader.id)
        _record("meeting.begun", found, reader)


def step(meeting_id: int, reader: Reader, *, seen: int | None, to: int) -> None:
    """Go to another project of the agenda. Raises Conflict when the meeting is no longer where the chair saw it."""
    led_by(meeting_id, reader)
    with transaction():
        found = _running(meeting_id, reader)
        if found.item_id != seen:
            raise Conflict(_STEPPED)
        _reach(found, item_of(found, to).id)
        _record("meeting.stepped", found, reader, item=to)


def here(meeting_id: int, reader: Reader, *, person: int, came: bool = True) -> None:
    """Note that somebody is here, or is not. Everybody says so for themselves; who leads, for everybody."""
    known = seen_by(meeting_id, reader)
    if person != reader.id and not leads(known, reader):
        raise Forbidden("Everybody says for themselves that they are here.")
    with transaction():
        found = _running(meeting_id, None)
        row = _row(found.id, person)
        if row is None:
            raise Forbidden("Only people on the list can be noted as here.")
        if (row.here_at is not None) == came:
            return
        row.here_at = clock.now() if came else None
        found.version += 1
        _record("meeting.attended" if came else "meeting.left", found, reader, person=person)


def note(meeting_id: int, item_id: int, text: str, reader: Reader, *, was: str) -> None:
    """Keep the notes on one project. Raises Conflict when somebody else wrote meanwhile."""
    led_by(meeting_id, reader)
    if len(text) > _LONGEST:
        raise Invalid("Shorten it.", {"notes": f"Use at most {_LONGEST:,} characters."})
    with transaction():
        found = _running(meeting_id, reader)
        row = readable_item(found, item_id, reader)
        if minutes.digest_of({"notes": row.notes}) != was:
            raise Conflict(
                "Somebody else wrote notes on this meanwhile. Read theirs first, then add yours."
            )
        if row.notes == text.strip():
            return
        row.notes = text.strip()
        found.version += 1
        _record("meeting.noted", found, reader, item=item_id)


def end(meeting_id: int, reader: Reader) -> None:
    """End the meeting: the minutes are frozen and sent. Ending it twice is a Conflict."""
    led_by(meeting_id, reader)
    with transaction() as session:
        found = _running(meeting_id, reader)
        found.state, found.closed_at, found.item_id = CLOSED, clock.now(), None
        found.version += 1
        kept = minutes.write(found, by=reader.id)
        session.flush()
        _record("meeting.ended", found, reader, minutes=kept.digest)
        minutes.send(found, kept, reader.id)


def _running(meeting_id: int, reader: Reader | None) -> Meeting:
    found = locked(meeting_id, reader)
    if found.state == OPEN:
        return found
    raise Conflict(
        "This meeting is over." if found.state == CLOSED else "This meeting has not begun."
    )


def _reach(found: Meeting, item_id: int) -> None:
    found.item_id = item_id
    found.version += 1
    row = item_of(found, item_id)
    row.reached_at = row.reached_at or clock.now()


def _arrive(found: Meeting, person: int) -> None:
    row = _row(found.id, person)
    if row is not None and row.here_at is None:
        row.here_at = clock.now()


def _row(meeting_id: int, person: int) -> MeetingPerson | None:
    return db.session().scalar(
        select(MeetingPerson).where(
            MeetingPerson.meeting_id == meeting_id, MeetingPerson.person_id == person
        )
    )


def _record(action: str, found: Meeting, reader: Reader, **details: object) -> None:
    audit.record(
        action,
        by=reader.id,
        target=f"meeting:{found.id}",
        details={"title": found.title, **details},
    )
