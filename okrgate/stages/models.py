"""Verdicts as last judged, projects as last read: what pages show without judging again. And what people ask."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
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


class FindingRequest(Model):
    """What one person asked another about one requirement: to put it right (`nudge`), or to set it aside (`waiver`).

    One row for each person asked. `day` is the company's day, for nobody is nudged twice in one about the same thing.
    A waiver's rows are all closed by one answer, granted or refused.
    """

    __tablename__ = "finding_requests"
    __table_args__ = (
        Index("ix_finding_requests_project", "project_id", "transition"),
        Index("ix_finding_requests_person", "person_id", "kind", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    requirement: Mapped[str] = mapped_column(String(80))
    transition: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(10))
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    day: Mapped[date] = mapped_column(Date)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[str | None] = mapped_column(String(10))
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    answer_reason: Mapped[str] = mapped_column(Text, default="")


class RequirementWait(Model):
    """How long one project was kept waiting by one requirement of a gate that it stood before.

    `until` is empty while it waits. It `ended_as` met, waived, na (no longer asked), passed (the project went through
    this gate without it: it was advice or on trial) or left (it went elsewhere).
    """

    __tablename__ = "requirement_waits"
    __table_args__ = (
        Index("ix_requirement_waits_project", "project_id", "until"),
        Index("ix_requirement_waits_requirement", "rulebook_version_id", "gate", "requirement"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    gate: Mapped[str] = mapped_column(String(60))
    requirement: Mapped[str] = mapped_column(String(80))
    trial: Mapped[bool] = mapped_column(Boolean)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seconds: Mapped[int | None] = mapped_column(Integer)
    ended_as: Mapped[str | None] = mapped_column(String(10))
