"""The file of rules with scripts: checked while it is typed, names completed, and left by the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignedIn
from tests.browser.people import watch

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

EDIT = "/rules/okr_delivery/edit"


def text(page: Page) -> str:
    """Return what the form would send."""
    return page.locator('textarea[name="text"]').evaluate("area => area.value")  # type: ignore[no-any-return]


def test_a_text_is_checked_while_it_is_typed(signed_in: SignedIn) -> None:
    page = signed_in("ada")
    complaints = watch(page)
    page.goto(f"{EDIT}?line=2")
    begun = text(page)
    beside = page.get_by_role("region", name="What the check finds while you type")
    expect(beside).to_be_hidden()
    editor = page.get_by_role("textbox", name="The rules")
    expect(editor).to_be_focused()

    # The second line is chosen as a whole: what is typed takes its place.
    page.keyboard.type("okrgate: 7")
    expect(beside.get_by_role("status")).to_contain_text("1 error")
    link = beside.get_by_role("link", name="Line 2", exact=True)
    expect(link).to_have_count(1)
    expect(page.locator(".CodeMirror .code-wrong")).to_have_count(1)

    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(editor).to_be_focused()
    page.keyboard.type("okrgate: 1")
    expect(beside.get_by_role("status")).to_contain_text("No errors")
    expect(beside.get_by_role("link", name="Line 2", exact=True)).to_have_count(0)
    assert text(page) == begun
    assert complaints == []


def test_names_are_completed_and_the_text_is_kept(signed_in: SignedIn) -> None:
    page = signed_in("ada")
    complaints = watch(page)
    page.goto(f"{EDIT}?line=1")
    expect(page.get_by_role("textbox", name="The rules")).to_be_focused()

    page.keyboard.type("# fact: kickoff.att")
    choice = page.get_by_role("option", name="People at the kick-off")
    expect(choice).to_be_visible()
    page.keyboard.press("Enter")
    expect(choice).to_have_count(0)
    assert text(page).startswith("# fact: kickoff.attendees\n")

    page.get_by_role("button", name="Keep as draft").click()
    expect(page.get_by_text("Your draft is kept")).to_be_visible()
    assert text(page).startswith("# fact: kickoff.attendees\n")
    page.get_by_role("button", name="Throw the draft away").click()
    expect(page.get_by_text("Your draft is thrown away")).to_be_visible()
    assert complaints == []
