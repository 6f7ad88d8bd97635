"""The section of the backlog: in whose list a project waits, and where in it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select

from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.database import db
from okrgate.events import Event
from okrgate.projects.choosing import offer_units
from okrgate.projects.models import Project
from okrgate.projects.plan_models import BacklogPlace
from okrgate.projects.review_forms import BacklogForm
from okrgate.projects.rows import change, find_one
from okrgate.projects.sections import Answer, Gathered, Page, Section


class BacklogPage(Page):
    """Where it waits."""

    key, title, form = "backlog", "Backlog", BacklogForm
    facts = {"project.backlog": "unit"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the units."""
        found = find_one(BacklogPlace, project.id)
        offer_units((form.unit,), chosen=[found.unit_id if found else None])

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return unit and rank."""
        found = find_one(BacklogPlace, project.id)
        return {"unit": found.unit_id, "rank": rank_of(found)} if found else {}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Put it there; those behind it move down."""
        put(project.id, data["unit"], data["rank"])
        return ()


def put(project_id: int, unit_id: int | None, rank: int | None) -> None:
    """Put a project at a rank of one unit's backlog (1 is first, none: keep it, or the end), or take it out of any.

    The others of that backlog close ranks: they are always 1, 2, 3 … over the projects that have not ended.
    """
    session = db.session()
    place = find_one(BacklogPlace, project_id)
    _lock(unit_id, place.unit_id if place else None)
    if unit_id is None:
        if place is not None:
            session.delete(place)
        return
    if place is not None and place.unit_id == unit_id and rank in (None, rank_of(place)):
        return
    others = [one for one in waiting(unit_id) if one.project_id != project_id]
    if place is None:
        place = BacklogPlace(project_id=project_id, unit_id=unit_id, rank=0)
        session.add(place)
    at = len(others) if rank is None else min(rank - 1, len(others))
    place.unit_id = unit_id
    for number, one in enumerate([*others[:at], place, *others[at:]], start=1):
        change(one, {"rank": number})


def waiting(unit_id: int) -> list[BacklogPlace]:
    """Return the places of a unit's backlog in their order, without projects that have ended."""
    query = (
        select(BacklogPlace)
        .join(Project, Project.id == BacklogPlace.project_id)
        .where(BacklogPlace.unit_id == unit_id, Project.closed_at.is_(None))
        .order_by(BacklogPlace.rank, BacklogPlace.project_id)
    )
    return list(db.session().scalars(query))


def rank_of(place: BacklogPlace) -> int:
    """Return a project's rank among those of its backlog that have not ended."""
    before = (
        select(func.count())
        .select_from(BacklogPlace)
        .join(Project, Project.id == BacklogPlace.project_id)
        .where(
            BacklogPlace.unit_id == place.unit_id,
            BacklogPlace.project_id != place.project_id,
            Project.closed_at.is_(None),
            BacklogPlace.rank < place.rank,
        )
    )
    return db.session().execute(before).scalar_one() + 1


def gather(project: Project, _today: date) -> Gathered:
    """Name the backlog. Its rank changes with every other project, so it is no part of what is signed."""
    found = find_one(BacklogPlace, project.id)
    unit = directory.unit(found.unit_id) if found else None
    return Gathered(
        values={"project.backlog": unit.name} if unit else {},
        content={"project.backlog": found.unit_id if found else None},
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return backlog and rank as people read them."""
    found = find_one(BacklogPlace, project.id)
    unit = directory.unit(found.unit_id) if found else None
    return (
        Answer("backlog", "unit", "Backlog", unit.name if unit else ""),
        Answer("backlog", "rank", "Rank", str(rank_of(found)) if found else ""),
    )


def _lock(*unit_ids: int | None) -> None:
    """Let nobody else move projects in these backlogs until we are done (SQLite has one writer anyway)."""
    wanted = sorted({one for one in unit_ids if one is not None})
    query = select(OrgUnit.id).where(OrgUnit.id.in_(wanted)).order_by(OrgUnit.id)
    db.session().execute(query.with_for_update())


BACKLOG = Section(
    "backlog",
    "Backlog",
    (BacklogPage(),),
    gather=gather,
    answers=answers,
    tables=(BacklogPlace,),
)
