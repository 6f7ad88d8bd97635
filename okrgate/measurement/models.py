"""A project's target metrics with their bands, and the days on which they are read."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Millionths, Model, UTCDateTime


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
    """A day on which a target is read, and what was read: the observation's value and its band.

    `band_change_id` is the last change of the bands before it was read; none while they were as first agreed.
    """

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
    band_change_id: Mapped[int | None] = mapped_column(ForeignKey("band_changes.id"))


class BandChange(Model):
    """The bands of one metric changed after they were agreed: what held before, what holds since, and why.

    Appended. `before` is empty for a metric that came, `after` for one that went; `request_id` for what was changed
    without a change request, because the project went back to where it is agreed.
    """

    __tablename__ = "band_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.id"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("change_requests.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any]] = mapped_column(JsonText)
    after: Mapped[dict[str, Any]] = mapped_column(JsonText)
