"""Who stands in for whom, who may arrange that for somebody, and the rounds that wait for a stand-in."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class Delegation(Model):
    """One person stands in for another from a day to a day, both inclusive, until it is ended.

    `unit_id` and `amount_minor` (company currency) narrow it to projects of a unit and up to a budget; `roles` to
    sign-offs in these roles, all of them when empty.
    """

    __tablename__ = "delegations"
    __table_args__ = (Index("ix_delegations_days", "ends_on", "starts_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    stand_in_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    roles: Mapped[list[str]] = mapped_column(JsonText)
    note: Mapped[str] = mapped_column(String(300), default="")
    set_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Assistant(Model):
    """Somebody who may arrange, for another person, who stands in for them."""

    __tablename__ = "assistants"
    __table_args__ = (UniqueConstraint("person_id", "assistant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    assistant_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    named_at: Mapped[datetime] = mapped_column(UTCDateTime)


class StandInSeat(Model):
    """A round waits for somebody in place of another: their queue, as far as the delegation is in force."""

    __tablename__ = "stand_in_seats"
    __table_args__ = (
        UniqueConstraint("round_id", "person_id", "for_id"),
        Index("ix_stand_in_seats_queue", "person_id", "round_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    for_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    waiting_since: Mapped[datetime] = mapped_column(UTCDateTime)
