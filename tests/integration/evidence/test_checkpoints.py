"""Auditors are mailed how far the record goes; by an old mail one sees that it was written anew."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from okrgate import clock
from okrgate.audit import chain
from okrgate.audit import service as audit
from okrgate.audit.models import Checkpoint
from okrgate.database import db, transaction
from okrgate.evidence import checkpoints
from okrgate.evidence.walking import walk
from okrgate.notifications import messages, snapshots, worker
from okrgate.notifications.models import MAIL, OutboxRow
from tests.factories import Factory
from tests.machine import PATIENCE


def record(count: int) -> None:
    for number in range(count):
        with transaction():
            audit.record("test.written", by=None, reason=f"Number {number}")


def mails() -> list[OutboxRow]:
    db.session.rollback()
    query = select(OutboxRow).where(
        OutboxRow.event == "RecordCheckpointed", OutboxRow.channel == MAIL
    )
    return list(db.session.scalars(query))


def written_anew(last: int) -> None:
    """Rewrite the record from row 2 on, as root could: every hash fits again."""
    db.session.rollback()
    rows = [dict(row or {}) for _, row in chain.rows()]
    db.session.rollback()
    sqlite = db.engine.dialect.name == "sqlite"
    previous, changes = rows[0]["hash"], []
    for row in rows[1:last]:
        row["reason"], row["prev_hash"] = "Nicer", previous
        previous = row["hash"] = chain.hash_of(chain.body_of(row), previous)
        changes.append((row["reason"], row["prev_hash"], row["hash"], row["seq"]))
    if sqlite:
        with closing(sqlite3.connect(str(db.engine.url.database))) as file, file:
            file.execute("DROP TRIGGER audit_entries_no_update")
            file.executemany(
                "UPDATE audit_entries SET reason = ?, prev_hash = ?, hash = ? WHERE seq = ?",
                changes,
            )
        return
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        for change in changes:
            names = dict(zip(("reason", "before", "hash", "seq"), change, strict=True))
            connection.execute(
                text(
                    "UPDATE audit_entries SET reason = :reason, prev_hash = :before, hash = :hash WHERE seq = :seq"
                ),
                names,
            )


def test_auditors_get_the_head_by_mail(app: Flask, factory: Factory) -> None:
    tara = factory.person("Tara", auditor=True)
    factory.person("Ada", admin=True)
    record(4)
    head = audit.head()

    taken = checkpoints.take()

    assert taken is not None
    assert (taken.seq, taken.hash, taken.rows_since, taken.whole, taken.told) == (*head, 4, True, 1)
    (mail,) = mails()
    assert mail.person_id == tara.id
    event = snapshots.restore(mail.event, mail.snapshot, person_id=mail.person_id, asked=mail.asked)
    reader = messages.Reader(tara.id, tara.name, tara.email, clock.company_zone())
    letter = str(messages.compose(event, reader, message_id=mail.message_id).get_body(("plain",)))
    for token in (f"{head[0]}:{head[1]}", f"{head[0]}:{taken.listing}"):
        assert token in letter.replace("=\n", "")
    newest = audit.page(audit.Filter(), limit=1)[0]
    assert (newest.action, newest.details["sha256"]) == (checkpoints.ACTION, head[1])


def test_it_is_taken_when_it_is_due(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    record(1)
    settings = app.extensions["okrgate.settings"]
    taken = []
    for day in range(16):
        with clock.moved_to(clock.now() + timedelta(days=day)):
            if checkpoints.take_when_due() is not None:
                taken.append(day)
    assert taken == [0, 7, 14]
    monkeypatch.setitem(app.extensions, "okrgate.settings", replace(settings, checkpoint_days=0))
    with clock.moved_to(clock.now() + timedelta(days=99)):
        assert checkpoints.take_when_due() is None


def test_a_record_written_anew_is_seen_by_who_kept_a_mail(app: Flask) -> None:
    record(6)
    taken = checkpoints.take()
    assert taken is not None
    kept = [(taken.seq, taken.hash), (taken.seq, taken.listing)]
    assert walk(*kept).problems == ()

    written_anew(6)

    assert [one for one in chain.verify()[1] if one.seq < 7] == []
    assert f"row {kept[0][0]}: is not the row that was noted before" in walk(*kept).problems
    record(1)
    later = checkpoints.take()
    assert later is not None
    assert not later.whole
    assert "row 6" in later.problem


def test_several_hosts_take_it_once(app: Flask, another: Callable[[], Flask]) -> None:
    record(3)
    db.session.rollback()
    hosts, at_once = [another() for _ in range(3)], Barrier(3)

    def work(host: Flask) -> None:
        with host.app_context():
            at_once.wait(PATIENCE)
            worker.run_once("test.checkpoint", "2031-01-01", checkpoints.take_when_due)
            db.session.remove()

    threads = [Thread(target=work, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Checkpoint)) == 1


def test_the_page_lists_them_for_auditors(app: Flask, factory: Factory) -> None:
    tara, pat = factory.person("Tara", auditor=True), factory.person("Pat")
    assert "No checkpoint yet" in factory.browser(tara).get("/audit/checkpoints").text
    record(2)
    taken = checkpoints.take()
    assert taken is not None
    token = f"{taken.seq}:{taken.listing}"

    assert token in factory.browser(tara).get("/audit/checkpoints").text
    assert factory.browser(pat).get("/audit/checkpoints").status_code == 403
