"""From an event to rows."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from okrgate import clock, events
from okrgate.database import db, transaction
from okrgate.notifications.models import INBOX, MAIL, OutboxRow
from tests.factories import Factory
from tests.unit.notifications.samples import sample


def rows() -> list[OutboxRow]:
    return list(db.session().scalars(select(OutboxRow).order_by(OutboxRow.id)))


def test_each_recipient_gets_a_row_for_each_channel(app: Flask, factory: Factory) -> None:
    anna, ben = factory.person("Anna"), factory.person("Ben")
    anna_id, ben_id = anna.id, ben.id

    with transaction():
        events.publish(sample(events.RolesChanged, anna_id, ben_id, by_id=None))

    found = {(row.person_id, row.channel, row.status) for row in rows()}
    assert found == {
        (anna_id, MAIL, "waiting"),
        (anna_id, INBOX, "sent"),
        (ben_id, MAIL, "waiting"),
        (ben_id, INBOX, "sent"),
    }


def test_news_told_twice_in_one_transaction_is_stored_once(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna").id
    event = sample(events.RolesChanged, anna, by_id=None)

    with transaction():
        events.publish(event)
        events.publish(event)

    assert len(rows()) == 2


def test_the_same_words_in_a_later_transaction_are_news_again(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna").id
    event = sample(events.RolesChanged, anna, by_id=None)

    for _ in range(2):
        with transaction():
            events.publish(event)

    assert len(rows()) == 4


def test_a_sweep_that_finds_the_same_twice_a_day_tells_it_once(
    app: Flask, factory: Factory
) -> None:
    anna, project = factory.person("Anna").id, factory.project().id
    event = sample(events.CheckpointDue, anna, by_id=None, project_id=project)

    for _ in range(2):
        with transaction():
            events.publish(event)

    assert len(rows()) == 2


def test_a_change_that_fails_leaves_no_mail(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna").id

    def change_and_fail() -> None:
        with transaction():
            events.publish(sample(events.RolesChanged, anna, by_id=None))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()

    assert db.session().scalar(select(func.count()).select_from(OutboxRow)) == 0


def test_mail_is_due_at_once_and_inbox_rows_are_unread(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna").id

    with transaction():
        events.publish(sample(events.RolesChanged, anna, by_id=None))

    mail, inbox = rows()
    assert mail.due_at <= clock.now()
    assert inbox.read_at is None
    assert mail.message_id.startswith("<")
