"""What follows from a version that was published: people are told, then open projects move, where that was chosen.

Done by the worker in small steps, each stored with its progress: whoever goes on after a crash begins where it stopped.
Whoever publishes waits for none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, func, select

from okrgate import clock
from okrgate.database import after_commit, db, insert_into, transaction
from okrgate.notifications import worker
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks import service
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages import migrating
from okrgate.stages.preparing import locked
from okrgate.workshop.publishing import telling
from okrgate.workshop.publishing.models import KEEP, MIGRATE, Rollout, RolloutStep

log = structlog.get_logger()

_BATCH = 100
_SHOWN = 500


def begin(version: RulebookVersion, before: RulebookVersion | None, *, in_flight: str) -> Rollout:
    """Note, in the transaction that publishes, what is to follow; the worker does it."""
    rollout = Rollout(
        version_id=version.id,
        before_id=before.id if before else None,
        in_flight=in_flight,
        began_at=clock.now(),
        told_up_to=0,
    )
    db.session().add(rollout)
    db.session().flush()
    after_commit("rollouts", worker.run_errands)
    return rollout


def publish_now(
    text: str, *, by: int | None, note: str = "", in_flight: str = ""
) -> RulebookVersion:
    """Publish a text at once and see to what follows: for whoever runs the installation. Raises as service.publish does.

    `in_flight` is keep or migrate; empty, what the text itself says.
    """
    service.check_sound(text)
    rulebook = service.parsed(text)
    with transaction():
        version = service.publish(text, by=by, note=note)
        before = service.version_of(rulebook.id, version.number - 1) if version.number > 1 else None
        begin(version, before, in_flight=in_flight or rulebook.in_flight)
        return version


def work() -> None:
    """Do what is left of every rollout, the oldest first. For the worker."""
    for rollout_id in list(
        db.session().scalars(
            select(Rollout.id).where(Rollout.ended_at.is_(None)).order_by(Rollout.id)
        )
    ):
        telling.tell(rollout_id)
        _move_all(rollout_id)


def _move_all(rollout_id: int) -> None:
    db.session().rollback()
    rollout = db.session().get_one(Rollout, rollout_id)
    version = service.get_version(rollout.version_id)
    failed = False
    if rollout.in_flight == MIGRATE:
        target = migrating.Target(
            version.id, version.number, version.note, service.rulebook(version.id)
        )
        after = 0
        while (batch := _left(rollout_id, version, after)) and not _is_overtaken(version):
            for project_id in batch:
                failed |= not _try_to_move(rollout_id, project_id, target)
            after = batch[-1]
    if failed:
        return
    with transaction() as session:
        rollout = session.get_one(Rollout, rollout_id, with_for_update=True, populate_existing=True)
        rollout.ended_at = rollout.ended_at or clock.now()


def _try_to_move(rollout_id: int, project_id: int, target: migrating.Target) -> bool:
    """Move one project; return whether that went well. One that cannot be moved keeps no other waiting."""
    try:
        _move(rollout_id, project_id, target)
    except Exception as problem:
        db.session().rollback()
        log.error("rules not moved", project=project_id, exc_info=problem)
        return False
    return True


def _left(rollout_id: int, version: service.Listed, after: int) -> list[int]:
    """Return open projects of the process that nothing was done with yet, a batch at a time."""
    done = select(RolloutStep.project_id).where(RolloutStep.rollout_id == rollout_id)
    query = (
        select(Project.id)
        .where(_older(version), Project.id > after, Project.id.not_in(done))
        .order_by(Project.id)
        .limit(_BATCH)
    )
    found = list(db.session().scalars(query))
    db.session().rollback()
    return found


def _older(version: service.Listed) -> ColumnElement[bool]:
    """Tell, in a query, which projects are open and under an older version of the same process."""
    older = select(RulebookVersion.id).where(
        RulebookVersion.process_id == version.process_id, RulebookVersion.number < version.number
    )
    return Project.closed_at.is_(None) & Project.rulebook_version_id.in_(older)


def _is_overtaken(version: service.Listed) -> bool:
    """Tell whether projects are on their way to a newer version already: none goes back to this one."""
    newer = (
        select(Rollout.id)
        .join(RulebookVersion, RulebookVersion.id == Rollout.version_id)
        .where(
            RulebookVersion.process_id == version.process_id,
            RulebookVersion.number > version.number,
            Rollout.in_flight == MIGRATE,
        )
    )
    return db.session().scalar(newer.limit(1)) is not None


def _move(rollout_id: int, project_id: int, target: migrating.Target) -> None:
    """Move one project, or note why it stays: one transaction, and nothing the second time."""
    with transaction() as session:
        project = locked(project_id)
        before = project.rulebook_version_id
        own, number = service.rulebook(before), service.get_version(before).number
        if number >= target.number:
            return
        why = migrating.why_it_stays(project, own, target.rulebook)
        row = {
            "rollout_id": rollout_id,
            "project_id": project_id,
            "moved": not why,
            "why": why,
            "before_id": before,
            "at": clock.now(),
        }
        fresh = insert_into(RolloutStep).values(row)
        fresh = fresh.on_conflict_do_nothing(index_elements=["rollout_id", "project_id"])
        if session.execute(fresh.returning(RolloutStep.id)).first() is None:
            return
        if not why:
            migrating.bring_under(project, own, number, target)


@dataclass(frozen=True)
class Stayed:
    """A project that did not move, and why. Of one that the reader may not see there is no name."""

    why: str
    reference: str = ""
    title: str = ""


@dataclass(frozen=True)
class Progress:
    """How far projects have moved: so many did, so many are left, these stayed."""

    version: service.Listed
    moved: int
    left: int
    stayed: Sequence[Stayed]
    ended: bool

    @property
    def total(self) -> int:
        """Return how many there were."""
        return self.moved + self.left + len(self.stayed)


def of(version_id: int) -> Rollout | None:
    """Return the rollout of a version; one that was published without asking anybody has none."""
    return db.session().scalar(select(Rollout).where(Rollout.version_id == version_id))


def in_flight_of(version_id: int) -> str:
    """Return what became of open projects with a version: whoever takes it back does likewise."""
    rollout = of(version_id)
    return rollout.in_flight if rollout is not None else KEEP


def progress(rollout: Rollout, *, reader: int) -> Progress:
    """Return how far a rollout is, as one person may know it."""
    version = service.get_version(rollout.version_id)
    moved = db.session().scalar(
        select(func.count()).where(RolloutStep.rollout_id == rollout.id, RolloutStep.moved)
    )
    done = select(RolloutStep.project_id).where(RolloutStep.rollout_id == rollout.id)
    left = select(func.count()).select_from(Project)
    left = left.where(_older(version), Project.id.not_in(done))
    return Progress(
        version=version,
        moved=moved or 0,
        left=(db.session().scalar(left) or 0) if rollout.ended_at is None else 0,
        stayed=_stayed(rollout, reader),
        ended=rollout.ended_at is not None,
    )


def _stayed(rollout: Rollout, reader: int) -> Sequence[Stayed]:
    visible = permissions.visible_clause(reader, is_auditor=False).label("visible")
    rows = db.session().execute(
        select(RolloutStep.why, Project.reference, Project.title, visible)
        .join(Project, Project.id == RolloutStep.project_id)
        .where(RolloutStep.rollout_id == rollout.id, RolloutStep.moved.is_(False))
        .order_by(RolloutStep.project_id)
        .limit(_SHOWN)
    )
    return [
        Stayed(row.why, row.reference, row.title) if row.visible else Stayed(row.why)
        for row in rows
    ]
