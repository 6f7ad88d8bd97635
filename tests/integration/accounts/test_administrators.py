"""Every administrator hears who becomes one, and who is none any more."""

import pytest
from sqlalchemy import select

from okrgate.accounts import people
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.notifications.models import INBOX, MAIL, OutboxRow
from tests.factories import Factory


@pytest.fixture
def ada(factory: Factory) -> Person:
    ada = factory.person("Ada", admin=True)
    with transaction() as session:
        session.get_one(Person, ada.id).password_hash = "so that she can sign in"
    return ada


@pytest.fixture
def otto(factory: Factory) -> Person:
    return factory.person("Otto", admin=True)


def told(channel: str = MAIL) -> list[tuple[int, bool, bool]]:
    query = select(OutboxRow.person_id, OutboxRow.snapshot).where(
        OutboxRow.event == "AdministratorsChanged", OutboxRow.channel == channel
    )
    rows = db.session.execute(query.order_by(OutboxRow.id))
    return [(person, said["you"], said["is_one"]) for person, said in rows]


def test_a_new_one_is_told_to_all_but_whoever_did_it(
    ada: Person, otto: Person, factory: Factory
) -> None:
    sue = factory.person("Sue")
    people.set_rights(sue.id, is_admin=True, is_auditor=False, by=ada.id)
    expected = [(otto.id, False, True), (sue.id, True, True)]
    assert told() == told(INBOX) == expected
    people.set_rights(sue.id, is_admin=True, is_auditor=True, by=ada.id)
    assert told() == expected


def test_so_is_that_somebody_is_none_any_more(ada: Person, otto: Person) -> None:
    people.set_rights(otto.id, is_admin=False, is_auditor=False, by=ada.id)
    assert told() == [(otto.id, True, False)]


def test_whoever_is_shut_out_gets_nothing(ada: Person, otto: Person, factory: Factory) -> None:
    uma = factory.person("Uma", admin=True)
    people.deactivate(otto.id, by=ada.id)
    assert told() == [(uma.id, False, False)]
    people.activate(otto.id, by=ada.id)
    assert told()[1:] == [(uma.id, False, True), (otto.id, True, True)]


def test_nobody_else_is_news(ada: Person, factory: Factory) -> None:
    sue = factory.person("Sue")
    people.set_rights(sue.id, is_admin=False, is_auditor=True, by=ada.id)
    people.deactivate(sue.id, by=ada.id)
    assert told() == []
