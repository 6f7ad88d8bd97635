"""A published portfolio comes in through the map okrgate ships, once, and what cannot is told by row."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.imports.commands import import_projects
from okrgate.imports.mapping import BadMap, Map, load_map, map_of
from okrgate.imports.reading import read_table
from okrgate.imports.service import Report, adopt
from okrgate.notifications.models import OutboxRow
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from okrgate.projects.ticket_models import Problem
from tests.factories import SHIPPED, Factory
from tests.integration.imports.portfolio import ROWS, row, write

MAP = SHIPPED.parent / "maps" / "gmpp.yaml"
UNIT = "Government Major Projects"


@pytest.fixture(autouse=True)
def january() -> Iterator[None]:
    with clock.moved_to(datetime(2027, 1, 4, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def admin(factory: Factory) -> Person:
    factory.rulebook()
    return factory.person("Ada", admin=True, unit=factory.unit(UNIT))


def bring_in(path: Path, admin: Person) -> Result:
    arguments = [str(path), "--map", str(MAP), "--by", admin.email, "--reason", "Taken over"]
    return CliRunner().invoke(import_projects, arguments, obj=nullcontext)


def take(path: Path, admin: Person, mapping: Map | None = None) -> Report:
    mapping = mapping or load_map(MAP)
    table = read_table(path, encoding=mapping.encoding, delimiter=mapping.delimiter)
    return adopt(table, mapping, by=admin.id, reason="Taken over")


def adopted(key: str) -> Project:
    return db.session.scalars(select(Project).where(Project.source_key == f"gmpp:{key}")).one()


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Project)) or 0


def test_each_row_comes_in_or_is_refused_with_its_reason(admin: Person, tmp_path: Path) -> None:
    result = bring_in(write(tmp_path), admin)

    told = [line.removeprefix(f"{tmp_path}/portfolio.csv: ") for line in result.output.splitlines()]
    assert result.exit_code == 1
    assert told == [
        "row 7 in “start_date”: “2026-02-31” is not a date written like 2026-12-31.",
        "row 8 in “project_number”: “MOX_1” stands in row 2 already.",
        "row 9 in “start_date”: “soon” is not a date written like 2026-12-31.",
        "row 9 in “end_date”: “later” is not a date written like 2026-12-31.",
        "row 9 in “wlc_baseline_incl_NCG”: “£1,23” is not an amount such as 1,234.50.",
        "row 10: The row has 4 cells, the header 17.",
        "row 11 in “end_date”: It ends before it starts: “2026-05-01” comes before “2027-05-01”.",
        f"row 12 in “description_aims”: “{'x' * 59}…”: Use at most 10,000 characters.",
        "row 13 in “project_number”: The cell that tells the projects apart is empty.",
        "5 adopted, 0 known already, 7 refused",
    ]
    assert count() == 5


def test_a_second_run_brings_in_only_what_is_new(admin: Person, tmp_path: Path) -> None:
    bring_in(write(tmp_path), admin)
    again = bring_in(write(tmp_path), admin)
    more = bring_in(write(tmp_path, (*ROWS[:5], row("MOX_20", "New", "Something new."))), admin)

    assert again.output.endswith("0 adopted, 5 known already, 7 refused\n")
    assert more.output == "1 adopted, 5 known already, 0 refused\n"
    assert more.exit_code == 0
    assert count() == 6


def test_what_people_changed_since_is_left_alone(admin: Person, tmp_path: Path) -> None:
    take(write(tmp_path), admin)
    adopted("MOX_1").title = "Harbour Renewal, phase one"
    db.session.commit()

    take(write(tmp_path), admin)

    assert adopted("MOX_1").title == "Harbour Renewal, phase one"


def test_texts_keep_their_signs_and_lose_only_odd_line_ends(admin: Person, tmp_path: Path) -> None:
    take(write(tmp_path), admin)

    project = adopted("MOX_2")
    assert project.title == 'Rail \N{EN DASH} "Northern" Arc'
    assert db.session.get_one(Problem, project.id).problem == (
        "Trains run 2026\N{EN DASH}2028.\nThe fleet\N{RIGHT SINGLE QUOTATION MARK}s replacement; and its depots.\n£ are saved."
    )


@pytest.mark.parametrize(
    ("key", "start", "end", "minor"),
    [
        ("MOX_1", date(2027, 2, 1), date(2030, 1, 31), 1_234_000_000_00),
        ("MOX_2", date(2026, 3, 1), date(2028, 3, 1), 33_730_000_00),
        ("MOX_3", date(1997, 3, 17), date(2026, 12, 31), 0),
    ],
)
def test_dates_and_millions_of_pounds_are_exact(
    admin: Person, tmp_path: Path, key: str, start: date, end: date, minor: int
) -> None:
    take(write(tmp_path), admin)

    scope = db.session.get_one(Scope, adopted(key).id)
    assert (scope.starts_on, scope.ends_on) == (start, end)
    assert (scope.budget_minor, scope.currency) == (minor, "GBP")


@pytest.mark.parametrize("key", ["MOX_4", "MOX_5"])
def test_a_cell_that_says_why_it_is_empty_is_empty(admin: Person, tmp_path: Path, key: str) -> None:
    take(write(tmp_path), admin)

    scope = db.session.get_one(Scope, adopted(key).id)
    assert (scope.starts_on, scope.ends_on, scope.budget_minor) == (None, None, None)


def test_a_text_that_begins_like_an_empty_cell_is_kept(admin: Person, tmp_path: Path) -> None:
    take(write(tmp_path), admin)

    assert db.session.get_one(Problem, adopted("MOX_4").id).problem.startswith("Exempt under")


def test_the_stage_follows_from_the_dates(admin: Person, tmp_path: Path) -> None:
    take(write(tmp_path), admin)

    rule = load_map(MAP).stage
    assert [adopted(f"MOX_{number}").stage for number in range(1, 6)] == [
        rule.future,
        rule.running,
        rule.past,
        rule.none,
        rule.none,
    ]


def test_it_is_recorded_and_nobody_is_mailed(admin: Person, tmp_path: Path) -> None:
    take(write(tmp_path), admin)

    entries = db.session.scalars(select(Entry).where(Entry.action == "project.adopted")).all()
    assert [(one.actor_id, one.reason) for one in entries] == [(admin.id, "Taken over")] * 5
    assert all(adopted(f"MOX_{number}").adopted for number in range(1, 6))
    assert db.session.scalar(select(func.count()).select_from(OutboxRow)) == 0
    assert audit.verify()[1] == []


def test_every_page_says_that_nobody_signed(
    admin: Person, tmp_path: Path, factory: Factory
) -> None:
    take(write(tmp_path), admin)
    browser = factory.browser(admin)
    reference = adopted("MOX_2").reference

    assert "Adopted, not signed" in browser.get("/projects").text
    assert "not signed" in browser.get(f"/projects/{reference}").text


def test_only_an_administrator_known_here_takes_projects_over(
    admin: Person, tmp_path: Path, factory: Factory
) -> None:
    path, other = write(tmp_path), factory.person("Bo")

    assert "Only an administrator" in str(bring_in(path, other).exception)
    assert "nobody with the address" in bring_in(path, Person(email="gone@example.com")).output
    assert count() == 0


def changed(**changes: Any) -> Map:
    return replace(load_map(MAP), **changes)


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (changed(process="another"), "no process “another”"),
        (changed(unit="Elsewhere"), "no unit “Elsewhere”"),
        (changed(submitter="gone@example.com"), "nobody active"),
        (replace(load_map(MAP), stage=replace(load_map(MAP).stage, past="nowhere")), "no stage “nowhere”"),
    ],
    ids=["process", "unit", "submitter", "stage"],
)  # fmt: skip
def test_a_map_that_does_not_fit_this_company_changes_nothing(
    admin: Person, tmp_path: Path, mapping: Map, sentence: str
) -> None:
    with pytest.raises(BadMap, match=sentence):
        take(write(tmp_path), admin, mapping)

    assert count() == 0


def test_a_lead_is_known_by_address(admin: Person, tmp_path: Path) -> None:
    plain = load_map(MAP)
    lead = map_of(
        {
            "name": "x", "process": "x", "unit": "x", "key": "x", "title": "x",
            "fields": {"people.parts.lead": {"column": "department", "as": "person"}},
            "stage": dict.fromkeys(("future", "running", "past", "none"), "x"),
        }
    ).fields  # fmt: skip
    rows = (
        row("MOX_1", "Led", "Somebody does.").replace("MOX;", f"{admin.email};"),
        row("MOX_2", "Not led", "Nobody does."),
    )

    report = take(write(tmp_path, rows), admin, replace(plain, fields=(*plain.fields, *lead)))

    assert adopted("MOX_1").lead_id == admin.id
    assert [one.sentence for one in report.refused] == ["There is nobody with the address “MOX”."]
