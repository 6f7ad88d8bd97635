"""Several at once and in a meeting, on a phone, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignedIn
from tests.browser.looks import problems_of

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


def test_several_are_approved_together_on_a_phone(signed_in: SignedIn) -> None:
    page = signed_in("greta", width=375)
    page.goto("/approvals")
    boxes = page.get_by_role("checkbox", name=re.compile("^Choose OKR-"))
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile("You approve .+ for 2 projects")
    )
    assert problems_of(page) == []
    page.get_by_role("button", name="Approve 2 projects").click()
    expect(page.get_by_text("2 decisions recorded")).to_be_visible()
    assert problems_of(page) == []


def test_a_meeting_is_called_and_held_on_a_phone(signed_in: SignedIn) -> None:
    chair = signed_in("greta", width=375)
    chair.goto("/meetings/new")
    chair.get_by_label("What is it called?").fill("Approvals of the week")
    for box in chair.get_by_role("checkbox").all():
        box.check()
    chair.get_by_label("When does it start?").fill("2099-01-05T14:00")
    chair.get_by_role("button", name="Continue to the agenda").click()
    for _ in range(2):
        chair.get_by_role("button", name=re.compile("^Add OKR-")).first.click()
    chair.get_by_role("button", name=re.compile("^Down OKR-")).first.click()
    chair.get_by_role("button", name="Invite all who sign here").click()
    assert problems_of(chair) == []
    chair.get_by_role("button", name="Send the invitations").click()
    chair.get_by_role("button", name="Begin").click()
    expect(chair.get_by_text("Now: 1 of 2")).to_be_visible()
    assert problems_of(chair) == []
    address = chair.url
    hugo = signed_in("hugo")
    hugo.goto(address)
    expect(hugo.get_by_text("Now: 1 of 2")).to_be_visible()
    chair.get_by_role("button", name=re.compile("^Next")).click()
    expect(chair.get_by_text("Now: 2 of 2")).to_be_visible()
    # The other page follows by itself.
    expect(hugo.get_by_text("Now: 2 of 2")).to_be_visible()
    chair.get_by_role("link", name="End the meeting").first.click()
    chair.get_by_role("button", name="End the meeting").click()
    expect(chair.get_by_text("Minutes of a gate meeting")).to_be_visible()
    assert problems_of(chair) == []
