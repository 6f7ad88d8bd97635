"""Verdicts as last judged, and projects as last read: what pages show without judging or gathering again."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class StoredVerdict(Model):
    """The verdict on one transition of one project. `position` 0 is the next gate, the others its forecast.

    `seq` is the project's newest audit row at that time: a newer one means that it has to be judged again.
    """

    __tablename__ = "verdicts"
    __table_args__ = (UniqueConstraint("project_id", "transition"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    transition: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(Integer)
    allowed: Mapped[bool] = mapped_column(Boolean)
    missing: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[dict[str, Any]] = mapped_column(JsonText)
    fixers: Mapped[dict[str, list[int]]] = mapped_column(JsonText)
    facts_hash: Mapped[str] = mapped_column(String(64))
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    judged_for: Mapped[date] = mapped_column(Date)
    judged_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seq: Mapped[int] = mapped_column(Integer)


class ProjectReading(Model):
    """A project as its pages show it. True while `seq` is its newest audit row and the other marks still fit.

    `through` is the record's newest row of any kind when it was read; `parts` are answers, private ones marked so.
    """

    __tablename__ = "project_readings"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    through: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    judged_for: Mapped[date] = mapped_column(Date)
    facts: Mapped[list[list[str]]] = mapped_column(JsonText)
    parts: Mapped[dict[str, list[Any]]] = mapped_column(JsonText)
    around: Mapped[dict[str, Any]] = mapped_column(JsonText)
    settled: Mapped[dict[str, str]] = mapped_column(JsonText)
