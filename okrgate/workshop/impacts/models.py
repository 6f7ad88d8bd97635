"""How far a look at all projects is, and what it found of each."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime

ASKED, RUNNING, DONE, STOPPED = "asked", "running", "done", "stopped"
WAITING = (ASKED, RUNNING)


class ImpactRun(Model):
    """One text looked at beside one version that binds (its number): there is one of them, whoever asks.

    Projects are looked at from the newest down: `up_to` is the last that was, `done` of `total` so far, in `spent_ms`.
    `tries` counts who took the next step up and did not come back. `replay` is what became of past passages.
    """

    __tablename__ = "impact_runs"
    __table_args__ = (
        UniqueConstraint("process_id", "sha256", "version"),
        Index("ix_impact_runs_state", "state", "id"),
        Index("ix_impact_runs_asked_by", "asked_by_id", "process_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text, deferred=True)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(10), default=ASKED)
    claimed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    up_to: Mapped[int | None] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[int] = mapped_column(Integer, default=0)
    spent_ms: Mapped[int] = mapped_column(Integer, default=0)
    stages: Mapped[list[str]] = mapped_column(JsonText, default=list)
    replay: Mapped[dict[str, Any] | None] = mapped_column(JsonText, deferred=True)
    problem: Mapped[str] = mapped_column(Text, default="")
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ImpactRow(Model):
    """What was found of one project, those included for which nothing changes. As in impact_report.Found."""

    __tablename__ = "impact_rows"

    run_id: Mapped[int] = mapped_column(ForeignKey("impact_runs.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    closed: Mapped[bool] = mapped_column(Boolean)
    stage: Mapped[str] = mapped_column(Text)
    private: Mapped[bool] = mapped_column(Boolean)
    told: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
