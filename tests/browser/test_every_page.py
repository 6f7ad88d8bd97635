"""Every page that somebody can be led to: whole, quiet, as wide as its window, and accessible."""

from collections import Counter
from pathlib import Path
from zlib import crc32

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from okrgate.app import create_app
from tests.browser.conftest import SignedIn
from tests.browser.crawling import Crawl, Reading, Seeing
from tests.browser.looks import problems_of
from tests.browser.people import watch
from tests.conftest import settings_for
from tests.faults.profile import LONG

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

# Two processes share the work: each looks closely at half of the kinds.
HALVES = 2
# Who looks, and at what first: of these kinds, pages with something on them. All others are found by their links.
FIRST = {
    "greta": ["/", "/approvals", "/projects", "/okrs", "/metrics", "/inbox", "/rules", "/rules/1"],
    "kira": ["/projects/new", "/projects/OKR-040", "/projects/OKR-040/parts/raci/raci"],
    "mei": ["/projects/OKR-003/summary", "/projects/OKR-003/receipts"],
    "ines": ["/metrics/1", "/okrs/1", "/measurement/confirmations", "/statements"],
    "ada": [
        "/admin/people",
        "/admin/people/2",
        "/admin/units",
        "/admin/units/1/days",
        "/account/mail",
        "/audit",
        "/admin/dead-letters",
    ],
    "chiara": [],
    "tara": [],
}
VERY_LONG = "Unterbrechungsfreiestromversorgungswartungsvertragsverlängerung" * 3
PATH = "/projects/OKR-040/parts/scope/people"


@pytest.fixture
def plan(tmp_path: Path) -> Flask:
    """Return an application that knows every address."""
    return create_app(settings_for(f"sqlite:///{tmp_path}/nothing.db", tmp_path))


@pytest.mark.parametrize("name", ["ada", "greta", "chiara", "tara"])
def test_links_lead_to_whole_pages(signed_in: SignedIn, plan: Flask, name: str) -> None:
    """Each kind is shown in a browser below; whatever each of these people sees of it, in the long run only."""
    page = signed_in(name, width=375)
    complaints = watch(page)
    crawl = Crawl(plan, Seeing(page) if LONG else Reading(page.request))

    seen = list(crawl.pages())

    assert crawl.problems == []
    assert complaints == []
    assert len({one.kind for one in seen}) > 30


@pytest.mark.parametrize("half", range(HALVES))
def test_each_kind_of_page_is_accessible(signed_in: SignedIn, plan: Flask, half: int) -> None:
    known: Counter[str] = Counter()
    problems: list[str] = []
    complaints: list[str] = []
    for name, first in FIRST.items():
        page = signed_in(name)
        said = watch(page)
        for seen in Crawl(plan, Reading(page.request), known, first).pages():
            if seen.status != 200:
                known[seen.kind] -= 1
            elif crc32(seen.kind.encode()) % HALVES == half:
                page.goto(seen.path)
                problems += problems_of(page)
        complaints += said

    assert problems == []
    assert complaints == []
    assert sum(count > 0 for count in known.values()) > 50


def test_refusals_and_extremes_are_accessible_too(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    problems = []
    for show in (nowhere, forbidden, refused, overtaken, very_long, nothing_found):
        show(page)
        problems += problems_of(page)

    assert problems == []


def nowhere(page: Page) -> None:
    """Show that there is no such page."""
    answer = page.goto("/projects/OKR-99999")
    assert answer is not None
    assert answer.status == 404


def forbidden(page: Page) -> None:
    """Show a page that is only for others."""
    answer = page.goto("/admin/people")
    assert answer is not None
    assert answer.status == 403


def refused(page: Page) -> None:
    """Show a form with a mistake."""
    page.goto(PATH)
    page.locator("input[name=people]").fill("a lot")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()


def overtaken(page: Page) -> None:
    """Show what is asked when somebody else saved in between."""
    page.goto(PATH)
    other = page.context.new_page()
    other.goto(PATH)
    other.locator("input[name=people]").fill("7")
    other.get_by_role("button", name="Save and continue").click()
    other.wait_for_url(lambda url: not url.endswith(PATH))
    other.close()
    page.locator("input[name=people]").fill("9")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Save and continue").click()
    assert answer.value.status == 409
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def very_long(page: Page) -> None:
    """Show a project whose title is one long word."""
    page.goto("/projects/new")
    page.locator("input[name=title]").fill(VERY_LONG)
    page.get_by_role("button", name="Start the project").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Unterbrechung")


def nothing_found(page: Page) -> None:
    """Show a list that nothing fits."""
    page.goto("/projects?q=zzzzqqqq")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
