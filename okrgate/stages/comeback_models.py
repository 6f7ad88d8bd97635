"""What brings a parked or declined project back by itself."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Millionths, Model, UTCDateTime


class Comeback(Model):
    """A day, or a key result that reaches (or falls to) a value. Open while `ended_at` is empty.

    A parked project is taken up again, a declined one gets a successor. `code` is why it was declined, as the rules
    name it.
    """

    __tablename__ = "comebacks"
    __table_args__ = (
        Index("ix_comebacks_project", "project_id", "id"),
        Index("ix_comebacks_open", "ended_at", "until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    parked: Mapped[bool] = mapped_column(Boolean)
    code: Mapped[str] = mapped_column(String(60), default="")
    until: Mapped[date | None] = mapped_column(Date)
    key_result_id: Mapped[int | None] = mapped_column(ForeignKey("key_results.id"), index=True)
    at_least: Mapped[bool] = mapped_column(Boolean, default=True)
    value: Mapped[Decimal | None] = mapped_column(Millionths)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), unique=True)
