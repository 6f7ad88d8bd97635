"""Call a meeting, change it, call it off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals.models import Round, SeatPerson
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import publish
from okrgate.meetings import news
from okrgate.meetings.models import (
    CALLED,
    CANCELLED,
    CLOSED,
    DRAFT,
    AgendaItem,
    Meeting,
    MeetingPerson,
)
from okrgate.meetings.rights import MAY_NOT_CALL, check_leads, gates_for, led_by
from okrgate.once import once
from okrgate.stages.reading import Reader

_OVER = "This meeting is over."


@dataclass(frozen=True)
class Plan:
    """What is planned. `starts` has a zone; `gates` are keys ("process id:gate")."""

    title: str
    gates: tuple[str, ...]
    starts: datetime
    minutes: int
    zone: str
    place: str
    chair_id: int
    people: tuple[int, ...]


def begin(plan: Plan, reader: Reader, *, key: str) -> int:
    """Prepare a meeting: nobody is invited yet. Return its id; the same key twice prepares one."""
    _check_gates(plan, reader, known=())
    return once(lambda: _begun(key, reader), lambda: _begin(plan, reader, key))


def _begun(key: str, reader: Reader) -> int | None:
    if not key:
        raise Invalid("Open the page again: it was sent without its key.")
    found = db.session().scalar(select(Meeting).where(Meeting.key == key))
    if found is not None and found.called_by_id != reader.id:
        raise Conflict("This page was sent before. Open it again.")
    return found.id if found else None


def _begin(plan: Plan, reader: Reader, key: str) -> int:
    _check_people([plan.chair_id, *plan.people])
    with transaction() as session:
        found = Meeting(
            title=plan.title,
            gates=list(plan.gates),
            starts_at=plan.starts,
            minutes=plan.minutes,
            zone=plan.zone,
            place=plan.place,
            chair_id=plan.chair_id,
            called_by_id=reader.id,
            state=DRAFT,
            sequence=0,
            version=1,
            reason="",
            key=key,
            created_at=clock.now(),
        )
        session.add(found)
        session.flush()
        for person in sorted({*plan.people, plan.chair_id}):
            session.add(MeetingPerson(meeting_id=found.id, person_id=person))
        _record("meeting.prepared", found, reader)
        return found.id


def change(meeting_id: int, plan: Plan, reader: Reader, *, version: int | None) -> None:
    """Change what is planned. Whoever has the meeting in their calendar is told when time, place or name moved.

    Raises Conflict when somebody else changed it since `version`.
    """
    known = led_by(meeting_id, reader)
    _check_gates(plan, reader, known=known.gates)
    _check_people([plan.chair_id, *plan.people], known=news.people_of(known))
    with transaction():
        found = locked(meeting_id, reader)
        _check_planned(found)
        if version != found.version:
            raise Conflict("Somebody changed this meeting meanwhile. Look at what is new first.")
        before, what = news.people_of(found), _moved(found, plan)
        _write(found, plan)
        _list(found, {*plan.people, plan.chair_id})
        found.version += 1
        after = news.people_of(found)
        _record(
            "meeting.changed",
            found,
            reader,
            changed=what,
            added=sorted(after - before),
            removed=sorted(before - after),
        )
        if found.state == CALLED:
            _tell(found, before, after, reader.id, what)


def call(meeting_id: int, reader: Reader) -> None:
    """Send the invitations. Once called, twice is a Conflict."""
    led_by(meeting_id, reader)
    with transaction():
        found = locked(meeting_id, reader)
        _check_planned(found)
        if found.state != DRAFT:
            raise Conflict("The invitations are out already.")
        if found.starts_at <= clock.now():
            raise Invalid("The meeting begins in the past. Give it another day first.")
        found.state = CALLED
        found.version += 1
        _record("meeting.called", found, reader, agenda=list(news.agenda(found.id)["agenda"]))
        publish(news.called(found, news.people_of(found), reader.id))


def cancel(meeting_id: int, reader: Reader, *, reason: str) -> None:
    """Call a meeting off, with a reason that everybody invited reads."""
    led_by(meeting_id, reader)
    with transaction():
        found = locked(meeting_id, reader)
        _check_planned(found)
        if len(reason.strip()) < 3 and found.state == CALLED:
            raise Invalid("Say why.", {"reason": "Say why, so that nobody waits for it."})
        invited = found.state == CALLED
        found.state, found.reason = CANCELLED, reason.strip()
        found.sequence += 1
        found.version += 1
        _record("meeting.cancelled", found, reader, reason=found.reason)
        if invited:
            publish(news.cancelled(found, news.people_of(found), reader.id, found.reason))


def locked(meeting_id: int, reader: Reader | None = None) -> Meeting:
    """Return a meeting's row, freshly read and locked, inside a transaction; for a `reader`, only while they lead it."""
    found = db.session().get(Meeting, meeting_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    if reader is not None:
        check_leads(found, reader)
    return found


def people_listed(meeting_id: int) -> list[int]:
    """Return the ids of those on the list."""
    query = select(MeetingPerson.person_id).where(MeetingPerson.meeting_id == meeting_id)
    return list(db.session().scalars(query.order_by(MeetingPerson.id)))


def awaited(meeting_id: int) -> list[int]:
    """Return whose sign-off the projects of an agenda wait for."""
    query = (
        select(SeatPerson.person_id)
        .join(Round, Round.id == SeatPerson.round_id)
        .join(
            AgendaItem,
            and_(AgendaItem.project_id == Round.project_id, AgendaItem.gate == Round.gate),
        )
        .where(AgendaItem.meeting_id == meeting_id, Round.closed_at.is_(None))
        .distinct()
    )
    return list(db.session().scalars(query))


def invite(meeting_id: int, people: Iterable[int], reader: Reader) -> int:
    """Put more people on the list; return how many came to it. Once called, they get their invitation at once."""
    known = led_by(meeting_id, reader)
    wanted = set(people)
    _check_people(wanted)
    with transaction():
        found = locked(known.id, reader)
        _check_planned(found)
        new = wanted - news.people_of(found)
        for person in sorted(new):
            db.session().add(MeetingPerson(meeting_id=found.id, person_id=person))
        if new:
            found.version += 1
            _record("meeting.changed", found, reader, added=sorted(new))
            if found.state == CALLED:
                publish(news.called(found, new, reader.id))
        return len(new)


def _tell(found: Meeting, before: set[int], after: set[int], by: int, what: list[str]) -> None:
    if what:
        publish(news.changed(found, after & before, by, what))
    if after - before:
        publish(news.called(found, after - before, by))
    if before - after:
        publish(news.cancelled(found, before - after, by, "You are no longer on its list."))


def _moved(found: Meeting, plan: Plan) -> list[str]:
    """Say what of it people have in their calendars is new."""
    pairs = (
        ("The name", found.title, plan.title),
        ("The time", found.starts_at, plan.starts.astimezone(found.starts_at.tzinfo)),
        ("How long it takes", found.minutes, plan.minutes),
        ("The place", found.place, plan.place),
    )
    return [label for label, was, now in pairs if was != now]


def _write(found: Meeting, plan: Plan) -> None:
    if _moved(found, plan):
        found.sequence += 1
    found.title, found.place, found.zone = plan.title, plan.place, plan.zone
    found.starts_at, found.minutes = plan.starts, plan.minutes
    found.gates, found.chair_id = list(plan.gates), plan.chair_id


def _list(found: Meeting, wanted: set[int]) -> None:
    known = set(people_listed(found.id))
    for person in sorted(wanted - known):
        db.session().add(MeetingPerson(meeting_id=found.id, person_id=person))
    if known - wanted:
        gone = MeetingPerson.person_id.in_(known - wanted)
        db.session().execute(
            delete(MeetingPerson).where(MeetingPerson.meeting_id == found.id, gone)
        )
    db.session().flush()


def _check_planned(found: Meeting) -> None:
    if found.state == CANCELLED:
        raise Conflict("This meeting was called off.")
    if found.state == CLOSED:
        raise Conflict(_OVER)
    if found.state not in {DRAFT, CALLED}:
        raise Conflict("This meeting has begun.")


def _check_gates(plan: Plan, reader: Reader, *, known: Iterable[str]) -> None:
    offered = {one.key for one in gates_for(reader)}
    if not offered and not set(known):
        raise Forbidden(MAY_NOT_CALL)
    if not plan.gates or set(plan.gates) - offered - set(known):
        raise Invalid("Choose a gate.", {"gates": "Choose at least one gate from the list."})


def _check_people(people: Iterable[int], *, known: Iterable[int] = ()) -> None:
    wanted = set(people) - set(known)
    if wanted - directory.active(wanted):
        raise Invalid("Choose people from the list.", {"people": "Choose people from the list."})


def _record(
    action: str, found: Meeting, reader: Reader, *, reason: str = "", **details: object
) -> None:
    audit.record(
        action,
        by=reader.id,
        target=f"meeting:{found.id}",
        reason=reason,
        details={
            "title": found.title,
            "starts": found.starts_at.isoformat(),
            "gates": list(found.gates),
            **details,
        },
    )
