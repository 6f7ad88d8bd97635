"""What people do most, at a real browser: sign off, be led to what is missing, begin with the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignedIn

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


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


def test_an_open_page_shows_what_others_do(signed_in: SignedIn) -> None:
    there = signed_in("kira")
    there.goto("/projects/OKR-040")
    here = signed_in("kira")
    here.goto("/projects/OKR-040/parts/scope/effort")
    here.locator("input[name=effort_days]").fill("77")
    here.get_by_role("button", name="Save and continue").click()
    expect(here.get_by_text("Saved: ")).to_be_visible()

    history = there.locator("#history li").first
    before = history.text_content()
    # Coming back to the tab asks at once, else every half minute.
    there.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(there.locator("[data-live-said]").first).to_contain_text("up to date")
    assert history.text_content() != before


def test_what_was_typed_survives_a_refusal(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    page.goto("/projects/OKR-040/parts/scope/effort")
    page.locator("input[name=effort_days]").fill("a lot")
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    assert page.locator("input[name=effort_days]").input_value() == "a lot"
