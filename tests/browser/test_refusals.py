"""What people see when something is refused or fails: each page is whole, fits its window and is accessible."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.typing import ResponseReturnValue
from playwright.sync_api import Page, Response, expect
from sqlalchemy.exc import OperationalError

from okrgate.errors import Unavailable
from okrgate.imports.runs import MOST_BYTES
from okrgate.web.permissions import anyone, requires
from tests.browser.conftest import SignedIn, served
from tests.browser.looks import problems_of
from tests.browser.people import watch

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

# Waits double with each try from one second on: at some time a wait is longer than a slow machine takes to try.
TOO_MANY_TRIES = 16


def fail() -> ResponseReturnValue:
    """Meet a fault nobody thought of."""
    raise RuntimeError("The disk sings.")


def lock() -> ResponseReturnValue:
    """Meet a database that does not answer."""
    raise OperationalError("SELECT 1", {}, Exception("database is locked"))


def refuse() -> ResponseReturnValue:
    """Meet a service that cannot take it now."""
    raise Unavailable("The store is full. Nothing was changed; an administrator can make room.")


def slow_down() -> ResponseReturnValue:
    """Ask too often."""
    abort(429)


FAULTS: dict[str, tuple[Callable[[], ResponseReturnValue], int, str]] = {
    "/test/fault": (fail, 500, "Something went wrong on our side"),
    "/test/locked": (lock, 503, "Not available right now"),
    "/test/full": (refuse, 503, "Not available right now"),
    "/test/often": (slow_down, 429, "Too many tries"),
}


@pytest.fixture
def address(demo_database: Path, tmp_path: Path) -> Iterator[str]:
    """Serve a copy of the demo with pages that fail, as it answers when nobody tests; yield where."""
    copy = tmp_path / "okrgate.db"
    shutil.copy(demo_database, copy)
    with served(f"sqlite:///{copy}", tmp_path, prepare=add_faults) as base:
        yield base


def add_faults(app: Flask) -> None:
    """Add the pages that fail. A fault is answered, not raised."""
    app.testing = False
    for path, (view, _status, _heading) in FAULTS.items():
        app.add_url_rule(path, path.replace("/", "-"), requires(anyone)(view))


def test_every_refusal_is_accessible_and_fits(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    complaints = watch(page)
    problems = []

    for path, status, heading in (
        ("/admin/people", 403, "You may not do this"),
        ("/projects/OKR-99999", 404, "There is nothing here for you"),
        *((path, status, heading) for path, (_view, status, heading) in FAULTS.items()),
    ):
        shows(page, page.goto(path), status, heading)
        problems += problems_of(page)

    assert problems == []
    assert complaints == []


def test_a_file_that_is_too_large_is_refused_on_a_whole_page(
    signed_in: SignedIn, tmp_path: Path
) -> None:
    page = signed_in("ada")
    file = tmp_path / "large.csv"
    file.write_bytes(b"id;title\r\n" + b"1;Quay\r\n" * (MOST_BYTES // 6))
    page.goto("/admin/imports")
    page.locator("input[type=file]").set_input_files(file)

    with page.expect_navigation() as sent:
        page.get_by_role("button", name="Look at the file").click()

    shows(page, sent.value, 413, "That is too large")
    assert problems_of(page) == []


def test_too_many_tries_to_sign_in_are_told_in_the_form(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    page.context.clear_cookies()
    answer = None
    for _ in range(TOO_MANY_TRIES):
        page.goto("/sign-in")
        page.get_by_label("Mail address").fill("greta@northwind.example")
        page.get_by_label("Password", exact=True).fill("a guess, and a wrong one")
        with page.expect_navigation() as sent:
            page.get_by_role("button", name="Sign in").click()
        answer = sent.value
        if answer.status == 429:
            break

    assert answer is not None
    assert answer.status == 429
    expect(page.locator("main")).to_contain_text("There were too many tries. Wait")
    assert problems_of(page) == []


def shows(page: Page, answer: Response | None, status: int, heading: str) -> None:
    """Check that this is the answer, and that its page says so."""
    assert answer is not None
    assert answer.status == status, page.url
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    expect(page.get_by_role("heading", name="What you can do")).to_be_visible()
