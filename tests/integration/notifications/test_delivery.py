"""What becomes of mail when the mail server is well, ill, slow or gone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate import clock, events
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.notifications import dead as dead_mail
from okrgate.notifications import delivery, rights
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.notifications.relay import Relay
from tests.factories import Factory
from tests.integration.notifications.smtp import Server, black_hole, running, use
from tests.unit.notifications.samples import sample

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"])]
NOON = datetime(2031, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    server = Server()
    with running(server) as port:
        use(app, port)
        yield server


def tell(*people: int, kind: type[events.Event] = events.RolesChanged, **changes: Any) -> None:
    with transaction():
        events.publish(sample(kind, *people, **{"by_id": None, "channels": ("mail",)} | changes))


def mails() -> list[OutboxRow]:
    db.session().rollback()
    query = select(OutboxRow).where(OutboxRow.channel == MAIL).order_by(OutboxRow.id)
    return list(db.session().scalars(query))


def test_a_mail_is_sent_and_marked(app: Flask, factory: Factory, server: Server) -> None:
    anna = factory.person("Anna")
    address = anna.email
    tell(anna.id)

    settled = delivery.send_due()

    (row,) = mails()
    (mail,) = server.taken
    assert (settled, row.status, row.attempts) == (1, "sent", 1)
    assert address in mail["To"]
    assert mail["Message-ID"] == row.message_id


def test_a_batch_uses_one_connection(app: Flask, factory: Factory, server: Server) -> None:
    tell(*(factory.person().id for _ in range(5)))

    delivery.send_due()

    assert (len(server.taken), server.connections) == (5, 1)


def test_a_temporary_refusal_is_tried_again_later(
    app: Flask, factory: Factory, server: Server
) -> None:
    server.to_rcpt = lambda _address: "451 Come back later"
    with clock.moved_to(NOON):
        tell(factory.person().id)

        settled = delivery.send_due()

    (row,) = mails()
    assert (settled, row.status, row.attempts) == (0, "waiting", 1)
    assert "451" in row.last_error
    assert timedelta(seconds=48) <= row.due_at - NOON <= timedelta(seconds=60)


def test_a_final_refusal_ends_at_once_among_the_dead(
    app: Flask, factory: Factory, server: Server
) -> None:
    server.to_data = lambda _address: "554 We will never take this"
    tell(factory.person().id)

    delivery.send_due()

    (row,) = mails()
    assert (row.status, row.attempts) == ("dead", 1)
    assert "never take this" in row.last_error


def test_one_refused_recipient_does_not_stop_the_others(
    app: Flask, factory: Factory, server: Server
) -> None:
    people = [factory.person(name).id for name in ("Anna", "Ben", "Cleo")]
    server.to_rcpt = lambda address: "550 Unknown" if address.startswith("ben") else None
    tell(*people)

    delivery.send_due()

    assert {row.person_id: row.status for row in mails()} == dict(
        zip(people, ("sent", "dead", "sent"), strict=True)
    )


def test_a_silent_server_delays_only_the_mail(app: Flask, factory: Factory) -> None:
    people = [factory.person().id for _ in range(5)]
    with black_hole() as port:
        use(app, port, timeout=0.1)
        tell(*people)

        delivery.send_due()

    assert {row.status for row in mails()} == {"waiting"}
    assert [row.attempts for row in mails()] == [1, 1, 1, 0, 0]


def test_without_a_server_the_decision_stands_and_the_mail_waits(
    app: Flask, factory: Factory
) -> None:
    tell(factory.person().id)

    assert delivery.send_due() == 0
    assert mails()[0].status == "waiting"


def test_waits_grow_from_a_minute_to_six_hours(app: Flask) -> None:
    longest = [delivery.wait_after(tries).total_seconds() / 60 for tries in range(1, 12)]

    for wait, full in zip(longest, (1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360), strict=True):
        assert 0.8 * full <= wait <= full


def test_after_ten_tries_a_mail_is_dead_and_an_admin_can_send_it_again(
    app: Flask, factory: Factory, server: Server
) -> None:
    admin = factory.person(admin=True).id
    server.to_rcpt = lambda _address: "451 Later"
    tell(factory.person().id)
    moment = clock.now()
    for _ in range(delivery.TRIES):
        moment += timedelta(hours=7)
        with clock.moved_to(moment):
            delivery.send_due()
    (dead,) = mails()
    assert (dead.status, dead.attempts) == ("dead", 10)

    server.to_rcpt = lambda _address: None
    with clock.moved_to(moment):
        dead_mail.send_again(dead.id, by=admin)
        delivery.send_due()

    assert mails()[0].status == "sent"
    assert len(server.taken) == 1


def test_a_worker_that_died_after_sending_causes_a_repeat_with_the_same_name(
    app: Flask, factory: Factory, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(factory.person().id)
    send = Relay.send

    def send_and_die(self: Relay, mail: Any) -> None:
        send(self, mail)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Relay, "send", send_and_die)
        with pytest.raises(KeyboardInterrupt):
            delivery.send_due()
    assert delivery.send_due() == 0
    with clock.moved_to(clock.now() + timedelta(minutes=11)):
        delivery.send_due()

    assert mails()[0].status == "sent"
    first, second = server.taken
    assert first["Message-ID"] == second["Message-ID"]


def test_nobody_inactive_is_written_to(app: Flask, factory: Factory, server: Server) -> None:
    anna = factory.person().id
    tell(anna)
    with transaction() as session:
        session.get_one(Person, anna).active = False

    delivery.send_due()

    assert mails()[0].status == "skipped"
    assert server.taken == []


def test_whoever_was_just_shut_out_hears_who_took_over(
    app: Flask, factory: Factory, server: Server
) -> None:
    anna = factory.person().id
    tell(anna, kind=events.DutiesHanded)
    with transaction() as session:
        session.get_one(Person, anna).active = False

    delivery.send_due()

    assert mails()[0].status == "sent"


def test_nobody_is_written_to_about_what_they_may_no_longer_read(
    app: Flask, factory: Factory, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = factory.project().id
    tell(factory.person().id, kind=events.StatusPosted, project_id=project)
    monkeypatch.setattr(rights, "may_read", lambda *_ids: False)

    delivery.send_due()

    assert mails()[0].status == "skipped"
    assert server.taken == []


@pytest.mark.parametrize("answer", ["250 OK", "554 Never"])
def test_a_secret_link_is_forgotten_once_its_mail_is_settled(
    app: Flask, factory: Factory, server: Server, answer: str
) -> None:
    server.to_rcpt = lambda _address: None if answer.startswith("2") else answer
    tell(factory.person().id, kind=events.ResetAsked, path="/reset/s3cr3t")

    delivery.send_due()

    (row,) = mails()
    assert row.snapshot["path"] == "/"
    assert row.status in {"sent", "dead"}
    if row.status == "dead":
        with pytest.raises(Conflict):
            dead_mail.send_again(row.id, by=factory.person(admin=True).id)


def test_a_mail_that_cannot_be_written_does_not_stop_the_others(
    app: Flask, factory: Factory, server: Server
) -> None:
    anna, ben = factory.person("Anna"), factory.person("Ben")
    with transaction() as session:
        session.get_one(Person, anna.id).email = "not an address"
    tell(anna.id, ben.id)

    delivery.send_due()

    assert [row.status for row in mails()] == ["dead", "sent"]
