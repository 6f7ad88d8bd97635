"""The news of a meeting: called, changed, cancelled. A confidential project is never named in them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.events import MeetingCalled, MeetingCancelled, MeetingChanged, MeetingEvent, Recipient
from okrgate.meetings.models import CANCELLED, AgendaItem, Meeting, MeetingPerson
from okrgate.projects.models import Project

HIDDEN = "A confidential project"


def called(meeting: Meeting, people: Iterable[int], by: int) -> MeetingEvent:
    """Return the invitation for these people."""
    return _event(MeetingCalled, meeting, people, by, **agenda(meeting.id))


def changed(meeting: Meeting, people: Iterable[int], by: int, what: Sequence[str]) -> MeetingEvent:
    """Return the news that time, place or name changed."""
    return _event(MeetingChanged, meeting, people, by, changed=tuple(what), **agenda(meeting.id))


def cancelled(meeting: Meeting, people: Iterable[int], by: int, reason: str = "") -> MeetingEvent:
    """Return the news that there is no meeting, or none for these people any more."""
    return _event(MeetingCancelled, meeting, people, by, reason=reason)


def as_it_stands(meeting: Meeting, reader: int) -> MeetingEvent:
    """Return what somebody's calendar should know of a meeting now."""
    if meeting.state == CANCELLED:
        return cancelled(meeting, [reader], 0, meeting.reason)
    return called(meeting, [reader], 0)


def people_of(meeting: Meeting) -> set[int]:
    """Return everybody who has the meeting in their calendar: the list, the chair, and whoever called it."""
    query = select(MeetingPerson.person_id).where(MeetingPerson.meeting_id == meeting.id)
    return {meeting.chair_id, meeting.called_by_id, *db.session().scalars(query)}


def agenda(meeting_id: int) -> dict[str, Any]:
    """Return the agenda as lines that anybody may read now, and what stands there for whoever may not any more."""
    rows = (
        db.session()
        .execute(
            select(AgendaItem, Project)
            .join(Project, Project.id == AgendaItem.project_id)
            .where(AgendaItem.meeting_id == meeting_id)
            .order_by(AgendaItem.place, AgendaItem.id)
        )
        .all()
    )
    return {
        "agenda": tuple(
            f"{HIDDEN if row.Project.confidential else f'{row.Project.reference} {row.Project.title}'},"
            f" {row.AgendaItem.minutes} minutes"
            for row in rows
        ),
        "guarded": tuple(
            ("agenda", place, row.Project.id, f"{HIDDEN}, {row.AgendaItem.minutes} minutes")
            for place, row in enumerate(rows)
        ),
    }


def _event(
    kind: type[MeetingEvent], meeting: Meeting, people: Iterable[int], by: int, **more: object
) -> MeetingEvent:
    names = directory.names([by, meeting.chair_id])
    ends = meeting.starts_at + timedelta(minutes=meeting.minutes)
    told = sorted(set(people) - {by})
    return kind(
        recipients=tuple(Recipient(one, "you are invited to this meeting") for one in told),
        by=names.get(by, "Somebody"),
        by_id=by,
        path=f"/meetings/{meeting.id}",
        meeting_id=meeting.id,
        name=meeting.title,
        chair=names.get(meeting.chair_id, "Somebody"),
        starts=meeting.starts_at.isoformat(),
        ends=ends.isoformat(),
        place=meeting.place,
        sequence=meeting.sequence,
        **more,  # type: ignore[arg-type]
    )
