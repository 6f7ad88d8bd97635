"""What becomes of a text that somebody wants to publish: who was asked, who agreed, and how it reached the projects."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime

WAITING, SCHEDULED, PUBLISHED = "waiting", "scheduled", "published"
WITHDRAWN, REFUSED, STOPPED = "withdrawn", "refused", "stopped"
OPEN = (WAITING, SCHEDULED)
APPROVED = "approved"
KEEP, MIGRATE = "keep", "migrate"


class PublishingPolicy(Model):
    """How many approvals a text needs. Each save is a new row; the newest one whose day has come counts."""

    __tablename__ = "publishing_policies"

    id: Mapped[int] = mapped_column(primary_key=True)
    approvals: Mapped[int] = mapped_column(Integer)
    author_approves: Mapped[bool] = mapped_column(Boolean)
    one_more: Mapped[bool] = mapped_column(Boolean)
    effective_from: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class Proposal(Model):
    """A text that somebody wants to publish. The text and all that was said with it never change.

    `needed` approvals of the people in `asked` make it a version, at once or on `takes_effect_at`. `changes` and
    `impact` are what was shown to them; `unheld` holds the roles that nobody had even then.
    """

    __tablename__ = "rulebook_proposals"
    __table_args__ = (
        Index("ix_rulebook_proposals_state", "state", "takes_effect_at"),
        Index("ix_rulebook_proposals_process", "process_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"))
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    based_on: Mapped[int] = mapped_column(Integer)
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    takes_effect_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    in_flight: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    needed: Mapped[int] = mapped_column(Integer)
    loosens: Mapped[bool] = mapped_column(Boolean)
    asked: Mapped[list[int]] = mapped_column(JsonText)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    impact: Mapped[list[str]] = mapped_column(JsonText)
    unheld: Mapped[list[str]] = mapped_column(JsonText)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_because: Mapped[str] = mapped_column(Text, default="")
    version_id: Mapped[int | None] = mapped_column(ForeignKey("rulebook_versions.id"))


class ProposalDecision(Model):
    """What one administrator said to a proposal, about exactly this text. Everybody speaks once."""

    __tablename__ = "rulebook_approvals"
    __table_args__ = (UniqueConstraint("proposal_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("rulebook_proposals.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    decision: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Rollout(Model):
    """What follows from a version: people are told, then open projects keep their rules or move, one at a time.

    People are told in the order of their ids, up to `told_up_to`; a worker that goes on begins there.
    """

    __tablename__ = "rulebook_rollouts"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"), unique=True)
    before_id: Mapped[int | None] = mapped_column(ForeignKey("rulebook_versions.id"))
    in_flight: Mapped[str] = mapped_column(String(10))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    told_up_to: Mapped[int] = mapped_column(Integer, default=0)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class RolloutStep(Model):
    """What became of one open project: moved to the new rules, or stayed, and why."""

    __tablename__ = "rulebook_rollout_steps"
    __table_args__ = (UniqueConstraint("rollout_id", "project_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[int] = mapped_column(ForeignKey("rulebook_rollouts.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    moved: Mapped[bool] = mapped_column(Boolean)
    why: Mapped[str] = mapped_column(Text, default="")
    before_id: Mapped[int] = mapped_column(ForeignKey("rulebook_versions.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
