"""The project itself, where it has been, and what is typed but not yet saved.

Each section's own tables stand in its room, in `<section>_models.py` or the room's `models.py`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime

LONGEST_TITLE = 200


class Project(Model):
    """What is submitted and moves through stages. `stage` is an id of its rulebook version."""

    __tablename__ = "projects"
    __table_args__ = (
        Index("ix_projects_stage", "stage", "changed_at", "id"),
        Index("ix_projects_changed", "changed_at", "id"),
        Index("ix_projects_entered", "stage_entered_at", "id"),
        Index("ix_projects_title", "title", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"))
    rulebook_version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    home_unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"), index=True)
    submitter_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    sponsor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    benefits_owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    stage: Mapped[str] = mapped_column(String(60))
    stage_entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    parked_from: Mapped[str | None] = mapped_column(String(60))
    outcome: Mapped[str | None] = mapped_column(String(60))
    revisit: Mapped[str] = mapped_column(Text, default="")
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    adopted: Mapped[bool] = mapped_column(Boolean, default=False)
    creation_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    source_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    confidential: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)


class Visit(Model):
    """One stay in one stage. `transition` is the move that ended it, `kind` that move's kind."""

    __tablename__ = "visits"
    __table_args__ = (Index("ix_visits_project", "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    stage: Mapped[str] = mapped_column(String(60))
    round: Mapped[int] = mapped_column(Integer, default=1)
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    transition: Mapped[str | None] = mapped_column(String(60))
    kind: Mapped[str | None] = mapped_column(String(20))
    gate: Mapped[str | None] = mapped_column(String(60))
    key: Mapped[str | None] = mapped_column(String(64), unique=True)


class SectionState(Model):
    """How often a section was saved, and by whom last: the version a form was built on."""

    __tablename__ = "section_states"
    __table_args__ = (UniqueConstraint("project_id", "section"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    section: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer, default=0)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    pages_saved: Mapped[list[str]] = mapped_column(JsonText, default=list)


class Edit(Model):
    """Who changed what of a project: the floor of who never signs is read from here."""

    __tablename__ = "edits"
    __table_args__ = (Index("ix_edits_project", "project_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    section: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    material: Mapped[bool] = mapped_column(Boolean, default=False)


class Draft(Model):
    """What somebody typed and did not save yet. No gate and no other reader ever sees it."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("project_id", "section", "page", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    section: Mapped[str] = mapped_column(String(40))
    page: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    data: Mapped[list[list[str]]] = mapped_column(JsonText)
    base_version: Mapped[int] = mapped_column(Integer, default=0)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RulebookAnswer(Model):
    """An answer to a question of the rulebook. `value` is a JSON value that fits the question's type."""

    __tablename__ = "rulebook_answers"
    __table_args__ = (UniqueConstraint("project_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    question: Mapped[str] = mapped_column(String(60))
    value: Mapped[Any] = mapped_column(JsonText)


class CoEditor(Model):
    """Somebody who may edit what the submitter may."""

    __tablename__ = "co_editors"
    __table_args__ = (UniqueConstraint("project_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
