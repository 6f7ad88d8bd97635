"""The inbox, the dead letters and the demo's caught mail."""

import smtplib
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate import events
from okrgate.database import db, transaction
from okrgate.notifications import catcher, service, views
from okrgate.notifications.models import DEAD, INBOX, MAIL, OutboxRow
from tests.factories import Factory
from tests.machine import PATIENCE, free_port
from tests.unit.notifications.samples import sample


def tell(*people: int, times: int = 1, kind: type[events.Event] = events.RolesChanged) -> None:
    for number in range(times):
        with transaction():
            events.publish(sample(kind, *people, by_id=None, by=f"Vera {number}"))


def rows(channel: str) -> list[OutboxRow]:
    db.session().rollback()
    query = select(OutboxRow).where(OutboxRow.channel == channel).order_by(OutboxRow.id)
    return list(db.session().scalars(query))


def test_the_inbox_shows_news_and_marks_them_read(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna")
    tell(anna.id, times=2)
    browser = factory.browser(anna)
    first, second = rows(INBOX)

    page = browser.get("/inbox").text
    answer = browser.post(f"/inbox/{first.id}/read")

    assert "Your roles have changed" in page
    assert answer.status_code == 303
    assert [row.read_at is None for row in rows(INBOX)] == [False, True]
    assert second.id


def test_looking_at_the_inbox_marks_nothing(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna")
    tell(anna.id)
    browser = factory.browser(anna)

    browser.get("/inbox")

    assert rows(INBOX)[0].read_at is None


def test_nobody_marks_anothers_news(app: Flask, factory: Factory) -> None:
    anna, ben = factory.person("Anna"), factory.person("Ben")
    tell(anna.id)
    browser = factory.browser(ben)

    answer = browser.post(f"/inbox/{rows(INBOX)[0].id}/read")

    assert answer.status_code == 404
    assert rows(INBOX)[0].read_at is None


def test_marking_all_leaves_what_came_after_the_page(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna").id
    tell(anna, times=3)
    seen = rows(INBOX)[1].id

    count = service.mark_all_read(by=anna, up_to=seen)

    assert count == 2
    assert [row.read_at is None for row in rows(INBOX)] == [False, False, True]


def test_the_inbox_goes_on_from_page_to_page(app: Flask, factory: Factory) -> None:
    anna = factory.person("Anna").id
    tell(anna, times=service.PAGE + 5)

    first = service.inbox(anna)
    second = service.inbox(anna, before=first[service.PAGE - 1].id)

    assert (len(first), len(second)) == (service.PAGE + 1, 5)


def test_the_badge_counts_to_a_hundred(app: Flask, factory: Factory) -> None:
    anna, ben = factory.person("Anna").id, factory.person("Ben").id
    with transaction():
        for number in range(120):
            events.publish(
                sample(events.RolesChanged, anna, by_id=None, by=str(number), channels=("inbox",))
            )

    counts = [db.session.scalar(views.badge(person)) for person in (anna, ben)]
    assert counts == [100, 0]


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "٣"])
def test_a_strange_page_number_is_ignored(app: Flask, factory: Factory, before: str) -> None:
    browser = factory.browser(factory.person("Anna"))

    assert browser.get("/inbox", query_string={"before": before}).status_code == 200


def test_an_admin_sends_a_dead_letter_again(app: Flask, factory: Factory) -> None:
    admin = factory.person("Ada", admin=True)
    tell(factory.person("Anna").id)
    letter = rows(MAIL)[0].id
    with transaction() as session:
        row = session.get_one(OutboxRow, letter)
        row.status, row.attempts, row.last_error = DEAD, 10, "The mail server said 554: no"
    browser = factory.browser(admin)

    page = browser.get("/admin/dead-letters").text
    answer = browser.post(f"/admin/dead-letters/{letter}/send-again")

    assert "The mail server said 554" in page
    assert answer.status_code == 303
    assert (rows(MAIL)[0].status, rows(MAIL)[0].attempts) == ("waiting", 0)


def test_dead_letters_are_for_admins(app: Flask, factory: Factory) -> None:
    browser = factory.browser(factory.person("Anna"))

    assert browser.get("/admin/dead-letters").status_code == 403


def test_caught_mail_exists_only_in_the_demo(app: Flask, factory: Factory) -> None:
    browser = factory.browser(factory.person("Anna"))

    assert browser.get("/demo/mail").status_code == 404


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_caught_mail_is_kept_and_shown_as_text(app: Flask, factory: Factory) -> None:
    settings = app.extensions["okrgate.settings"]
    app.extensions["okrgate.settings"] = replace(settings, demo=True)
    port = free_port()
    controller = catcher.start(settings.data_dir, host="127.0.0.1", port=port)
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            client.sendmail(
                "a@example.com",
                ["b@example.com"],
                "Subject: <b>Hi</b>\r\nTo: b@example.com\r\n\r\n<script>x</script> http://localhost/projects/7\r\n",
            )
    finally:
        controller.stop()
    browser = factory.browser(factory.person("Anna"))

    (mail,) = catcher.listed(settings.data_dir)
    listed = browser.get("/demo/mail").text
    shown = browser.get(f"/demo/mail/{mail.name}").text

    assert "&lt;b&gt;Hi&lt;/b&gt;" in listed
    assert "&lt;script&gt;x" in shown
    assert 'href="/projects/7"' in shown


@pytest.mark.parametrize("name", ["..%2F..%2Fsecret", "x", "20310101T000000000000-zzzzzzzz"])
def test_only_caught_mail_is_read_by_name(app: Flask, factory: Factory, name: str) -> None:
    settings = app.extensions["okrgate.settings"]
    app.extensions["okrgate.settings"] = replace(settings, demo=True)
    browser = factory.browser(factory.person("Anna"))

    assert browser.get(f"/demo/mail/{name}").status_code == 404
