"""Keys lead to places and through lists, and may be turned off; none of them does anything."""

import re
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.conftest import SignedIn
from tests.browser.looks import problems_of
from tests.machine import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

_PROJECTS = re.compile(r"/projects$")


def go_to_projects(page: Page) -> None:
    """Press two keys, one soon after the other: again, where a busy machine took too long between them."""
    deadline = time.monotonic() + PATIENCE
    while not page.url.endswith("/projects"):
        assert time.monotonic() < deadline, "the keys lead nowhere"
        page.keyboard.press("g")
        page.keyboard.press("p")
        with suppress(TimeoutError):
            page.wait_for_url(_PROJECTS, timeout=2000)
    page.wait_for_load_state()


def test_keys_lead_to_places_and_through_lists(signed_in: SignedIn) -> None:
    page = signed_in("greta")
    go_to_projects(page)
    page.keyboard.press("/")
    expect(page.locator("main input[type=search]")).to_be_focused()
    page.keyboard.type("g a")
    expect(page.locator("main input[type=search]")).to_have_value("g a")
    page.locator("main h1").click()
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('href')") == first
    assert first.startswith("/projects/")


def test_the_list_of_keys_is_accessible_and_turns_them_off(signed_in: SignedIn) -> None:
    page = signed_in("greta", width=375, dark=True)
    page.goto("/okrs")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    assert problems_of(page) == []
    dialog.get_by_role("button", name="Turn all keys but ? off on this device").click()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"/okrs$"))
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
