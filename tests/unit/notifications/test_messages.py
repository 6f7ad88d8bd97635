"""Whole mails: text, HTML, headers and the invitation. An application without a database."""

from collections.abc import Iterator

import pytest
from flask import Flask

from okrgate import clock, events
from okrgate.app import create_app
from okrgate.notifications import messages, snapshots
from tests.conftest import settings_for
from tests.unit.notifications.samples import sample

KINDS = sorted(snapshots.kinds().values(), key=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(settings_for("sqlite://", tmp_path_factory.mktemp("words")))


@pytest.fixture
def app(built: Flask) -> Iterator[Flask]:
    with built.app_context():
        yield built


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_becomes_a_whole_mail(app: Flask, kind: type[events.Event]) -> None:
    reader = messages.Reader(1, "Anna <b>", "anna@example.com", clock.company_zone())
    for asked in (True, False):
        event = sample(kind, asked=asked)

        mail = messages.compose(event, reader, message_id="<1@example.com>")

        text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
        for body in (text, html):
            assert "http://localhost/projects/7" in body
            assert body.count("http://localhost/projects/7") == 1
            assert "What happens next" in body
            assert "You lead this project." in body
            assert "{{" not in body
            assert "{%" not in body
        assert "Anna &lt;b&gt;" in html
        assert "\n\n\n" not in text


def test_an_invitation_carries_a_calendar_file(app: Flask) -> None:
    reader = messages.Reader(1, "Anna", "anna@example.com", clock.company_zone())

    mail = messages.compose(sample(events.KickoffInvited), reader, message_id="<1@example.com>")

    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert b"DTSTART:20311204T130000Z" in (attached.get_payload(decode=True) or b"")


def test_what_people_typed_cannot_run_nor_add_headers(app: Flask) -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: all@example.com"
    reader = messages.Reader(1, hostile, "anna@example.com", clock.company_zone())

    mail = messages.compose(
        sample(events.StatusPosted, title=hostile, note=hostile),
        reader,
        message_id="<1@example.com>",
    )

    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script" not in html
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example/", "/\\evil", "javascript:x"]
)
def test_a_link_never_leaves_our_site(app: Flask, path: str) -> None:
    settings = app.extensions["okrgate.settings"]

    assert messages.link(sample(events.StatusPosted, path=path), settings) == "http://localhost/"


@pytest.mark.parametrize("kind", [events.EmailChangeAsked, events.EmailChanged])
def test_news_about_an_address_go_to_that_address(app: Flask, kind: type[events.Event]) -> None:
    reader = messages.Reader(1, "Anna", "anna@example.com", clock.company_zone())

    mail = messages.compose(sample(kind, address="other@example.com"), reader, message_id="<1@x>")

    assert mail["To"] == "Anna <other@example.com>"


def test_every_secret_link_is_known_as_one() -> None:
    secret = {kind.__name__ for kind in KINDS if snapshots.has_secret(kind.__name__)}

    assert secret == {"PersonInvited", "ResetAsked", "EmailChangeAsked"}
