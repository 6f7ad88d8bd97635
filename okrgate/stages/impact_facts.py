"""Gather the facts of many projects with as few questions as one needs: each table is asked once for a page of them.

It fills the memory that gathering one project reads from, so what a project's facts are is said in one place only
(facts.py). What is not read ahead here is asked for then: slower, never wrong.
"""

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import structlog
from sqlalchemy import func, inspect, select

from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Condition, Round, SignoffRow
from okrgate.database import Memory, Model, ask, db, remembering, table_of
from okrgate.delivery.models import Statement, WorkItem
from okrgate.gates.model import Rulebook
from okrgate.measurement.models import BandChange, Target
from okrgate.metrics import service as metrics
from okrgate.metrics.models import Metric
from okrgate.okrs import service as okrs
from okrgate.projects import together
from okrgate.projects.models import CoEditor, Edit, Project, RulebookAnswer
from okrgate.projects.plan_models import KeyResultLink, Team
from okrgate.projects.search_models import SearchEntry
from okrgate.stages.facts import TABLES, Snapshot, read_snapshot

log = structlog.get_logger()

Table = type[Model]
Found = TypeVar("Found")


def with_facts_of(
    projects: Sequence[Project],
    rulebooks: Mapping[int, Rulebook],
    use: Callable[[Project, Snapshot | None], Found],
) -> list[Found]:
    """Return what `use` makes of each project and its facts: None when what is stored cannot be read.

    `rulebooks` holds the rules of every version these projects live under. What `use` asks of them is known already.
    """
    with _letting_rubbish_lie(), remembering({}) as memory:
        _read_ahead(projects, memory)
        return [
            use(project, _snapshot(project, rulebooks[project.rulebook_version_id]))
            for project in projects
        ]


@contextmanager
def _letting_rubbish_lie() -> Iterator[None]:
    """Keep Python from looking for rubbish among all that is read: a quarter of the time went there."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _snapshot(project: Project, rulebook: Rulebook) -> Snapshot | None:
    try:
        return read_snapshot(project, rulebook, 0, 0, {})
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:
        log.warning("facts unreadable", project=project.id, exc_info=problem)
        return None


def _read_ahead(projects: Sequence[Project], memory: Memory) -> None:
    ids = [project.id for project in projects]
    for table in _NEEDED:
        if together.has_one(table):
            _single(table, ids, memory)
        elif table in _QUERIES:
            _grouped(table, ids, memory)
        elif table in _ORDERS or "position" in inspect(table).columns:
            _listed(table, ids, memory)
        else:
            _presence(table, ids, memory)
    _people(ids, memory)
    _signed(ids, memory)
    _beside(projects, memory)


def _single(table: Any, ids: list[int], memory: Memory) -> None:
    found = {row.project_id: row for row in _rows(table, ids)}
    for project in ids:
        memory[table, project] = found.get(project)


def _listed(table: Any, ids: list[int], memory: Memory) -> None:
    """Read the rows of a plain list in their order."""
    order = _ORDERS.get(table) or (table.position, table.id)
    rows: defaultdict[int, list[Any]] = defaultdict(list)
    for row in _rows(table, ids, *order):
        rows[row.project_id].append(row)
    _know(table, ids, memory, rows)


def _grouped(table: Any, ids: list[int], memory: Memory) -> None:
    rows: defaultdict[int, list[Any]] = defaultdict(list)
    for project, *rest in db.session().execute(_QUERIES[table].where(table.project_id.in_(ids))):
        rows[project].append(rest[0] if len(rest) == 1 else tuple(rest))
    _know(table, ids, memory, rows)


def _know(table: Any, ids: list[int], memory: Memory, rows: Mapping[int, list[Any]]) -> None:
    for project in ids:
        if project in rows:
            memory[(table, project, "rows", *_MORE.get(table, ()))] = rows[project]
        else:
            memory[table, project] = ()


def _rows(table: Any, ids: list[int], *order: Any) -> Iterable[Any]:
    """Return rows to read from: without what a session keeps of an object, where the model is nothing but its columns."""
    if not _is_plain(table):
        query = select(table).where(table.project_id.in_(ids))
        return db.session().scalars(query.order_by(*order))
    query = select(*table_of(table).columns).where(table_of(table).c.project_id.in_(ids))
    return ask(query.order_by(*order), {})


@cache
def _is_plain(table: Table) -> bool:
    """Tell whether a row of its table says all that an object of this model does, under the same names."""
    mapper = inspect(table)
    own = {name for name in vars(table) if not name.startswith("_")} - {"metadata", "registry"}
    return (
        own == set(mapper.column_attrs.keys()) == set(mapper.local_table.columns.keys())
        and not mapper.relationships
        and not any(one.deferred for one in mapper.column_attrs)
    )


def _presence(table: Any, ids: list[int], memory: Memory) -> None:
    """Read of any other table only who has none."""
    known = set(
        ask(select(table.project_id).where(table.project_id.in_(ids)).distinct(), {}).scalars()
    )
    for project in ids:
        if project not in known:
            memory[table, project] = ()


def _people(ids: list[int], memory: Memory) -> None:
    """Read who writes and who edited: asked for in two ways, or summed up."""
    editors: defaultdict[int, list[int]] = defaultdict(list)
    query = select(CoEditor.project_id, CoEditor.person_id).where(CoEditor.project_id.in_(ids))
    for project, person in db.session().execute(query):
        editors[project].append(person)
    for project, people in editors.items():
        memory[CoEditor, project, "rows", "people"] = people


def _signed(ids: list[int], memory: Memory) -> None:
    asked = [project for project in ids if memory.get((Round, project)) != ()]
    signed = approvals.signoffs_of_each(asked)
    settled: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    query = (
        select(Round.project_id, Round.gate, func.max(Round.closed_at))
        .where(Round.project_id.in_(asked), Round.closed_as == "satisfied")
        .group_by(Round.project_id, Round.gate)
    )
    for project, gate, at in db.session().execute(query):
        if at is not None:
            settled[project][gate] = at
    last = select(func.max(Round.id)).where(
        Round.project_id.in_(asked), Round.closed_as == "satisfied"
    )
    newest = db.session().scalars(
        select(Round).where(Round.id.in_(last.group_by(Round.project_id)))
    )
    satisfied = {one.project_id: one for one in newest}
    for project in asked:
        memory["satisfied", project] = satisfied.get(project)
        memory["signed", project] = signed.get(project, {})
        memory["settled", project] = settled.get(project, {})


def _beside(projects: Sequence[Project], memory: Memory) -> None:
    """Read what lies outside the projects: their units, those of their teams, their key results."""
    ids = [project.id for project in projects]
    teams = _ids(memory, Team, ids, "unit_id")
    directory.units([*(one.home_unit_id for one in projects), *teams])
    links = {one: frozenset(_ids(memory, KeyResultLink, [one], "key_result_id")) for one in ids}
    lines = okrs.describe(frozenset().union(*links.values()))
    for wanted in links.values():
        memory["key results", wanted] = {one: lines[one] for one in wanted if one in lines}
    chosen = {one: frozenset(_metrics(memory, one)) for one in ids}
    known = metrics.describe(frozenset().union(*chosen.values()))
    for measured in chosen.values():
        memory["metrics", measured] = {one: known[one] for one in measured if one in known}


def _metrics(memory: Memory, project: int) -> list[int]:
    return [metric.id for _, metric in memory.get((Target, project, "rows", "metrics"), ())]


def _ids(memory: Memory, table: Table, projects: Iterable[int], column: str) -> list[int]:
    return [
        getattr(row, column)
        for project in projects
        for row in memory.get((table, project, "rows"), ())
    ]


# The order of lists that have no positions.
_ORDERS: Mapping[Any, tuple[Any, ...]] = {
    RulebookAnswer: (RulebookAnswer.id,),
    CoEditor: (CoEditor.id,),
    WorkItem: (WorkItem.kind, WorkItem.position, WorkItem.id),
    BandChange: (BandChange.id,),
}
# How a table is asked of which not all rows, or other things, are kept: the project's id first, then what is kept.
_QUERIES: Mapping[Any, Any] = {
    Condition: select(Condition.project_id, Condition)
    .join(SignoffRow, SignoffRow.id == Condition.signoff_id)
    .where(SignoffRow.withdrawn_at.is_(None))
    .order_by(Condition.closed_at.is_not(None), Condition.id),
    Edit: select(Edit.project_id, Edit.person_id, func.max(Edit.at))
    .where(Edit.material)
    .group_by(Edit.project_id, Edit.person_id),
    Target: select(Target.project_id, Target, Metric)
    .join(Metric, Metric.id == Target.metric_id)
    .order_by(Target.position, Target.id),
    Statement: select(Statement.project_id, Statement, Person.name)
    .join(Person, Person.id == Statement.person_id)
    .order_by(Statement.id),
}
_MORE: Mapping[Any, tuple[str, ...]] = {Target: ("metrics",), Statement: ("names",)}
# Of what is read together with a project no fact is made of the words it is found by.
_NEEDED = tuple(table for table in dict.fromkeys(TABLES) if table is not SearchEntry)
