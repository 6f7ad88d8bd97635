"""The front door of the room: find a project, and number a new one."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.exc import IntegrityError

from okrgate.database import check_writing, db
from okrgate.errors import NotFound
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Counter

_REFERENCES = "project_references"


def get(project_id: int) -> Project:
    """Return a project. Raises NotFound."""
    found = db.session().get(Project, project_id)
    if found is None:
        raise NotFound
    return found


def find(reference: str) -> Project | None:
    """Return the project with this reference, if there is one."""
    if not reference.isprintable() or len(reference) > 20:
        return None
    return db.session().scalar(select(Project).where(Project.reference == reference))


def references_of(ids: Iterable[int | None]) -> dict[int, str]:
    """Return the references of these projects, in one query."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    rows = db.session().execute(select(Project.id, Project.reference).where(Project.id.in_(wanted)))
    return {row.id: row.reference for row in rows}


def id_named(reference: str) -> int | None:
    """Return the id of the project with this reference, if there is one."""
    found = find(reference.strip().upper())
    return found.id if found else None


def next_reference() -> str:
    """Take the next reference, "OKR-001" being the first. Only inside a transaction(), which gives it back if it fails.

    Two transactions never take the same one: the counter's row is locked until the first of them ends.
    """
    check_writing()
    number = _count_up()
    while _is_taken(_reference(number)):
        number = _count_up()
    return _reference(number)


def _reference(number: int) -> str:
    return f"OKR-{number:03d}"


def _is_taken(reference: str) -> bool:
    query = select(Project.id).where(Project.reference == reference)
    return db.session().scalar(query) is not None


def _count_up() -> int:
    session = db.session()
    if not _grow():
        # If somebody else counts first at the same moment, their row is there by then.
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(Counter).values(name=_REFERENCES, value=0))
        _grow()
    return session.execute(select(Counter.value).where(Counter.name == _REFERENCES)).scalar_one()


def _grow() -> bool:
    grown = (
        update(Counter)
        .where(Counter.name == _REFERENCES)
        .values(value=Counter.value + 1)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", db.session().execute(grown)).rowcount == 1
