"""Administrators change the rules; nobody else does, and no text is lost."""

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate.database import db
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.models import RulebookDraft, RulebookVersion
from tests.factories import SHIPPED, Factory
from tests.integration.workshop.small import KEY, settle_on

EDIT = "/rules/okr_delivery/edit"
PUBLISH = "/rules/okr_delivery/publish"
TEXT = SHIPPED.read_text(encoding="utf-8")
CHANGED = TEXT.replace("label: Backlog", "label: Waiting list")


@pytest.fixture
def ada(factory: Factory) -> FlaskClient:
    factory.rulebook()
    return factory.browser(factory.person("Ada", admin=True))


def typed(text: str = CHANGED, note: str = "Say what it is.", **more: str) -> dict[str, str]:
    return {"based_on": "1", "text": text, "note": note} | more


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(RulebookVersion)) or 0


def test_only_administrators_edit(ada: FlaskClient, factory: Factory) -> None:
    pat = factory.browser(factory.person("Pat"))
    assert pat.get("/rules").status_code == 200
    assert "Edit" not in pat.get("/rules").get_data(as_text=True)
    assert pat.get(EDIT).status_code == 403
    for path in (EDIT, PUBLISH, "/rules/1/roll-back"):
        assert pat.post(path, data=typed(act="keep")).status_code == 403
    assert count() == 1


def test_the_editor_shows_what_binds(ada: FlaskClient) -> None:
    page = ada.get(EDIT).get_data(as_text=True)
    assert "id: okr_delivery" in page
    assert 'name="based_on" type="hidden" value="1"' in page


def test_a_check_names_line_and_column_and_keeps_the_text(ada: FlaskClient) -> None:
    wrong = TEXT.replace("initial: true", "initial: maybe")
    answer = ada.post(EDIT, data=typed(wrong, act="check"))
    page = answer.get_data(as_text=True)
    line = next(n for n, one in enumerate(TEXT.splitlines(), 1) if "initial: true" in one)
    assert answer.status_code == 422
    assert f'href="#line-{line}"' in page
    assert f'id="line-{line}"' in page
    assert "initial: maybe" in page
    assert "Say what it is." in page
    assert count() == 1


def test_a_sound_text_is_called_sound(ada: FlaskClient) -> None:
    answer = ada.post(EDIT, data=typed(act="check"))
    assert answer.status_code == 200
    assert "The text is sound" in answer.get_data(as_text=True)


def test_tests_are_shown_one_by_one(ada: FlaskClient) -> None:
    weak = TEXT.replace("problem.length, gte: $problem_min", "problem.length, gte: 1")
    page = ada.post(EDIT, data=typed(weak, act="test")).get_data(as_text=True)
    assert "Fail" in page
    assert "The move is refused" in page
    assert "expected missing" in page


def test_the_difference_says_added_and_taken_away(ada: FlaskClient) -> None:
    page = ada.post(EDIT, data=typed(act="compare")).get_data(as_text=True)
    assert "1 line added, 1 taken away" in page
    assert "label: Waiting list" in page


def test_a_draft_is_kept_and_binds_nobody(ada: FlaskClient, factory: Factory) -> None:
    assert ada.post(EDIT, data=typed("nothing sound", act="keep")).status_code == 303
    page = ada.get(EDIT).get_data(as_text=True)
    assert "nothing sound" in page
    assert "This is your draft" in page
    assert "You keep a draft" in ada.get("/rules").get_data(as_text=True)
    other = factory.browser(factory.person("Otto", admin=True))
    assert "nothing sound" not in other.get(EDIT).get_data(as_text=True)
    assert count() == 1
    assert ada.post(EDIT, data={"act": "discard"}).status_code == 303
    assert "nothing sound" not in ada.get(EDIT).get_data(as_text=True)


def test_publishing_is_confirmed_and_ends_the_draft(ada: FlaskClient, factory: Factory) -> None:
    factory.project()
    ada.post(EDIT, data=typed(act="keep"))
    page = ada.post(EDIT, data=typed(act="publish")).get_data(as_text=True)
    assert "Publish version 2?" in page
    assert "1 open project keeps version 1" in page
    assert count() == 1
    assert ada.post(PUBLISH, data=typed()).status_code == 303
    assert count() == 2
    assert db.session.scalar(select(func.count()).select_from(RulebookDraft)) == 0
    newest = service.binding()[0]
    assert (newest.number, newest.note) == (2, "Say what it is.")
    assert newest.text == CHANGED


def test_other_line_ends_are_no_change(ada: FlaskClient) -> None:
    answer = ada.post(PUBLISH, data=typed(TEXT.replace("\n", "\r\n")))
    assert answer.status_code == 409
    assert "already version 1" in answer.get_data(as_text=True)


def test_publishing_needs_a_note(ada: FlaskClient) -> None:
    for path in (EDIT, PUBLISH):
        answer = ada.post(path, data=typed(note=" ", act="publish"))
        assert answer.status_code == 422
        assert "Say what changes and why" in answer.get_data(as_text=True)
        assert "Waiting list" in answer.get_data(as_text=True)
    assert count() == 1


def test_two_administrators_do_not_overwrite_each_other(ada: FlaskClient, factory: Factory) -> None:
    person = factory.person("Otto", admin=True)
    settle_on(person, approvals=0)
    otto = factory.browser(person)
    theirs = TEXT.replace("label: Planning", "label: Plan it")
    assert otto.post(PUBLISH, data=typed(theirs, "Shorter.")).status_code == 303
    answer = ada.post(PUBLISH, data=typed())
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Otto published version 2" in page
    assert "Plan it" in page
    assert "Waiting list" in page
    assert count() == 2
    assert "Waiting list" in ada.get(EDIT).get_data(as_text=True)
    assert ada.post(PUBLISH, data=typed(based_on="2")).status_code == 303


def overtaken(ada: FlaskClient, factory: Factory, theirs: str) -> str:
    """Let Otto publish this before Ada; return the page that she gets."""
    person = factory.person("Otto", admin=True)
    settle_on(person, approvals=0)
    service.publish(theirs, by=person.id)
    return ada.post(PUBLISH, data=typed()).get_data(as_text=True)


def test_a_draft_is_brought_up_to_date(ada: FlaskClient, factory: Factory) -> None:
    page = overtaken(ada, factory, TEXT.replace("label: Planning", "label: Plan it"))
    assert "Bring my text up to date" in page
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    again = typed(act="merge", based_on="2", began="1", seen=seen[1])
    assert ada.post(EDIT, data=again | {"began": "9" * 30}).status_code in {303, 409}
    assert ada.post(EDIT, data=again).status_code == 303
    mine = ada.get(EDIT).get_data(as_text=True)
    assert "label: Plan it" in mine
    assert "label: Waiting list" in mine
    assert 'name="based_on" type="hidden" value="2"' in mine


def test_what_both_changed_stands_there_twice(ada: FlaskClient, factory: Factory) -> None:
    page = overtaken(ada, factory, TEXT.replace("label: Backlog", "label: Later perhaps"))
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    again = typed(act="merge", based_on="2", began="1", seen=seen[1])
    page = html.unescape(ada.post(EDIT, data=again).get_data(as_text=True))
    for part in (
        "<<<<<<< version 2, published by Otto",
        "Later perhaps",
        "=======",
        "Waiting list",
    ):
        assert part in page
    assert "both texts stand" in page
    unsolved = ada.post(EDIT, data=typed(drafts.begin(KEY, by=1).text, based_on="2", act="publish"))
    assert unsolved.status_code == 422
    assert count() == 2


def test_a_text_of_another_process_is_refused(ada: FlaskClient) -> None:
    answer = ada.post(PUBLISH, data=typed(TEXT.replace("id: okr_delivery", "id: another")))
    assert answer.status_code == 422
    assert "must stay okr_delivery" in answer.get_data(as_text=True)
    assert count() == 1


def test_rolling_back_publishes_the_old_text_again(ada: FlaskClient) -> None:
    ada.post(PUBLISH, data=typed())
    page = ada.get("/rules/1/roll-back").get_data(as_text=True)
    assert "as version 3" in page
    back = {"based_on": "2", "note": "It was clearer."}
    assert ada.post("/rules/1/roll-back", data=back | {"note": ""}).status_code == 422
    assert ada.post("/rules/1/roll-back", data=back | {"based_on": "1"}).status_code == 409
    assert ada.post("/rules/1/roll-back", data=back).status_code == 303
    newest = service.binding()[0]
    assert (newest.number, newest.text, newest.note) == (3, TEXT, "It was clearer.")
    assert ada.post("/rules/1/roll-back", data=back).status_code == 409


def bomb() -> str:
    lines = ['a0: &a0 ["x"]']
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "{",
        "- a\n- b",
        "!!python/object/apply:os.system ['true']",
        bomb(),
        "[" * 5000,
        "a: " * 3000,
        "x" * 262_145,
        "\n" * 20_000 + "ruleset: {id: okr_delivery}",
        "okrgate: 1\n\tstages: {}",
        "<script>alert(1)</script>",
    ],
)
def test_hostile_texts_are_answered_kindly(ada: FlaskClient, text: str) -> None:
    for act in ("check", "publish"):
        answer = ada.post(EDIT, data=typed(text, act=act))
        assert answer.status_code == 422
        assert "<script>alert" not in answer.get_data(as_text=True)
    assert ada.post(EDIT, data=typed(text, act="compare")).status_code in {200, 422}
    assert count() == 1


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"based_on": "x", "text": "a"},
        {"based_on": "-1", "text": "a", "act": "publish"},
        {"based_on": "9" * 30, "text": "a", "note": "b"},
        {"based_on": "7", "text": CHANGED, "note": "b", "act": "unknown"},
    ],
)
def test_forms_that_were_not_ours_break_nothing(ada: FlaskClient, form: dict[str, str]) -> None:
    for path in (EDIT, PUBLISH, "/rules/1/roll-back"):
        assert ada.post(path, data=form).status_code in {200, 404, 409, 422}
    assert ada.get("/rules/no_such/edit").status_code == 404
    assert ada.post("/rules/no_such/edit", data=typed()).status_code == 404
    assert count() == 1


def test_everybody_reads_the_rules_in_plain_words(ada: FlaskClient, factory: Factory) -> None:
    page = factory.browser(factory.person("Pat")).get("/rules/1").get_data(as_text=True)
    assert 'id="gate-idea_complete"' in page
    assert 'id="rule-problem-told"' in page
    assert "Length of the problem is at least 80 characters." in page
    assert "sign-off by" in page
