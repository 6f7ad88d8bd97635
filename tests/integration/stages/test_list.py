"""The list of projects: what finds one, who sees it, how it goes on, and the file that it becomes."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.projects import search
from okrgate.projects.models import CoEditor, Project
from okrgate.projects.plan_models import Scope
from okrgate.projects.search_models import SearchWord
from okrgate.projects.ticket_models import Problem
from okrgate.stages import finding, listing, service
from okrgate.stages.finding import Query
from okrgate.stages.reading import Reader
from tests.factories import Factory


@pytest.fixture
def pat(factory: Factory) -> Person:
    return factory.person("Pat", unit=factory.unit("Acme"))


def tell(project: Project, problem: str, **values: Any) -> Project:
    """Give a project a problem and other values, and keep its words."""
    with transaction() as session:
        row = session.get_one(Project, project.id)
        for name, value in values.items():
            setattr(row, name, value)
        session.merge(Problem(project_id=project.id, problem=problem))
        session.flush()
        search.keep(project.id)
    return project


def found(text: str, person: Person, **more: Any) -> list[str]:
    lines = listing.page_of(Query(text=text, **more), Reader(person.id)).lines
    return [line.title for line in lines]


@pytest.mark.parametrize(
    "text",
    [
        *("renewals", "RENEW", "rene", "step one", "café", "CAFE"),
        *("Zurich", "crème brûl", "renewals cafe", "ﬁne", "日"),
    ],
)
def test_a_project_is_found_by_reference_title_and_problem(
    factory: Factory, pat: Person, text: str
) -> None:
    one = factory.project("Renewals in one step", submitter=pat)
    tell(one, "The Café in Zürich serves a fine Crème brûlée. 日本")
    tell(factory.project("Something else", submitter=pat), "Nothing alike")
    assert found(text, pat) == ["Renewals in one step"]


def test_a_project_is_found_by_its_reference(factory: Factory, pat: Person) -> None:
    one = tell(factory.project("Renewals", submitter=pat), "")
    tell(factory.project("Something else", submitter=pat), "")
    number = one.reference.removeprefix("OKR-").lstrip("0")
    for text in (one.reference, one.reference.lower(), f"okr {number}", number):
        assert found(text, pat) == ["Renewals"], text


@pytest.mark.parametrize("text", ["enewals", "nothing such", "renewals nothing", "!!!", "%", "_"])
def test_what_is_in_no_text_finds_nothing(factory: Factory, pat: Person, text: str) -> None:
    tell(factory.project("Renewals in one step", submitter=pat), "It takes long")
    assert found(text, pat) == []


def test_a_changed_text_is_found_by_its_new_words_alone(factory: Factory, pat: Person) -> None:
    one = factory.project("Renewals", submitter=pat)
    tell(one, "slow")
    tell(one, "dear", title="Refunds")
    assert found("refunds dear", pat) == ["Refunds"]
    assert found("renewals", pat) == found("slow", pat) == []


def test_a_project_begun_in_the_application_is_found_at_once(factory: Factory, pat: Person) -> None:
    version = factory.rulebook()
    service.start("Ünusual idea", version_id=version.id, home_unit_id=pat.unit_id, by=pat.id)
    assert found("unusual", pat) == ["Ünusual idea"]


def test_what_was_stored_without_words_is_caught_up_with(factory: Factory, pat: Person) -> None:
    one = factory.project("Renewals", submitter=pat)
    assert found("renewals", pat) == []
    assert (search.catch_up(), search.catch_up()) == (1, 0)
    assert found("renewals", pat) == ["Renewals"]
    with transaction() as session:
        session.get_one(Project, one.id).title = "Refunds"
    assert search.rebuild() == 1
    assert found("refunds", pat) == ["Refunds"]
    words = set(db.session.scalars(db.select(SearchWord.word)))
    search.rebuild()
    assert set(db.session.scalars(db.select(SearchWord.word))) == words


def test_drafts_and_confidential_projects_are_found_by_those_who_may_read_them(
    factory: Factory, pat: Person
) -> None:
    sue, ed, aud = factory.person("Sue"), factory.person("Ed"), factory.person("Aud")
    tell(factory.project("Open word", submitter=sue), "")
    draft = tell(factory.project("Draft word", submitter=sue, draft=True), "")
    tell(factory.project("Secret word", submitter=sue), "", confidential=True)
    with transaction() as session:
        session.add(CoEditor(project_id=draft.id, person_id=ed.id))
    assert set(found("word", pat)) == {"Open word"}
    assert set(found("word", sue)) == {"Open word", "Draft word", "Secret word"}
    assert set(found("word", ed)) == {"Open word", "Draft word"}
    seen = listing.page_of(Query(text="word"), Reader(aud.id, is_auditor=True)).lines
    assert {line.title for line in seen} == {"Open word", "Secret word"}


@pytest.mark.parametrize("many", [20_000, 2, 0])
def test_the_way_it_is_searched_changes_nothing(
    factory: Factory, pat: Person, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Whether a part begins or everything is walked, the same projects come in the same order."""
    if many:
        monkeypatch.setattr(finding, "_MANY", many)
    else:
        monkeypatch.setattr(finding, "_begin", lambda *_any: 0)
    for number in range(6):
        words = "common " + ("odd" if number % 2 else "even")
        tell(factory.project(f"P{number}", submitter=pat, unit=None), words)
    assert found("common", pat) == ["P5", "P4", "P3", "P2", "P1", "P0"]
    assert found("common odd", pat) == ["P5", "P3", "P1"]
    assert found("odd even", pat) == []
    assert found("comm od", pat, scope="mine", sort="title", descending=False) == ["P1", "P3", "P5"]
    assert found("common", pat, lead_id=pat.id) == []


@pytest.mark.parametrize("sort", ["changed", "days", "title", "reference"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_have_no_gap_and_nothing_twice_where_keys_are_equal(
    factory: Factory, pat: Person, sort: str, descending: bool
) -> None:
    now = clock.now()
    for number in range(17):
        one = factory.project(f"Same {number // 4}", submitter=pat)
        moment = now - timedelta(days=number // 5)
        tell(one, "same", changed_at=moment, stage_entered_at=moment)
    for text in ("", "same"):
        query = Query(text=text, sort=sort, descending=descending)
        whole = [line.id for line in listing.page_of(query, Reader(pat.id)).lines]
        pieces, after = [], ""
        for _ in range(9):
            page = listing.page_of(query, Reader(pat.id), after=after, limit=2)
            pieces += [line.id for line in page.lines]
            after = page.next or ""
        assert pieces == whole
        assert len(set(whole)) == 17
        assert not after


def test_filters_narrow_by_stage_state_unit_and_lead(factory: Factory) -> None:
    top = factory.unit("Acme")
    team = factory.unit("Team", parent=top, kind="team")
    lea = factory.person("Lea", unit=team)
    factory.project("Above", unit=top)
    factory.project("Led", unit=team, lead=lea, stage="plan_work")
    tell(factory.project("Over", unit=team), "", closed_at=clock.now())
    assert set(found("", lea)) == {"Above", "Led"}
    assert found("", lea, unit_id=team.id) == ["Led"]
    assert set(found("", lea, unit_id=top.id)) == {"Above", "Led"}
    assert found("", lea, scope="unit") == ["Led"]
    assert found("", lea, lead_id=lea.id) == found("", lea, stage="plan_work") == ["Led"]
    assert found("", lea, scope="mine") == ["Led"]
    assert found("", lea, state="ended") == ["Over"]
    assert found("", lea, unit_id=999) == []


_HOSTILE = (
    "\x00",
    "'",
    '"><script>',
    "%%%",
    "9" * 400,
    "-1",
    "2026-99-99T00~1",
    "~",
    "\ud7ff",
    "１",  # noqa: RUF001 a digit, but not one of ours
)


@pytest.mark.parametrize(
    "key",
    [
        *("q", "stage", "scope", "state", "unit", "lead", "process", "sort", "direction"),
        *("column", "view", "before"),
    ],
)
def test_no_address_breaks_the_list(factory: Factory, pat: Person, key: str) -> None:
    tell(factory.project("Renewals", submitter=pat), "x")
    client = factory.browser(pat)
    for place, value in enumerate((*_HOSTILE, "9999-12-31T23:59:59.999999+00:00~1", "Renewals~1")):
        said = {"sort": ("changed", "title")[place % 2], key: value}
        fine = 422 if "\0" in value else 200
        assert client.get("/projects", query_string=said).status_code == fine, said
    for value in ("%%%", "9" * 400):
        said = {key: value}
        for path in ("/projects/board", "/projects/views/new"):
            assert client.get(path, query_string=said).status_code == 200, path
        file = client.post("/projects/export", query_string=said, data={"format": value})
        assert file.status_code == 200
        file.get_data()


def test_headers_say_how_the_list_is_sorted(factory: Factory, pat: Person) -> None:
    factory.project("B", submitter=pat)
    factory.project("A", submitter=pat)
    client = factory.browser(pat)
    page = client.get("/projects?sort=title&column=updated&column=days").get_data(as_text=True)
    assert page.count("aria-sort") == 1
    assert re.search(r'aria-sort="ascending"[^<]*>\s*<a class="sort"[^>]*direction=desc', page)
    assert page.index("</span> A</a>") < page.index("</span> B</a>")


def test_money_is_shown_to_those_involved_alone(factory: Factory, pat: Person) -> None:
    sue = factory.person("Sue")
    one = factory.project("Dear", submitter=sue)
    with transaction() as session:
        session.add(Scope(project_id=one.id, budget_minor=123_456_00, currency="EUR"))
    path = "/projects?column=budget"
    assert "123,456.00" in factory.browser(sue).get(path).get_data(as_text=True)
    assert "123,456.00" not in factory.browser(pat).get(path).get_data(as_text=True)
    export = "/projects/export?column=budget"
    assert "123456.00" in rows_of(factory.browser(sue), export)[1]
    assert rows_of(factory.browser(pat), export)[1][2:] == ["", ""]


def test_the_file_says_what_the_list_says(factory: Factory, pat: Person) -> None:
    for number in range(60):
        title = f"=cmd|{number}" if number == 3 else f"Idea {number}"
        tell(factory.project(title, submitter=pat, draft=number == 5), "")
    other = factory.person("Other")
    client = factory.browser(other)
    shown, path = [], "/projects?column=stage&column=updated&sort=title"
    while path:
        page = client.get(path).get_data(as_text=True)
        shown += re.findall(r'<span class="muted">(OKR-\d+)</span>', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    export = "/projects/export?column=stage&column=updated&sort=title"
    header, *rows = rows_of(client, export)
    assert header == ["Reference", "Title", "Stage", "Updated"]
    assert [row[0] for row in rows] == shown
    assert len(shown) == 59
    assert "'=cmd|3" in {row[1] for row in rows}
    answer = client.post(export, data={"format": "xlsx"})
    sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in cells[1:]] == shown
    assert cells[1][3].year == clock.now().year  # type: ignore[union-attr]


def test_taking_the_list_away_is_recorded(factory: Factory, pat: Person) -> None:
    factory.browser(pat).post("/projects/export?scope=mine", data={"format": "csv"}).get_data()
    entry = db.session.scalars(db.select(Entry).where(Entry.action == "projects.exported")).one()
    assert entry.actor_id == pat.id
    assert entry.details["asked"]["scope"] == "mine"


def rows_of(client: FlaskClient, path: str) -> list[list[str]]:
    answer = client.post(path, data={"format": "csv"})
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
