"""What was learned, and what leadership was told."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class Retrospective(Model):
    """The session that looks back. `judgement` and `repeat` are two answers."""

    __tablename__ = "retrospectives"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), unique=True)
    held_on: Mapped[date | None] = mapped_column(Date)
    attendees: Mapped[str] = mapped_column(Text, default="")
    judgement: Mapped[str | None] = mapped_column(String(20))
    repeat: Mapped[str | None] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(Text, default="")
    learned: Mapped[str] = mapped_column(Text, default="")
    differently: Mapped[str] = mapped_column(Text, default="")


class Lesson(Model):
    """Something to do differently, and who sees to it."""

    __tablename__ = "lessons"
    __table_args__ = (Index("ix_lessons_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    lesson: Mapped[str] = mapped_column(String(500), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ClosingSummary(Model):
    """The text for leadership, as long as it may still change."""

    __tablename__ = "closing_summaries"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), unique=True)
    text: Mapped[str] = mapped_column(Text, default="")


class SentSummary(Model):
    """A summary exactly as it was sent. Never edited, never deleted."""

    __tablename__ = "sent_summaries"
    __table_args__ = (Index("ix_sent_summaries_project", "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    text: Mapped[str] = mapped_column(Text)
    results: Mapped[list[Any]] = mapped_column(JsonText)
    key_results: Mapped[list[Any]] = mapped_column(JsonText)
    audience: Mapped[list[int]] = mapped_column(JsonText)
