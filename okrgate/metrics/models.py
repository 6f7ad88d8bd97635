"""The registry of metrics, and what was observed of them."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Millionths, Model, UTCDateTime


class Metric(Model):
    """A number the company follows. `direction` is which way is better: up or down."""

    __tablename__ = "metrics"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    unit_of_measure: Mapped[str] = mapped_column(String(40), default="")
    direction: Mapped[str] = mapped_column(String(4))
    cadence: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    steward_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class Observation(Model):
    """A value on a day. Appended; a correction names the row it supersedes, and its reason."""

    __tablename__ = "observations"
    __table_args__ = (Index("ix_observations_metric", "metric_id", "on", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    metric_id: Mapped[int] = mapped_column(ForeignKey("metrics.id"))
    on: Mapped[date] = mapped_column(Date)
    value: Mapped[Decimal] = mapped_column(Millionths)
    note: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("observations.id"), unique=True)
