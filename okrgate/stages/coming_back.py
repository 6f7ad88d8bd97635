"""Bring back by itself what was put off: a parked project is taken up again, a declined one gets a successor.

The worker looks every minute. Two hosts that look at the same moment bring back once: a move by its key, a successor
under the lock of the row that asks for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, inspect, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import Model, check_writing, db, transaction
from okrgate.errors import Refused
from okrgate.events import ProjectCameBack, Recipient, publish
from okrgate.okrs.models import KeyResult
from okrgate.projects.models import CoEditor, Edit, Project, SectionState
from okrgate.projects.plan_models import KeyResultLink
from okrgate.projects.ticket_models import DiscoveryEntry, Problem, Solution, Value
from okrgate.rulebooks import retiring
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import comebacks
from okrgate.stages.comeback_models import Comeback
from okrgate.stages.hold_models import Hold
from okrgate.stages.holding import ways_back
from okrgate.stages.moving import move
from okrgate.stages.preparing import Answers
from okrgate.stages.reaching import in_words
from okrgate.stages.service import add_project
from okrgate.web.filters import show_date

log = structlog.get_logger()

_AT_ONCE = 200
# What the successor takes over: what was told of the idea. Everything else is decided anew.
_TOLD: tuple[type[Model], ...] = (Problem, Value, DiscoveryEntry, Solution, KeyResultLink)
_SECTIONS = ("problem", "value", "solution", "key_results")
_TRUE: ColumnElement[bool] = or_(
    and_(Comeback.at_least, KeyResult.current >= Comeback.value),
    and_(~Comeback.at_least, KeyResult.current <= Comeback.value),
)


def come_back() -> int:
    """Bring back what is due today or came true; return how many projects came back."""
    parked = sum(_resume(hold, row) for hold, row in _parked())
    return parked + sum(_succeed(one) for one in _declined())


def _parked() -> Sequence[Any]:
    waits = and_(
        Comeback.project_id == Hold.project_id, Comeback.parked, Comeback.ended_at.is_(None)
    )
    return (
        db.session()
        .execute(
            select(Hold, Comeback)
            .outerjoin(Comeback, waits)
            .outerjoin(KeyResult, KeyResult.id == Comeback.key_result_id)
            .where(Hold.ended_at.is_(None), or_(Hold.until <= clock.today(), _TRUE))
            .order_by(Hold.id)
            .limit(_AT_ONCE)
        )
        .all()
    )


def _resume(hold: Hold, row: Comeback | None) -> bool:
    """Take a parked project up again. If its rules do not let that be, people are still reminded of it."""
    project = db.session().get_one(Project, hold.project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    number, reason, key = project.id, _because(hold.until, row), f"hold {hold.id} is over"
    for way in ways_back(rulebook, project.stage):
        try:
            if move(number, way.id, by=None, answers=Answers(reason=reason), key=key).moved:
                return True
        except Refused as refusal:
            log.info("parked project stays", project=number, sentence=refusal.sentence)
    return False


def _because(until: Any, row: Comeback | None) -> str:
    if until is not None and until <= clock.today():
        return f"Its day has come: {show_date(until)}."
    return f"It came true: {in_words(comebacks.reach_of(row))}." if row is not None else ""


def _declined() -> Sequence[int]:
    startable = [one.process_id for one in retiring.startable()]
    return list(
        db.session().scalars(
            select(Comeback.id)
            .join(Project, Project.id == Comeback.project_id)
            .outerjoin(KeyResult, KeyResult.id == Comeback.key_result_id)
            .where(
                ~Comeback.parked,
                Comeback.ended_at.is_(None),
                or_(Comeback.until <= clock.today(), _TRUE),
                Project.process_id.in_(startable),
            )
            .order_by(Comeback.id)
            .limit(_AT_ONCE)
        )
    )


def _succeed(comeback_id: int) -> bool:
    """Open a successor of a declined project, once.

    It waits without anybody active to take it on, and while no project may start in its process.
    """
    with transaction() as session:
        row = session.get(Comeback, comeback_id, with_for_update=True, populate_existing=True)
        if row is None or row.ended_at is not None:
            return False
        old = session.get_one(Project, row.project_id)
        people = [one for one in (old.submitter_id, old.lead_id, row.by_id) if one is not None]
        active = directory.active(people)
        taker = next((one for one in people if one in active), None)
        version = next(
            (one for one in retiring.startable() if one.process_id == old.process_id), None
        )
        if taker is None or version is None:
            log.warning("nobody takes it on again", project=old.id)
            return False
        because = _because(row.until, row)
        new = add_project(
            old.title,
            version=version,
            home_unit_id=old.home_unit_id,
            submitter=taker,
            confidential=old.confidential,
            details={"after": old.reference},
        )
        _remember_authors(old, new)
        _take_over(old, new, others={one for one in active if one == old.lead_id} - {taker})
        row.ended_at, row.successor_id = clock.now(), new.id
        audit.record(
            "project.came_back",
            by=None,
            project_id=old.id,
            target=f"project:{new.id}",
            reason=because,
            details={"message": new.reference},
        )
        publish(_news(old, new, because, taker))
        return True


def _take_over(old: Project, new: Project, *, others: set[int]) -> None:
    """Copy what was told of the idea; whoever led the old project may write along."""
    check_writing()
    session = db.session()
    for table in _TOLD:
        mapped: Any = table
        names = {one.key for one in inspect(table).column_attrs} - {"id", "project_id"}
        for row in session.scalars(select(table).where(mapped.project_id == old.id)).all():
            kept = {name: getattr(row, name) for name in names}
            session.add(mapped(project_id=new.id, **kept))
    states = select(SectionState).where(
        SectionState.project_id == old.id, SectionState.section.in_(_SECTIONS)
    )
    for state in session.scalars(states).all():
        session.add(
            SectionState(
                project_id=new.id,
                section=state.section,
                version=1,
                saved_at=clock.now(),
                saved_by_id=state.saved_by_id,
                pages_saved=list(state.pages_saved),
            )
        )
    for person in others:
        session.add(CoEditor(project_id=new.id, person_id=person))
    session.flush()


def _remember_authors(old: Project, new: Project) -> None:
    """Keep whoever wrote the old project, or had it in hand, from signing their own words in the new one."""
    check_writing()
    session = db.session()
    for row in session.scalars(select(Edit).where(Edit.project_id == old.id, Edit.material)).all():
        session.add(_edit(new, row.person_id, row.section, row.at))
    together = select(CoEditor.person_id).where(CoEditor.project_id == old.id)
    had = {old.submitter_id, old.lead_id, *session.scalars(together)}
    for person in sorted(one for one in had if one is not None):
        session.add(_edit(new, person, "people", clock.now()))


def _edit(new: Project, person: int, section: str, at: datetime) -> Edit:
    return Edit(project_id=new.id, section=section, person_id=person, at=at, material=True)


def _news(old: Project, new: Project, because: str, taker: int) -> ProjectCameBack:
    told = {taker: Recipient(taker, "it is yours to take up again", asked=True)}
    if old.lead_id is not None:
        told.setdefault(old.lead_id, Recipient(old.lead_id, "you led it, and may write along"))
    return ProjectCameBack(
        recipients=tuple(told.values()),
        path=f"/projects/{new.reference}",
        project_id=new.id,
        reference=new.reference,
        title=new.title,
        before=old.reference,
        because=because,
    )
