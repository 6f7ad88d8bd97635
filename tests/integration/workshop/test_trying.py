"""Trying a draft, recording what came out, and the tests it carries: nothing about a project is stored or shown."""

import re
from functools import lru_cache
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.gates.checks import run_tests
from okrgate.gates.language import load_rulebook, read_rulebook
from okrgate.gates.model import EmbeddedTest
from okrgate.projects.plan_models import Scope
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.workshop.rows import process_draft
from okrgate.workshop.trials import recording, testing, trying
from tests.factories import SHIPPED, Factory

TRY = "/rules/okr_delivery/try"
TESTS = "/rules/okr_delivery/tests"
SHIPPED_TEXT = SHIPPED.read_text(encoding="utf-8")
# With few of its tests, so that it is read quickly.
TEXT = (
    SHIPPED_TEXT[: SHIPPED_TEXT.index("\ntests:\n")]
    + """
tests:
  - {name: no metric, transition: submit_idea, fixture: planned, set: {metrics: []}, expect: {missing: [four-bands]}}
  - name: both sign
    transition: approve_plan
    fixture: planned
    set: {scope.budget: $big_budget + 1, signoffs: [{role: managing_director, by: u-md, decision: approved}, {role: vice_president, by: u-vp, decision: approved}]}
    expect: {allowed: true}
  - {name: a session, transition: begin_work, fixture: planned, expect: {allowed: true}}
  - {name: one person is no session, transition: begin_work, fixture: planned, set: {kickoff.attendees: 1}, expect: {allowed: false, missing: [people-came]}}
"""
)


_read_once = lru_cache(maxsize=64)(read_rulebook)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in this process, and read each text once: one of its own finds the same and takes a second to begin."""
    for module in (trying, recording, testing, process_draft):
        monkeypatch.setattr(module, "in_child", lambda work, given, _seconds: work(given))
    for reader in (trying, recording, testing):
        monkeypatch.setattr(reader, "read_rulebook", _read_once)


@pytest.fixture
def admin(factory: Factory) -> Person:
    factory.rulebook()
    ada = factory.person("Ada", admin=True)
    keep(TEXT, ada)
    return ada


@pytest.fixture
def ada(factory: Factory, admin: Person) -> FlaskClient:
    return factory.browser(admin)


def fields(page: str) -> dict[str, str]:
    """Return what the form of facts would send."""
    form = page[page.index('class="try-layout"') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[unescape(name[1])] = unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)"\s+selected', options)
        first = re.search(r'value="([^"]*)"', options)
        found[name] = unescape((chosen or first)[1]) if first else ""
    found.pop("csrf_token", None)
    return found


def shown(client: FlaskClient, query: str) -> dict[str, str]:
    answer = client.get(f"{TRY}?{query}")
    assert answer.status_code == 200
    return fields(answer.get_data(as_text=True))


def keep(text: str, by: Person) -> None:
    drafts.keep("okr_delivery", Draft(text, "", 1), by=by.id)


def draft_of(by: Person) -> str:
    db.session.rollback()
    return drafts.begin("okr_delivery", by=by.id).text


def recorded(by: Person, name: str) -> EmbeddedTest:
    return next(one for one in load_rulebook(draft_of(by)).tests if one.name == name)


def test_an_example_fills_only_what_the_gate_reads(ada: FlaskClient) -> None:
    typed = shown(ada, "move=ask_approval&from=fixture:planned")

    assert typed["fact-scope.budget"] == "50000.00"
    assert typed["fact-scope.start"] == "2027-02-01"
    assert typed["list-metrics-0-confirmed"] == "true"
    assert typed["list-raci-rows"] == "1"
    assert "fact-problem.length" not in typed


def test_without_anything_asked_it_shows_the_first_move_at_the_first_example(
    ada: FlaskClient, admin: Person
) -> None:
    drafts.discard("okr_delivery", by=admin.id)
    page = ada.get(TRY).get_data(as_text=True)

    assert "“Send for review” is allowed" in page
    assert "Your draft is the version that binds" in page


def test_a_gate_leads_to_its_move(ada: FlaskClient) -> None:
    page = ada.get(f"{TRY}?gate=kickoff_held").get_data(as_text=True)

    assert "“Begin the work” is allowed" in page
    link = "/rules/okr_delivery/try?gate=kickoff_held"
    assert link in ada.get("/rules/okr_delivery/rows").get_data(as_text=True)


def test_a_changed_value_is_judged_with_needed_and_actual(ada: FlaskClient) -> None:
    typed = shown(ada, "move=begin_work&from=fixture:planned")

    page = ada.post(TRY, data=typed | {"act": "try", "fact-kickoff.attendees": "1"})

    said = " ".join(re.sub(r"<[^>]*>", " ", page.get_data(as_text=True)).split())
    assert page.status_code == 200
    assert "“Begin the work” is refused" in said
    assert "needs at least 2 people; has 1 people" in said


def test_a_failing_item_is_named(ada: FlaskClient) -> None:
    typed = shown(ada, "move=ask_approval&from=fixture:planned")

    page = ada.post(TRY, data=typed | {"act": "try", "list-metrics-0-confirmed": "false"})

    assert "At fault: Churn." in page.get_data(as_text=True)


def test_what_cannot_be_taken_is_named_and_kept(ada: FlaskClient) -> None:
    typed = shown(ada, "move=ask_approval&from=fixture:planned")
    wrong = {"fact-scope.budget": "a lot", "fact-scope.start": "soon", "day": "2027-99-99"}

    answer = ada.post(TRY, data=typed | wrong | {"act": "try"})
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert "Enter a number, with a point for decimals: 1250.50." in page
    assert all(f'value="{value}"' in page for value in wrong.values())
    assert "Enter a date, for example 2026-12-04." in page


@pytest.mark.parametrize("bad", ["-1", "1e99999999", "nan", "1.234"])
def test_no_number_breaks_it(ada: FlaskClient, bad: str) -> None:
    typed = shown(ada, "move=ask_approval&from=fixture:planned")

    answer = ada.post(TRY, data=typed | {"act": "try", "fact-scope.budget": bad})

    assert answer.status_code == 422
    assert f'value="{bad}"' in answer.get_data(as_text=True)


def test_rows_come_and_go_and_keep_what_was_typed(ada: FlaskClient) -> None:
    typed = shown(ada, "move=approve_plan&from=fixture:planned")

    more = ada.post(TRY, data=typed | {"add_row": "signoffs"})
    with_row = fields(more.get_data(as_text=True)) | {"signoffs-0-by": "u-md"}
    two = fields(ada.post(TRY, data=with_row | {"add_row": "signoffs"}).get_data(as_text=True))
    one = fields(ada.post(TRY, data=two | {"remove_row": "signoffs-1"}).get_data(as_text=True))

    assert more.status_code == 200
    assert (two["signoffs-0-by"], two["signoffs-1-by"]) == ("u-md", "")
    assert (one["signoffs-rows"], one["signoffs-0-by"]) == ("1", "u-md")
    assert "“Approve” is allowed" in ada.post(TRY, data=one | {"act": "try"}).get_data(as_text=True)


def test_a_row_that_is_not_there_takes_nothing_away(ada: FlaskClient) -> None:
    typed = shown(ada, "move=ask_approval&from=fixture:planned")

    for wanted in ("list-raci-7", "list-raci--1", "nothing", "-", "list-raci-" + "9" * 30):
        left = fields(ada.post(TRY, data=typed | {"remove_row": wanted}).get_data(as_text=True))
        assert left["list-raci-0-activity"] == "Whole project"


def test_what_binds_is_said_beside_a_draft_that_differs(ada: FlaskClient, admin: Person) -> None:
    keep(TEXT.replace("kickoff.attendees, gte: 2", "kickoff.attendees, gte: 4"), admin)

    page = ada.get(f"{TRY}?move=begin_work&from=fixture:planned").get_data(as_text=True)

    said = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "“Begin the work” is refused" in said
    assert "Version 1, which binds, allows it." in said
    assert "By version 1, which binds: met." in said


def test_a_try_becomes_a_test_that_says_only_what_differs(ada: FlaskClient, admin: Person) -> None:
    typed = shown(ada, "move=ask_approval&from=fixture:planned")
    changed = {
        "fact-scope.budget": "",
        "fact-scope.people": "0",
        "list-metrics-0-confirmed": "false",
    }

    answer = ada.post(TRY, data=typed | changed | {"act": "record", "name": "no money, nobody"})

    assert answer.status_code == 303
    test = recorded(admin, "no money, nobody")
    assert test.fixture == "planned"
    assert (test.changes.values, test.unset) == ({"scope.people": 0}, ("scope.budget",))
    assert list(test.changes.collections) == ["metrics"]
    assert test.expect.allowed is False
    assert set(test.expect.missing or ()) == {"budget-known", "people-counted", "metrics-confirmed"}
    assert test.expect.items == {"metrics-confirmed": ("Churn",)}
    assert draft_of(admin).startswith(TEXT.rstrip("\n"))
    assert "no money, nobody" in ada.get(TESTS).get_data(as_text=True)


@pytest.mark.parametrize(
    ("move", "begin", "changed"),
    [
        ("submit_idea", "empty:", {}),
        ("accept_idea", "fixture:planned", {"fact-review.fits": "no"}),
        ("approve_plan", "test:both sign", {"signoffs-1-stale": "true", "signoffs-0-on_behalf_of": "u-x"}),
        ("ask_approval", "fixture:planned", {"list-raci-rows": "0", "list-raci-unknown": "1"}),
        ("ask_approval", "fixture:planned", {"list-metrics-0-name": 'A, "b": {c} #d'}),
        ("ask_approval", "fixture:planned",
         {"list-metrics-0-confirmed": "false", "waivers-rows": "1", "waivers-0-requirement": "metrics-confirmed",
          "waivers-0-role": "managing_director", "waivers-0-by": "u-md"}),
        ("begin_work", "fixture:planned", {"day": "2026-01-01"}),
    ],
)  # fmt: skip
def test_whatever_is_recorded_passes_at_once(
    ada: FlaskClient, admin: Person, move: str, begin: str, changed: dict[str, str]
) -> None:
    page = ada.get(TRY, query_string={"move": move, "from": begin}).get_data(as_text=True)
    name = 'It\'s: a "test" # of {this}'

    answer = ada.post(TRY, data=fields(page) | changed | {"act": "record", "name": name})

    assert answer.status_code == 303, answer.get_data(as_text=True)
    rulebook = load_rulebook(draft_of(admin))
    assert rulebook.tests[-1].name == name
    assert [one.faults for one in run_tests(rulebook)][-1] == ()


@pytest.mark.parametrize(
    ("typed_budget", "written"),
    [("50000.01", "$big_budget + 0.01"), ("49999.00", "$big_budget - 1"), ("50000.02", "50000.02")],
)
def test_a_value_beside_a_limit_is_written_by_it(
    ada: FlaskClient, admin: Person, typed_budget: str, written: str
) -> None:
    typed = shown(ada, "move=approve_plan&from=fixture:planned")

    ada.post(TRY, data=typed | {"fact-scope.budget": typed_budget, "act": "record", "name": "near"})

    text = draft_of(admin)
    assert f"set: {{scope.budget: {written}}}" in text[text.index("name: near") :]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "both sign"])
def test_a_test_needs_a_name_of_its_own(ada: FlaskClient, admin: Person, name: str) -> None:
    typed = shown(ada, "move=approve_plan&from=fixture:planned")

    answer = ada.post(TRY, data=typed | {"act": "record", "name": name, "fact-scope.budget": "7"})

    assert answer.status_code == 422
    assert 'value="7"' in answer.get_data(as_text=True)
    assert draft_of(admin) == TEXT


def test_a_draft_with_errors_says_so(ada: FlaskClient, admin: Person) -> None:
    keep(TEXT.replace("kickoff.attendees", "kickoff.attendes"), admin)

    for path in (TRY, TESTS):
        page = ada.get(path).get_data(as_text=True)
        assert "did you mean kickoff.attendees?" in page
        assert re.search(r"/rules/okr_delivery/edit\?line=\d+", page)
    assert (
        ada.post(TRY, data={"move": "begin_work", "act": "record", "name": "x"}).status_code == 422
    )


def test_a_confidential_project_is_not_to_be_had(ada: FlaskClient, factory: Factory) -> None:
    sue = factory.person("Sue")
    secret = factory.project("Buy the competitor", submitter=sue, stage="plan_work")
    draft = factory.project("Half an idea", submitter=sue, draft=True)
    open_one = factory.project("A new shelf", submitter=sue, stage="plan_work")
    with transaction():
        secret.confidential = True

    page = ada.get(f"{TRY}?move=ask_approval").get_data(as_text=True)
    searched = ada.get(f"{TRY}?move=ask_approval&q=competitor").get_data(as_text=True)

    assert open_one.reference in page
    for hidden in (secret, draft):
        assert hidden.reference not in page
        assert hidden.title not in page + searched
        assert (
            ada.get(f"{TRY}?move=ask_approval&from=project:{hidden.reference}").status_code == 404
        )
    assert ada.get(f"{TRY}?move=ask_approval&from=project:OKR-999999").status_code == 404


def test_nothing_of_a_project_is_stored_and_a_test_names_nobody(
    ada: FlaskClient, admin: Person, factory: Factory
) -> None:
    unit = factory.unit("Hidden Valley Works")
    sue, lea = factory.person("Sue Submitter"), factory.person("Lea Leader")
    project = factory.project("Rescue the Otters", submitter=sue, unit=unit, lead=lea)
    before = db.session.scalar(select(func.count()).select_from(Entry))
    typed = shown(ada, f"move=submit_idea&from=project:{project.reference}")

    tried = ada.post(TRY, data=typed | {"act": "try"})

    db.session.rollback()
    assert tried.status_code == 200
    assert db.session.scalar(select(func.count()).select_from(Entry)) == before
    assert typed["fact-project.home_unit"] == "Hidden Valley Works"
    assert ada.post(TRY, data=typed | {"act": "record", "name": "as it stands"}).status_code == 303
    text = draft_of(admin)
    fresh = text[text.index("fixtures:") :]
    for name in ("Hidden Valley", "Sue", "Lea", "Otters", project.reference):
        assert name not in fresh
    assert recorded(admin, "as it stands").fixture == "as_it_stands"


def test_money_of_a_project_is_for_those_involved(ada: FlaskClient, factory: Factory) -> None:
    sue = factory.person("Sue")
    project = factory.project(submitter=sue, stage="plan_work")
    with transaction() as session:
        session.add(Scope(project_id=project.id, budget_minor=1234500, currency="EUR"))
    address = f"{TRY}?move=ask_approval&from=project:{project.reference}"

    page = ada.get(address).get_data(as_text=True)

    assert "12345" not in page
    assert "Not taken over from" in page


def test_the_tests_are_shown_with_what_they_leave_open(ada: FlaskClient) -> None:
    page = unescape(ada.get(TESTS).get_data(as_text=True))

    said = "“People at the kick-off: at least 2 people” said “at least 3 people”"
    assert f"If {said}, no test would fail." in page
    link = re.findall(r'href="([^"]*given=[^"]*)"', page[page.index(said) :])[0]
    assert parse_qs(urlsplit(link).query)["move"] == ["begin_work"]
    there = ada.get(link).get_data(as_text=True)
    assert fields(there)["fact-kickoff.attendees"] == "2"
    assert "“Begin the work” is allowed" in there


def test_a_test_is_taken_away(ada: FlaskClient, admin: Person) -> None:
    page = ada.get(TESTS).get_data(as_text=True)
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    assert seen is not None

    first = ada.post(TESTS, data={"seen": seen[1], "name": "both sign"})
    late = ada.post(TESTS, data={"seen": seen[1], "name": "no metric"})

    assert (first.status_code, late.status_code) == (303, 409)
    names = [one.name for one in load_rulebook(draft_of(admin)).tests]
    assert "both sign" not in names
    assert "no metric" in names


def test_a_test_that_is_not_there_cannot_be_taken_away(ada: FlaskClient, admin: Person) -> None:
    page = ada.get(TESTS).get_data(as_text=True)
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    assert seen is not None

    answer = ada.post(TESTS, data={"seen": seen[1], "name": "no such test"})

    assert answer.status_code == 422
    assert draft_of(admin) == TEXT


@pytest.mark.parametrize("given", ["{", "[]", '{"facts": {"no.such": 1}}', '{"today": "x"}', "x" * 21_000, '{"facts": {"scope.budget": {}}}'])  # fmt: skip
def test_a_link_that_says_nothing_is_no_error(ada: FlaskClient, given: str) -> None:
    answer = ada.get(TRY, query_string={"move": "ask_approval", "given": given})

    assert answer.status_code == 200
    assert "This cannot be judged" in answer.get_data(as_text=True)


def test_others_are_not_let_in(ada: FlaskClient, factory: Factory) -> None:
    pat = factory.browser(factory.person("Pat"))

    assert [pat.get(path).status_code for path in (TRY, TESTS)] == [403, 403]
    assert [pat.post(path).status_code for path in (TRY, TESTS)] == [403, 403]
