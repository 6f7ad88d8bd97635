"""What is to be told, and which periodic jobs already ran."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime

MAIL = "mail"
INBOX = "inbox"

WAITING = "waiting"
SENDING = "sending"
SENT = "sent"
DEAD = "dead"
SKIPPED = "skipped"
DROPPED = "dropped"
HELD = "held"
GATHERED = "gathered"


class OutboxRow(Model):
    """One thing to tell one person by one channel. `snapshot` holds the event as it was.

    Mail goes from waiting to sending (claimed by a worker until `claimed_until`) to sent, dead or skipped;
    an administrator sends a dead one again or drops it. What somebody wants in a digest is held until it is gathered.
    Rows of the inbox are "sent" from the start; `read_at` is theirs.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "channel", "status", "due_at", "id"),
        Index("ix_outbox_inbox", "person_id", "channel", "id"),
        Index("ix_outbox_unread", "person_id", "channel", "read_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True)
    asked: Mapped[bool] = mapped_column(Boolean, default=False)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JsonText)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    message_id: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[str] = mapped_column(String(10))
    claimed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class MailWish(Model):
    """How somebody wants the mails of one kind of news: digest or never. No row: at once."""

    __tablename__ = "mail_wishes"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    how: Mapped[str] = mapped_column(String(10))


class DigestTime(Model):
    """When somebody's digest comes, in their zone: `weekday` is 0 for Monday, -1 for every working day."""

    __tablename__ = "digest_times"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(Integer)
    hour: Mapped[int] = mapped_column(Integer)


class PeriodicRun(Model):
    """One periodic job in one slot of time. The unique pair makes it run once, however many hosts there are."""

    __tablename__ = "periodic_runs"
    __table_args__ = (
        UniqueConstraint("name", "slot"),
        Index("ix_periodic_runs_started", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    slot: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=1)
