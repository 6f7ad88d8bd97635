"""What people say about a project, who follows it, and up to where they have looked."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class Comment(Model):
    """What somebody said. `section` names the part it is about; a withdrawn one keeps its place, not its text."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_project", "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    section: Mapped[str] = mapped_column(String(40), default="")
    text: Mapped[str] = mapped_column(Text)
    told: Mapped[list[int]] = mapped_column(JsonText, default=list)
    private: Mapped[bool] = mapped_column(Boolean, default=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    key: Mapped[str | None] = mapped_column(String(64), unique=True)


class Follow(Model):
    """Somebody wants to hear of a project."""

    __tablename__ = "follows"
    __table_args__ = (
        UniqueConstraint("project_id", "person_id"),
        Index("ix_follows_person", "person_id", "project_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Look(Model):
    """Up to which row of the record somebody has seen what happened to a project."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("person_id", "project_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    seq: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
