"""Whatever the mail server does, a decision does not wait for it, and every mail ends sent or dead (R11 to R14)."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from okrgate import clock, events
from okrgate.app import create_app
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.notifications import delivery
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.notifications.relay import Relay
from tests.factories import Factory
from tests.faults.whole import assert_whole
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.integration.notifications.smtp import Server, black_hole, running, use
from tests.machine import PATIENCE
from tests.unit.notifications.samples import sample

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
SLOW = 0.2  # seconds for each mail
LONGEST = 1.0  # second that a decision may take


@contextmanager
def answering(answer: str | None) -> Iterator[int]:
    with running(Server(to_data=lambda _address: answer)) as port:
        yield port


@contextmanager
def slow() -> Iterator[int]:
    def wait(_address: str) -> None:
        time.sleep(SLOW)

    with running(Server(to_data=wait)) as port:
        yield port


@contextmanager
def nobody() -> Iterator[int]:
    yield 9


TEMPERS: dict[str, tuple[Callable[[], AbstractContextManager[int]], str]] = {
    "refuses for now": (lambda: answering("451 Later"), "dead"),
    "refuses for good": (lambda: answering("554 Never"), "dead"),
    "takes connections and says nothing": (black_hole, "dead"),
    "is not there": (nobody, "dead"),
    "is slow": (slow, "sent"),
}


@pytest.mark.parametrize("temper", TEMPERS)
def test_no_decision_waits_for_a_mail_server_that(arrive: Arrive, temper: str) -> None:
    server, ends_as = TEMPERS[temper]
    company = arrive("half approved")
    leave_few()
    with server() as port:
        use(company.factory.app, port, timeout=SLOW)
        waited = approve_while_mail_is_sent(company)
        assert waited < 1.0 * 10, (
            "ten times what is expected: only a decision that hangs takes so long"
        )
        assert company.project().stage == "kick_off"
        leave_few()
        use(company.factory.app, port, timeout=PATIENCE if ends_as == "sent" else 0.05)
        assert send_for_days() == {ends_as}
    assert_whole()


def leave_few() -> None:
    """Forget most mails: three are as good as thirty, and ten tries of each take their time."""
    with transaction() as session:
        rows = session.scalars(select(OutboxRow.id).where(OutboxRow.channel == MAIL)).all()
        session.execute(delete(OutboxRow).where(OutboxRow.id.in_(rows[:-3])))


def approve_while_mail_is_sent(company: Company) -> float:
    """Let a worker stand before the mail server while Vik approves; return how long his decision took."""
    moment, begun = clock.now(), threading.Event()

    def work() -> None:
        with company.factory.app.app_context(), clock.moved_to(moment):
            begun.set()
            delivery.send_due()
            db.session.remove()

    vik = company["Vik"]
    vik.open("/approvals")
    vik.open(next(path for _text, path in vik.links() if path.startswith("/approvals/")))
    db.session.rollback()
    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(PATIENCE)
    before = time.monotonic()
    vik.send({"decision": "approved", "reason": ""})
    took = time.monotonic() - before
    worker.join(PATIENCE)
    assert not worker.is_alive()
    return took


def send_for_days() -> set[str]:
    """Let the worker try until nothing waits any more; return how the mails ended."""
    moment = clock.now()
    waiting = select(OutboxRow.id).where(
        OutboxRow.channel == MAIL, OutboxRow.status.in_(("waiting", "sending"))
    )
    for _ in range(300):
        db.session.rollback()
        if db.session.scalar(waiting.limit(1)) is None:
            break
        moment += timedelta(hours=7)
        with clock.moved_to(moment):
            delivery.send_due()
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.channel == MAIL)).all()
    assert all(row.attempts <= delivery.TRIES for row in rows)
    assert all(row.last_error for row in rows if row.status == "dead")
    return {row.status for row in rows}


def _send_and_die(settings: Settings, port: int) -> None:
    """Die as a process dies: after the server said yes, before it is written down."""
    send = Relay.send

    def send_and_die(self: Relay, mail: Any) -> None:
        send(self, mail)
        os.kill(os.getpid(), signal.SIGKILL)

    Relay.send = send_and_die  # type: ignore[method-assign]
    app = create_app(settings)
    with app.app_context():
        use(app, port)
        delivery.send_due()


def test_a_worker_killed_after_the_server_said_yes_sends_the_same_mail_again(
    app: Flask, factory: Factory
) -> None:
    person = factory.person().id
    with transaction():
        events.publish(sample(events.RolesChanged, person, by_id=None, channels=("mail",)))
    server = Server()
    with running(server) as port:
        db.session.remove()
        db.engine.dispose()
        settings = app.extensions["okrgate.settings"]
        context = multiprocessing.get_context("fork")
        process = context.Process(target=_send_and_die, args=(settings, port))
        process.start()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        use(app, port)
        assert delivery.send_due() == 0, "it is still another worker's"
        with clock.moved_to(clock.now() + timedelta(minutes=11)):
            assert delivery.send_due() == 1
    first, second = server.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert db.session.scalars(select(OutboxRow.status).where(OutboxRow.channel == MAIL)).all() == [
        "sent"
    ]
