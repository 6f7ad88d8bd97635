"""What the plan says: key results, teams, the review, backlogs, RACI, scope, dependencies and linked documents."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Millionths, Model


class KeyResultLink(Model):
    """A key result to which the project contributes."""

    __tablename__ = "project_key_results"
    __table_args__ = (Index("ix_project_key_results_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    key_result_id: Mapped[int] = mapped_column(ForeignKey("key_results.id"), index=True)
    contribution: Mapped[str] = mapped_column(Text, default="")


class Team(Model):
    """A unit that works on the project. Whether it agreed and has room is said by the team or the review."""

    __tablename__ = "project_teams"
    __table_args__ = (Index("ix_project_teams_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True)
    effort_days: Mapped[Decimal | None] = mapped_column(Millionths)
    confirmed: Mapped[bool | None] = mapped_column(Boolean)
    over_capacity: Mapped[bool | None] = mapped_column(Boolean)


class Review(Model):
    """What management said to the ticket."""

    __tablename__ = "opportunity_reviews"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    team_fit: Mapped[bool | None] = mapped_column(Boolean)
    technical: Mapped[bool | None] = mapped_column(Boolean)
    operational: Mapped[bool | None] = mapped_column(Boolean)
    feasibility: Mapped[str] = mapped_column(Text, default="")
    fits: Mapped[str | None] = mapped_column(String(20))
    later_start: Mapped[date | None] = mapped_column(Date)
    yields_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True)
    priority: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="")


class BacklogPlace(Model):
    """A project's place in the one backlog it is in. Ranks only order; ended projects are passed over."""

    __tablename__ = "backlog_places"
    __table_args__ = (Index("ix_backlog_places_unit", "unit_id", "rank"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"))
    rank: Mapped[int] = mapped_column(Integer)


class RaciRow(Model):
    """One person's part in one activity. `activity` is empty for the whole project."""

    __tablename__ = "raci_rows"
    __table_args__ = (
        Index("ix_raci_rows_project", "project_id", "position"),
        Index("ix_raci_rows_person", "person_id", "project_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    activity: Mapped[str] = mapped_column(String(200), default="")
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    letter: Mapped[str] = mapped_column(String(1))


class Scope(Model):
    """How much work, when, who and how much money. `rate` is exact text: company currency for one of `currency`."""

    __tablename__ = "scopes"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    effort_days: Mapped[Decimal | None] = mapped_column(Millionths)
    size: Mapped[str | None] = mapped_column(String(2))
    includes: Mapped[str] = mapped_column(Text, default="")
    excludes: Mapped[str] = mapped_column(Text, default="")
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    people: Mapped[int | None] = mapped_column(Integer)
    skills: Mapped[str] = mapped_column(Text, default="")
    budget_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    rate: Mapped[str | None] = mapped_column(String(40))
    rate_on: Mapped[date | None] = mapped_column(Date)
    other: Mapped[str] = mapped_column(Text, default="")


class Dependency(Model):
    """Something the project needs from somebody else."""

    __tablename__ = "project_dependencies"
    __table_args__ = (Index("ix_project_dependencies_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200), default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    accepted: Mapped[bool | None] = mapped_column(Boolean)
    needed_by: Mapped[date | None] = mapped_column(Date)


class Document(Model):
    """A document kept elsewhere and linked here."""

    __tablename__ = "linked_documents"
    __table_args__ = (Index("ix_linked_documents_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(Text, default="")


class Counter(Model):
    """A number that only grows. Its row is locked while it is taken."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(Integer, default=0)
