"""Read what the tables hold of one project in as few questions as can be.

One question brings the project's unit and every table that has at most one row for it, and says which of the others
have none. Each of those that have some is then asked once, however many sections read it.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, exists, inspect, select

from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.database import Memory, Model, db, remembered, remembering
from okrgate.projects.models import Project

Table = type[Model]
Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


@contextmanager
def reading(project_id: int, tables: Sequence[Table]) -> Iterator[Memory]:
    """Read these tables together; nothing may be written in the block.

    What was read is yielded: `remembering(…)` with it goes on where this left off.
    """
    with remembering({}) as memory:
        found = db.session().execute(_question(tuple(tables)), {"project": project_id}).first()
        if found is not None:
            unit, *rest = found
            if unit is not None:
                directory.know(unit)
            for table, told in zip(_in_order(tuple(tables)), rest, strict=True):
                if has_one(table):
                    memory[table, project_id] = told
                elif not told:
                    memory[table, project_id] = ()
        yield memory


def one(table: type[Row], project_id: int, read: Callable[[], Row | None]) -> Row | None:
    """Return a project's only row of a table; `read` asks for it if nobody did yet."""
    return remembered((table, project_id), read)


def many(
    table: Table, project_id: int, read: Callable[[], list[Item]], *more: Hashable
) -> list[Item]:
    """Return what `read` finds in a table, without asking when the project has no row in it.

    `more` tells apart what is read of one table in different ways.
    """
    if is_empty(table, project_id):
        return []
    return list(remembered((table, project_id, "rows", *more), read))


def is_empty(table: Table, project_id: int) -> bool:
    """Tell whether a table is known to have no row for a project."""
    known: object = remembered((table, project_id), lambda: None)
    return known == ()


@cache
def is_keyed(table: Table) -> bool:
    """Tell whether a table's rows are known by their project's id."""
    return bool(inspect(table).local_table.columns.project_id.primary_key)


@cache
def has_one(table: Table) -> bool:
    """Tell whether a table has at most one row for a project."""
    columns = inspect(table).local_table.columns
    return bool(columns.project_id.primary_key or columns.project_id.unique)


@cache
def _in_order(tables: tuple[Table, ...]) -> list[Table]:
    return sorted(dict.fromkeys(tables), key=lambda table: (not has_one(table), table.__name__))


@cache
def _question(tables: tuple[Table, ...]) -> Select[Any]:
    wanted: list[Any] = []
    source: Any = Project
    project: Any = bindparam("project")
    for table in _in_order(tables):
        row: Any = table
        if has_one(table):
            wanted.append(row)
        else:
            wanted.append(exists().where(row.project_id == project).label(table.__name__))
    query: Select[Any] = (
        select(OrgUnit, *wanted)
        .select_from(source)
        .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
    )
    for row in wanted:
        if isinstance(row, type):
            single: Any = row
            query = query.outerjoin(single, single.project_id == Project.id)
    return query.where(Project.id == project)
