"""Somebody's first list: units by name, all that is wrong said at once and in their words, and what would come is shown."""

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import db
from okrgate.imports import proposing, runs
from okrgate.imports.offered import BOTH
from okrgate.projects.models import Project
from tests.factories import Factory
from tests.integration.imports.test_pages import (
    _january,
    _plain_choices,
    admin,
    bring,
    browser,
    seen,
    take_over,
    try_rows,
)

__all__ = ["_january", "admin", "browser"]

UNIT, LEAD = "people.home.home_unit", "people.parts.lead"
START, END = "scope.time.start", "scope.time.end"
NORTH = "Northwind › EMEA"  # noqa: RUF001 the arrow of a path


@pytest.fixture
def units(factory: Factory, admin: Person) -> dict[str, OrgUnit]:
    top = db.session.get_one(OrgUnit, admin.unit_id)
    emea, americas = factory.unit("EMEA", parent=top), factory.unit("Americas", parent=top)
    growth, care = factory.unit("Growth", parent=emea), factory.unit("Care", parent=americas)
    return {
        "growth": growth,
        "emea": emea,
        "care": care,
        "care of emea": factory.unit("Care", parent=emea),
        "research": factory.unit("R/D", parent=emea),
    }


def words_of(answer: TestResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def run_page(browser: FlaskClient, file_id: int) -> str:
    return words_of(browser.get(f"/admin/imports/{file_id}/run"))


def list_of(*rows: str, header: str = "id;title;unit") -> bytes:
    return "\r\n".join([header, *rows]).encode()


def said(admin: Person, *targets: str, **more: Any) -> dict[str, Any]:
    return _plain_choices(admin, {str(place): one for place, one in enumerate(targets)}) | more


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("Growth", "growth"),
        ("growth", "growth"),
        (f"{NORTH} › Growth", "growth"),  # noqa: RUF001
        ("northwind>emea >GROWTH", "growth"),
        ("Northwind / EMEA / Care", "care of emea"),
        ("R/D", "research"),
        ("Northwind > EMEA > R/D", "research"),
    ],
)
def test_a_unit_is_known_by_its_name_or_its_whole_path(
    browser: FlaskClient, admin: Person, units: dict[str, OrgUnit], cell: str, unit: str
) -> None:
    file_id = bring(browser, list_of(f"A;Quay;{cell}"))
    try_rows(browser, file_id, said(admin, "key", "title", UNIT, unit=""))
    assert take_over(browser, file_id).adopted == 1
    assert db.session.scalars(select(Project.home_unit_id)).all() == [units[unit].id]


def test_a_unit_that_is_none_is_quoted_beside_the_units_there_are(
    browser: FlaskClient, admin: Person, units: dict[str, OrgUnit]
) -> None:
    rows = ("A;Quay;Grwth", "B;Bridge;Care", f"C;Road;{units['growth'].id}")
    file_id = bring(browser, list_of(*rows, header="id;title;Where"))
    tried = try_rows(browser, file_id, said(admin, "key", "title", UNIT))
    assert (tried.adopted, tried.refused_rows) == (0, 3)
    page = run_page(browser, file_id)
    listed = f"Units: Northwind, Northwind › Americas, Northwind › Americas › Care, {NORTH}"  # noqa: RUF001
    assert f"2 Where → Unit “Grwth” is no unit here. {listed}" in page
    assert (
        f"“Care” may be more than one of these; write it in full: Northwind › Americas › Care, {NORTH} › Care."  # noqa: RUF001
        in page
    )
    assert f"“{units['growth'].id}” is no unit here." in page


def test_a_row_without_a_unit_gets_the_one_for_such_rows_or_is_refused(
    browser: FlaskClient, admin: Person, units: dict[str, OrgUnit]
) -> None:
    rows = ("A;Quay;Growth;no", "B;Bridge;;yes")
    content = list_of(*rows, header="id;title;unit;secret")
    targets = ("key", "title", UNIT, "people.home.confidential")
    file_id = bring(browser, content)
    tried = try_rows(browser, file_id, said(admin, *targets, unit=""))
    assert (tried.adopted, tried.refused_rows) == (1, 1)
    assert "The unit is empty, and no unit is chosen for rows without one." in run_page(
        browser, file_id
    )
    try_rows(browser, file_id, said(admin, *targets, unit=str(units["emea"].id)))
    assert take_over(browser, file_id).adopted == 2
    found = db.session.execute(
        select(Project.title, Project.home_unit_id, Project.confidential).order_by(Project.title)
    )
    assert [tuple(one) for one in found] == [
        ("Bridge", units["emea"].id, True),
        ("Quay", units["growth"].id, False),
    ]


def test_each_refusal_quotes_its_cell_and_says_how_it_is_written(
    browser: FlaskClient, admin: Person
) -> None:
    content = list_of("A;Quay;soon;much;Nobody", header="id;title;start;budget;lead")
    targets = ("key", "title", START, "scope.money.budget", LEAD)
    file_id = bring(browser, content)
    try_rows(browser, file_id, said(admin, *targets, dates="%d.%m.%Y"))
    page = run_page(browser, file_id)
    assert "“soon” is not a date written like 31.12.2026 or 2026-12-31." in page
    assert "“much” is not an amount such as 1,234.50." in page
    assert "There is nobody with the address “Nobody”." in page
    assert "%" not in page.partition("Why")[2]


def test_a_choice_that_is_none_is_quoted_beside_the_choices(
    browser: FlaskClient, admin: Person
) -> None:
    file_id = bring(browser, list_of("A;Quay;Sevenish;maybe", header="id;title;fit;secret"))
    targets = ("key", "title", "review.fit.technical", "people.home.confidential")
    try_rows(browser, file_id, said(admin, *targets))
    page = run_page(browser, file_id)
    assert re.search("“Sevenish” is none of the choices. Choices: [^,]+, [^.]+", page)
    assert "“maybe” is neither yes nor no." in page


def test_titles_may_tell_the_projects_apart(browser: FlaskClient, admin: Person) -> None:
    content = list_of("Quay;x", "Bridge;x", "Quay;y", header="Name;Note")
    file_id = bring(browser, content)
    assert "Without a number or a code, choose “Title, which also tells them apart”" in words_of(
        browser.get(f"/admin/imports/{file_id}")
    )
    try_rows(browser, file_id, said(admin, BOTH, ""))
    assert "“Quay” stands in row 2 already." in run_page(browser, file_id)
    assert take_over(browser, file_id).adopted == 2
    again = bring(browser, content)
    proposed = proposing.prepare(runs.get(again)).choices
    assert proposed["columns"] == [BOTH, ""]
    assert try_rows(browser, again, said(admin, BOTH, "")).known == 2


def test_all_that_is_wrong_in_the_choices_is_said_at_once(
    browser: FlaskClient, admin: Person
) -> None:
    file_id = bring(browser, list_of("Quay;x;y", header="a;b;c"))
    wrong = {
        "fixed-field-0": "scope.money.currency", "fixed-value-0": "Pebbles",
        "fixed-field-1": LEAD, "fixed-value-1": "nobody@example.com",
        "fixed-field-2": "", "fixed-value-2": "left over",
        "fixed-field-3": END, "fixed-value-3": "",
    }  # fmt: skip
    sent = said(admin, START, START, "", name="", unit="") | wrong | seen(file_id)
    answer = browser.post(f"/admin/imports/{file_id}", data=sent)
    assert answer.status_code == 422
    page = words_of(answer)
    for sentence in (
        "Say which column tells the projects apart",
        "Say which column is the title.",
        "Two columns fill the same field: “a” and “b”.",
        "Give this list a name",
        "Say to which unit the projects belong",
        "“Currency” for every row: “Pebbles” is none of the choices.",
        "“Lead” for every row: There is nobody with the address “nobody@example.com”.",
        "Say which field gets “left over” in every row.",
        "Say what “Planned end” is in every row",
    ):
        assert sentence in page
    assert 'value="left over"' in answer.text


def test_two_columns_do_not_both_tell_projects_apart(browser: FlaskClient, admin: Person) -> None:
    file_id = bring(browser, list_of("1;Quay;x"))
    sent = said(admin, "key", BOTH, "") | seen(file_id)
    answer = browser.post(f"/admin/imports/{file_id}", data=sent)
    assert "Two columns tell the projects apart: “id” and “title”. Keep one." in words_of(answer)


def test_what_would_come_in_is_shown(
    browser: FlaskClient, admin: Person, units: dict[str, OrgUnit]
) -> None:
    rows = [
        f"{number};Quay {number};Growth;{admin.email};2027-02-0{number};2027-03-01"
        for number in range(1, 8)
    ]
    rows.insert(1, "X;Refused;Nowhere;;;")
    file_id = bring(browser, list_of(*rows, header="id;title;unit;lead;from;to"))
    targets = ("key", "title", UNIT, LEAD, START, END)
    try_rows(browser, file_id, said(admin, *targets, stage_start="same", stage_end="same"))
    page = run_page(browser, file_id)
    table = page.partition("The first that would come in")[2].partition("Take them over")[0]
    growth = f"{NORTH} › Growth"  # noqa: RUF001
    assert f"Quay 1 Planning {growth} Ada 1 Feb 2027 1 Mar 2027 2" in table
    assert re.findall(r"Quay \d", table) == [f"Quay {number}" for number in range(1, 6)]
    assert "Refused" not in table
    assert db.session.scalars(select(Project.id)).all() == []
    take_over(browser, file_id)
    page = run_page(browser, file_id)
    assert "7 projects taken over" in page
    assert "Where the file named no lead, give the project one" in page
    assert "Reference" not in page


def test_the_column_that_fills_the_start_decides_the_stage_too(
    browser: FlaskClient, admin: Person
) -> None:
    content = list_of("1;Quay;12.01.2027;31.12.2027", header="id;title;start;end")
    file_id = bring(browser, content)
    page = words_of(browser.get(f"/admin/imports/{file_id}"))
    assert "The one that fills “Planned start”" in page
    assert "No column that names a stage or a phase can set it" in page
    proposed = proposing.prepare(runs.get(file_id)).choices
    assert (proposed["stage_start"], proposed["stage_end"]) == ("same", "same")
    assert proposed["dates"] == "%d.%m.%Y"
    more = {"dates": "%d.%m.%Y", "stage_start": "same", "stage_end": "same"}
    try_rows(browser, file_id, said(admin, "key", "title", START, END, **more))
    take_over(browser, file_id)
    assert db.session.scalars(select(Project.stage)).all() == ["plan_work"]


def test_the_words_of_a_date_are_found_wherever_they_stand(browser: FlaskClient) -> None:
    file_id = bring(browser, list_of("1;Quay;31.12.2026", header="id;title;Go live"))
    assert proposing.prepare(runs.get(file_id)).choices["dates"] == "%d.%m.%Y"


def test_a_column_named_unit_is_the_projects_own_unit(browser: FlaskClient) -> None:
    file_id = bring(browser, list_of("1;Quay;Growth", header="id;title;Unit"))
    assert proposing.prepare(runs.get(file_id)).choices["columns"] == ["key", "title", UNIT]
