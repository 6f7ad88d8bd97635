"""Changes of what was signed, asked for and decided."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime

OPEN, APPROVED, DECLINED, RECALLED = "open", "approved", "declined", "recalled"


class ChangeRequest(Model):
    """A change of one page of a section whose content is locked: the new values wait here until they are signed.

    `data` holds the page's fields as they were typed, `changes` what people read of it field by field: label, before,
    after, private; `rows` the same row by row where the page has lists. `base` marks what the request builds on.
    """

    __tablename__ = "change_requests"
    __table_args__ = (Index("ix_change_requests_project", "project_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    section: Mapped[str] = mapped_column(String(40))
    page: Mapped[str] = mapped_column(String(40))
    gate: Mapped[str] = mapped_column(String(60))
    base_version: Mapped[int] = mapped_column(Integer)
    data: Mapped[list[list[str]]] = mapped_column(JsonText)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    base: Mapped[dict[str, str]] = mapped_column(JsonText, default=dict)
    reason: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12), default=OPEN)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    key: Mapped[str] = mapped_column(String(64), unique=True)


class ChangeSeat(Model):
    """Somebody who may decide on a change, and what they said. `decision` is empty while they are waited for."""

    __tablename__ = "change_seats"
    __table_args__ = (
        UniqueConstraint("request_id", "person_id"),
        Index("ix_change_seats_person", "person_id", "decision"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("change_requests.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    roles: Mapped[list[str]] = mapped_column(JsonText, default=list)
    decision: Mapped[str] = mapped_column(String(12), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ChangeProof(Model):
    """The second factor that a decision on a change was confirmed with; it goes along once the change is signed."""

    __tablename__ = "change_proofs"

    seat_id: Mapped[int] = mapped_column(ForeignKey("change_seats.id"), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JsonText)
