"""Processes and the immutable versions of their rulebooks."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model, UTCDateTime


class Process(Model):
    """One way of working: a company may have several."""

    __tablename__ = "processes"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(200))


class RulebookVersion(Model):
    """One published text. Never edited, never deleted; the newest effective one binds new projects."""

    __tablename__ = "rulebook_versions"
    __table_args__ = (UniqueConstraint("process_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"))
    number: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    effective_from: Mapped[datetime] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(Text, default="")


class RulebookDraft(Model):
    """A text that one administrator works on. It binds nothing; `based_on` is the version it began with."""

    __tablename__ = "rulebook_drafts"
    __table_args__ = (UniqueConstraint("process_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    based_on: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Beginning(Model):
    """What a process that was added on a page begins with, until its first version is published.

    `origin` says in words where the text is from. One that was thrown away is no process any more; adding it again
    under the same key begins it anew.
    """

    __tablename__ = "process_beginnings"

    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(300))
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime)
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    thrown_away_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Retirement(Model):
    """A process in which no new project starts. Those that are under way go on; bringing it back takes the row away."""

    __tablename__ = "process_retirements"

    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"), primary_key=True)
    retired_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(Text)
