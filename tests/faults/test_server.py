"""A server that is killed at any moment loses nothing it said yes to; one that is asked to stop finishes first (R5, R25)."""

import http.client
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from okrgate.approvals.models import Round, SignoffRow
from okrgate.database import db
from okrgate.projects.models import Project, Visit
from okrgate.stages import settling
from tests.faults.profile import times
from tests.faults.serving import PATIENCE, Server, Wire
from tests.faults.whole import assert_whole
from tests.integration.commands.hosts import wait_until
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.integration.journey.stops import submit, tell

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
KILLS = times(10, 50)  # on each of the two databases
PROJECTS = 2
SEED = random.SystemRandom().randrange(10**6)
_LATER = 0
LATEST = 0.2  # seconds after an acknowledged decision
_HERE = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_WAITS = f"SELECT count(*) {_HERE} AND wait_event_type = 'Lock'"
_AT_WORK = f"SELECT count(*) {_HERE} AND state <> 'idle'"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Yield what makes a server on the database of the test; it is gone afterwards."""
    made: list[Server] = []

    def make() -> Server:
        url = db.engine.url.render_as_string(hide_password=False)
        db.session.remove()
        db.engine.dispose()
        made.append(Server(url, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.end()


@dataclass
class Load:
    """People who send a project in and back again, without a pause, each pair on a project of its own."""

    company: Company
    references: list[str]
    server: Server
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    over: threading.Event = field(default_factory=threading.Event)
    strange: list[object] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.sue = [Wire.of(self.company, "Sue") for _ in self.references]
        self.rex = [Wire.of(self.company, "Rex") for _ in self.references]

    def acknowledged(self) -> list[str]:
        return [key for wire in (*self.sue, *self.rex) for key in wire.acknowledged]

    def run(self, number: int) -> None:
        with self.company.factory.app.app_context():
            while not self.over.is_set():
                try:
                    status = self._act(number)
                except (OSError, http.client.HTTPException):
                    return  # the server is gone
                finally:
                    db.session.rollback()
                if status == 303:
                    self.answered.release()
                elif status != _LATER:
                    self.strange.append(status)
                    return

    def _act(self, number: int) -> int:
        self.count += 1
        reference, key = self.references[number], f"{number}-{self.count}-{time.monotonic_ns()}"
        project = db.session.scalars(select(Project).where(Project.reference == reference)).one()
        project_id, version, stage = project.id, project.version, project.stage
        open_round = (Round.project_id == project_id) & Round.closed_at.is_(None)
        found = db.session.execute(select(Round.id, Round.digest).where(open_round)).first()
        db.session.rollback()
        if stage == "intake_form":
            path = f"/projects/{reference}/moves/submit_idea"
            return self.sue[number].post(self.server, path, {"version": str(version), "key": key})
        if found is None:
            # The server died between the move and what follows from it: the worker's sweep sees to that.
            settling.settle(project_id)
            return _LATER
        words = {"decision": "returned", "reason": "Say more.", "move": "return_idea", "key": key}
        path = f"/approvals/{found.id}"
        return self.rex[number].post(self.server, path, {**words, "digest": found.digest})


def test_no_acknowledged_decision_is_lost_however_often_it_is_killed(
    arrive: Arrive, server: Callable[[], Server]
) -> None:
    company, chance = arrive("told"), random.Random(SEED)  # noqa: S311 no secret
    references = [company.reference]
    for _ in range(PROJECTS - 1):
        tell(company)
        references.append(company.reference)
    running = server()
    load = Load(company, references, running)
    db.session.remove()
    for number in range(KILLS):
        acknowledged = len(load.acknowledged())
        running.start()
        running.wait()
        load.over.clear()
        with ThreadPoolExecutor(PROJECTS) as pool:
            clients = [pool.submit(load.run, place) for place in range(PROJECTS)]
            assert load.answered.acquire(timeout=PATIENCE), (load.strange, number)
            time.sleep(chance.uniform(0, LATEST))  # any moment: that is the test
            running.kill()
            load.over.set()
            for client in clients:
                client.result(PATIENCE)
        assert load.strange == [], f"seed {SEED}"
        assert len(load.acknowledged()) > acknowledged
        while load.answered.acquire(blocking=False):
            pass
        wait_for_orphans()
        assert_nothing_lost(load.acknowledged(), f"kill {number}, seed {SEED}")


def assert_nothing_lost(acknowledged: list[str], when: str) -> None:
    """Compare what was answered with yes with what is stored; then look whether all of it is whole."""
    db.session.rollback()
    stored = [
        key
        for column in (Visit.key, SignoffRow.key)
        for key in db.session.scalars(select(column).where(column.is_not(None)))
    ]
    assert len(stored) == len(set(stored))
    assert set(acknowledged) - set(stored) == set(), when
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(text("PRAGMA integrity_check")) == "ok", when
        assert db.session.execute(text("PRAGMA foreign_key_check")).all() == [], when
    assert_whole()


@contextmanager
def held_up() -> Iterator[None]:
    """Hold what a decision needs, so that it is in hand for as long as we like."""
    if db.engine.dialect.name == "sqlite":
        other = sqlite3.connect(str(db.engine.url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()
        other.close()
        return
    holding = create_engine(db.engine.url)
    with holding.connect() as connection:
        connection.execute(text("SELECT id FROM projects FOR UPDATE"))
        yield
    holding.dispose()


def is_in_hand(server: Server) -> bool:
    """Tell whether the server waits for the database, or has at least asked it for something."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite":
        return server.has_open(Path(str(url.database)))
    watching = create_engine(url)
    with watching.connect() as connection:
        waits = connection.scalar(text(_WAITS))
    watching.dispose()
    return bool(waits)


def wait_for_orphans() -> None:
    """Wait until PostgreSQL has noticed whose program is gone, and has finished or given up what it was told last."""
    if db.engine.dialect.name == "postgresql":
        wait_until(lambda: not _at_work())


def _at_work() -> int:
    db.session.rollback()  # what a transaction was told about the others, it is told to its end
    return db.session.scalar(text(_AT_WORK)) or 0


def test_a_request_in_hand_is_finished_before_it_stops(
    arrive: Arrive, server: Callable[[], Server]
) -> None:
    company = arrive("told")
    version, reference = company.project().version, company.reference
    running, sue = server(), Wire.of(company, "Sue")
    db.session.remove()
    running.start()
    running.wait()
    path = f"/projects/{reference}/moves/submit_idea"
    with ThreadPoolExecutor(1) as pool:
        with held_up():
            sent = pool.submit(sue.post, running, path, {"version": str(version), "key": "held"})
            wait_until(lambda: is_in_hand(running))
            assert not sent.done()
            assert running.process is not None
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)  # whoever is slower finds no fault where there is none
            assert not sent.done(), "it gave up what it had in hand"
        assert sent.result(PATIENCE) == 303
    assert running.process.wait(PATIENCE) == 0
    assert company.project().stage == "opportunity_review"
    assert_nothing_lost(sue.acknowledged, "after the end")


def test_what_the_load_does_is_a_crossing(arrive: Arrive) -> None:
    company = arrive("told")
    submit(company)
    company.sign("Rex", "returned", reason="Say more.")
    assert company.project().stage == "intake_form"
