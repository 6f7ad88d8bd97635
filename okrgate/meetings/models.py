"""Gate meetings: who meets when, in which order projects are looked at, and what was kept of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime

# A draft is seen by nobody but those who prepare it; once called, everybody on its list has the invitation.
DRAFT, CALLED, OPEN, CLOSED, CANCELLED = "draft", "called", "open", "closed", "cancelled"


class Meeting(Model):
    """One gate meeting. `gates` holds "process id:gate"; `item_id` is what is looked at while it is open.

    `sequence` rises with each change that moves the entry in people's calendars, `version` with every change.
    """

    __tablename__ = "meetings"
    __table_args__ = (Index("ix_meetings_when", "state", "starts_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    gates: Mapped[list[str]] = mapped_column(JsonText)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    minutes: Mapped[int] = mapped_column(Integer)
    zone: Mapped[str] = mapped_column(String(60))
    place: Mapped[str] = mapped_column(String(500))
    chair_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    called_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    state: Mapped[str] = mapped_column(String(20))
    sequence: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    item_id: Mapped[int | None] = mapped_column(Integer)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MeetingPerson(Model):
    """Somebody invited; `here_at` is when they came."""

    __tablename__ = "meeting_people"
    __table_args__ = (UniqueConstraint("meeting_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    here_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AgendaItem(Model):
    """One project on the agenda, at one gate. `reached_at` is when the meeting came to it."""

    __tablename__ = "meeting_items"
    __table_args__ = (UniqueConstraint("meeting_id", "project_id", "gate"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    gate: Mapped[str] = mapped_column(String(60))
    place: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    notes: Mapped[str] = mapped_column(Text)
    reached_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Minutes(Model):
    """What was kept of a meeting when it ended. Never changed; `digest` is of the body, and stands in the record."""

    __tablename__ = "meeting_minutes"

    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JsonText)
    digest: Mapped[str] = mapped_column(String(64))
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    written_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
