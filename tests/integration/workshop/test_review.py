"""A draft is reviewed and published without anybody seeing the file."""

from pathlib import Path

import pytest

from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.drafts import Draft
from tests.browsing import Person
from tests.factories import Factory
from tests.integration.workshop.small import HARDER, KEY, SOFTER, TEXT, hurry

REVIEW = f"/rules/{KEY}/review"


@pytest.fixture
def ada(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    hurry(monkeypatch)
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT, encoding="utf-8")
    factory.rulebook(path)
    return Person(factory.browser(factory.person("Ada", admin=True)), "Ada")


def keep(text: str, note: str = "") -> None:
    """Keep a draft of Ada, who is the first person there."""
    drafts.keep(KEY, Draft(text, note, 1), by=1)


def test_without_a_draft_it_says_how_to_begin(ada: Person) -> None:
    assert "Nothing to publish yet" in ada.open(REVIEW)


def test_a_draft_is_read_in_words_and_published(ada: Person) -> None:
    keep(HARDER)

    shown = ada.open(REVIEW)
    assert "The draft is sound" in shown
    assert "Stricter" in shown
    assert "Say what changes and why" in ada.send({"note": ""}, press="Publish…", status=422)
    sure = ada.send({"note": "People write too little."}, press="Publish…")
    assert "Publish version 2?" in sure
    ada.send({}, press="Publish as version 2")
    assert service.newest(KEY).text == HARDER
    assert service.newest(KEY).note == "People write too little."


def test_the_impact_is_shown_and_the_note_is_kept(ada: Person) -> None:
    keep(HARDER)
    ada.open(REVIEW)

    shown = ada.send({"note": "Half a thought"}, press="See the impact")

    assert "What it would do to projects" in shown
    assert "0 open projects under the new text" in shown
    assert drafts.begin(KEY, by=1).note == "Half a thought"


def test_errors_keep_it_from_being_published(ada: Person) -> None:
    keep(TEXT.replace("gte: 10}", "gte: much}"))

    shown = ada.open(REVIEW)
    assert "To mend first" in shown
    assert f"/rules/{KEY}/edit?line=" in shown
    refused = ada.send({"note": "Anyway"}, press="Publish…", status=422)
    assert "Nothing was published" in refused
    assert "Anyway" in refused
    assert service.newest(KEY).number == 1


def test_a_text_that_is_no_file_at_all_is_shown_kindly(ada: Person) -> None:
    keep("stages: [")

    assert "To mend first" in ada.open(REVIEW)
    assert "To mend first" in ada.send({"note": "x"}, press="See the impact", status=422)


def test_a_draft_changed_in_another_tab_is_not_published_unread(ada: Person) -> None:
    keep(HARDER)
    ada.open(REVIEW)
    keep(SOFTER)

    refused = ada.send({"note": "People write too little."}, press="Publish…", status=409)

    assert "changed elsewhere" in refused
    assert "People write too little." in refused
    assert "Looser" in refused
    assert service.newest(KEY).number == 1


def test_it_can_be_thrown_away(ada: Person) -> None:
    keep(HARDER)
    ada.open(REVIEW)

    ada.send({}, press="Throw the draft away")

    assert drafts.begin(KEY, by=1).changed_at is None
