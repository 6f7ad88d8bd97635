"""Projects come in from a page: found out, mapped, tried, taken over; and a file in another guise is known again."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.imports import proposing, running, runs
from okrgate.imports.detecting import detect, read
from okrgate.imports.models import ImportFile
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from tests.factories import Factory
from tests.integration.imports.portfolio import write

COLUMNS = {
    "project_number": "key",
    "project_name": "title",
    "description_aims": "problem.problem.problem",
    "start_date": "scope.time.start",
    "end_date": "scope.time.end",
    "wlc_baseline_incl_NCG": "scope.money.budget",
}


@pytest.fixture(autouse=True)
def _january() -> Iterator[None]:
    with clock.moved_to(datetime(2027, 1, 4, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def admin(factory: Factory) -> Person:
    factory.rulebook()
    return factory.person("Ada", admin=True, unit=factory.unit("Northwind"))


@pytest.fixture
def browser(factory: Factory, admin: Person) -> FlaskClient:
    return factory.browser(admin)


def bring(browser: FlaskClient, content: bytes, name: str = "portfolio.csv") -> int:
    answer = browser.post("/admin/imports", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 303, answer.text
    return int(answer.location.rsplit("/", 1)[1])


def choices(
    header: list[str], admin: Person, columns: dict[str, str] = COLUMNS, **more: Any
) -> dict[str, Any]:
    named = {name: place for place, name in enumerate(header)}
    return {
        "name": "portfolio",
        "process": "okr_delivery",
        "unit": str(admin.unit_id),
        "dates": "%Y-%m-%d",
        "factor": "1000000",
        "decimal": ".",
        "empty": "Exempt\nEarly planning\nThe project is not in a position",
        "fixed-field-0": "scope.money.currency",
        "fixed-value-0": "GBP",
        "stage_none": "ranked_backlog",
        "stage_future": "plan_work",
        "stage_running": "in_execution",
        "stage_past": "measuring",
        "stage_start": str(named[_of(columns, "scope.time.start")] + 1),
        "stage_end": str(named[_of(columns, "scope.time.end")] + 1),
        **{f"column-{named[name]}": target for name, target in columns.items()},
    } | more


def _of(columns: dict[str, str], target: str) -> str:
    return next(name for name, one in columns.items() if one == target)


def header_of(content: bytes) -> list[str]:
    return content.split(b"\r\n")[0].decode().split(";")


def try_rows(browser: FlaskClient, file_id: int, said: dict[str, Any]) -> ImportFile:
    answer = browser.post(f"/admin/imports/{file_id}", data=said | seen(file_id))
    assert answer.status_code == 303, answer.text
    running.work()
    db.session.rollback()
    return runs.get(file_id)


def seen(file_id: int) -> dict[str, str]:
    """Return what a page that is opened now would send along."""
    return {"stamp": stamp(file_id)}


def take_over(browser: FlaskClient, file_id: int, which: str = "good") -> ImportFile:
    answer = browser.post(
        f"/admin/imports/{file_id}/run",
        data={"reason": "Moving here", "which": which} | seen(file_id),
    )
    assert answer.status_code == 303, answer.text
    running.work()
    db.session.rollback()
    return runs.get(file_id)


def ask_adopt(file_id: int, admin: Person) -> None:
    runs.ask_adopt(
        file_id, reason="Moving here", all_or_nothing=False, seen=stamp(file_id), by=admin.id
    )


def stamp(file_id: int) -> str:
    return runs.stamp(runs.get(file_id))


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Project)) or 0


def test_a_file_comes_in_as_the_command_would_take_it(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    tried = try_rows(browser, file_id, choices(header_of(content), admin))
    assert (tried.state, tried.adopted, tried.refused_rows, count()) == ("checked", 5, 7, 0)
    page = browser.get(f"/admin/imports/{file_id}/run").text
    assert "“2026-02-31” is not a date" in page
    assert "start_date" in page
    taken = take_over(browser, file_id)
    assert (taken.state, taken.adopted, taken.known, taken.refused_rows) == ("done", 5, 0, 7)
    project = db.session.scalars(select(Project).where(Project.title == "Harbour Renewal")).one()
    scope = db.session.scalars(select(Scope).where(Scope.project_id == project.id)).one()
    assert (scope.budget_minor, scope.currency, scope.starts_on) == (
        123_400_000_000,
        "GBP",
        date(2027, 2, 1),
    )
    assert (project.stage, project.adopted) == ("plan_work", True)


def test_trying_writes_no_project_and_taking_needs_a_reason(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    try_rows(browser, file_id, choices(header_of(content), admin))
    answer = browser.post(f"/admin/imports/{file_id}/run", data={"reason": " "} | seen(file_id))
    assert answer.status_code == 422
    assert count() == 0


def test_all_or_nothing_takes_nothing_while_a_row_is_refused(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    try_rows(browser, file_id, choices(header_of(content), admin))
    answer = browser.post(
        f"/admin/imports/{file_id}/run",
        data={"reason": "Moving here", "which": "all"} | seen(file_id),
    )
    assert answer.status_code == 422
    assert "nothing can" in answer.text
    assert count() == 0


def test_all_or_nothing_takes_none_when_a_row_fails_after_all(
    browser: FlaskClient, admin: Person, factory: Factory
) -> None:
    content = b"id;title;lead\r\nA;Quay;lea@example.com\r\nB;Bridge;lea@example.com"
    lea = factory.person("Lea")
    content = content.replace(b"lea@example.com", lea.email.encode())
    columns = {"id": "key", "title": "title", "lead": "people.parts.lead"}
    said = _plain_choices(admin, columns)
    file_id = bring(browser, content)
    tried = try_rows(browser, file_id, said)
    assert (tried.adopted, tried.refused_rows) == (2, 0)
    with transaction() as session:
        session.get_one(Person, lea.id).active = False
    taken = take_over(browser, file_id, which="all")
    assert taken.state == "stopped"
    assert "Nothing came in" in taken.problem
    assert count() == 0


def _plain_choices(admin: Person, columns: dict[str, str]) -> dict[str, Any]:
    return {
        "name": "plain",
        "process": "okr_delivery",
        "unit": str(admin.unit_id),
        "dates": "%Y-%m-%d",
        "factor": "1",
        "decimal": ".",
        "stage_none": "ranked_backlog",
        "stage_future": "plan_work",
        "stage_running": "in_execution",
        "stage_past": "measuring",
        **{f"column-{place}": target for place, target in enumerate(columns.values())},
    }


def _renamed(content: bytes) -> bytes:
    text = content.decode("cp1252")
    for name in COLUMNS:
        text = text.replace(name, name.title().replace("_", " ") + " (new)", 1)
    return text.encode("cp1252")


def _reordered(content: bytes) -> bytes:
    table = read(content, detect(content))
    rows = [table.header, *table.rows]
    return "\r\n".join(
        ";".join('"' + cell.replace('"', '""') + '"' for cell in reversed(row))
        for row in rows
        if len(row) == len(table.header)
    ).encode("cp1252")


def _with_commas(content: bytes) -> bytes:
    table = read(content, detect(content))
    rows = [table.header, *table.rows]
    return "\n".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows
    ).encode("utf-8-sig")


def _as_workbook(content: bytes) -> bytes:
    table = read(content, detect(content))
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (table.header, *table.rows):
        if len(row) == len(table.header):
            sheet.append([_cell(cell) for cell in row])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _cell(text: str) -> object:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


@pytest.mark.parametrize("guise", [_renamed, _reordered, _with_commas, _as_workbook])
def test_the_same_list_in_another_guise_is_proposed_as_it_was_read_before(
    browser: FlaskClient, admin: Person, tmp_path: Path, guise: Callable[[bytes], bytes]
) -> None:
    content = write(tmp_path).read_bytes()
    first = bring(browser, content)
    try_rows(browser, first, choices(header_of(content), admin))
    take_over(browser, first)
    second = bring(browser, guise(content), "again.dat")
    proposed = proposing.prepare(runs.get(second))
    said = _as_posted(proposed)
    tried = try_rows(browser, second, said)
    assert (tried.known, tried.adopted) == (5, 0)


def _as_posted(prepared: proposing.Prepared) -> dict[str, Any]:
    chosen = dict(prepared.choices)
    posted = {name: value for name, value in chosen.items() if isinstance(value, str)}
    posted["empty"] = "\n".join(chosen["empty"])
    for place, (field, value) in enumerate(chosen["fixed"]):
        posted |= {f"fixed-field-{place}": field, f"fixed-value-{place}": value}
    return posted | {f"column-{place}": one for place, one in enumerate(chosen["columns"])}


def test_what_is_missing_is_said_and_what_was_chosen_stays(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    said = choices(header_of(content), admin, name="", unit="") | {"column-1": ""}
    answer = browser.post(f"/admin/imports/{file_id}", data=said | seen(file_id))
    assert answer.status_code == 422
    assert "tells the projects apart" in answer.text
    assert "Give this list a name" in answer.text
    assert 'value="problem.problem.problem" selected' in answer.text


def test_what_is_too_long_is_refused_and_given_back_whole(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    long = {"name": "N" * 61, "empty": "E" * 201, "fixed-field-0": "problem.problem.affected"}
    said = choices(header_of(content), admin) | long | {"fixed-value-0": "V" * 201}
    answer = browser.post(f"/admin/imports/{file_id}", data=said | seen(file_id))
    assert answer.status_code == 422
    assert "The name of this list may have at most 60 characters." in answer.text
    assert "begins with has at most 200 characters." in answer.text
    assert "for every row: At most 200 characters." in answer.text
    assert all(text in answer.text for text in ("N" * 61, "E" * 201, "V" * 201))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"one column\r\nonly",
        b"\x00\x01\x02\x03" * 50,
        b"PK\x03\x04 not a workbook",
        b"a;b",
        b";" * 100_000 + b"\r\n" + b";" * 100_000,
        b"a;b\r\n" * 30_000,
    ],
)
def test_what_cannot_be_read_is_refused_in_words(browser: FlaskClient, content: bytes) -> None:
    answer = browser.post("/admin/imports", data={"file": (io.BytesIO(content), "x.csv")})
    if answer.status_code == 303:
        answer = browser.get(answer.location)
        assert answer.status_code == 200
    else:
        assert answer.status_code == 422
        assert "There is a problem" in answer.text


def test_a_sheet_as_wide_as_it_can_be_is_read_as_far_as_columns_are_offered() -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["id", "title"])
    sheet["XFD2"], sheet["A3"] = "far out", "1"
    file = io.BytesIO()
    book.save(file)
    table = read(file.getvalue(), detect(file.getvalue()))
    assert (table.header, table.rows) == (("id", "title"), (("1", ""),))


def test_a_files_name_keeps_only_what_can_be_shown(browser: FlaskClient) -> None:
    file_id = bring(browser, b"id;title\r\n1;Quay\r\n", name="a\x00b\x07\u202e<b>.csv")
    assert db.session.get_one(ImportFile, file_id).name == "ab<b>.csv"
    page = browser.get("/admin/imports").text
    assert "ab&lt;b&gt;.csv" in page
    assert "<b>.csv" not in page


def test_a_stopped_run_keeps_what_came_in_and_a_lost_one_is_taken_up(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    try_rows(browser, file_id, choices(header_of(content), admin))
    ask_adopt(file_id, admin)
    assert running._take(file_id)
    running.work()
    assert runs.get(file_id).state == "running"
    with clock.moved_to(clock.now() + running._CLAIM * 2):
        running.work()
    db.session.rollback()
    assert (runs.get(file_id).state, count()) == ("done", 5)


def test_a_stop_at_the_end_of_a_step_holds(
    browser: FlaskClient, admin: Person, tmp_path: Path
) -> None:
    content = write(tmp_path).read_bytes()
    file_id = bring(browser, content)
    try_rows(browser, file_id, choices(header_of(content), admin))
    ask_adopt(file_id, admin)
    run = running._take(file_id)
    assert run is not None
    runs.cancel(file_id, by=admin.id, seen=stamp(file_id))
    with pytest.raises(running._TakenAway):
        running._let_go(run)
    running.work()
    db.session.rollback()
    assert (runs.get(file_id).state, count()) == ("stopped", 0)


def test_only_administrators_bring_files_and_no_other_form_takes_one(
    factory: Factory, browser: FlaskClient
) -> None:
    other = factory.browser(factory.person("Pat"))
    assert other.get("/admin/imports").status_code in {403, 404}
    sent = {"file": (io.BytesIO(b"a;b\r\n1;2"), "x.csv"), "title": "Quay"}
    assert browser.post("/projects/new", data=sent).status_code == 422
