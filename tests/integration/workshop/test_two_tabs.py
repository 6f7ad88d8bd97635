"""Two pages on one draft: what is stored is never lost without being shown."""

import re

import pytest
from flask.testing import FlaskClient

from tests.factories import SHIPPED, Factory

EDIT = "/rules/okr_delivery/edit"
TEXT = SHIPPED.read_text(encoding="utf-8")
MINE = TEXT.replace("label: Backlog", "label: Waiting list")
THEIRS = TEXT.replace("label: Backlog", "label: Queue")


@pytest.fixture
def ada(factory: Factory) -> FlaskClient:
    factory.rulebook()
    return factory.browser(factory.person("Ada", admin=True))


def seen(page: str) -> str:
    found = re.search(r'name="seen"[^>]*value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def typed(text: str, seen: str, **more: str) -> dict[str, str]:
    return {"based_on": "1", "text": text, "note": "A note.", "seen": seen} | more


def test_the_later_tab_is_shown_both_texts(ada: FlaskClient) -> None:
    first = seen(ada.get(EDIT).text)
    assert ada.post(EDIT, data=typed(THEIRS, first, act="keep")).status_code == 303
    for asked in ({"act": "keep"}, {"act": "publish"}, {"go": EDIT}):
        answer = ada.post(EDIT, data=typed(MINE, first, **asked))
        assert answer.status_code == 409
        assert "Your draft was changed elsewhere" in answer.text
        assert "Queue" in answer.text
        assert "label: Waiting list" in answer.text
    assert "label: Queue" in ada.get(EDIT).text
    instead = seen(answer.text)
    assert ada.post(EDIT, data=typed(MINE, instead, act="keep")).status_code == 303
    assert "label: Waiting list" in ada.get(EDIT).text


def test_a_late_tab_does_not_publish_over_a_newer_draft(ada: FlaskClient) -> None:
    first = seen(ada.get(EDIT).text)
    ada.post(EDIT, data=typed(THEIRS, first, act="keep"))
    answer = ada.post("/rules/okr_delivery/publish", data=typed(MINE, first))
    assert answer.status_code == 409
    assert "label: Queue" in ada.get(EDIT).text


def test_going_to_another_page_keeps_what_was_typed(ada: FlaskClient) -> None:
    page = ada.get(EDIT).text
    answer = ada.post(EDIT, data=typed(MINE, seen(page), go="/rules/okr_delivery/edit"))
    assert answer.status_code == 303
    assert "label: Waiting list" in ada.get(EDIT).text


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com", "/admin", ""])
def test_going_leads_only_to_pages_of_this_draft(ada: FlaskClient, elsewhere: str) -> None:
    answer = ada.post(EDIT, data=typed(MINE, seen(ada.get(EDIT).text), go=elsewhere))
    assert answer.status_code == 303
    assert answer.location == EDIT


def test_going_without_a_change_makes_no_draft(ada: FlaskClient) -> None:
    page = ada.get(EDIT).text
    ada.post(EDIT, data=typed(TEXT, seen(page), note="", go=EDIT))
    assert "This is your draft" not in ada.get(EDIT).text
