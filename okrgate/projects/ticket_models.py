"""What a ticket says: the problem, its value, what was found out about it, and a suggested solution."""

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model


class Problem(Model):
    """The problem or challenge. The title stands on the project."""

    __tablename__ = "problems"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    problem: Mapped[str] = mapped_column(Text, default="")
    affected: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[str] = mapped_column(Text, default="")


class Value(Model):
    """The potential value, four ways, and in total. Amounts are minor units a year, of the currency beside them."""

    __tablename__ = "potential_values"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    users: Mapped[str] = mapped_column(Text, default="")
    customers: Mapped[str] = mapped_column(Text, default="")
    business: Mapped[str] = mapped_column(Text, default="")
    platform: Mapped[str] = mapped_column(Text, default="")
    users_minor: Mapped[int | None] = mapped_column(BigInteger)
    customers_minor: Mapped[int | None] = mapped_column(BigInteger)
    business_minor: Mapped[int | None] = mapped_column(BigInteger)
    platform_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    total_minor: Mapped[int | None] = mapped_column(BigInteger)
    total_currency: Mapped[str] = mapped_column(String(3), default="")
    reach: Mapped[int | None] = mapped_column(BigInteger)
    first_value_by: Mapped[date | None] = mapped_column(Date)


class DiscoveryEntry(Model):
    """Something learnt from users, customers or the business before the value was stated."""

    __tablename__ = "discovery_entries"
    __table_args__ = (Index("ix_discovery_entries_project", "project_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str | None] = mapped_column(String(20))
    who: Mapped[str] = mapped_column(String(200), default="")
    on: Mapped[date | None] = mapped_column("held_on", Date)
    finding: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str] = mapped_column(Text, default="")


class Solution(Model):
    """A suggested solution, or the beginnings of one."""

    __tablename__ = "solutions"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    solution: Mapped[str] = mapped_column(Text, default="")
    alternatives: Mapped[str] = mapped_column(Text, default="")
