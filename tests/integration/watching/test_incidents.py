"""What is wrong with the machinery is told to administrators: once by mail, and on their pages until it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from flask import Flask
from sqlalchemy import select, text

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.notifications import delivery, worker
from okrgate.notifications.models import DEAD, MAIL, WAITING, OutboxRow
from okrgate.watching import heartbeats, incidents, service, watchman
from okrgate.watching.models import WORKER, ChainCheck, Incident
from tests.factories import Factory
from tests.integration.notifications.smtp import Server, running, use

NOON = datetime(2031, 11, 3, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without anything heard, and without jobs of other rooms."""
    monkeypatch.setattr(incidents, "_heard", {})
    monkeypatch.setattr(worker, "_minutely", {})
    monkeypatch.setattr(worker, "_daily", {})


def _mails() -> list[OutboxRow]:
    rows = list(
        db.session().scalars(
            select(OutboxRow).where(OutboxRow.event == "AlertRaised", OutboxRow.channel == MAIL)
        )
    )
    db.session().rollback()
    return rows


def _kinds() -> list[str]:
    found = [one.kind for one in incidents.open_ones()]
    db.session().rollback()
    return found


def test_an_incident_is_mailed_once_while_it_is_open_and_again_when_it_comes_back(
    app: Flask, factory: Factory
) -> None:
    ada, other = factory.person("Ada", admin=True).id, factory.person("Pat").id
    assert incidents.arise(incidents.CHAIN, "row 7 was changed")
    assert not incidents.arise(incidents.CHAIN, "row 7 was changed")

    assert [row.person_id for row in _mails()] == [ada]
    assert incidents.open_ones()[0].count == 2
    db.session().rollback()
    incidents.subside(incidents.CHAIN)
    assert _kinds() == []
    assert incidents.arise(incidents.CHAIN, "row 7 was changed")
    assert [row.person_id for row in _mails()] == [ada, ada]
    assert other not in {row.person_id for row in _mails()}


def test_a_gate_that_cannot_be_judged_is_heard_in_the_log_and_stored_later(
    app: Flask, factory: Factory
) -> None:
    factory.person("Ada", admin=True)
    log = structlog.get_logger()

    log.error("gate unjudgeable", project=7, transition="anything", problem="they differ")
    log.error("gate unjudgeable", project=8, transition="anything", problem="they differ")
    log.error("something else")
    assert db.session().scalar(select(Incident.id)) is None, (
        "a request that only looks writes nothing"
    )
    incidents.write_down()

    (found,) = incidents.open_ones()
    db.session().rollback()
    assert (found.kind, found.count) == (incidents.ENGINE, 2)
    assert "project 8" in found.detail
    assert len(_mails()) == 1
    with clock.moved_to(clock.now() + timedelta(hours=25)):
        incidents.forget_old()
    assert _kinds() == []


def test_a_job_that_fails_is_an_incident(app: Flask, factory: Factory) -> None:
    def failing() -> None:
        raise ZeroDivisionError

    worker.run_once("a job", "a slot", failing)
    incidents.write_down()

    assert _kinds() == [incidents.JOB]


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_worker_that_stands_still_is_told_by_the_web_process(
    app: Flask, factory: Factory
) -> None:
    factory.person("Ada", admin=True)
    with clock.moved_to(NOON):
        worker.run_periodic()
    with clock.moved_to(NOON + timedelta(minutes=10)):
        watchman.go_round(NOON)
        assert _kinds() == []
    server = Server()
    with running(server) as port, clock.moved_to(NOON + timedelta(minutes=20)):
        use(app, port)
        watchman.go_round(NOON)
        watchman.go_round(NOON)
        assert _kinds() == [incidents.WORKER]
    assert [mail["Subject"] for mail in server.taken] == ["okrgate: no worker is working"]
    with clock.moved_to(NOON + timedelta(minutes=21)):
        worker.run_periodic()
    with clock.moved_to(NOON + timedelta(minutes=22)):
        watchman.go_round(NOON)
        assert _kinds() == []


def test_a_web_process_that_just_began_blames_no_worker(app: Flask, factory: Factory) -> None:
    with clock.moved_to(NOON):
        worker.run_periodic()
    with clock.moved_to(NOON + timedelta(hours=9)):
        watchman.go_round(NOON + timedelta(hours=9))
        assert _kinds() == []
    with clock.moved_to(NOON + timedelta(hours=9, minutes=16)):
        watchman.go_round(NOON + timedelta(hours=9))
        assert _kinds() == [incidents.WORKER]


def test_mail_that_waits_beside_a_living_worker_is_told(app: Flask, factory: Factory) -> None:
    factory.person("Ada", admin=True)
    with clock.moved_to(NOON):
        incidents.arise(incidents.JOB, "this mail waits")
    for minute in (4, 20):
        with clock.moved_to(NOON + timedelta(minutes=minute)):
            worker.run_periodic()
    with clock.moved_to(NOON + timedelta(minutes=20)):
        service.look()
        assert incidents.WORKER in _kinds()


def test_a_worker_that_begins_with_an_old_backlog_gets_time_to_send_it(
    app: Flask, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(worker._minutely, "okrgate.watching.service.look", service.look)
    factory.person("Ada", admin=True)
    with clock.moved_to(NOON):
        worker.run_periodic()
        incidents.arise(incidents.JOB, "this mail waits")
    begun = NOON + timedelta(hours=9)
    for minute in (0, 1, 14):
        with clock.moved_to(begun + timedelta(minutes=minute)):
            worker.run_periodic()
            assert incidents.WORKER not in _kinds()
    with clock.moved_to(begun + timedelta(minutes=16)):
        worker.run_periodic()
        assert incidents.WORKER in _kinds()


def test_only_the_mail_of_alerts_is_sent_by_the_web_process(app: Flask, factory: Factory) -> None:
    person = factory.person().id
    with transaction() as session:
        session.add(_row(person, "RolesChanged", WAITING))

    assert delivery._claim(50, "AlertRaised") == []
    assert len(delivery._claim(50)) == 1


def _row(person: int, event: str, status: str) -> OutboxRow:
    now = clock.now()
    return OutboxRow(
        event=event,
        channel=MAIL,
        person_id=person,
        snapshot={},
        dedupe_key=event + status,
        message_id="<x@example.com>",
        created_at=now,
        due_at=now,
        status=status,
    )


def test_dead_letters_are_told_until_somebody_settled_them(app: Flask, factory: Factory) -> None:
    ada = factory.person("Ada", admin=True).id
    with transaction() as session:
        row = _row(ada, "RolesChanged", DEAD)
        session.add(row)
    service.look()
    service.look()
    assert _kinds() == [incidents.DEAD_LETTERS]
    assert len(_mails()) == 1
    with transaction() as session:
        session.get_one(OutboxRow, row.id).status = "dropped"
    service.look()
    assert _kinds() == []


def _record(number: int) -> None:
    for _ in range(number):
        with transaction():
            audit.record("test.written", by=None)


def _outside(app: Flask, *statements: str) -> None:
    with db.engine.connect() as connection:
        names = (
            ["DROP TRIGGER audit_entries_no_update", "DROP TRIGGER audit_entries_no_delete"]
            if db.engine.dialect.name == "sqlite"
            else ["ALTER TABLE audit_entries DISABLE TRIGGER USER"]
        )
        for statement in (*names, *statements):
            connection.execute(text(statement))
        connection.commit()


def test_a_whole_record_is_noted_and_a_changed_one_is_told(app: Flask, factory: Factory) -> None:
    factory.person("Ada", admin=True)
    _record(5)
    assert service.check_chain()
    _outside(app, "UPDATE audit_entries SET reason = 'nothing' WHERE seq = 3")
    assert not service.check_chain()

    assert _kinds() == [incidents.CHAIN]
    last = service.last_check()
    assert last is not None
    assert (last.whole, last.row_count) == (False, 5)
    assert "row 3" in last.problem
    assert len(_mails()) == 1


def test_rows_cut_off_at_the_end_are_noticed_by_the_next_walk(app: Flask) -> None:
    _record(5)
    assert service.check_chain()
    _outside(app, "DELETE FROM audit_entries WHERE seq > 3")

    assert not service.check_chain()
    assert _kinds() == [incidents.CHAIN]
    # The bad walk is no new beginning.
    assert not service.check_chain()


def test_the_chain_is_walked_daily_and_the_machinery_looked_at_each_minute(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from okrgate.app import create_app

    create_app(app.extensions["okrgate.settings"])

    assert "okrgate.watching.service.check_chain" in worker._daily
    assert "okrgate.watching.service.look" in worker._minutely
    assert "okrgate.watching.incidents.write_down" in worker._minutely
    assert heartbeats.beat_of_worker in worker._first.values()


def test_a_second_host_on_sqlite_is_told_and_on_postgresql_is_welcome(app: Flask) -> None:
    heartbeats.beat(WORKER)
    heartbeats.beat(WORKER)
    service.look()
    assert _kinds() == []
    heartbeats.beat(WORKER, host="the-other-one")
    service.look()

    assert _kinds() == ([incidents.SECOND_HOST] if db.engine.dialect.name == "sqlite" else [])
    with clock.moved_to(clock.now() + timedelta(minutes=6)):
        service.look()
        assert incidents.SECOND_HOST not in _kinds()


def test_administrators_see_it_on_their_pages_and_nobody_else_does(
    app: Flask, factory: Factory
) -> None:
    ada, pat = factory.person("Ada", admin=True), factory.person("Pat")
    factory.rulebook()
    incidents.arise(incidents.CHAIN, "row 7 was changed <b>")
    for path in ("/", "/admin"):
        page = factory.browser(ada).get(path).get_data(as_text=True)
        assert "The record is broken" in page, path
        assert "row 7 was changed &lt;b&gt;" in page, path
    assert "The record is broken" not in factory.browser(pat).get("/").get_data(as_text=True)


def test_every_kind_has_words(app: Flask) -> None:
    assert set(incidents._HEARD.values()) <= set(incidents.WORDS)
    for kind in incidents.WORDS:
        incidents.arise(kind, "something")
    assert len(incidents.open_ones()) == len(incidents.WORDS)


def test_a_database_that_is_away_stops_no_worker(app: Flask, tmp_path: object) -> None:
    settings: Settings = app.extensions["okrgate.settings"]
    assert replace(settings, testing=True) == settings
    db.session().execute(text("DROP TABLE heartbeats"))
    db.session().commit()

    heartbeats.beat_of_worker()

    assert db.session().scalar(select(ChainCheck.id)) is None


def test_what_was_only_heard_of_is_closed_by_whoever_looked_into_it(
    app: Flask, factory: Factory
) -> None:
    ada = factory.person("Ada", admin=True)
    browser, ada_id = factory.browser(ada), ada.id
    incidents.arise(incidents.ENGINE, "gate unjudgeable: project 7", count=3)
    incidents.arise(incidents.CHAIN, "row 7 was changed")
    db.session().rollback()
    assert browser.get("/admin").text.count("I have looked into it") == 1

    assert browser.post("/admin/incidents/engine/seen").status_code == 303
    assert browser.post("/admin/incidents/engine/seen").status_code == 409
    assert browser.post("/admin/incidents/chain/seen").status_code == 409
    assert browser.post("/admin/incidents/nonsense/seen").status_code == 409

    assert _kinds() == [incidents.CHAIN]
    (entry,) = audit.page(audit.Filter(action="incident.seen"), limit=5)
    assert (entry.actor_id, entry.details["count"]) == (ada_id, 3)
    db.session().rollback()
    assert incidents.arise(incidents.ENGINE, "gate unjudgeable: project 8")
