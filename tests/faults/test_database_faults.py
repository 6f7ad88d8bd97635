"""The database is full, locked, read-only, gone, restarted, or takes offence at two writers (R16 to R19)."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import unescape
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg import errors as refusals
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import PoolProxiedConnection

from okrgate.approvals.models import SignoffRow
from okrgate.audit import service as audit
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.stages import settling
from okrgate.web.again import TIMES
from okrgate.web.permissions import anyone, requires
from tests.browsing import Person
from tests.conftest import on_server
from tests.dumps import differences, dump
from tests.faults.breaking import Failing, at_statement, begin_anew, connections_with
from tests.faults.whole import assert_whole
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

# Long enough to need room: no page of the database has that much left.
WORDS = "We agree, because " + "the plan says why and for how long. " * 90
BESIDE = ("sign_in_sessions",)


@pytest.fixture
def company(arrive: Arrive) -> Company:
    return arrive("half approved")


def is_sqlite() -> bool:
    return bool(db.engine.dialect.name == "sqlite")


def before_the_page(company: Company) -> Person:
    """Return Vik's browser with what he is to decide about in front of him."""
    vik = company["Vik"]
    vik.open("/approvals")
    vik.open(next(path for _text, path in vik.links() if path.startswith("/approvals/")))
    db.session.rollback()
    return vik


def approve(vik: Person, *, status: int = 200) -> None:
    vik.send({"decision": "approved", "reason": WORDS}, status=status)


def assert_refused_kindly(vik: Person, answer_page: str) -> None:
    """The page says that nothing was changed, and holds every word that was typed."""
    assert "Nothing was changed" in answer_page
    assert WORDS.strip() in unescape(answer_page)
    assert vik.form("reason").values["decision"] == "approved"


def assert_decided_once(company: Company) -> None:
    assert company.project().stage == "kick_off"
    query = select(SignoffRow).where(SignoffRow.person_id == company.ids["Vik"])
    assert len(db.session.scalars(query).all()) == 1
    assert_whole()


@contextmanager
def full() -> Iterator[None]:
    """Leave the database no room: SQLite for real; PostgreSQL says what it says on a full disk."""
    if is_sqlite():
        with db.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        with connections_with(f"PRAGMA max_page_count={pages}"):
            yield
        return
    fault = Failing(lambda: refusals.DiskFull("could not extend file: No space left"), 99)
    with at_statement("INSERT INTO", fault):
        yield


@contextmanager
def locked() -> Iterator[None]:
    """Let another program hold what every decision needs."""
    if is_sqlite():
        other = sqlite3.connect(str(db.engine.url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with connections_with("PRAGMA busy_timeout=50"):
            yield
        other.rollback()
        other.close()
        return
    holding = create_engine(db.engine.url)
    with holding.connect() as connection, connections_with("SET lock_timeout = '50ms'"):
        connection.execute(text("SELECT id FROM projects FOR UPDATE"))
        yield
    holding.dispose()


@contextmanager
def read_only() -> Iterator[None]:
    """Let nothing be written."""
    if is_sqlite():
        with connections_with("PRAGMA query_only=ON"):
            yield
        return
    with connections_with("SET default_transaction_read_only = on"):
        yield


@contextmanager
def missing() -> Iterator[None]:
    """Take the database away, and put it back."""
    begin_anew()
    if is_sqlite():
        path = Path(str(db.engine.url.database))
        shutil.move(path, path.with_suffix(".away"))
        yield
        begin_anew()
        shutil.move(path.with_suffix(".away"), path)
        return
    server = db.engine.url.set(database="postgres").render_as_string(hide_password=False)
    name = db.engine.url.database
    on_server(server, f"ALTER DATABASE {name} RENAME TO {name}_away")
    yield
    begin_anew()
    on_server(server, f"ALTER DATABASE {name}_away RENAME TO {name}")


@pytest.mark.parametrize("fault", [full, locked, read_only], ids=["full", "locked", "read-only"])
def test_a_decision_is_refused_kindly_and_taken_when_the_fault_is_over(
    company: Company, fault: Callable[[], AbstractContextManager[None]]
) -> None:
    vik = before_the_page(company)
    before = dump(leave_out=BESIDE)
    with fault():
        approve(vik, status=503)
        assert vik.client.get("/approvals").status_code == 200
        assert_refused_kindly(vik, vik.page)
    assert differences(before, dump(leave_out=BESIDE)) == {}
    assert_whole()
    vik.send({"decision": "approved"}, press="Send it again")
    assert_decided_once(company)


def test_without_a_database_every_page_says_so_and_keeps_what_was_typed(company: Company) -> None:
    vik = before_the_page(company)
    with missing():
        answer = vik.client.get("/approvals")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        approve(vik, status=503)
        assert_refused_kindly(vik, vik.page)
    vik.send({"decision": "approved"}, press="Send it again")
    assert_decided_once(company)


def test_nothing_is_stored_in_a_file_that_was_taken_away(company: Company, tmp_path: Path) -> None:
    if not is_sqlite():
        pytest.skip("PostgreSQL keeps its files to itself")
    path = Path(str(db.engine.url.database))
    vik = before_the_page(company)
    with sqlite3.connect(path) as copy, sqlite3.connect(tmp_path / "copy.db") as other:
        copy.backup(other)
    shutil.move(tmp_path / "copy.db", path)
    approve(vik, status=503)
    vik.send({"decision": "approved"}, press="Send it again")
    assert_decided_once(company)


def test_a_secret_is_never_kept_in_the_page(arrive: Arrive) -> None:
    company = arrive("half approved")
    vik = company["Vik"]
    with missing():
        data = {"current": "old secret", "password": "new secret", "name": "Viktor"}
        page = vik.client.post("/account", data=data).get_data(as_text=True)
    assert "Viktor" in page
    assert "secret" not in page


PASSING = {
    "serialisation failure": refusals.SerializationFailure,
    "deadlock": refusals.DeadlockDetected,
}


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("failures", [1, TIMES])
def test_what_passes_is_tried_again(company: Company, kind: str, failures: int) -> None:
    if is_sqlite():
        pytest.skip("SQLite lets one writer in at a time")
    fault, vik = Failing(lambda: PASSING[kind](kind), failures), before_the_page(company)
    with at_statement("INSERT INTO signoffs", fault):
        approve(vik)
    assert fault.asked == failures + 1
    assert_decided_once(company)


@pytest.mark.parametrize("kind", PASSING)
def test_it_is_tried_again_three_times_and_no_more(company: Company, kind: str) -> None:
    if is_sqlite():
        pytest.skip("SQLite lets one writer in at a time")
    fault, vik = Failing(lambda: PASSING[kind](kind), 99), before_the_page(company)
    before = dump(leave_out=BESIDE)
    with at_statement("INSERT INTO signoffs", fault):
        approve(vik, status=503)
    assert fault.asked == 1 + TIMES
    assert_refused_kindly(vik, vik.page)
    assert differences(before, dump(leave_out=BESIDE)) == {}
    vik.send({"decision": "approved"}, press="Send it again")
    assert_decided_once(company)


def test_a_commit_that_fails_for_sure_is_tried_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_sqlite():
        pytest.skip("SQLite lets one writer in at a time")
    fault = Failing(lambda: refusals.SerializationFailure("at the commit"), 2)
    commit = db.engine.dialect.do_commit

    def refuse(connection: PoolProxiedConnection) -> None:
        fault()
        commit(connection)

    vik = before_the_page(company)
    monkeypatch.setattr(db.engine.dialect, "do_commit", refuse)
    approve(vik)
    assert fault.left == 0
    assert_decided_once(company)


def test_a_commit_of_which_nobody_knows_is_not_tried_again_by_itself(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_sqlite():
        pytest.skip("no network lies between us and SQLite")
    commit = db.engine.dialect.do_commit
    broken: list[bool] = []

    def store_and_break(connection: PoolProxiedConnection) -> None:
        commit(connection)
        if not broken:
            broken.append(True)
            assert connection.dbapi_connection is not None
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    vik = before_the_page(company)
    monkeypatch.setattr(db.engine.dialect, "do_commit", store_and_break)
    approve(vik, status=503)
    assert broken
    assert "Nothing was changed" not in vik.page
    # It was stored; with its key, sending it again is the same decision and leads to its receipt.
    vik.send({"decision": "approved"}, press="Send it again")
    assert "/receipts/" in vik.path
    settling.sweep()
    assert_decided_once(company)


@pytest.mark.parametrize("stored_before", [False, True])
def test_nothing_is_run_again_after_something_was_stored(
    app: Flask, another: Callable[[], Flask], stored_before: bool
) -> None:
    runs: list[int] = []

    @requires(anyone)
    def act() -> str:
        if stored_before:
            with transaction():
                audit.record("test.stored", by=None)
        runs.append(1)
        if len(runs) <= 2:
            raise OperationalError("UPDATE", None, refusals.DeadlockDetected("deadlock"))
        return "done"

    taught = another()
    taught.config["WTF_CSRF_ENABLED"] = False
    taught.add_url_rule("/act", "act", act, methods=["POST"])
    answer = taught.test_client().post("/act")
    db.session.rollback()
    rows = db.session.scalars(select(Entry).where(Entry.action == "test.stored")).all()
    expected = (503, 1, 1) if stored_before else (200, 3, 0)
    assert (answer.status_code, len(runs), len(rows)) == expected


def test_the_address_of_a_database_is_never_shown(company: Company) -> None:
    with missing():
        page = company.factory.app.test_client().get("/sign-in").get_data(as_text=True)
    assert str(make_url(db.engine.url).database) not in page
