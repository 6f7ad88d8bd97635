"""Who is reminded of a parked project when its day has come: by mail, and in their work."""

from collections.abc import Iterable, Sequence
from datetime import date

from flask import url_for
from sqlalchemy import or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.approvals import entitlement
from okrgate.database import db, transaction
from okrgate.events import HoldOver, Recipient, publish
from okrgate.gates.model import Transition
from okrgate.projects.models import CoEditor, Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.coming_back import come_back
from okrgate.stages.facts import gather
from okrgate.stages.hold_models import Hold
from okrgate.stages.holding import ways_back
from okrgate.stages.reading import light_surroundings
from okrgate.stages.work import Owed

_MOST = 20
_READ = 200
# On the day itself, then every week for four weeks; without a day, every thirty days for a year.
_AFTER_DAY = frozenset({0, 7, 14, 21, 28})
_WITHOUT_DAY = frozenset(range(30, 361, 30))


def owed(person: int) -> Sequence[Owed]:
    """Return the parked projects whose day has come and that this person may resume. One query while there is none."""
    rows = (
        db.session()
        .execute(
            select(Hold, Project, OrgUnit)
            .join(Project, Project.id == Hold.project_id)
            .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
            .where(Hold.ended_at.is_(None), Hold.until <= clock.today())
            .order_by(Hold.until, Hold.id)
            .limit(_READ)
        )
        .all()
    )
    if not rows:
        return []
    writing = {
        one: frozenset({person})
        for one in db.session().scalars(
            select(CoEditor.project_id).where(CoEditor.person_id == person)
        )
    }
    held = directory.holdings(_org_roles(project for _, project, _ in rows), person=person)
    found: list[Owed] = []
    for hold, project, unit in rows:
        rulebook = rulebooks.rulebook(project.rulebook_version_id)
        around = light_surroundings(project, unit, writing.get(project.id, frozenset()))
        mine = entitlement.roles_held(rulebook, held, around, person)
        way = next((one for one in ways_back(rulebook, project.stage) if mine & set(one.by)), None)
        if way is not None:
            found.append(_owed(hold, project, way))
    return found[:_MOST]


def remind_of_holds() -> int:
    """Write to those who may resume a parked project that did not come back by itself: on its day, or every thirty days.

    Run once a day by the worker. Return how many projects were spoken of.
    """
    come_back()
    today = clock.today()
    rows = (
        db.session()
        .execute(
            select(Hold, Project)
            .join(Project, Project.id == Hold.project_id)
            .where(Hold.ended_at.is_(None), or_(Hold.until.is_(None), Hold.until <= today))
            .order_by(Hold.id)
        )
        .all()
    )
    due = [_news(hold, project) for hold, project in rows if _is_day(hold, today)]
    due = [one for one in due if one.recipients]
    with transaction():
        for event in due:
            publish(event)
    return len(due)


def _is_day(hold: Hold, today: date) -> bool:
    if hold.until is not None:
        return (today - hold.until).days in _AFTER_DAY
    began = hold.began_at.astimezone(clock.company_zone()).date()
    return (today - began).days in _WITHOUT_DAY


def _news(hold: Hold, project: Project) -> HoldOver:
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    ways = ways_back(rulebook, project.stage)
    roles = [role for way in ways for role in way.by]
    held = entitlement.holders(rulebook, roles, gather(project, rulebook).around)
    told = {
        person: Recipient(
            person, f"as {rulebook.roles[role].label} you can take it up again", asked=True
        )
        for role in roles
        for person in sorted(held[role])
    }
    return HoldOver(
        recipients=tuple(told.values()),
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        since=hold.began_at.date().isoformat(),
        until=hold.until.isoformat() if hold.until else "",
        condition=hold.condition,
        reason=hold.reason,
        next_step=ways[0].label if ways else "",
    )


def _owed(hold: Hold, project: Project, way: Transition) -> Owed:
    late = hold.until is not None and hold.until < clock.today()
    url = url_for("stages.move", reference=project.reference, transition_id=way.id)
    where = f"{project.reference} {project.title}"
    return Owed(f"{way.label}, or put it off once more", where, url, hold.until, late)


def _org_roles(projects: Iterable[Project]) -> list[str]:
    books = {project.rulebook_version_id: None for project in projects}
    found = {role for one in books for role in entitlement.org_roles(rulebooks.rulebook(one))}
    return sorted(found)
