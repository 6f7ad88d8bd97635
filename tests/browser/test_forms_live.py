"""Forms with scripts: kept while typed, changed in place, and nothing the content policy forbids."""

import re
import time

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.browser.conftest import SignedIn
from tests.machine import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

KEPT = re.compile(r"Draft kept \d\d:\d\d\. Only you see it\.")


def begun(page: Page) -> str:
    """Begin a project; return its address."""
    page.goto("/projects/new")
    page.get_by_label("What is the idea?").fill("Orders that nobody sees")
    page.get_by_role("button", name="Start the project").click()
    page.wait_for_url(re.compile(r"/projects/[A-Z]+-\d+$"))
    return page.url


def watched(page: Page) -> list[str]:
    """Collect what the browser complains about."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def state(page: Page) -> str:
    """Return what the line under the form says."""
    return page.locator(".draft-state").inner_text()


def test_what_is_typed_is_kept_and_offered_again(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    complaints = watched(page)
    path = f"{begun(page)}/parts/problem/problem"
    page.goto(path)
    problem = page.get_by_label("What is the problem or challenge?")
    # Drafts keep themselves here, so no button has to.
    expect(page.get_by_role("button", name="Keep as a draft")).to_be_hidden()

    problem.fill("Orders wait for days.")
    expect(page.locator(".draft-state")).to_have_text(KEPT)
    # Left within the second: what was typed last goes along.
    problem.fill("Orders wait for weeks.")
    page.goto("/okrs")
    deadline = time.monotonic() + PATIENCE
    while page.goto(path) and problem.input_value() != "Orders wait for weeks.":
        assert time.monotonic() < deadline, "what was typed last did not go along"

    expect(page.get_by_text("You were here before")).to_be_visible()
    expect(problem).to_have_value("Orders wait for weeks.")
    page.get_by_role("button", name="Discard draft").click()
    expect(problem).to_have_value("")
    assert complaints == []


def test_an_older_tab_is_told_and_changes_nothing(signed_in: SignedIn) -> None:
    older = signed_in("kira")
    path = f"{begun(older)}/parts/problem/problem"
    older.goto(path)
    newer = older.context.new_page()
    newer.goto(path)
    newer.get_by_label("What is the problem or challenge?").fill("The newer text")
    expect(newer.locator(".draft-state")).to_have_text(KEPT)

    older.get_by_label("What is the problem or challenge?").fill("The older text")
    expect(older.locator(".draft-state")).to_contain_text("You changed this in another tab")
    older.get_by_role("link", name="Show the newer one").click()

    field = older.get_by_label("What is the problem or challenge?")
    expect(field).to_have_value("The newer text")


def test_a_session_that_ended_brings_the_text_back(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    path = f"{begun(page)}/parts/problem/problem"
    page.goto(path)
    page.context.clear_cookies()
    page.get_by_label("What is the problem or challenge?").fill("Typed too late")
    expect(page.locator(".draft-state")).to_contain_text("You are signed out")

    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Mail address").fill("kira@northwind.example")
    page.get_by_label("Password", exact=True).fill("okrgate demo 2026")
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(path)
    field = page.get_by_label("What is the problem or challenge?")
    expect(field).to_have_value("Typed too late")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_signing_out_leaves_no_text_behind(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    page.goto(f"{begun(page)}/parts/problem/problem")
    page.evaluate("localStorage.setItem(`okrgate-text:${document.body.dataset.person}:/x`, 'a=b')")

    page.locator("summary", has_text="Kira").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")

    assert page.evaluate("Object.keys(localStorage)") == []


def test_rows_come_and_go_in_place(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    complaints = watched(page)
    page.goto(f"{begun(page)}/parts/metrics/targets")
    page.evaluate("document.body.dataset.same = 'yes'")
    page.locator("[name=targets-0-baseline]").fill("5.2")

    page.get_by_role("button", name="Add another target metric").click()
    expect(page.locator("[name=targets-1-metric]")).to_be_focused()
    expect(page.locator("[name=targets-0-baseline]")).to_have_value("5.2")

    page.get_by_role("button", name="Remove Target metric 2").click()
    expect(page.locator(".row-card")).to_have_count(1)
    expect(page.get_by_role("button", name="Add another target metric")).to_be_focused()
    expect(page.locator(".draft-state")).to_have_text(KEPT)
    assert page.evaluate("document.body.dataset.same") == "yes"
    assert complaints == []


def test_the_bands_follow_what_is_typed(signed_in: SignedIn) -> None:
    page = signed_in("kira")
    page.goto(f"{begun(page)}/parts/metrics/targets")
    page.locator("[name=targets-0-metric]").select_option(label="Active members (people)")
    for name, value in (("success", "800"), ("partial", "600"), ("negative", "300")):
        page.locator(f"[name=targets-0-{name}]").fill(value)

    help_ = page.locator("#targets-0-baseline-help")
    expect(help_).to_contain_text(re.compile(r"Last reading: [0-9,.]+ people on "))
    page.locator("[name=targets-0-baseline]").fill("2")
    expect(help_).to_contain_text("more than a tenth away")

    part = page.locator("#targets-0-part")
    expect(part.get_by_role("img")).to_be_visible()
    expect(part).to_contain_text("800")
    expect(part).to_contain_text("300 people or less")
    assert page.locator("[name=targets-0-negative]").input_value() == "300"
