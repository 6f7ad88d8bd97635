"""What a parked project waits for."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model, UTCDateTime


class Hold(Model):
    """One stay in a holding stage: why, and until which day or on which condition. Open while `ended_at` is empty.

    `seconds_before` is how long the project had been in the stage it was parked from: that clock stands still.
    """

    __tablename__ = "holds"
    __table_args__ = (
        Index("ix_holds_project", "project_id", "id"),
        Index("ix_holds_open", "ended_at", "until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    transition: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text, default="")
    until: Mapped[date | None] = mapped_column(Date)
    condition: Mapped[str] = mapped_column(Text, default="")
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    seconds_before: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
