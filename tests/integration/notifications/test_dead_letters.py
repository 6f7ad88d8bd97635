"""Dead letters: read why, filter, send again one or many, give up with a reason."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import events
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.notifications.dead import in_words
from okrgate.notifications.models import DEAD, MAIL, OutboxRow
from tests.factories import Factory
from tests.unit.notifications.samples import sample

PAGE = "/admin/dead-letters"
PROBLEMS = (
    "The mail server said 550: no such user",
    "The mail server could not be reached: refused",
    "The mail server said 554: spam",
)


@pytest.fixture
def ada(app: Flask, factory: Factory) -> FlaskClient:
    people = [factory.person(name) for name in ("Anna", "Ben", "Cleo")]
    for person, problem in zip([one.id for one in people], PROBLEMS, strict=True):
        with transaction() as session:
            events.publish(sample(events.RolesChanged, person, by_id=None, channels=("mail",)))
            row = session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc())).first()
            assert row is not None
            row.status, row.last_error = DEAD, problem
    return factory.browser(factory.person("Ada", admin=True))


def states() -> list[str]:
    db.session().rollback()
    query = select(OutboxRow.status).where(OutboxRow.channel == MAIL).order_by(OutboxRow.id)
    return list(db.session().scalars(query))[:3]


def ids() -> list[str]:
    db.session().rollback()
    return [str(one) for one in db.session().scalars(select(OutboxRow.id).order_by(OutboxRow.id))]


def test_the_reason_is_said_in_words_and_can_be_asked_for(ada: FlaskClient) -> None:
    page = ada.get(PAGE).text
    assert "The address takes no mail" in page
    assert "The mail server refused it for good" in page
    only = ada.get(f"{PAGE}?reason=address").text
    assert "Anna" in only
    assert "Cleo" not in only
    rest = ada.get(f"{PAGE}?reason=refused").text
    assert "Cleo" in rest
    assert "Anna" not in rest
    assert "Nothing fits" in ada.get(f"{PAGE}?q=nobody%25").text
    assert "Ben" in ada.get(f"{PAGE}?q=ben&reason=no-such").text
    assert in_words("odd") == "It could not be sent"


def test_several_are_sent_again(ada: FlaskClient) -> None:
    chosen = [*ids()[:2], "999999", "x"]
    assert ada.post(PAGE, data={"act": "send", "letter": chosen}).status_code == 303
    assert states() == ["waiting", "waiting", "dead"]
    assert len(audit.page(audit.Filter(action="notifications.sent_again"), limit=5)) == 2


def test_giving_up_needs_a_reason_and_is_recorded(ada: FlaskClient) -> None:
    chosen = ids()[:1]
    for reason in ("", "  ", "x" * 301):
        answer = ada.post(PAGE, data={"act": "give_up", "letter": chosen, "reason": reason})
        assert answer.status_code == 422
        assert "checked" in answer.text
    assert ada.post(PAGE, data={"act": "give_up", "reason": "They left."}).status_code == 422
    assert states() == ["dead"] * 3
    answer = ada.post(PAGE, data={"act": "give_up", "letter": chosen, "reason": "They left."})
    assert answer.status_code == 303
    assert states() == ["dropped", "dead", "dead"]
    (entry,) = audit.page(audit.Filter(action="notifications.given_up"), limit=5)
    assert entry.reason == "They left."
    assert "Anna" not in ada.get(PAGE).text
    assert ada.post(f"{PAGE}/{chosen[0]}/send-again").status_code == 409
