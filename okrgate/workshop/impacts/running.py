"""Looks at all projects by a text, slice by slice, with the progress kept.

A run may be ended by a crash at any moment: whoever looks next goes on where it stopped. A slice is gathered and judged
before its transaction begins, and stored only by whom the run still belongs to.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update

from okrgate import clock
from okrgate.database import db, insert_into, transaction
from okrgate.notifications import worker
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import impact, replaying
from okrgate.stages.impact import Look
from okrgate.stages.impact_judging import SAME
from okrgate.stages.impact_report import Found
from okrgate.stages.replaying import Replayed
from okrgate.workshop.impacts.models import ASKED, DONE, RUNNING, STOPPED, ImpactRow, ImpactRun

log = structlog.get_logger()

SLICE = 200
_CLAIM = timedelta(minutes=2)
_TURN_SECONDS = 20.0
_TRIES = 3


class _TakenAway(Exception):
    """Somebody stopped the run, or goes on with it: nothing more of ours may be kept."""


@dataclass
class _Ours:
    """A run that is ours until `claim`. Whoever stops it or begins anew leaves another claim or none."""

    run: ImpactRun
    claim: Any

    @contextmanager
    def kept(self) -> Iterator[ImpactRun]:
        """Change the run. Raises _TakenAway when it is no longer ours."""
        with transaction() as session:
            session.refresh(
                self.run, attribute_names=["state", "claimed_until"], with_for_update=True
            )
            if self.run.state != RUNNING or self.run.claimed_until != self.claim:
                raise _TakenAway
            yield self.run


def work() -> None:
    """Go on with whatever was asked first, for a while; then others have their turn. For the worker."""
    run_id = _next()
    if run_id is None:
        return
    advance(run_id, seconds=_TURN_SECONDS)
    if _next() is not None:
        worker.run_errands()


def advance(run_id: int, *, seconds: float) -> None:
    """Go on with a run for so long, if nobody is at it: few projects are looked at at once, the worker does the rest."""
    ours = _take(run_id)
    if ours is None:
        return
    try:
        _slices(ours, seconds)
    except _TakenAway:
        db.session().rollback()
    except Exception as problem:  # taken up again it would fail again, for ever
        log.error("impact stopped", run=run_id, exc_info=problem)
        _stop(ours, "An error stopped it; the log names it.")


def _next() -> int | None:
    waiting = select(ImpactRun.id).where(_is_free()).order_by(ImpactRun.asked_at, ImpactRun.id)
    found = db.session().scalar(waiting.limit(1))
    db.session().rollback()
    return found


def _is_free() -> ColumnElement[bool]:
    return or_(
        ImpactRun.state == ASKED,
        (ImpactRun.state == RUNNING) & (ImpactRun.claimed_until < clock.now()),
    )


def _take(run_id: int) -> _Ours | None:
    """Make a run ours for a while; nobody else goes on with it meanwhile."""
    claim = clock.now() + _CLAIM
    with transaction() as session:
        taken = session.execute(
            update(ImpactRun)
            .where(ImpactRun.id == run_id, _is_free())
            .values(state=RUNNING, claimed_until=claim, tries=ImpactRun.tries + 1)
            .returning(ImpactRun.id)
        )
        if taken.first() is None:
            return None
        run = session.get_one(ImpactRun, run_id)
        session.refresh(run)
        return _Ours(run, claim)


def _slices(ours: _Ours, seconds: float) -> None:
    if ours.run.tries > _TRIES:
        _stop(ours, "It was begun again and again, and did not get on.")
        return
    ends = monotonic() + seconds
    run = ours.run
    look = Look(rulebooks.parsed(run.text))
    with ours.kept():
        run.total = run.total or _count(run)
    left = True
    while left and (projects := _slice(run)):
        began = monotonic()
        found = look.at(projects)
        if isinstance(found, str):
            _stop(ours, impact.unknown(found))
            return
        _keep(ours, found, look.stages, round(1000 * (monotonic() - began)))
        left = len(projects) == SLICE
        if left and monotonic() > ends:
            _let_go(ours)
            return
    _finish(ours, look)


def _slice(run: ImpactRun) -> Sequence[Project]:
    query = select(Project).where(Project.process_id == run.process_id)
    if run.up_to is not None:
        query = query.where(Project.id < run.up_to)
    return list(db.session().scalars(query.order_by(Project.id.desc()).limit(SLICE)))


def _count(run: ImpactRun) -> int:
    query = select(func.count()).select_from(Project).where(Project.process_id == run.process_id)
    return db.session().scalar(query) or 0


def _keep(ours: _Ours, found: Sequence[Found], stages: Sequence[str], spent_ms: int) -> None:
    """Keep what was found of one slice, and how far the run is."""
    claim = clock.now() + _CLAIM
    with ours.kept() as run:
        rows = [_row(run.id, one) for one in found]
        db.session().execute(insert_into(ImpactRow), rows)
        run.up_to, run.tries = found[-1].project_id, 0
        run.done += len(found)
        run.total = max(run.total, run.done)
        run.spent_ms += spent_ms
        run.stages = list(dict.fromkeys([*run.stages, *stages]))
        run.claimed_until = claim
    ours.claim = claim


def _row(run_id: int, one: Found) -> dict[str, Any]:
    told = {
        "asked": one.asked,
        "dropped": one.dropped,
        "needed": [asdict(each) for each in one.needed],
        "problem": one.problem,
    }
    return {
        "run_id": run_id,
        "project_id": one.project_id,
        "kind": one.kind,
        "closed": one.closed,
        "stage": one.stage,
        "private": one.private,
        "told": None if one.kind == SAME else told,
    }


def _let_go(ours: _Ours) -> None:
    with ours.kept() as run:
        run.state, run.claimed_until = ASKED, None


def _finish(ours: _Ours, look: Look) -> None:
    replayed = replaying.look(look.draft.id, look.draft)
    with ours.kept() as run:
        run.replay = _as_stored(replayed)
        run.total = run.done
        run.state, run.finished_at, run.claimed_until = DONE, clock.now(), None


def _as_stored(replayed: Replayed) -> dict[str, Any]:
    passed = [{**asdict(one), "at": one.at.isoformat()} for one in replayed.passed]
    return {**asdict(replayed), "passed": passed}


def _stop(ours: _Ours, problem: str) -> None:
    db.session().rollback()
    try:
        with ours.kept() as run:
            run.state, run.problem, run.finished_at = STOPPED, problem, clock.now()
            run.claimed_until = None
    except _TakenAway:
        db.session().rollback()
