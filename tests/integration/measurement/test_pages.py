from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.measurement import service, waiting
from okrgate.measurement.models import Target
from okrgate.measurement.readings import ReadingsPage
from okrgate.projects.models import Project
from tests.counting import statements
from tests.factories import Factory
from tests.integration.delivery.saving import save
from tests.integration.measurement.conftest import Promise, close

PAGE = "/measurement/confirmations"


def browser_of(factory: Factory, person: int) -> FlaskClient:
    return factory.browser(db.session().get_one(Person, person))


def confirmed(target: int) -> bool | None:
    db.session().rollback()
    return db.session().get_one(Target, target).confirmed


def entries() -> int:
    return db.session().scalar(select(func.count()).select_from(Entry)) or 0


def test_signed_out_people_see_nothing(client: FlaskClient, promise: Promise) -> None:
    assert client.get(PAGE).status_code in {302, 303, 401}
    assert client.post(f"{PAGE}/{promise.target}").status_code in {302, 303, 401}


def test_the_steward_confirms(factory: Factory, promise: Promise) -> None:
    browser = browser_of(factory, promise.steward)

    page = browser.get(PAGE).text
    assert "Waiting for you" in page
    assert "No report yet" in page
    assert f'href="/metrics/{promise.metric}"' in page
    sent = browser.post(f"{PAGE}/{promise.target}", data={"confirmed": "yes", "note": "Weekly"})

    assert (sent.status_code, sent.location) == (303, PAGE)
    assert confirmed(promise.target) is True
    page = browser.get(PAGE).text
    assert "Confirmed" in page
    assert "Weekly" in page


def test_the_same_answer_twice_counts_once(factory: Factory, promise: Promise) -> None:
    service.confirm(promise.target, confirmed=True, note="Weekly", by=promise.steward)
    before = entries()

    service.confirm(promise.target, confirmed=True, note="Weekly", by=promise.steward)

    assert entries() == before


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Say whether it can be reported."),
        ({"confirmed": "maybe"}, "Say whether it can be reported."),
        ({"confirmed": "no", "note": "  "}, "Say why it cannot be reported as planned."),
        ({"confirmed": "yes", "note": "<b>" + "x" * 2000}, "Use at most 2,000 characters."),
    ],
)
def test_a_bad_answer_comes_back_as_it_was_typed(
    factory: Factory, promise: Promise, typed: dict[str, str], sentence: str
) -> None:
    page = browser_of(factory, promise.steward).post(f"{PAGE}/{promise.target}", data=typed)

    assert page.status_code == 422
    assert page.text.count(sentence) == 2
    assert ("&lt;b&gt;" in page.text) == ("<b>" in typed.get("note", ""))
    assert confirmed(promise.target) is None


def test_only_the_steward_and_administrators_confirm(factory: Factory, promise: Promise) -> None:
    answer = {"confirmed": "yes"}

    for person in (promise.lead, factory.person().id):
        sent = browser_of(factory, person).post(f"{PAGE}/{promise.target}", data=answer)
        assert sent.status_code == 403
    assert confirmed(promise.target) is None
    admin = factory.browser(factory.person(admin=True))
    assert admin.post(f"{PAGE}/{promise.target}", data=answer).status_code == 303
    assert confirmed(promise.target) is True


@pytest.mark.parametrize("number", ["0", "99", "2147483648", "x"])
def test_a_target_that_is_none_is_not_found(factory: Factory, number: str) -> None:
    browser = factory.browser(factory.person(admin=True))

    assert browser.post(f"{PAGE}/{number}", data={"confirmed": "yes"}).status_code == 404


def test_nothing_is_left_to_confirm_in_an_ended_project(factory: Factory, promise: Promise) -> None:
    close(promise.project)

    with pytest.raises(Conflict):
        service.confirm(promise.target, confirmed=True, note="", by=promise.steward)
    assert "Nothing to confirm" in browser_of(factory, promise.steward).get(PAGE).text


def test_a_draft_stays_its_submitters(factory: Factory, promise: Promise) -> None:
    with transaction() as session:
        session.get_one(Project, promise.project.id).submitted_at = None
    browser = browser_of(factory, promise.steward)

    assert "Nothing to confirm" in browser.get(PAGE).text
    sent = browser.post(f"{PAGE}/{promise.target}", data={"confirmed": "yes"})
    assert sent.status_code == 404


def test_my_work_names_what_the_steward_owes(factory: Factory, promise: Promise) -> None:
    browser = browser_of(factory, promise.steward)

    with statements() as seen:
        page = browser.get("/")
    assert "Say whether Churn can be reported" in page.text
    asked = [one for one in seen if one.lstrip().startswith("SELECT")]
    assert len(asked) <= 12, asked

    service.confirm(promise.target, confirmed=True, note="", by=promise.steward)
    assert "Say whether Churn" not in browser_of(factory, promise.steward).get("/").text


def test_my_work_names_the_checkpoint_for_who_reads_it(
    app: Flask, factory: Factory, promise: Promise, checkpoint: int
) -> None:
    reference = promise.project.reference
    page = browser_of(factory, promise.lead).get("/").text

    assert "Read Churn: After a month" in page
    assert f'href="/projects/{reference}/parts/readings"' in page
    assert "Read Churn" not in browser_of(factory, promise.steward).get("/").text


def test_a_checkpoint_is_read_by_its_owner_else_the_targets(
    promise: Promise, checkpoint: int, factory: Factory
) -> None:
    owner, reader = factory.person().id, factory.person().id

    def who() -> set[int]:
        people = (promise.lead, owner, reader)
        return {one for one in people if waiting.unread(one, limit=5)}

    assert who() == {promise.lead}
    with transaction() as session:
        session.get_one(Target, promise.target).owner_id = owner
    assert who() == {owner}
    with transaction():
        service.checkpoints(promise.project.id)[0].owner_id = reader
    assert who() == {reader}


def test_a_checkpoint_waits_from_a_week_before_until_it_is_read(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    def waits() -> bool:
        return bool(waiting.unread(promise.lead, limit=5))

    with clock.moved_to(datetime(2026, 11, 26, 12, tzinfo=UTC)):
        assert not waits()
    with clock.moved_to(datetime(2026, 11, 27, 12, tzinfo=UTC)):
        assert waits()
    assert waits()
    save(
        app,
        ReadingsPage(),
        promise.project,
        by=promise.lead,
        **{
            "readings-0-id": str(checkpoint),
            "readings-0-value": "3",
            "readings-0-evidence": "Report",
        },
    )
    assert not waits()
