"""Every main page, seen as people see it: reachable, readable, usable by keyboard, on a phone, in the dark."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignedIn

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LOOKS = [(1280, False), (1280, True), (375, False), (375, True)]
# Who looks, and at what: each page once with something on it.
PAGES = {
    "greta": ["/", "/approvals", "/projects", "/okrs", "/metrics", "/inbox", "/rules", "/rules/1"],
    "kira": ["/projects/new", "/projects/OKR-040", "/projects/OKR-040/parts/raci/raci"],
    "mei": ["/projects/OKR-003", "/projects/OKR-003/summary", "/projects/OKR-003/receipts"],
    "ines": ["/metrics/1", "/okrs/1", "/measurement/confirmations", "/statements"],
    "ada": ["/admin/people", "/admin/people/2", "/admin/units", "/audit", "/admin/dead-letters"],
}


def problems_of(page: Page) -> list[str]:
    """Return what axe finds, and whether the page is wider than its window."""
    found = [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:160]}"
        for one in Axe().run(page, options=RULES).response["violations"]
    ]
    too_wide = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
    )
    return [*found, *([f"{page.url} scrolls sideways"] if too_wide else [])]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_are_accessible_and_fit(
    signed_in: SignedIn, name: str, width: int, dark: bool
) -> None:
    page = signed_in(name, width=width, dark=dark)
    problems: list[str] = []

    for path in PAGES[name]:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        problems += problems_of(page)

    assert problems == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_executive_signs_off(signed_in: SignedIn, scripts: bool) -> None:
    title = "A first report on day one"
    page = signed_in("greta", scripts=scripts)
    page.goto("/approvals")
    page.get_by_role("link", name=title).first.click()
    page.get_by_label("Approve", exact=True).check()
    page.get_by_role("button", name="Record my decision").click()

    expect(page.get_by_role("heading", name="Your decision is recorded")).to_be_visible()
    page.goto("/approvals")
    expect(page.get_by_role("heading", name="Approvals")).to_be_visible()
    assert page.get_by_role("link", name=title).count() == 0


def test_a_submitter_is_told_what_is_missing_and_led_there(signed_in: SignedIn) -> None:
    page = signed_in("chiara")
    page.get_by_role("link", name="A shorter form").first.click()
    panel = page.locator("#gate-1")
    expect(panel.locator(".gate-line").first).to_contain_text("still missing")

    panel.get_by_role("link", name="Suggest a solution").first.click()
    expect(page).to_have_url(re.compile(r"/parts/solution/solution#solution$"))
    page.locator("textarea[name=solution]").fill(
        "Ask for five things, and for nothing else at all."
    )
    page.get_by_role("button", name="Save and continue").click()

    # The next part that misses something is at hand, and the project knows that this one does not.
    expect(page.get_by_text("Saved: Suggested solution. Next: ")).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="OKR-060").click()
    expect(page.locator("#gate-1")).to_be_visible()
    assert page.locator("#gate-1").get_by_role("link", name="Suggest a solution").count() == 0


def test_a_project_is_begun_with_the_keyboard_alone(signed_in: SignedIn) -> None:
    page = signed_in("elif")
    page.goto("/projects/new")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip().startswith("Skip")

    page.get_by_label("What is the idea?").focus()
    page.keyboard.type("A quieter office")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="A quieter office")).to_be_visible()


def test_what_was_typed_survives_a_refusal(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    page.goto("/projects/OKR-040/parts/scope/effort")
    page.locator("input[name=effort_days]").fill("a lot")
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    assert page.locator("input[name=effort_days]").input_value() == "a lot"
