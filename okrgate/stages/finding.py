"""Find a page of projects fast, however many there are: which part of the question to begin with.

Each narrow part (a word, a unit, a lead …) is counted up to a limit, all in one query. Then either the projects of
the smallest part are taken and sorted, or all projects are walked in the order of the list until a page is full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, union
from sqlalchemy.orm import InstrumentedAttribute

from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import db
from okrgate.projects import permissions, search
from okrgate.projects.models import Project
from okrgate.stages.reading import Reader

# What is found more often than this is not worth gathering first.
_MANY = 20_000
_PAGE = 50

SORTS: Mapping[str, InstrumentedAttribute[Any]] = {
    "changed": Project.changed_at,
    "days": Project.stage_entered_at,
    "title": Project.title,
    "reference": Project.reference,
}
# Days grow as the moment of entry lies further back.
_TURNED = {"days"}
_ENDED, _OPEN = "ended", "open"


@dataclass(frozen=True)
class Query:
    """Which projects, in which order. Empty values ask for nothing."""

    text: str = ""
    stage: str = ""
    scope: str = "all"
    state: str = _OPEN
    unit_id: int | None = None
    lead_id: int | None = None
    process_id: int | None = None
    sort: str = "changed"
    descending: bool = True


Place = tuple[datetime | str, int]


@dataclass(frozen=True)
class _Part:
    """One narrow part of a question: the ids that fit it, and what a query demands to keep them."""

    ids: Select[Any]
    demand: ColumnElement[bool]


@dataclass(frozen=True)
class _Parts:
    narrow: list[_Part] = field(default_factory=list)
    plain: list[ColumnElement[bool]] = field(default_factory=list)


def ids_of(
    query: Query, reader: Reader, *, after: Place | None = None, limit: int = _PAGE
) -> Select[Any] | None:
    """Return the query for (id, sorted value) of the projects that fit, in order; None when none can fit."""
    parts = _parts(query, reader)
    if parts is None:
        return None
    begin = _smallest(parts.narrow, limit)
    if begin is _NOTHING:
        return None
    column, down = order_of(query)
    # An expression that no index is sorted by keeps a database from walking when it should begin with the ids.
    key: Any = column if begin is None else func.coalesce(column, column)
    found = select(Project.id, column.label("place")).where(
        permissions.visible_clause(reader.id, is_auditor=reader.is_auditor), *parts.plain
    )
    for part in parts.narrow:
        found = found.where(Project.id.in_(part.ids) if part is begin else part.demand)
    if after is not None:
        here = tuple_(literal(after[0], column.type), literal(after[1], Project.id.type))
        row = tuple_(key, Project.id)
        found = found.where(row < here if down else row > here)
    return found.order_by(
        key.desc() if down else key.asc(), Project.id.desc() if down else Project.id.asc()
    ).limit(limit)


def order_of(query: Query) -> tuple[InstrumentedAttribute[Any], bool]:
    """Return the column that sorts, and whether it falls."""
    return SORTS[query.sort], query.descending != (query.sort in _TURNED)


def _parts(query: Query, reader: Reader) -> _Parts | None:
    parts = _Parts()
    if query.text:
        words = search.asked_words(query.text)
        if not words:
            return None
        parts.narrow.extend(_Part(search.with_word(one), search.has_word(one)) for one in words)
    if query.scope == "mine":
        parts.narrow.append(_mine(reader.id))
    units = _units(query, reader)
    if units is not None:
        parts.narrow.append(_where(Project.home_unit_id.in_(units)))
    if query.lead_id is not None:
        parts.narrow.append(_where(Project.lead_id == query.lead_id))
    if query.stage:
        parts.narrow.append(_where(Project.stage == query.stage))
    if query.process_id is not None:
        parts.plain.append(Project.process_id == query.process_id)
    if query.state == _OPEN:
        parts.plain.append(Project.closed_at.is_(None))
    elif query.state == _ENDED:
        parts.plain.append(Project.closed_at.is_not(None))
    return parts


def _where(demand: ColumnElement[bool]) -> _Part:
    return _Part(select(Project.id).where(demand), demand)


def _mine(person: int) -> _Part:
    """Return the part of those whose submitter, lead or sponsor somebody is: by index, one after the other."""
    own = (Project.submitter_id, Project.lead_id, Project.sponsor_id)
    ids = union(*(select(Project.id).where(column == person) for column in own)).subquery()
    demand = own[0] == person
    for column in own[1:]:
        demand = demand | (column == person)
    return _Part(select(ids.c.id), demand)


def _units(query: Query, reader: Reader) -> list[int] | None:
    """Return the units in which projects must be at home; None when that does not matter."""
    tops = []
    if query.unit_id is not None:
        tops.append(select(OrgUnit.path).where(OrgUnit.id == query.unit_id))
    if query.scope == "unit":
        tops.append(
            select(OrgUnit.path)
            .join(Person, Person.unit_id == OrgUnit.id)
            .where(Person.id == reader.id)
        )
    if not tops:
        return None
    below = select(OrgUnit.id)
    for top in tops:
        below = below.where(OrgUnit.path.startswith(top.scalar_subquery()))
    return list(db.session().scalars(below))


class _Nothing(_Part):
    """Stands for: one part fits no project at all."""


_NOTHING = _Nothing(select(Project.id), Project.id.is_(None))


def _smallest(narrow: Sequence[_Part], limit: int) -> _Part | None:
    """Return the part to begin with, _NOTHING if one of them is empty, or None to walk all projects in order."""
    if not narrow:
        return None
    counts = [
        select(func.count()).select_from(part.ids.limit(_MANY).subquery()).scalar_subquery()
        for part in narrow
    ]
    total, *found = (
        db.session().execute(select(select(func.max(Project.id)).scalar_subquery(), *counts)).one()
    )
    fewest = min(found)
    if not fewest:
        return _NOTHING
    share = 1.0
    for count in found:
        share *= min(1.0, count / max(total, 1))
    walked = limit / share
    if fewest >= _MANY or walked < fewest:
        return None
    return narrow[found.index(fewest)]
