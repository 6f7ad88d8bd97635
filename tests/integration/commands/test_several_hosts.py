"""Two web processes and two workers on one PostgreSQL, each with a folder of its own: as on four hosts."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from huey import PostgresHuey, SqliteHuey
from sqlalchemy import func, select, text

from okrgate import clock, events
from okrgate.accounts.models import Person
from okrgate.approvals.models import Round, SignoffRow
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.notifications import queues
from okrgate.notifications.models import MAIL, SENDING, WAITING, OutboxRow, PeriodicRun
from okrgate.watching.models import WEB, WORKER, ChainCheck, Heartbeat
from tests.conftest import DATABASES, SECRET
from tests.integration.commands.hosts import Browser, started, wait_until
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.integration.notifications.smtp import Server, running
from tests.machine import free_port
from tests.unit.notifications.samples import sample

NAME = "127.0.0.1:8999"
NEWS = 60
# A guard against hanging: a sweep looks once a minute even if nobody is woken.
SOON = 300.0


@dataclass
class Hosts:
    """Two web processes, the mail server behind the workers, and the company whose database it is."""

    ports: tuple[int, int]
    server: Server
    company: Company

    def browser(self, number: int, name: str) -> Browser:
        """Return a browser before one of the web processes, in which somebody is signed in."""
        client = self.company.factory.browser(db.session.get_one(Person, self.company.ids[name]))
        found = client.get_cookie("okrgate")
        assert found is not None
        return Browser(self.ports[number], NAME, f"okrgate={found.value}")


@pytest.fixture
def hosts(arrive: Arrive, tmp_path: Path) -> Iterator[Hosts]:
    company = arrive("judged")
    app = company.factory.app
    settings: Settings = app.extensions["okrgate.settings"]
    ports = (free_port(), free_port())
    server = Server()
    with ExitStack() as stack:
        environment = {
            "OKRGATE_DATABASE_URL": settings.database_url,
            "OKRGATE_SECRET_KEY": SECRET,
            "OKRGATE_BASE_URL": f"http://{NAME}",
            "OKRGATE_SMTP_PORT": str(stack.enter_context(running(server))),
        }
        for number, port in enumerate(ports):
            for arguments in (("serve", "--no-migrate", "--port", str(port)), ("worker",)):
                folder = tmp_path / f"{arguments[0]}-{number}"
                stack.enter_context(started(environment, *arguments, folder=folder))
        for port in ports:
            wait_until(Browser(port, NAME).up)
        yield Hosts(ports, server, company)
        db.session.remove()


@pytest.mark.skipif("postgresql" not in DATABASES, reason="no PostgreSQL")
@pytest.mark.parametrize("stops", ["postgresql"], indirect=True)
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_two_webs_and_two_workers_are_one_installation(hosts: Hosts) -> None:
    wait_until(lambda: _beats() > 0)
    begun = datetime.now(UTC).date()
    round_row = db.session.scalars(select(Round).where(Round.closed_at.is_(None))).one()
    path, before = f"/approvals/{round_row.id}", _count(SignoffRow)
    db.session.rollback()
    digest = round_row.digest
    _tell_everybody(hosts)
    on_a, on_b = hosts.browser(0, "Rex"), hosts.browser(1, "Rex")
    assert on_b.get(path)[0] == 200

    form = {"decision": "approved", "digest": digest, "key": "one key"}
    status, page = on_a.post(path, form)
    assert status == 303, page
    # The same click, handed to the other web process: nothing is decided twice.
    assert on_b.post(path, form, form="/inbox")[0] in {303, 409}
    assert _count(SignoffRow) == before + 1

    status, page = hosts.browser(1, "Sue").get(f"/projects/{hosts.company.reference}")
    assert status == 200
    assert "Rex" in page
    wait_until(lambda: not _unsent(), patience=SOON)
    db.session.rollback()

    names = Counter(mail["Message-ID"] for mail in hosts.server.taken)
    assert len(names) > NEWS
    assert set(names.values()) == {1}
    wait_until(lambda: _kinds() == {WEB, WORKER} and _count(ChainCheck) > 0)
    # As a rule this takes no midnight in.
    days = (datetime.now(UTC).date() - begun).days + 1
    assert _count(ChainCheck) <= days, "the daily walk over the record was made twice"
    assert set(db.session().scalars(select(PeriodicRun.attempts))) == {1}


def _tell_everybody(hosts: Hosts) -> None:
    """Put mail into the outbox, past the queue: the decision's wake-up takes it along."""
    people = list(hosts.company.ids.values())
    # The company's story plays in a year to come; the processes live today.
    with clock.moved_to(datetime.now(UTC)), transaction():
        for number in range(NEWS // len(people) + 1):
            events.publish(
                sample(events.RolesChanged, *people, by_id=None, by=str(number), channels=("mail",))
            )


def _unsent() -> int:
    """Return how many mails of today wait; the company's own news are of a year to come."""
    db.session.rollback()
    return (
        db.session().scalar(
            select(func.count()).where(
                OutboxRow.channel == MAIL,
                OutboxRow.status.in_((WAITING, SENDING)),
                OutboxRow.due_at < datetime.now(UTC),
            )
        )
        or 0
    )


def _kinds() -> set[str]:
    db.session.rollback()
    return set(db.session().scalars(select(Heartbeat.kind)))


def _beats() -> int:
    return _count(Heartbeat)


def _count(kind: type) -> int:
    db.session.rollback()
    return db.session().scalar(select(func.count()).select_from(kind)) or 0


def test_the_queue_is_where_the_database_is(app: Flask, tmp_path: Path) -> None:
    settings: Settings = replace(app.extensions["okrgate.settings"], data_dir=tmp_path / "data")
    first, second = queues.build(settings), queues.build(settings)
    first.task(name="job")(lambda: None)()
    shared = second.pending_count()
    first.storage.close()
    second.storage.close()

    assert shared == 1
    if db.engine.dialect.name == "postgresql":
        assert isinstance(first, PostgresHuey)
        tables = db.session().scalars(
            text("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'huey%'")
        )
        assert list(tables) == [queues.SCHEMA], "the application's own tables are the models'"
    else:
        assert isinstance(first, SqliteHuey)
