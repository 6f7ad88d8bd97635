"""Periodic jobs run once, and several workers never send the same mail."""

import multiprocessing
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from okrgate import clock, events
from okrgate.accounts.models import Person
from okrgate.app import create_app
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.notifications import delivery, worker
from okrgate.notifications.models import OutboxRow, PeriodicRun
from tests.factories import Factory
from tests.faults.profile import times
from tests.integration.notifications.smtp import Server, running, use
from tests.machine import PATIENCE
from tests.unit.notifications.samples import sample

NOON = datetime(2031, 11, 3, 12, tzinfo=UTC)
ROWS = times(300, 3000)
SLOTS = times(20, 200)


def test_a_job_runs_once_in_its_slot(app: Flask) -> None:
    ran: list[str] = []

    first = worker.run_once("job", "2031-11-03", lambda: ran.append("first"))
    second = worker.run_once("job", "2031-11-03", lambda: ran.append("second"))
    next_day = worker.run_once("job", "2031-11-04", lambda: ran.append("next day"))

    assert (first, second, next_day) == (True, False, True)
    assert ran == ["first", "next day"]


def test_a_job_that_failed_is_taken_up_again_but_not_for_ever(app: Flask) -> None:
    tries: list[datetime] = []

    def failing() -> None:
        tries.append(clock.now())
        raise ZeroDivisionError

    for minutes in range(0, 120, 5):
        with clock.moved_to(NOON + timedelta(minutes=minutes)):
            worker.run_once("job", "2031-11-03", failing)

    assert [(at - NOON).total_seconds() / 60 for at in tries] == [0, 15, 30]


def test_a_clock_that_jumps_back_runs_nothing_twice(app: Flask) -> None:
    ran: list[datetime] = []
    for days in (0, 1, 0, 1):
        with clock.moved_to(NOON + timedelta(days=days)):
            worker.run_once("job", clock.today().isoformat(), lambda: ran.append(clock.now()))

    assert len(ran) == 2


def test_registered_jobs_run_each_minute_and_each_day(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_minutely", {})
    monkeypatch.setattr(worker, "_daily", {})
    ran: Counter[str] = Counter()

    @worker.every_minute
    def each_minute() -> None:
        ran["minute"] += 1

    @worker.daily
    def each_day() -> None:
        ran["day"] += 1

    for seconds in (0, 20, 60, 80, 24 * 3600):
        with clock.moved_to(NOON + timedelta(seconds=seconds)):
            worker.run_periodic()

    assert ran == {"minute": 3, "day": 2}


def test_old_slots_are_forgotten(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_minutely", {})
    monkeypatch.setattr(worker, "_daily", {})
    with clock.moved_to(NOON):
        worker.run_periodic()
    with clock.moved_to(NOON + timedelta(days=10)):
        worker.run_periodic()

    oldest = db.session().scalar(select(func.min(PeriodicRun.started_at)))
    assert oldest == NOON + timedelta(days=10)


def test_the_worker_is_woken_after_the_commit_and_only_for_mail(
    app: Flask, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = factory.person().id
    woken: list[bool] = []
    monkeypatch.setattr(worker, "wake", lambda: woken.append(True))

    with transaction():
        events.publish(sample(events.RolesChanged, person, by_id=None, channels=("inbox",)))
    assert woken == []
    with transaction():
        events.publish(sample(events.RolesChanged, person, by_id=None))
        assert woken == []
    assert woken == [True]


def test_a_broken_queue_undoes_nothing(app: Flask, factory: Factory, tmp_path: Path) -> None:
    from dataclasses import replace

    person = factory.person().id
    settings: Settings = app.extensions["okrgate.settings"]
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    nowhere = "postgresql+psycopg://127.0.0.1:9/nothing"
    app.extensions["okrgate.settings"] = replace(
        settings,
        testing=False,
        data_dir=blocked,
        database_url=nowhere if "postgresql" in settings.database_url else settings.database_url,
    )

    with transaction():
        events.publish(sample(events.RolesChanged, person, by_id=None, channels=("mail",)))

    assert db.session().scalar(select(func.count()).select_from(OutboxRow)) == 1


def _send_all(settings: Settings, port: int, ready: Any) -> None:
    app = create_app(settings)
    with app.app_context():
        use(app, port)
        ready.wait(PATIENCE)
        while delivery.send_due(limit=7):
            pass
        db.session.remove()
        db.engine.dispose()


def _run_jobs(settings: Settings, ready: Any, ran: Any) -> None:
    def job() -> None:
        with ran.get_lock():
            ran.value += 1

    app = create_app(settings)
    with app.app_context():
        ready.wait(PATIENCE)
        for slot in range(SLOTS):
            worker.run_once("job", str(slot), job)
        db.session.remove()
        db.engine.dispose()


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_three_workers_send_each_mail_once(app: Flask, factory: Factory) -> None:
    with transaction() as session:
        people = [
            Person(name=f"P {n}", email=f"p{n}@example.com", created_at=clock.now())
            for n in range(ROWS)
        ]
        session.add_all(people)
        session.flush()
        ids = [person.id for person in people]
        events.publish(sample(events.RolesChanged, *ids, by_id=None, channels=("mail",)))
    server = Server()
    with running(server) as port:
        _in_processes(_send_all, app.extensions["okrgate.settings"], port)

    names = Counter(mail["Message-ID"] for mail in server.taken)
    assert len(names) == ROWS
    assert set(names.values()) == {1}
    db.session().rollback()
    statuses = set(db.session().scalars(select(OutboxRow.status)))
    assert statuses == {"sent"}


def test_three_schedulers_run_each_slot_once(app: Flask) -> None:
    ran = multiprocessing.get_context("fork").Value("i", 0)
    _in_processes(_run_jobs, app.extensions["okrgate.settings"], ran=ran)

    assert ran.value == SLOTS


def _in_processes(work: Any, settings: Settings, *arguments: Any, ran: Any = None) -> None:
    """Let three processes begin at the same moment. None may keep a connection of ours."""
    db.session.remove()
    db.engine.dispose()
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    more = (ready,) if ran is None else (ready, ran)
    processes = [context.Process(target=work, args=(settings, *arguments, *more)) for _ in range(3)]
    for process in processes:
        process.start()
    ready.set()
    for process in processes:
        process.join(times(1, 10) * PATIENCE)
    assert [process.exitcode for process in processes] == [0, 0, 0]
