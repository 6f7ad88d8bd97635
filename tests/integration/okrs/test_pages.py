from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate.accounts.models import OrgUnit, Person
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.okrs import service
from okrgate.projects.models import Project
from okrgate.projects.plan_models import KeyResultLink
from tests.counting import statements
from tests.factories import Factory
from tests.integration.okrs.conftest import Set

OBJECTIVE = {
    "title": "Customers stay",
    "key_result": "Churn from 6 to 3",
    "measure": "%",
    "baseline": "6",
    "target": "3",
}


def actions() -> list[str]:
    return list(db.session().scalars(select(Entry.action).order_by(Entry.seq)))


def browser_of(factory: Factory, person: int) -> FlaskClient:
    return factory.browser(db.session().get_one(Person, person))


def test_signed_out_people_see_nothing(client: FlaskClient, churn: Set) -> None:
    for path in ("/okrs", f"/okrs/{churn.objective}", "/okrs/new", "/okrs/periods/new"):
        assert client.get(path).status_code in {302, 303, 401}


def test_only_administrators_add_periods(factory: Factory) -> None:
    typed = {"label": "Q1", "kind": "quarter", "starts_on": "2027-01-01", "ends_on": "2027-03-31"}

    assert (
        factory.browser(factory.person()).post("/okrs/periods/new", data=typed).status_code == 403
    )
    browser = factory.browser(factory.person(admin=True))
    assert browser.post("/okrs/periods/new", data=typed).status_code == 303
    again = browser.post("/okrs/periods/new", data=typed)
    assert again.status_code == 422
    assert "There is a period of this name already." in again.text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("ends_on", "2026-12-31", "It must end after it starts."),
        ("ends_on", "yesterday", "Enter a date, for example"),
        ("starts_on", "0001-01-01", "Enter a date between"),
        ("starts_on", "", "Enter the first day."),
        ("label", "  ", "Enter a name."),
        ("kind", "century", "Choose a length."),
    ],
)
def test_a_bad_period_comes_back(factory: Factory, field: str, value: str, sentence: str) -> None:
    typed = {"label": "Q1", "kind": "quarter", "starts_on": "2027-01-01", "ends_on": "2027-03-31"}

    page = factory.browser(factory.person(admin=True)).post(
        "/okrs/periods/new", data=typed | {field: value}
    )

    assert page.status_code == 422
    assert sentence in page.text


def test_anybody_sets_an_objective_for_any_unit_and_owns_it(factory: Factory, churn: Set) -> None:
    region = factory.unit("EMEA", db.session().get_one(OrgUnit, churn.unit), "region").id
    person = factory.person("Rita Region")
    name = person.id

    sent = factory.browser(person).post(
        "/okrs/new", data=OBJECTIVE | {"unit": region, "period": churn.period}
    )

    assert sent.status_code == 303
    line = service.page_of(period_id=churn.period)[0]
    assert (line.level, line.unit, line.owner_id) == ("region", "EMEA", name)
    assert actions()[-2:] == ["okrs.objective_added", "okrs.key_result_added"]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "", "Enter a title."),
        ("title", "x" * 201, "at most 200 characters"),
        ("unit", "", "Choose a unit."),
        ("unit", "abc", "Choose from the list."),
        ("unit", "999999", "Choose from the list."),
        ("period", "9" * 30, "Choose from the list."),
        ("baseline", "", "Enter a number."),
        ("baseline", "six", "Enter a number between"),
        ("baseline", "NaN", "Enter a number between"),
        ("target", "1e400", "Enter a number between"),
        ("target", "Infinity", "Enter a number between"),
        ("target", "99999999999999999999", "Enter a number between"),
        ("target", "3.0000001", "Use at most 6 decimals."),
        ("target", "6.0", "The target must differ from the baseline."),
    ],
)
def test_a_bad_objective_comes_back_and_nothing_is_stored(
    factory: Factory, churn: Set, field: str, value: str, sentence: str
) -> None:
    before = actions()
    typed: dict[str, Any] = OBJECTIVE | {"unit": churn.unit, "period": churn.period, field: value}

    page = factory.browser(factory.person()).post("/okrs/new", data=typed)

    assert page.status_code == 422
    assert sentence in page.text
    db.session().rollback()
    assert actions() == before


def test_an_objective_shows_progress_and_who_contributes(
    factory: Factory, churn: Set, owner: Person
) -> None:
    service.check_in(churn.key_result, Decimal("4.5"), "Halfway", by=owner.id, confidence=70)
    project = factory.project("Renewals in one step", submitter=factory.person())
    link(project, churn.key_result, "Half a point")

    page = factory.browser(factory.person()).get(f"/okrs/{churn.objective}")

    assert page.status_code == 200
    for words in ("50\N{NO-BREAK SPACE}%", "70\N{NO-BREAK SPACE}%", "Halfway", "Olga Owner", "H2 2026", "Half a point"):  # fmt: skip
        assert words in page.text.replace("&nbsp;", "\N{NO-BREAK SPACE}")
    assert f'href="/projects/{project.reference}"' in page.text
    assert "/edit" not in page.text


def test_a_draft_does_not_show_beside_a_key_result(factory: Factory, churn: Set) -> None:
    writer = factory.person("Dora Draft")
    project = factory.project("Secret plan", submitter=writer, draft=True)
    link(project, churn.key_result, "")
    mine = factory.browser(db.session().get_one(Person, writer.id))

    assert (
        "Secret plan" not in factory.browser(factory.person()).get(f"/okrs/{churn.objective}").text
    )
    assert "Secret plan" in mine.get(f"/okrs/{churn.objective}").text


def test_a_key_result_without_data_says_so(factory: Factory, churn: Set) -> None:
    page = factory.browser(factory.person()).get(f"/okrs/{churn.objective}")

    assert "from 0 of 1 key results" in page.text
    assert "No data" in page.text
    assert "Pending" in page.text
    assert "Nobody has checked in yet" in page.text


def test_check_ins_stand_newest_first_a_page_at_a_time(
    factory: Factory, churn: Set, owner: Person
) -> None:
    for number in range(33):
        service.check_in(churn.key_result, Decimal(number), f"note {number:02}", by=churn.owner)
    browser = factory.browser(factory.person())

    first = browser.get(f"/okrs/{churn.objective}").text

    assert first.index("note 32") < first.index("note 31")
    assert "note 03" in first
    assert "note 02" not in first
    before = first.split("?before=")[1].split('"')[0]
    second = browser.get(f"/okrs/{churn.objective}?before={before}").text
    assert "note 02" in second
    assert "note 03" not in second


def test_the_owner_checks_in(factory: Factory, churn: Set) -> None:
    browser = browser_of(factory, churn.owner)
    path = f"/okrs/key-results/{churn.key_result}"

    assert browser.get(path).status_code == 200
    sent = browser.post(path, data={"value": "4", "confidence": "60", "note": "Better"})

    assert (sent.status_code, sent.location) == (303, f"/okrs/{churn.objective}")
    line = service.describe([churn.key_result])[churn.key_result]
    assert (line.current, line.confidence) == (Decimal(4), 60)
    assert actions()[-1] == "okrs.checked_in"


def test_the_same_check_in_sent_twice_counts_once(factory: Factory, churn: Set) -> None:
    browser = browser_of(factory, churn.owner)
    before = actions()

    for _ in range(2):
        browser.post(f"/okrs/key-results/{churn.key_result}", data={"value": "4"})

    assert len(actions()) == len(before) + 1


@pytest.mark.parametrize(
    "typed",
    [
        {"value": "a lot"},
        {"value": ""},
        {"value": "4", "confidence": "101"},
        {"value": "4", "confidence": "0.7"},
        {"value": "4", "note": "x" * 2001},
        {},
    ],
)
def test_a_bad_check_in_comes_back(factory: Factory, churn: Set, typed: dict[str, str]) -> None:
    page = browser_of(factory, churn.owner).post(
        f"/okrs/key-results/{churn.key_result}", data=typed
    )

    assert page.status_code == 422
    assert service.describe([churn.key_result])[churn.key_result].current is None


def test_nobody_else_checks_in_or_changes_but_an_administrator(
    factory: Factory, churn: Set
) -> None:
    paths = (
        f"/okrs/key-results/{churn.key_result}",
        f"/okrs/key-results/{churn.key_result}/edit",
        f"/okrs/{churn.objective}/edit",
        f"/okrs/{churn.objective}/key-results/new",
    )
    stranger = factory.browser(factory.person())
    admin = factory.browser(factory.person(admin=True))

    for path in paths:
        assert stranger.get(path).status_code == 403
        assert stranger.post(path, data={"value": "4"}).status_code == 403
        assert admin.get(path).status_code == 200


@pytest.mark.parametrize("number", ["0", "99", "2147483648", "9" * 40, "-1", "x"])
def test_what_is_none_is_not_found(factory: Factory, number: str) -> None:
    browser = factory.browser(factory.person(admin=True))

    for path in (f"/okrs/{number}", f"/okrs/{number}/edit", f"/okrs/key-results/{number}"):
        assert browser.get(path).status_code == 404


def test_the_owner_changes_an_objective_and_hands_it_over(factory: Factory, churn: Set) -> None:
    heir = factory.person("Hera Heir").id
    browser = browser_of(factory, churn.owner)
    path = f"/okrs/{churn.objective}/edit"
    typed = {
        "title": "Customers love us",
        "unit": churn.unit,
        "period": churn.period,
        "owner": heir,
    }

    assert 'value="Customers stay"' in browser.get(path).text
    sent = browser.post(path, data=typed)

    assert sent.status_code == 303
    entry = db.session().scalars(select(Entry).order_by(Entry.seq.desc())).first()
    assert entry is not None
    assert entry.details == {
        "title": ["Customers stay", "Customers love us"],
        "owner_id": [churn.owner, heir],
    }
    assert browser.get(path).status_code == 403


def test_saving_what_is_there_already_leaves_no_trace(factory: Factory, churn: Set) -> None:
    before = actions()

    sent = browser_of(factory, churn.owner).post(
        f"/okrs/key-results/{churn.key_result}/edit",
        data={
            "key_result": "Churn from 6 to 3",
            "measure": "%",
            "baseline": "6.0",
            "target": "3",
            "weight": "1",
        },
    )

    assert sent.status_code == 303
    assert actions() == before


def test_a_key_result_is_changed_with_a_record(factory: Factory, churn: Set) -> None:
    browser = browser_of(factory, churn.owner)
    path = f"/okrs/key-results/{churn.key_result}/edit"
    typed = {"key_result": "Churn to 2", "baseline": "6", "target": "2", "weight": "3"}

    assert browser.post(path, data=typed | {"target": "6"}).status_code == 422
    assert browser.post(path, data=typed | {"weight": "0"}).status_code == 422
    assert browser.post(path, data=typed).status_code == 303
    entry = db.session().scalars(select(Entry).order_by(Entry.seq.desc())).first()
    assert entry is not None
    assert entry.details["target"] == ["3", "2"]
    assert entry.details["weight"] == [1, 3]


def test_a_second_key_result_weighs_in(factory: Factory, churn: Set) -> None:
    typed = {"key_result": "Renewals", "baseline": "60", "target": "80", "weight": "3"}

    sent = browser_of(factory, churn.owner).post(
        f"/okrs/{churn.objective}/key-results/new", data=typed
    )

    assert sent.status_code == 303
    first, second = service.lines_of(churn.objective)
    service.check_in(first.id, Decimal(3), "", by=churn.owner)
    service.check_in(second.id, Decimal(60), "", by=churn.owner)
    page = factory.browser(factory.person()).get(f"/okrs/{churn.objective}").text
    assert "25&nbsp;%" in page
    assert "from 2 of 2 key results" in page


def test_key_results_do_not_pile_up_for_ever(factory: Factory, churn: Set) -> None:
    for number in range(service.MOST_KEY_RESULTS - 1):
        goal = service.Goal(f"Result {number}", Decimal(0), Decimal(1))
        service.add_goal(churn.objective, goal, by=churn.owner)

    page = browser_of(factory, churn.owner).post(
        f"/okrs/{churn.objective}/key-results/new",
        data={"key_result": "One more", "baseline": "1", "target": "2", "weight": "1"},
    )

    assert page.status_code == 422
    assert "at most 20 key results" in page.text


def test_the_list_is_filtered_by_unit_and_those_below_and_by_period(
    factory: Factory, churn: Set
) -> None:
    top = db.session().get_one(OrgUnit, churn.unit)
    region = factory.unit("EMEA", top, "region").id
    team = factory.unit("Web", db.session().get_one(OrgUnit, region), "team").id
    other = factory.unit("Elsewhere").id
    year = service.add_period("2027", "year", date(2027, 1, 1), date(2027, 12, 31), by=churn.owner)
    goal = service.Goal("Web result", Decimal(0), Decimal(1))
    service.begin("Web goal", period_id=year.id, unit_id=team, goal=goal, by=churn.owner)
    browser, wanted = factory.browser(factory.person()), year.id

    assert "Web result" in browser.get(f"/okrs?unit={region}").text
    assert "Churn from 6" not in browser.get(f"/okrs?unit={region}").text
    assert "Churn from 6" in browser.get(f"/okrs?unit={churn.unit}").text
    assert "No key results here" in browser.get(f"/okrs?unit={other}").text
    assert "Churn from 6" not in browser.get(f"/okrs?period={wanted}").text
    assert "No key results here" in browser.get(f"/okrs?period={churn.period}&unit={team}").text


@pytest.mark.parametrize("typed", ["x", "-1", "9" * 40, "2147483648", "²"])
def test_odd_filters_do_no_harm(factory: Factory, churn: Set, typed: str) -> None:
    browser = factory.browser(factory.person())

    assert browser.get(f"/okrs?unit={typed}&period={typed}&before={typed}").status_code == 200
    assert browser.get(f"/okrs/{churn.objective}?before={typed}").status_code == 200


def test_an_empty_list_says_what_to_do(factory: Factory) -> None:
    assert (
        "An administrator adds the first one" in factory.browser(factory.person()).get("/okrs").text
    )
    assert "Begin with a period" in factory.browser(factory.person(admin=True)).get("/okrs").text


def test_pages_ask_little_whatever_there_is(app: Flask, factory: Factory, churn: Set) -> None:
    for number in range(15):
        goal = service.Goal(f"Result {number}", Decimal(0), Decimal(1))
        made = service.add_goal(churn.objective, goal, by=churn.owner).id
        service.check_in(made, Decimal("0.5"), "", by=churn.owner)
        link(factory.project(f"Project {number}", submitter=factory.person()), made, "")
    browser = factory.browser(factory.person())

    for path in ("/okrs", f"/okrs/{churn.objective}"):
        with statements() as seen:
            assert browser.get(path).status_code == 200
        assert len([one for one in seen if one.lstrip().startswith("SELECT")]) <= 12


def link(project: Project, key_result: int, contribution: str) -> None:
    with transaction() as session:
        session.add(
            KeyResultLink(
                project_id=project.id,
                position=0,
                key_result_id=key_result,
                contribution=contribution,
            )
        )
