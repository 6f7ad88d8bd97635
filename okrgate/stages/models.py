"""Verdicts as last judged: what lists and pages show without judging again."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class StoredVerdict(Model):
    """The verdict on one transition of one project. `position` 0 is the next gate, the others its forecast.

    `seq` is the project's newest audit row at that time: a newer one means that it has to be judged again.
    """

    __tablename__ = "verdicts"
    __table_args__ = (UniqueConstraint("project_id", "transition"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    transition: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(Integer)
    allowed: Mapped[bool] = mapped_column(Boolean)
    missing: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[dict[str, Any]] = mapped_column(JsonText)
    fixers: Mapped[dict[str, list[int]]] = mapped_column(JsonText)
    facts_hash: Mapped[str] = mapped_column(String(64))
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    judged_for: Mapped[date] = mapped_column(Date)
    judged_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seq: Mapped[int] = mapped_column(Integer)
