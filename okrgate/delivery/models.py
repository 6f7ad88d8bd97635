"""Kick-off, what is worked on, how it goes, and what the stakeholders say afterwards."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Millionths, Model, UTCDateTime

TASK = "task"
SPRINT = "sprint"
BLOCKER = "blocker"


class Kickoff(Model):
    """A project's kick-off session: as planned, and as held.

    `sequence` counts the changes of an invitation that is out; `invited` are the people who have it.
    """

    __tablename__ = "kickoffs"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), unique=True)
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    minutes: Mapped[int] = mapped_column(Integer, default=60)
    place: Mapped[str] = mapped_column(String(500), default="")
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    announced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    invited: Mapped[list[int]] = mapped_column(JsonText, default=list)
    held_on: Mapped[date | None] = mapped_column(Date)
    expectations: Mapped[str] = mapped_column(Text, default="")
    timeline: Mapped[str] = mapped_column(Text, default="")


class Attendee(Model):
    """Somebody expected at the kick-off: a person of the company, or a name from outside."""

    __tablename__ = "kickoff_attendees"
    __table_args__ = (Index("ix_kickoff_attendees_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(120), default="")
    attended: Mapped[bool] = mapped_column(Boolean, default=False)


class WorkItem(Model):
    """A task, a sprint or a blocker (`kind`): what it is, whose, from when until when, and whether open."""

    __tablename__ = "work_items"
    __table_args__ = (
        Index("ix_work_items_project", "project_id", "kind", "position"),
        Index("ix_work_items_owner", "owner_id", "open"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    kind: Mapped[str] = mapped_column(String(10))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    open: Mapped[bool] = mapped_column(Boolean, default=True)


class Increment(Model):
    """A part that is of use by itself: when it comes out, and what it is worth."""

    __tablename__ = "increments"
    __table_args__ = (Index("ix_increments_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    on: Mapped[date | None] = mapped_column("released_on", Date)
    value: Mapped[str] = mapped_column(String(500), default="")
    released: Mapped[bool] = mapped_column(Boolean, default=False)


class StatusUpdate(Model):
    """How it went on one day, in the lead's words. Never edited: the next one says what changed."""

    __tablename__ = "status_updates"
    __table_args__ = (Index("ix_status_updates_project", "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    status: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="")
    focus: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(Text, default="")


class WrapUp(Model):
    """How the work ended, before its effect is measured."""

    __tablename__ = "wrap_ups"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), unique=True)
    finished: Mapped[bool | None] = mapped_column(Boolean)
    actual_effort_days: Mapped[Decimal | None] = mapped_column(Millionths)
    what_happened: Mapped[str] = mapped_column(Text, default="")
    missing_reason: Mapped[str] = mapped_column(Text, default="")


class Statement(Model):
    """A stakeholder who is asked how it went, and the answer.

    `second_hand`: the lead wrote down what the stakeholder said; `entered_by_id` is who typed it.
    """

    __tablename__ = "statements"
    __table_args__ = (
        UniqueConstraint("project_id", "person_id"),
        Index("ix_statements_person", "person_id", "answered_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due: Mapped[date] = mapped_column(Date)
    reminders: Mapped[int] = mapped_column(Integer, default=0)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    rating: Mapped[int | None] = mapped_column(Integer)
    went_well: Mapped[str] = mapped_column(Text, default="")
    went_badly: Mapped[str] = mapped_column(Text, default="")
    again: Mapped[bool | None] = mapped_column(Boolean)
    second_hand: Mapped[bool] = mapped_column(Boolean, default=False)
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Celebration(Model):
    """The thanks that everybody involved got, once."""

    __tablename__ = "celebrations"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), unique=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
