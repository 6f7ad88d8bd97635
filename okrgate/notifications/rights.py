"""Who may still read what they are told about."""

from collections.abc import Iterable

from sqlalchemy import select

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
    visible = permissions.visible_clause(person.id, is_auditor=person.is_auditor)
    return set(db.session().scalars(select(Project.id).where(Project.id.in_(wanted), visible)))
