"""Lists of projects that somebody keeps under a name."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class SavedView(Model):
    """What an address of the list asked for (`asked`), under a name. A shared one stands above everybody's list.

    `start` is set on at most one of a person's views: the list opens with it.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("person_id", "name"),
        Index("ix_saved_views_shared", "shared", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(40))
    asked: Mapped[dict[str, Any]] = mapped_column(JsonText)
    shared: Mapped[bool] = mapped_column(Boolean, default=False)
    start: Mapped[bool] = mapped_column(Boolean, default=False)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
