"""What the landing page counts, and what other pages are told by this room."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for
from flask_login import current_user
from sqlalchemy import Select, func, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.administration import unheld
from okrgate.approvals.conditions import in_force
from okrgate.approvals.models import Condition, SeatPerson
from okrgate.database import db
from okrgate.delivery.models import Statement, WorkItem
from okrgate.notifications import service as notifications
from okrgate.notifications import worker
from okrgate.projects.models import Project
from okrgate.stages import owed
from okrgate.stages.models import FindingRequest
from okrgate.stages.requested import WAIVER
from okrgate.stages.work import Owed
from okrgate.watching import incidents
from okrgate.watching import service as watching

_LATE = timedelta(minutes=15)
_GAPS_KEPT = 30.0
_known: dict[str, tuple[float, Sequence[unheld.Gap]]] = {}
_counted: dict[str, Callable[[], Select[int]]] = {}


@dataclass(frozen=True)
class Health:
    """How the machinery stands."""

    beat: datetime | None
    working: bool
    waiting: int
    dead: int
    oldest: datetime | None
    behind: bool
    checked: datetime | None
    whole: bool
    rows: int


def health() -> Health:
    """Return whether a worker works, how many mails wait or were given up, and when the record was checked."""
    asked = (worker.beat_query().scalar_subquery(), *watching.check_query())
    beat, checked, whole, rows = db.session().execute(select(*asked)).one()
    backlog, late = notifications.backlog(), clock.now() - _LATE
    return Health(
        beat=beat,
        working=beat is not None and beat > late,
        waiting=backlog.waiting,
        dead=backlog.dead,
        oldest=backlog.oldest,
        behind=backlog.oldest is not None and backlog.oldest < late,
        checked=checked,
        whole=bool(whole),
        rows=rows or 0,
    )


def add_count(name: str, query: Callable[[], Select[int]]) -> None:
    """Let a room above have something counted with the rest. Done once."""
    _counted[name] = query


def counts() -> dict[str, int]:
    """Return how many people are active, were invited, how many units are open, and what else is counted."""
    people = select(func.count()).select_from(Person).where(Person.active)
    row = db.session().execute(
        select(
            people.scalar_subquery(),
            people.where(Person.password_hash.is_(None)).scalar_subquery(),
            select(func.count()).select_from(OrgUnit).where(OrgUnit.active).scalar_subquery(),
            *(query().scalar_subquery() for query in _counted.values()),
        )
    )
    active, invited, units, *more = row.one()
    return {
        "people": active,
        "invited": invited,
        "units": units,
        **dict(zip(_counted, more, strict=True)),
    }


def open_projects() -> Mapping[int, int]:
    """Return how many open projects each version of the rules binds."""
    query = (
        select(Project.rulebook_version_id, func.count())
        .where(Project.closed_at.is_(None))
        .group_by(Project.rulebook_version_id)
    )
    return {row[0]: row[1] for row in db.session().execute(query)}


def unit_names(ids: Iterable[int | None]) -> Mapping[int, str]:
    """Return the names of these units."""
    return {number: unit.name for number, unit in directory.units(ids).items()}


def gaps_owed(person: int) -> Sequence[Owed]:
    """Return, for an administrator's My work, the roles that projects wait for and nobody holds."""
    if getattr(current_user, "id", None) != person or not current_user.is_admin:
        return []
    return [
        Owed(
            f"Give somebody the role {gap.labels}",
            f"{gap.unit}: {_projects(gap.count)} because nobody holds it",
            url_for("administration.unheld_roles"),
            None,
            late=True,
        )
        for gap in _gaps()[:10]
    ]


def incidents_owed(person: int) -> Sequence[Owed]:
    """Return, for an administrator's My work, what is wrong with the machinery."""
    if getattr(current_user, "id", None) != person or not current_user.is_admin:
        return []
    return [
        Owed(one.sentence, one.detail, url_for("administration.landing"), None, late=True)
        for one in incidents.open_ones()
    ]


def _gaps() -> Sequence[unheld.Gap]:
    """Return the gaps as they stood at most half a minute ago: every administrator's first page asks for them."""
    place, now = str(db.engine.url), time.monotonic()
    known = _known.get(place)
    if known is None or now - known[0] > _GAPS_KEPT:
        _known.clear()
        known = _known[place] = (now, unheld.gaps())
    return known[1]


def waits_for(person: int) -> Sequence[tuple[str, str]]:
    """Return what waits for somebody as (text, address): decisions, what they owe, projects they lead."""
    rounds = select(func.count(SeatPerson.round_id.distinct())).where(
        SeatPerson.person_id == person
    )
    mine = (
        select(func.count())
        .select_from(Project)
        .where(
            or_(Project.lead_id == person, Project.submitter_id == person),
            Project.closed_at.is_(None),
        )
    )
    asked = (rounds, mine, *_owing(person))
    decisions, projects, *tasks = (
        db.session().execute(select(*(one.scalar_subquery() for one in asked))).one()
    )
    found = []
    if decisions:
        found.append((f"{decisions} decision{'' if decisions == 1 else 's'} at a gate", ""))
    if projects:
        found.append((f"{_many(projects)} that they submitted or lead", ""))
    count = sum(tasks) + len(owed.confirmations(person)) + len(owed.readings(person))
    if count:
        found.append((f"{count} other task{'' if count == 1 else 's'} they owe", ""))
    return found


def _owing(person: int) -> Iterator[Select[int]]:
    """Yield the queries that count what somebody owes in rows of their own, to be asked together."""
    for owing in (
        (Condition.owner_id == person, Condition.closed_at.is_(None), in_force()),
        (Statement.person_id == person, Statement.answered_at.is_(None)),
        (WorkItem.owner_id == person, WorkItem.open),
        (
            FindingRequest.person_id == person,
            FindingRequest.kind == WAIVER,
            FindingRequest.closed_at.is_(None),
        ),
    ):
        yield select(func.count()).where(*owing)


def _projects(count: int) -> str:
    return f"{_many(count)} wait{'s' if count == 1 else ''}"


def _many(count: int) -> str:
    return f"{count} open project{'' if count == 1 else 's'}"
