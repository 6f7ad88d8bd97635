"""The worker: sends what waits, and does what the clock demands.

The outbox is the truth and huey only wakes us: a lost queue costs at most a minute, for a sweep looks each
minute anyway. Periodic jobs take a row of their slot first, so they run once however many hosts there are.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, current_app, has_app_context
from sqlalchemy import Select, delete, func, select, update

from okrgate import clock
from okrgate.config import Settings
from okrgate.database import db, insert_into, transaction
from okrgate.notifications import delivery, queues
from okrgate.notifications.models import PeriodicRun

if TYPE_CHECKING:
    from huey.api import Huey

log = structlog.get_logger()

Job = Callable[[], Any]

_QUEUE = "okrgate.queue"
_BEAT = "okrgate.notifications.beat"
_THREADS = 2
_POLL_SECONDS = 2.0
_TAKE_OVER = timedelta(minutes=15)
_TRIES = 3
_KEPT = timedelta(days=3)
_building = threading.Lock()
_sending = threading.Lock()
_wanted = threading.Event()
_first: dict[str, Job] = {}
_minutely: dict[str, Job] = {}
_daily: dict[str, Job] = {}
_errands: dict[str, Job] = {}


def before_work(job: Job) -> Job:
    """Run `job` in every worker each time it begins to work: what it goes by may have changed."""
    _first[_name(job)] = job
    return job


def every_minute(job: Job) -> Job:
    """Run `job` once a minute, on one host. It runs in an application context; registering twice changes nothing."""
    _minutely[_name(job)] = job
    return job


def daily(job: Job) -> Job:
    """Run `job` once on each of the company's days, soon after midnight. If it fails it is tried twice more."""
    _daily[_name(job)] = job
    return job


def errand(job: Job) -> Job:
    """Run `job` whenever `run_errands` is asked for, and once a minute. It looks itself for what there is to do."""
    _errands[_name(job)] = job
    return every_minute(job)


def run_errands() -> None:
    """Ask the worker to do its errands now. Never fails: without a queue they are done within a minute."""
    if not has_app_context() or _settings().testing:
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        queue_of(app)
        app.extensions[_QUEUE + ".errands"]()
    except Exception as problem:  # whatever a queue says must not undo what was asked
        log.warning("errands not begun", problem=type(problem).__name__)


def wake() -> None:
    """Ask the worker to look now. Never fails: without a queue the next sweep finds the row."""
    if not has_app_context() or _settings().testing:
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        queue = queue_of(app)
        if queue.pending_count() == 0:
            app.extensions[_QUEUE + ".send"]()
    except Exception as problem:  # whatever a queue says must not undo a decision
        log.warning("worker not woken", problem=type(problem).__name__)


def queue_of(app: Flask) -> "Huey":
    """Return the application's queue, with its tasks."""
    with _building:
        known: Huey | None = app.extensions.get(_QUEUE)
        if known is not None:
            return known
        from huey import crontab

        settings: Settings = app.extensions["okrgate.settings"]
        queue = queues.build(settings)

        def send() -> None:
            with app.app_context():
                _send_once_asked()

        def jobs() -> None:
            with app.app_context():
                run_periodic()

        def errands() -> None:
            with app.app_context():
                for job in list(_errands.values()):
                    job()

        app.extensions[_QUEUE + ".send"] = queue.task(name="send")(send)
        app.extensions[_QUEUE + ".errands"] = queue.task(name="errands")(errands)
        queue.periodic_task(crontab(), name="sweep")(send)
        queue.periodic_task(crontab(), name="jobs")(jobs)
        app.extensions[_QUEUE] = queue
        return queue


def run(app: Flask) -> None:
    """Work until told to stop (TERM or INT finishes what is in hand). Blocks; call it from the main thread."""
    queue = queue_of(app)
    queues.forget(queue)
    with app.app_context():
        wake()
        run_periodic()
    consumer = queue.create_consumer(
        workers=_THREADS, max_delay=_POLL_SECONDS, graceful_signal="TERM", shutdown_timeout=60
    )
    consumer.run()


def send_all() -> int:
    """Send until nothing that is due is left. Return how many mails were settled."""
    total = 0
    while settled := delivery.send_due():
        total += settled
    return total


def _send_once_asked() -> None:
    """Send in one thread only: a slow relay must not take the thread of the periodic jobs as well."""
    _wanted.set()
    while _wanted.is_set():
        if not _sending.acquire(blocking=False):
            return  # Whoever holds it looks again before leaving.
        try:
            _wanted.clear()
            send_all()
        finally:
            _sending.release()


def run_periodic() -> None:
    """Run every job whose slot nobody took yet."""
    for job in _first.values():
        job()
    minute = clock.now().replace(second=0, microsecond=0).isoformat()
    day = clock.today().isoformat()
    run_once(_BEAT, minute, lambda: None)
    for slot, jobs in ((minute, _minutely), (day, _daily)):
        for name, job in list(jobs.items()):
            run_once(name, slot, job)
    run_once("okrgate.notifications.forget", day, _forget)


def run_once(name: str, slot: str, job: Job) -> bool:
    """Run the job unless it ran, or runs, in this slot. Return whether it ran here. A failing job is logged."""
    if not _take(name, slot):
        return False
    try:
        job()
    except Exception as problem:  # one job's fault must not stop the others
        db.session().rollback()
        log.error("periodic job failed", job=name, slot=slot, exc_info=problem)
        return True
    with transaction() as session:
        session.execute(
            update(PeriodicRun)
            .where(PeriodicRun.name == name, PeriodicRun.slot == slot)
            .values(finished_at=clock.now())
        )
    return True


def last_beat() -> datetime | None:
    """Return when a worker last looked after its periodic jobs."""
    return db.session().scalar(beat_query())


def beat_query() -> Select[datetime | None]:
    """Return a query for when a worker last looked after its periodic jobs."""
    return select(func.max(PeriodicRun.started_at)).where(PeriodicRun.name == _BEAT)


def has_worked_since(moment: datetime) -> bool:
    """Tell whether a worker was at work at that moment already, give or take a minute."""
    beats = select(PeriodicRun.id).where(
        PeriodicRun.name == _BEAT,
        PeriodicRun.started_at.between(moment - timedelta(minutes=2), moment),
    )
    return db.session().execute(beats.limit(1)).first() is not None


def _take(name: str, slot: str) -> bool:
    """Take the slot: first come, or after whoever took it died or failed in it."""
    now = clock.now()
    taken = select(PeriodicRun.finished_at, PeriodicRun.started_at, PeriodicRun.attempts).where(
        PeriodicRun.name == name, PeriodicRun.slot == slot
    )
    known = db.session().execute(taken).first()
    db.session().rollback()
    if known is not None and (known.finished_at is not None or known.started_at > now - _TAKE_OVER):
        return False
    with transaction() as session:
        row = {"name": name, "slot": slot, "started_at": now, "attempts": 1}
        fresh = (
            insert_into(PeriodicRun)
            .values(row)
            .on_conflict_do_nothing(index_elements=["name", "slot"])
        )
        if session.execute(fresh.returning(PeriodicRun.id)).first() is not None:
            return True
        again = (
            update(PeriodicRun)
            .where(
                PeriodicRun.name == name,
                PeriodicRun.slot == slot,
                PeriodicRun.finished_at.is_(None),
                PeriodicRun.started_at <= now - _TAKE_OVER,
                PeriodicRun.attempts < _TRIES,
            )
            .values(started_at=now, attempts=PeriodicRun.attempts + 1)
        )
        return session.execute(again.returning(PeriodicRun.id)).first() is not None


def _forget() -> None:
    """Drop slots that nobody can ask for any more."""
    with transaction() as session:
        session.execute(delete(PeriodicRun).where(PeriodicRun.started_at < clock.now() - _KEPT))


def _name(job: Job) -> str:
    return f"{job.__module__}.{job.__qualname__}"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["okrgate.settings"]
    return settings
