"""Find a page of projects fast, however many there are: which part of the question to begin with.

Each narrow part (a word, a unit, a lead …) is counted up to a limit, all in one query. Then either the projects of
the smallest part are taken and sorted, or all projects are walked in the order of the list until a page is full.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    bindparam,
    func,
    intersect,
    literal,
    select,
    tuple_,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute

from okrgate.accounts.models import OrgUnit, Person
from okrgate.comments import following
from okrgate.database import db
from okrgate.projects import permissions, search
from okrgate.projects.models import Project
from okrgate.stages.reading import Reader

# What is found more often than this is not worth gathering first.
_MANY = 20_000
_PAGE = 50
# To look one project up takes about as long as to read so many out of an index.
_ALIKE = 10

SORTS: Mapping[str, InstrumentedAttribute[Any]] = {
    "changed": Project.changed_at,
    "days": Project.stage_entered_at,
    "title": Project.title,
    "reference": Project.reference,
}
MOMENTS = frozenset({"changed", "days"})
# Days grow as the moment of entry lies further back.
_TURNED = {"days"}
_ENDED, _OPEN = "ended", "open"
# Clauses that every list needs are built once: building them costs more than asking them.
READER: BindParameter[int] = bindparam("reader", type_=Integer)


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
    word: str = ""
    # Whether an index holds just these projects in the order asked for.
    ordered: bool = False


@dataclass(frozen=True)
class _Counts:
    """How many projects there are, about, and how many fit each part, up to a limit."""

    all: int
    each: tuple[int, ...]


@dataclass(frozen=True)
class _Parts:
    narrow: list[_Part] = field(default_factory=list)
    plain: list[ColumnElement[bool]] = field(default_factory=list)


def ids_of(
    query: Query, reader: Reader, *, after: Place | None = None, limit: int = _PAGE
) -> Select[Any] | None:
    """Return the query for (id, sorted value) of the projects that fit, in order; None when none can fit.

    Whoever asks it gives the reader's id as `reader`.
    """
    parts = _parts(query, reader)
    if parts is None:
        return None
    counts = _counted(parts.narrow)
    if counts is not None and not min(counts.each):
        return None
    begin = _begin(parts.narrow, counts, limit) if counts is not None else None
    column, down = order_of(query)
    # An expression that no index is sorted by keeps a database from walking when it should begin with the ids.
    key: Any = column if begin is None else func.coalesce(column, column)
    found = select(Project.id, column.label("place")).where(
        _visible(reader.is_auditor, permissions.registered()), *parts.plain
    )
    if begin is None:
        found = found.where(*(part.demand for part in parts.narrow))
    else:
        found = found.where(*_from(parts.narrow, counts.each if counts else (), begin))
    if after is not None:
        here = tuple_(literal(after[0], column.type), literal(after[1], Project.id.type))
        row = tuple_(key, Project.id)
        found = found.where(row < here if down else row > here)
    return found.order_by(
        key.desc() if down else key.asc(), Project.id.desc() if down else Project.id.asc()
    ).limit(limit)


@lru_cache(maxsize=8)
def _visible(is_auditor: bool, _registered: int) -> ColumnElement[bool]:
    return permissions.visible_clause(READER, is_auditor=is_auditor)


def _from(narrow: Sequence[_Part], counts: Sequence[int], begin: int) -> list[ColumnElement[bool]]:
    """Return what is demanded when one part begins; of a word's ids, other words are asked before any project is.

    A word of about as many projects is read whole and intersected; one of far more is asked project by project.
    PostgreSQL is told which: it guesses far too low how many projects share the beginning of a word, and would join
    all of one word with all of the other.
    """
    first = narrow[begin]
    ids: Select[Any] | CompoundSelect[Any] = first.ids
    others = [(part, counts[place]) for place, part in enumerate(narrow) if place != begin]
    most = min(_ALIKE * counts[begin], _MANY - 1)
    alike = [part for part, count in others if first.word and part.word and count <= most]
    rest = [part for part, _count in others if part not in alike]
    if alike:
        ids = intersect(first.ids, *(part.ids for part in alike))
    elif first.word:
        ids = first.ids.where(*(search.also(part.word) for part in rest if part.word))
        rest = [part for part in rest if not part.word]
    return [Project.id.in_(ids), *(part.demand for part in rest)]


def order_of(query: Query) -> tuple[InstrumentedAttribute[Any], bool]:
    """Return the column that sorts, and whether it falls."""
    return SORTS[query.sort], query.descending != (query.sort in _TURNED)


def _parts(query: Query, reader: Reader) -> _Parts | None:
    """Take a question apart; None if its text has no word in it, which nothing fits."""
    words = search.asked_words(query.text)
    if query.text and not words:
        return None
    parts = _Parts()
    parts.narrow.extend(_Part(search.with_word(one), search.has_word(one), one) for one in words)
    if query.scope == "mine":
        parts.narrow.append(_mine(reader.id))
    elif query.scope == "followed":
        parts.narrow.append(_where(following.followed_by(reader.id)))
    units = _units(query, reader)
    if units is not None:
        parts.narrow.append(_where(Project.home_unit_id.in_(units)))
    if query.lead_id is not None:
        parts.narrow.append(_where(Project.lead_id == query.lead_id))
    if query.stage:
        parts.narrow.append(_where(Project.stage == query.stage, ordered=query.sort == "changed"))
    parts.plain.extend(_plain(query))
    return parts


def _plain(query: Query) -> Iterator[ColumnElement[bool]]:
    if query.process_id is not None:
        yield Project.process_id == query.process_id
    if query.state == _OPEN:
        yield Project.closed_at.is_(None)
    elif query.state == _ENDED:
        yield Project.closed_at.is_not(None)


def _where(demand: ColumnElement[bool], *, ordered: bool = False) -> _Part:
    return _Part(select(Project.id).where(demand), demand, ordered=ordered)


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


def _counted(narrow: Sequence[_Part]) -> _Counts | None:
    """Count each part, up to what is worth knowing, and all projects, roughly; None without any part."""
    if not narrow:
        return None
    counts = [
        select(func.count()).select_from(part.ids.limit(_MANY).subquery()).scalar_subquery()
        for part in narrow
    ]
    newest = select(func.max(Project.id)).scalar_subquery()
    total, *each = db.session().execute(select(newest, *counts)).one()
    return _Counts(max(total or 0, 1), tuple(each))


def _begin(narrow: Sequence[_Part], counts: _Counts, limit: int) -> int | None:
    """Return the place of the part to begin with, or None to walk all projects in their order."""
    fewest = min(counts.each)
    share, within = 1.0, counts.all
    for part, count in zip(narrow, counts.each, strict=True):
        if part.ordered:
            within = min(within, count)
            continue
        # What was not counted to its end may be anything up to all: take the middle of the way there.
        known = count if count < _MANY else (count * counts.all) ** 0.5
        share *= min(1.0, known / counts.all)
    if fewest >= _MANY or min(within, limit / share) <= fewest:
        return None
    return counts.each.index(fewest)
