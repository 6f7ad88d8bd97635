"""What comes by mail at once, in a digest or never: chosen by each person, the inbox apart."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock, events
from okrgate.accounts import calendars
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.events import CommentAdded, Event, ProjectMoved, Recipient, SignoffAsked, publish
from okrgate.notifications import wishes
from okrgate.notifications.digests import send_digests
from okrgate.notifications.models import GATHERED, HELD, INBOX, MAIL, WAITING, OutboxRow
from okrgate.notifications.wishes import DIGEST, NEVER, NOW, Wishes
from tests.factories import Factory

# A Thursday; the company keeps UTC.
THURSDAY = datetime(2026, 12, 3, 10, 0, tzinfo=UTC)


@pytest.fixture
def reader(factory: Factory) -> Person:
    """Return somebody who is told."""
    return factory.person("Rea")


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterable[None]:
    """Stand on a Thursday morning."""
    with clock.moved_to(THURSDAY):
        yield


def tell(factory: Factory, reader: Person, *, asked: bool = False) -> None:
    """Publish three kinds of news about one project to the reader."""
    project = factory.project("Renewals", submitter=reader)
    about: dict[str, Any] = {
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
    }
    told = (Recipient(reader.id, "you submitted it"),)
    news: list[Event] = [
        ProjectMoved(
            recipients=told, kind="forward", transition="Go", source="A", target="B", **about
        ),
        CommentAdded(recipients=told, said="Well done", **about),
    ]
    if asked:
        mine = (Recipient(reader.id, "your sign-off is needed", asked=True),)
        news.append(SignoffAsked(recipients=mine, gate="Final", ask="One of these", **about))
    with transaction():
        for one in news:
            publish(one)


def rows(reader: Person, channel: str = MAIL) -> dict[str, OutboxRow]:
    db.session.rollback()
    found = db.session.scalars(
        select(OutboxRow).where(OutboxRow.person_id == reader.id, OutboxRow.channel == channel)
    )
    return {row.event: row for row in found}


def test_what_nobody_wants_is_not_mailed_and_still_in_the_inbox(
    factory: Factory, reader: Person, noon: None
) -> None:
    wishes.choose(reader.id, Wishes({"talk": NEVER, "moves": DIGEST}))
    tell(factory, reader, asked=True)
    mails = rows(reader)
    assert set(mails) == {"ProjectMoved", "SignoffAsked"}
    assert (mails["ProjectMoved"].status, mails["SignoffAsked"].status) == (HELD, WAITING)
    assert mails["ProjectMoved"].due_at == datetime(2026, 12, 4, 8, 0, tzinfo=UTC)
    assert set(rows(reader, INBOX)) == {"ProjectMoved", "CommentAdded", "SignoffAsked"}


def test_a_digest_gathers_what_was_held_once(factory: Factory, reader: Person, noon: None) -> None:
    wishes.choose(reader.id, Wishes({"talk": DIGEST, "moves": DIGEST, "asked": DIGEST}))
    tell(factory, reader, asked=True)
    assert send_digests() == 0, "it is not time"
    with clock.moved_to(THURSDAY + timedelta(days=1)):
        assert (send_digests(), send_digests()) == (1, 0)
    found = rows(reader)
    digest = found.pop("DigestReady")
    assert {row.status for row in found.values()} == {GATHERED}
    assert digest.status == WAITING
    said = [line[1] for line in digest.snapshot["lines"]]
    assert (len(said), said[0], said[2]) == (3, "Now in B", "Sign-off needed")
    assert "DigestReady" not in rows(reader, INBOX)


def test_a_digest_leaves_out_what_one_may_no_longer_read(factory: Factory, noon: None) -> None:
    owner, reader = factory.person("Owen"), factory.person("Rea")
    wishes.choose(reader.id, Wishes({"talk": DIGEST}))
    project = factory.project("Secret", submitter=owner)
    with transaction():
        publish(
            CommentAdded(
                recipients=(Recipient(reader.id, "you follow it"),),
                said="Hush",
                project_id=project.id,
                reference=project.reference,
                title=project.title,
            )
        )
    with transaction() as session:
        session.get_one(type(project), project.id).confidential = True
    with clock.moved_to(THURSDAY + timedelta(days=1)):
        assert send_digests() == 1
    assert set(rows(reader)) == {"CommentAdded"}, "nothing was left to tell"


def test_a_digest_waits_for_a_working_day(factory: Factory, noon: None) -> None:
    unit = factory.unit("Acme")
    reader = factory.person("Rea", unit=unit)
    wishes.choose(reader.id, Wishes({"moves": DIGEST}))
    tell(factory, reader)
    friday = (THURSDAY + timedelta(days=1)).date()
    calendars.close(unit.id, first=friday, last=friday, why="Party", by=reader.id)
    with clock.moved_to(THURSDAY + timedelta(days=1)):
        assert send_digests() == 0
    with clock.moved_to(THURSDAY + timedelta(days=4)):
        assert send_digests() == 1


@pytest.mark.parametrize(
    ("weekday", "hour", "zone", "expected"),
    [
        (wishes.EVERY_DAY, 8, "UTC", "2026-12-04T08:00:00+00:00"),
        (wishes.EVERY_DAY, 17, "UTC", "2026-12-03T17:00:00+00:00"),
        (0, 9, "Europe/Berlin", "2026-12-07T09:00:00+01:00"),
        (3, 10, "UTC", "2026-12-10T10:00:00+00:00"),
        (6, 0, "Asia/Tokyo", "2026-12-06T00:00:00+09:00"),
    ],
)
def test_the_next_digest(weekday: int, hour: int, zone: str, expected: str, noon: None) -> None:
    assert wishes.next_digest(ZoneInfo(zone), weekday, hour).isoformat() == expected


def test_what_is_asked_can_wait_but_never_be_silenced(reader: Person, factory: Factory) -> None:
    browser = factory.browser(reader)
    assert browser.post("/account/mail", data={"asked": NEVER}).status_code == 422
    assert browser.post("/account/mail", data={"talk": "louder"}).status_code == 422
    assert browser.post("/account/mail", data={"hour": "99"}).status_code == 422
    assert browser.post("/account/mail", data={"weekday": "soon"}).status_code == 422
    assert wishes.of(reader.id) == Wishes({})
    sent = {"asked": DIGEST, "talk": NEVER, "moves": NOW, "weekday": "0", "hour": "7"}
    assert browser.post("/account/mail", data=sent).status_code == 303
    assert wishes.of(reader.id) == Wishes({"asked": DIGEST, "talk": NEVER}, 0, 7)
    assert browser.post("/account/mail", data=sent | {"talk": NOW}).status_code == 303
    assert wishes.of(reader.id).how == {"asked": DIGEST}


def test_reminders_and_what_guards_an_account_always_come_at_once() -> None:
    asked = [kind for kind in wishes.KINDS if kind.id == "asked"]
    assert [wishes.choices(one.id) for one in asked] == [(NOW, DIGEST)]
    due = events.SignoffDue(
        project_id=1, reference="OKR-1", title="T", gate="G", ask="A", due="2026-12-04"
    )
    assert wishes.kind_of(due, asked=True) == ""
    assert wishes.kind_of(replace(due, overdue=True), asked=False) == ""
    for guard in (events.ResetAsked, events.EmailChanged, events.RolesChanged, events.AlertRaised):
        assert guard not in {event for kind in wishes.KINDS for event in kind.events}


def test_my_mail_is_found_from_my_account(app: Flask, factory: Factory, reader: Person) -> None:
    browser: FlaskClient = factory.browser(reader)
    assert 'href="/account/mail"' in browser.get("/account").text
    page = browser.get("/account/mail").text
    assert page.count('type="radio"') == 2 + 3 * (len(wishes.KINDS) - 1)
