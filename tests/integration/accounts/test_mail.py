"""Where the mail of this room goes, and what is left of its secrets."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate.accounts import service
from okrgate.database import db
from okrgate.notifications import delivery
from okrgate.notifications.models import MAIL, OutboxRow
from tests.integration.accounts.conftest import PASSWORD, Joined
from tests.integration.notifications.smtp import Server, running, use

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    server = Server()
    with running(server) as port:
        use(app, port)
        yield server


def paths() -> list[str]:
    db.session.rollback()
    query = select(OutboxRow).where(OutboxRow.channel == MAIL).order_by(OutboxRow.id)
    return [row.snapshot["path"] for row in db.session.scalars(query)]


def test_a_new_address_gets_the_link_and_the_old_one_the_warning(
    app: Flask, joined: Joined, server: Server
) -> None:
    person = joined()
    person_id, before = person.id, person.email

    service.ask_email_change(person_id, "new@example.com", PASSWORD)
    [path] = paths()
    delivery.send_due()
    service.use_email_link(path.rpartition("/")[2], by=person_id)
    delivery.send_due()

    link, warning = server.taken
    assert "new@example.com" in link["To"]
    assert before in warning["To"]
    assert paths() == ["/", "/account"]


def test_a_link_stands_nowhere_once_its_mail_is_sent(
    app: Flask, joined: Joined, server: Server
) -> None:
    boss = joined(admin=True)
    service.invite(email="ada@example.com", name="Ada", unit_id=None, by=boss.id)
    assert "/accounts/link/" in paths()[0]

    delivery.send_due()

    assert "ada@example.com" in server.taken[0]["To"]
    assert paths() == ["/"]
