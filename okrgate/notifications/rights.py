"""Who may still read what they are told about."""

from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import Integer, Select, bindparam, select

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.projects import permissions
from okrgate.projects.models import Project


def may_read(person_id: int, project_id: int) -> bool:
    """Tell whether the person may read the project now."""
    return project_id in readable(person_id, (project_id,))


def readable(person_id: int, project_ids: Iterable[int | None]) -> set[int]:
    """Return those of these projects that the person may read now."""
    wanted = {one for one in project_ids if one is not None}
    person = db.session().get(Person, person_id) if wanted else None
    if person is None or not person.active:
        return set()
    query = _query(person.is_auditor, permissions.registered())
    return set(db.session().scalars(query, {"me": person.id, "wanted": list(wanted)}))


# Written once: to write it takes longer than to ask it, and each mail asks. It grows when a room registers who reads besides.
@lru_cache(maxsize=8)
def _query(is_auditor: bool, registered: int) -> Select[int]:
    visible = permissions.visible_clause(bindparam("me", type_=Integer), is_auditor=is_auditor)
    wanted = Project.id.in_(bindparam("wanted", expanding=True))
    return select(Project.id).where(wanted, visible)
