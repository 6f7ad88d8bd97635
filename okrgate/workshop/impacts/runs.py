"""Asks for a look at all projects, finds it again, stops it, and sweeps away what nobody needs any more."""

import hashlib
from datetime import timedelta

from sqlalchemy import Select, delete, func, select

from okrgate import clock
from okrgate.database import after_commit, db, insert_into, transaction
from okrgate.notifications import worker
from okrgate.projects.models import Project
from okrgate.rulebooks.standing import standing
from okrgate.workshop.impacts.models import ASKED, DONE, STOPPED, WAITING, ImpactRow, ImpactRun
from okrgate.workshop.publishing.models import OPEN, Proposal

# Projects go on: what is older than this is worked out anew when somebody asks.
FRESH = timedelta(days=1)
_KEPT = timedelta(days=7)


def digest(text: str) -> str:
    """Return what tells texts apart."""
    return hashlib.sha256(text.encode()).hexdigest()


def ask(key: str, text: str, *, by: int) -> int:
    """Have all projects of a process looked at by a text that can be read; return the run.

    One that is under way, or not a day old, for the same text beside the same version is not begun again. What the
    same person asked for with another text ends, unless others decide on that.
    """
    binding = standing(key)
    process, told = binding.process_id, digest(text)
    with transaction() as session:
        row = {
            "process_id": process,
            "sha256": told,
            "version": binding.number,
            "text": text,
            "asked_by_id": by,
            "asked_at": clock.now(),
        }
        fresh = insert_into(ImpactRun).values(row)
        fresh = fresh.on_conflict_do_nothing(index_elements=["process_id", "sha256", "version"])
        session.execute(fresh)
        run = session.scalars(
            _run(process, told)
            .where(ImpactRun.version == binding.number)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()
        if run.state == STOPPED or (run.state == DONE and not is_fresh(run)):
            _begin_anew(run, by)
        _end_others(run, by)
        after_commit("impacts", worker.run_errands)
        return run.id


def find(process: int, text_digest: str) -> ImpactRun | None:
    """Return the look at all projects by this text, the newest beside any version."""
    query = _run(process, text_digest).order_by(ImpactRun.asked_at.desc(), ImpactRun.id.desc())
    return db.session().scalar(query.limit(1))


def latest_of(process: int, person: int) -> ImpactRun | None:
    """Return what somebody asked for last, by whatever text."""
    query = select(ImpactRun).where(
        ImpactRun.asked_by_id == person, ImpactRun.process_id == process
    )
    query = query.order_by(ImpactRun.asked_at.desc(), ImpactRun.id.desc())
    return db.session().scalar(query.limit(1))


def stop(run_id: int) -> None:
    """Stop a run; what it found goes. Nothing happens to one that is over."""
    with transaction() as session:
        run = session.get(ImpactRun, run_id, with_for_update=True, populate_existing=True)
        if run is not None and run.state in WAITING:
            _end(run)


def is_fresh(run: ImpactRun) -> bool:
    """Tell whether a run that is done need not be done again."""
    return run.finished_at is not None and run.finished_at > clock.now() - FRESH


def projects_of(process: int) -> int:
    """Return how many projects there are to look at."""
    query = select(func.count()).select_from(Project).where(Project.process_id == process)
    return db.session().scalar(query) or 0


def sweep() -> None:
    """Drop what was asked for a week ago or longer, unless somebody still decides on that text. For the worker."""
    wanted = (
        select(Proposal.id)
        .where(
            Proposal.process_id == ImpactRun.process_id,
            Proposal.sha256 == ImpactRun.sha256,
            Proposal.state.in_(OPEN),
        )
        .correlate(ImpactRun)
        .exists()
    )
    old = select(ImpactRun.id).where(ImpactRun.asked_at < clock.now() - _KEPT, ~wanted)
    for run_id in list(db.session().scalars(old)):
        with transaction() as session:
            session.execute(delete(ImpactRow).where(ImpactRow.run_id == run_id))
            session.execute(delete(ImpactRun).where(ImpactRun.id == run_id))


def _run(process: int, text_digest: str) -> Select[ImpactRun]:
    return select(ImpactRun).where(ImpactRun.process_id == process, ImpactRun.sha256 == text_digest)


def _begin_anew(run: ImpactRun, by: int) -> None:
    _forget(run)
    run.state, run.problem, run.finished_at, run.claimed_until = ASKED, "", None, None
    run.asked_by_id, run.asked_at = by, clock.now()


def _end_others(run: ImpactRun, by: int) -> None:
    """Stop what the same person still waits for with another text that nobody was asked to approve."""
    proposed = select(Proposal.sha256).where(Proposal.process_id == run.process_id)
    others = select(ImpactRun).where(
        ImpactRun.asked_by_id == by,
        ImpactRun.process_id == run.process_id,
        ImpactRun.id != run.id,
        ImpactRun.state.in_(WAITING),
        ImpactRun.sha256.not_in(proposed.where(Proposal.state.in_(OPEN))),
    )
    for other in db.session().scalars(others.with_for_update()):
        _end(other)


def _end(run: ImpactRun) -> None:
    _forget(run)
    run.state, run.finished_at, run.claimed_until = STOPPED, clock.now(), None


def _forget(run: ImpactRun) -> None:
    db.session().execute(delete(ImpactRow).where(ImpactRow.run_id == run.id))
    run.up_to, run.done, run.total, run.spent_ms, run.tries = None, 0, 0, 0, 0
    run.stages, run.replay = [], None
