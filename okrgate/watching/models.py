"""What is known of the machinery: who works, what went wrong, when the record was checked."""

from datetime import datetime

from sqlalchemy import Boolean, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model, UTCDateTime

WEB = "web"
WORKER = "worker"


class Heartbeat(Model):
    """The last sign of life of the web processes, or of the workers, of one host."""

    __tablename__ = "heartbeats"
    __table_args__ = (UniqueConstraint("kind", "host"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int] = mapped_column(Integer)
    beat_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Incident(Model):
    """Something that an administrator has to look at. `open_kind` is its kind while it is open: one of each at a time."""

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    open_kind: Mapped[str | None] = mapped_column(String(30), unique=True)
    detail: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(Integer, default=1)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ChainCheck(Model):
    """One walk over the whole record: how many rows, up to which, and what was broken first ("" when nothing was)."""

    __tablename__ = "chain_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    row_count: Mapped[int] = mapped_column(Integer)
    head_seq: Mapped[int] = mapped_column(Integer)
    head_hash: Mapped[str] = mapped_column(String(64))
    whole: Mapped[bool] = mapped_column(Boolean)
    problem: Mapped[str] = mapped_column(Text, default="")
