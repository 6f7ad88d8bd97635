"""A passkey is made and signs a strict gate, in a real browser with an authenticator of its own."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from okrgate.accounts.models import Person
from okrgate.accounts.service import DEMO_PASSWORD
from okrgate.approvals.models import Round, SeatPerson
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from tests.browser.conftest import be_patient, served

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


def test_a_passkey_signs(
    chromium: Browser, demo_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "okrgate.db"
    shutil.copy(demo_database, copy)
    found: dict[str, Any] = {}

    def prepare(app: Flask) -> None:
        """Make the gate of somebody's first open seat a strict one."""
        query = (
            select(Person.email, Round.id, Round.gate, Project.rulebook_version_id)
            .join(SeatPerson, SeatPerson.person_id == Person.id)
            .join(Round, Round.id == SeatPerson.round_id)
            .join(Project, Project.id == Round.project_id)
            .where(Round.closed_at.is_(None))
            .order_by(Round.id, Person.id)
        )
        with app.app_context():
            row = db.session.execute(query).first()
            assert row is not None
            gates = rulebooks.rulebook(row.rulebook_version_id).gates
            assert isinstance(gates, dict)
            monkeypatch.setitem(gates, row.gate, replace(gates[row.gate], strict=True))
            found.update(email=row.email, round=row.id)
            db.session.remove()

    with served(f"sqlite:///{copy}", tmp_path, prepare=prepare, host="localhost") as address:
        context = chromium.new_context(base_url=address, viewport={"width": 375, "height": 900})
        be_patient(context)
        page = context.new_page()
        _give_authenticator(page)
        _sign_in(page, found["email"])
        _make_a_passkey(page)
        _sign(page, found["round"])
        context.close()


def _give_authenticator(page: Page) -> None:
    """Give the browser an authenticator that verifies its owner by itself."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def _sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def _make_a_passkey(page: Page) -> None:
    page.goto("/account/second-factor")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Your password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Its name").fill("Work phone")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I keep them safe").click()
    expect(page.get_by_text("Work phone")).to_be_visible()


def _sign(page: Page, number: int) -> None:
    page.goto(f"/approvals/{number}")
    page.get_by_label("Object", exact=True).check()
    page.locator("[name=reason]").fill("Not this year.")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    expect(page.get_by_text("Not this year.")).to_be_visible()
    page.get_by_role("button", name="Sign with a passkey").click()
    page.wait_for_url(re.compile("/receipts/"))
    expect(page.get_by_text("a passkey “Work phone”, ").first).to_be_visible()
    expect(page.get_by_text("no longer what was written")).to_have_count(0)
