"""PostgreSQL is restarted while people work (R18)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from okrgate.app import create_app
from okrgate.database import db
from tests.conftest import DATABASES, MEMORY, on_server, settings_for
from tests.faults.breaking import at_statement
from tests.faults.test_database_faults import (
    approve,
    assert_decided_once,
    assert_refused_kindly,
    before_the_page,
)
from tests.integration.journey.company import Company
from tests.integration.journey.stops import Stops
from tests.machine import PATIENCE, private_postgresql, within

pytestmark = pytest.mark.skipif("postgresql" not in DATABASES, reason="there is nothing to restart")


class Restarted:
    """A server of our own, that nobody else is surprised by."""

    def __init__(self) -> None:
        """Start it."""
        self._server = private_postgresql(MEMORY / f"okrgate-pg-{uuid.uuid4().hex[:8]}")
        self.url: str = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def stop(self) -> None:
        """Stop it; whoever is connected is thrown out."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, at the same address."""
        self._server.start()
        assert self._server.get_uri().replace("postgresql://", "postgresql+psycopg://") == self.url

    def restart(self) -> None:
        """Do both."""
        self.stop()
        self.start()

    def forget(self) -> None:
        """Leave nothing behind."""
        self._server.cleanup()


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Tell where a test hangs, its way to its stop and back included."""
    with within(5 * PATIENCE):
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[Restarted]:
    made = Restarted()
    yield made
    with within(3 * PATIENCE):
        made.forget()


@pytest.fixture(scope="module")
def stops(server: Restarted, tmp_path_factory: pytest.TempPathFactory) -> Stops:
    folder = tmp_path_factory.mktemp("restarted")
    on_server(server.url, "CREATE DATABASE okrgate_empty")
    app = create_app(settings_for(server.url.replace("/postgres?", "/okrgate_empty?"), folder))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return Stops(folder, "okrgate_empty", server.url)


@pytest.fixture
def company(stops: Stops) -> Iterator[Company]:
    with contextmanager(stops.arrive)("half approved") as found:
        yield found


def test_a_restart_between_two_requests_is_noticed_by_nobody(
    company: Company, server: Restarted
) -> None:
    vik = before_the_page(company)
    server.restart()
    assert vik.client.get("/approvals").status_code == 200
    server.restart()
    approve(vik)
    assert_decided_once(company)


def test_a_restart_in_the_middle_of_a_decision_is_noticed_by_nobody(
    company: Company, server: Restarted
) -> None:
    vik, restarts = before_the_page(company), [server.restart]

    def once() -> None:
        if restarts:
            restarts.pop()()

    with at_statement("INSERT INTO signoffs", once):
        approve(vik)
    assert restarts == []
    assert_decided_once(company)


def test_while_it_is_down_everybody_is_told_and_then_all_goes_on(
    company: Company, server: Restarted
) -> None:
    vik = before_the_page(company)
    server.stop()
    answer = vik.client.get("/approvals")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    approve(vik, status=503)
    assert_refused_kindly(vik, vik.page)
    server.start()
    vik.send({"decision": "approved"}, press="Send it again")
    assert_decided_once(company)
