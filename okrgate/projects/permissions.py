"""Who may read a project, and who has a part in it.

A draft is its submitter's and its co-editors', and of those whom they asked to decide about it. From submission on everybody signed in reads it; a confidential
one is for those involved and auditors. What is private (money, what stakeholders said) is for them always.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, Subquery, and_, or_, select, union_all

from okrgate.database import db
from okrgate.errors import NotFound
from okrgate.projects.models import CoEditor, Project
from okrgate.projects.plan_models import RaciRow

_OWN_PARTS = (
    Project.submitter_id,
    Project.lead_id,
    Project.sponsor_id,
    Project.benefits_owner_id,
)
Reader = int | BindParameter[int]
_parts: list[Subquery] = []
_readers: list[Subquery] = []
_invited: list[Subquery] = []


def register_part(people: Select[Any, Any]) -> None:
    """Let a room say who else has a part: a select of (project id, person id). Done once, at start-up.

    For instance those whom the RACI table names. They read everything and are asked along.
    """
    _register(people, _parts)


def register_reader(people: Select[Any, Any]) -> None:
    """Let a room say who else reads everything, without being asked along: those who sign, for instance."""
    _register(people, _readers)


def register_invited(people: Select[Any, Any]) -> None:
    """Let a room say whom the writers of a draft asked about it: they read it, or they could not answer."""
    _register(people, _invited)


def _register(people: Select[Any, Any], known: list[Subquery]) -> None:
    project, person = people.selected_columns
    named = people.with_only_columns(project.label("project_id"), person.label("person_id"))
    if not any(str(named) == str(one.element) for one in known):
        known.append(named.subquery())


register_part(select(CoEditor.project_id, CoEditor.person_id))
register_part(select(RaciRow.project_id, RaciRow.person_id))


def involved(project_id: int) -> set[int]:
    """Return everybody with a part: submitter, co-editors, lead, sponsor, benefits owner, RACI, registered parts."""
    return _people(project_id, _parts)


def readers(project_id: int) -> set[int]:
    """Return everybody who reads all of a project: those with a part, and the registered readers."""
    return _people(project_id, [*_parts, *_readers])


def _people(project_id: int, parts: Iterable[Subquery]) -> set[int]:
    own = [select(column).where(Project.id == project_id) for column in _OWN_PARTS]
    others = [select(part.c.person_id).where(part.c.project_id == project_id) for part in parts]
    found = db.session().scalars(union_all(*own, *others))
    return {person for person in found if person is not None}


def reads_all(person_id: Reader) -> ColumnElement[bool]:
    """Return what says, in a query of projects, whether this person is one of `readers`."""
    return _involves(person_id)


def registered() -> int:
    """Return how many parts and readers are known: whoever keeps a clause of ours builds it anew when it grows."""
    return len(_parts) + len(_readers) + len(_invited)


def visible(
    project: Project,
    person_id: int,
    is_auditor: bool,
    also: Iterable[int] = (),
    writers: Collection[int] | None = None,
) -> bool:
    """Tell whether this person may read the project. `also` names people whom the caller counts as involved.

    Whoever knows the co-editors already names them as `writers`.
    """
    if project.submitted_at is None:
        known = writers if writers is not None else co_editors(project.id)
        if person_id == project.submitter_id or person_id in known:
            return True
        return _is_invited(project.id, person_id)
    if not project.confidential or is_auditor:
        return True
    return person_id in set(also) or person_id in readers(project.id)


def check_visible(
    project: Project,
    person_id: int,
    *,
    is_auditor: bool,
    also: Iterable[int] = (),
    writers: Collection[int] | None = None,
) -> None:
    """Raise NotFound unless this person may read the project: what is hidden looks like what is missing."""
    if not visible(project, person_id, is_auditor, also, writers):
        raise NotFound


def private_visible(
    project: Project, person_id: int, *, is_auditor: bool, also: Iterable[int] = ()
) -> bool:
    """Tell whether this person may read money and what stakeholders said."""
    if not visible(project, person_id, is_auditor, also):
        return False
    return is_auditor or person_id in set(also) or person_id in readers(project.id)


def visible_clause(person_id: Reader, *, is_auditor: bool) -> ColumnElement[bool]:
    """Return what a query for projects must demand so that it finds only what this person may read.

    The person may be a parameter, for a query that is built once.
    """
    edits = select(CoEditor.project_id).where(CoEditor.person_id == person_id)
    own_draft = or_(
        Project.submitter_id == person_id, Project.id.in_(edits), *_named(_invited, person_id)
    )
    drafts = and_(Project.submitted_at.is_(None), own_draft)
    if is_auditor:
        return or_(drafts, Project.submitted_at.is_not(None))
    open_or_mine = or_(Project.confidential.is_(False), _involves(person_id))
    return or_(drafts, and_(Project.submitted_at.is_not(None), open_or_mine))


def co_editors(project_id: int) -> set[int]:
    """Return who may edit what the submitter may."""
    query = select(CoEditor.person_id).where(CoEditor.project_id == project_id)
    return set(db.session().scalars(query))


def _involves(person_id: Reader) -> ColumnElement[bool]:
    own = [column == person_id for column in _OWN_PARTS]
    return or_(*own, *_named((*_parts, *_readers), person_id))


def _named(parts: Iterable[Subquery], person_id: Reader) -> list[ColumnElement[bool]]:
    # Asked project by project: a list needs it of a page, and nobody's whole history is gathered for that.
    return [
        select(part.c.project_id)
        .where(part.c.project_id == Project.id, part.c.person_id == person_id)
        .correlate(Project)
        .exists()
        for part in parts
    ]


def _is_invited(project_id: int, person_id: int) -> bool:
    asked = [
        select(part.c.person_id).where(
            part.c.project_id == project_id, part.c.person_id == person_id
        )
        for part in _invited
    ]
    return bool(asked) and db.session().scalar(union_all(*asked).limit(1)) is not None
