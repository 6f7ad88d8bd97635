"""A project's target metrics with their bands, and the days on which they are read."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Millionths, Model, UTCDateTime


class Target(Model):
    """A metric that a project promises to move: three cut points make four bands."""

    __tablename__ = "targets"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.id"), index=True)
    mode: Mapped[str] = mapped_column(String(10), default="absolute")
    baseline: Mapped[Decimal | None] = mapped_column(Millionths)
    baseline_on: Mapped[date | None] = mapped_column(Date)
    success: Mapped[Decimal | None] = mapped_column(Millionths)
    partial: Mapped[Decimal | None] = mapped_column(Millionths)
    negative: Mapped[Decimal | None] = mapped_column(Millionths)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    frozen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    frozen_bands: Mapped[str] = mapped_column(String(200), default="")
    report_url: Mapped[str] = mapped_column(Text, default="")
    confirmed: Mapped[bool | None] = mapped_column(Boolean)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirm_note: Mapped[str] = mapped_column(Text, default="")


class Checkpoint(Model):
    """A day on which a target is read, and what was read: the observation's value and its band."""

    __tablename__ = "checkpoints"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"), index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)
    name: Mapped[str] = mapped_column(String(120))
    due_on: Mapped[date] = mapped_column(Date)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    observation_id: Mapped[int | None] = mapped_column(ForeignKey("observations.id"))
    value: Mapped[Decimal | None] = mapped_column(Millionths)
    band: Mapped[str | None] = mapped_column(String(10))
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    evidence: Mapped[str] = mapped_column(Text, default="")
    written_off: Mapped[str] = mapped_column(Text, default="")
