"""A file comes in at a real browser: each of its pages is accessible, in both themes, and two people do not collide."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignedIn
from tests.browser.looks import problems_of
from tests.browser.people import watch

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

# The third row repeats a key, the fourth has no date where one is wanted: both are refused.
FILE = (
    "id;title;aims;start;end;cost\r\n"
    "P1;A quay;It is new;2027-02-01;2027-12-01;1000\r\n"
    "P2;A bridge;It is longer;2027-03-01;2027-12-01;2000\r\n"
    "P1;A quay again;It is the same;2027-02-01;2027-12-01;1000\r\n"
    "P4;A road;It is wide;soon;2027-12-01;3000\r\n"
)
COLUMNS = (
    "key",
    "title",
    "problem.problem.problem",
    "scope.time.start",
    "scope.time.end",
    "scope.money.budget",
)


def test_each_page_of_an_import_is_accessible(signed_in: SignedIn) -> None:
    page = signed_in("ada")
    complaints = watch(page)

    bring(page)
    problems = problems_of(page)
    page.get_by_role("button", name="Try every row").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    problems += problems_of(page)
    choose(page)
    try_rows(page)
    expect(page.get_by_role("table", name="Rows that are refused and why")).to_be_visible()
    page.get_by_text("How the file is read:").click()
    problems += problems_of(page)
    page.get_by_role("button", name="Take over 2 projects").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    problems += problems_of(page)
    page.get_by_label("Why are these projects taken over?").fill("The list moves here")
    page.get_by_role("button", name="Take over 2 projects").click()
    expect(page.get_by_role("heading", name="Taken over")).to_be_visible()
    problems += problems_of(page)
    page.goto("/admin/imports")
    problems += problems_of(page)

    assert problems == []
    assert complaints == []


def test_a_run_under_way_is_accessible_and_can_be_stopped(
    signed_in: SignedIn, tmp_path: Path
) -> None:
    page = signed_in("ada")
    bring(page)
    choose(page)
    try_rows(page)
    # It waits for a worker, and none works here.
    with closing(sqlite3.connect(tmp_path / "okrgate.db")) as database, database:
        database.execute("UPDATE import_files SET state = 'asked', done = 2")

    page.reload()
    expect(page.get_by_role("heading", name="Trying every row")).to_be_visible()
    problems = problems_of(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped by hand.")).to_be_visible()
    problems += problems_of(page)

    assert problems == []


def test_who_was_overtaken_sees_what_holds_now_and_keeps_what_they_typed(
    signed_in: SignedIn,
) -> None:
    hers, his = signed_in("ada"), signed_in("ada")
    bring(hers)
    columns = hers.url
    choose(hers)
    his.goto(columns)
    try_rows(hers)

    choose(his)
    his.locator("#name").fill("His list")
    answer = press(his, "Try every row")
    assert answer == 409
    expect(his.locator("#now")).to_contain_text("Holds now")
    expect(his.locator("#name")).to_have_value("His list")
    problems = problems_of(his)

    his.goto(f"{columns}/run")
    hers.goto(columns)
    hers.locator("#column-2").select_option("")
    try_rows(hers)
    his.get_by_label("Why are these projects taken over?").fill("My reason")
    answer = press(his, "Take over 2 projects")
    assert answer == 409
    expect(his.locator("#now")).to_contain_text("Leave out")
    expect(his.get_by_label("Why are these projects taken over?")).to_have_value("My reason")
    problems += problems_of(his)
    assert press(his, "Take over 2 projects") == 200
    expect(his.get_by_role("heading", name="Taken over")).to_be_visible()

    assert problems == []


def bring(page: Page, content: str = FILE) -> None:
    """Bring a file; its columns are asked for next."""
    page.goto("/admin/imports")
    sent = {"name": "plan.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.locator("input[type=file]").set_input_files(sent)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at the file").click()
    page.wait_for_url(re.compile(r"/imports/\d+$"))


def choose(page: Page) -> None:
    """Say what the columns are."""
    for place, target in enumerate(COLUMNS):
        page.locator(f"#column-{place}").select_option(target)
    page.locator("#unit").select_option(index=1)


def try_rows(page: Page) -> None:
    """Have every row tried, and wait for what came of it."""
    page.get_by_role("button", name="Try every row").click()
    expect(page.get_by_text("Would come in", exact=True)).to_be_visible()


def press(page: Page, button: str) -> int:
    """Press a button; return how the page it leads to was answered."""
    with page.expect_navigation() as sent:
        page.get_by_role("button", name=button).click()
    return sent.value.status
