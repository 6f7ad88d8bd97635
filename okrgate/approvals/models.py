"""Rounds, seats, sign-offs, waivers, conditions and receipts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class Round(Model):
    """One time of asking for the sign-offs of a gate. Closed as satisfied, voided or left.

    `digest` is of the material content that is put before the signers; `content` is that content itself, so
    that a later round can show what changed.
    """

    __tablename__ = "rounds"
    __table_args__ = (
        UniqueConstraint("project_id", "gate", "number"),
        Index("ix_rounds_open", "project_id", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    gate: Mapped[str] = mapped_column(String(60))
    transition: Mapped[str] = mapped_column(String(60))
    number: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_on: Mapped[date | None] = mapped_column(Date)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_as: Mapped[str | None] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JsonText)
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))


class Seat(Model):
    """One sign-off condition of a round that is not provably set aside: so many people in one of these roles."""

    __tablename__ = "seats"
    __table_args__ = (UniqueConstraint("round_id", "requirement", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    requirement: Mapped[str] = mapped_column(String(80))
    place: Mapped[int] = mapped_column(Integer)
    roles: Mapped[list[str]] = mapped_column(JsonText)
    excluded: Mapped[list[str]] = mapped_column(JsonText)
    need: Mapped[int] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(300))


class SeatPerson(Model):
    """Somebody whose sign-off a seat waits for: the queue."""

    __tablename__ = "seat_people"
    __table_args__ = (
        UniqueConstraint("seat_id", "person_id"),
        Index("ix_seat_people_queue", "person_id", "waiting_since", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    waiting_since: Mapped[datetime] = mapped_column(UTCDateTime)


_STANDING = text("withdrawn_at IS NULL")


class SignoffRow(Model):
    """What one person decided in one round. A person decides once a round, unless they take it back, and is stood in for once.

    What was taken back stays, with its receipt; it counts nowhere.
    """

    __tablename__ = "signoffs"
    __table_args__ = (
        Index("ix_signoffs_round", "round_id", "person_id"),
        Index(
            "uq_signoffs_standing",
            "round_id",
            "person_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index(
            "uq_signoffs_stood_in_for",
            "round_id",
            "on_behalf_of_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    on_behalf_of_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    roles: Mapped[list[str]] = mapped_column(JsonText)
    decision: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SignoffWithdrawal(Model):
    """Somebody took a decision back: why, and the receipt of it."""

    __tablename__ = "signoff_withdrawals"

    signoff_id: Mapped[int] = mapped_column(ForeignKey("signoffs.id"), primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipts.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text, default="")


class Condition(Model):
    """What an approval asks for besides: a text, an owner, a date, and the evidence that closed it."""

    __tablename__ = "conditions"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    signoff_id: Mapped[int] = mapped_column(ForeignKey("signoffs.id"))
    gate: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(String(500))
    owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date | None] = mapped_column(Date)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    evidence: Mapped[str] = mapped_column(Text, default="")


class WaiverRow(Model):
    """A soft requirement set aside for one project, for a reason and for a time."""

    __tablename__ = "waivers"
    __table_args__ = (Index("ix_waivers_project", "project_id", "requirement"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    requirement: Mapped[str] = mapped_column(String(80))
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    role: Mapped[str] = mapped_column(String(60))
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_on: Mapped[date] = mapped_column(Date)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Receipt(Model):
    """The stored proof of a decision or of a passage through a gate. Never changed."""

    __tablename__ = "receipts"
    __table_args__ = (Index("ix_receipts_project", "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    signoff_id: Mapped[int | None] = mapped_column(ForeignKey("signoffs.id"), unique=True)
    transition: Mapped[str] = mapped_column(String(60))
    gate: Mapped[str] = mapped_column(String(60))
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    meaning: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText)
    verdict: Mapped[dict[str, Any]] = mapped_column(JsonText)
    content: Mapped[dict[str, Any]] = mapped_column(JsonText)
    hash: Mapped[str] = mapped_column(String(64))


class SignatureProof(Model):
    """The second factor that a decision was confirmed with, where the rules ask for one. Never changed.

    `binding` is the digest of `act`: the round, the content and everything that was decided; `evidence` is what a
    passkey signed, so that anybody can check it again. `method` is app, passkey or recovery.
    """

    __tablename__ = "signature_proofs"

    signoff_id: Mapped[int] = mapped_column("id", ForeignKey("signoffs.id"), primary_key=True)
    method: Mapped[str] = mapped_column(String(10))
    label: Mapped[str] = mapped_column(String(60))
    credential: Mapped[str] = mapped_column(String(1400), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    binding: Mapped[str] = mapped_column(String(64))
    act: Mapped[dict[str, Any]] = mapped_column(JsonText)
    evidence: Mapped[dict[str, Any]] = mapped_column(JsonText)


class RoundReading(Model):
    """What a round put before its signers, in words, so that a later round can tell what changed since.

    `through` is the record's newest row when it was written; it goes when somebody is forgotten afterwards.
    """

    __tablename__ = "round_readings"

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    through: Mapped[int] = mapped_column(Integer, index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JsonText)


class SignoffReminder(Model):
    """Somebody was reminded of an open seat; `kind` is soon, overdue or (by those who only hear of it) escalated, each once a round."""

    __tablename__ = "signoff_reminders"
    __table_args__ = (UniqueConstraint("round_id", "person_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
