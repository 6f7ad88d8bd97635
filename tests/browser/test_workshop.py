"""An administrator who has never seen the file adds a stage, and takes it back: the whole way at a browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from okrgate import clock
from okrgate.accounts.models import Person as PersonRow
from okrgate.accounts.passwords import hash_of
from okrgate.database import db, transaction
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import RulebookVersion
from okrgate.workshop.publishing import arriving
from tests.browser.conftest import be_patient, served
from tests.browser.people import PASSWORD, Mouse, Visitor, fresh
from tests.faults.profile import LONG
from tests.integration.journey import stops as way
from tests.integration.journey.company import Company
from tests.integration.journey.stops import MONDAY, Stops

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

KEY = "okr_delivery"
RULES = f"/rules/{KEY}"
PROCESS = f"{RULES}/rows/process"
TRY = f"{RULES}/try?move=security_agreed&from=fixture%3Aplanned"
# The stop "planned" is a Thursday evening's work: the rules are to change on the Monday after.
ASKED = MONDAY + timedelta(days=7, hours=2)
NEXT_MONDAY = MONDAY + timedelta(days=14)


@dataclass
class Room:
    """People at browsers of their own, and the hour."""

    company: Company
    sit_down: Callable[[], BrowserContext]
    now: datetime = ASKED
    complaints: list[list[str]] = field(default_factory=list)
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Visitor:
        """Return somebody at their browser."""
        if name not in self.visitors:
            page, complaints = fresh(self.sit_down())
            self.complaints.append(complaints)
            row = db.session.get_one(PersonRow, self.company.ids[name])
            self.visitors[name] = Visitor(page, name, row.email, Mouse())
        return self.visitors[name]

    def stage(self, reference: str) -> str:
        """Return where a project stands."""
        return replace(self.company, reference=reference).project().stage


# Width, and whether scripts run: on a phone without them only in the long run.
WAYS = {"wide": (1280, True)} | ({"on a phone without scripts": (375, False)} if LONG else {})


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def room(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path, chromium: Browser
) -> Iterator[Room]:
    """Yield a company with a planned project, two administrators and somebody for a role that is not there yet."""
    width, scripts = request.param
    opened: list[BrowserContext] = []

    def sit_down() -> BrowserContext:
        context = chromium.new_context(
            base_url=base,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
        )
        be_patient(context)
        opened.append(context)
        return context

    with contextmanager(Stops(tmp_path, str(sqlite_template)).arrive)("planned") as company:
        company.ids["Abe"] = company.factory.person("Abe", admin=True).id
        company.ids["Cyr"] = company.factory.person("Cyr").id
        with transaction() as session:
            for person in company.ids.values():
                session.get_one(PersonRow, person).password_hash = hash_of(PASSWORD)
        url = company.factory.app.config["SQLALCHEMY_DATABASE_URI"]
        with served(url, tmp_path, lambda: room.now) as base:
            room = Room(company, sit_down)
            yield room
            for one in opened:
                one.close()


def add_the_stage(ada: Visitor) -> None:
    """Put a stage between planning and the final approval, with a sign-off, a mail and a question."""
    for path in ("/rules", f"{RULES}/rows", PROCESS, f"{PROCESS}/add-stage"):
        ada.open(path)
    ada.open(f"{PROCESS}/add-stage?at=ask_approval")
    ada.sheet.locator("[name=signed_by]").select_option(label="A new role, named below")
    ada.sheet.locator("[name=told_in]").first.check()
    added = ada.send(
        {
            "label": "Security review",
            "days": "5",
            "into_label": "Ask for the security review",
            "role_label": "CISO",
            "onward_label": "Security agreed",
        },
        press="Add the stage to the draft",
    )
    assert "The check finds nothing wrong here" in added
    assert "Mail to CISO" in added
    ada.open(f"{PROCESS}/new/question?stage=security_review")
    ada.sheet.get_by_role("checkbox", name="Lead", exact=True).check()
    ada.sheet.locator("[name=must]").check()
    asked = ada.send(
        {
            "label": "Which data leave the company?",
            "type": "enum",
            "values": "none\nown\ncustomers",
            "section": "scope",
        }
    )
    assert "The check finds nothing wrong here" in asked


def try_and_record(ada: Visitor) -> None:
    """See the new gate shut and open, and keep both as tests."""
    assert "is refused" in ada.open(TRY)
    ada.send({"name": "the CISO has to agree"}, press="Record as a test")
    ada.open(TRY)
    ada.send({}, press="Add Sign-off")
    opened = ada.send({"signoffs-0-by": "u-cyr"}, press="Try")
    assert "is allowed" in opened
    tests = ada.send({"name": "the CISO agrees"}, press="Record as a test")
    assert "the CISO has to agree" in tests
    assert "the CISO agrees" in tests


def test_a_stage_is_added_tried_published_and_taken_back(room: Room) -> None:
    company, ada, abe = room.company, room["Ada"], room["Abe"]
    old = company.reference
    add_the_stage(ada)
    try_and_record(ada)

    ada.open(f"{RULES}/review")
    impact = ada.send({"note": "Security looks first."}, press="See the impact")
    assert f"/projects/{old}" in impact
    ada.open(f"{RULES}/review")
    ada.send({}, press="Publish…")
    asked = ada.send({"takes_effect": NEXT_MONDAY.date().isoformat()}, press="Ask for approval")
    assert "The other administrators are asked by mail" in asked
    assert ("Abe", "RulesApprovalAsked") in company.mails()
    proposal = ada.path

    abe.open("/")
    assert "CISO" in abe.open(proposal)
    abe.send({}, press="Approve this text")
    assert newest().number == 1, "its day has not come"
    # Approved, the new role can be given before anybody waits for it.
    ada.open(f"/admin/people/{company.ids['Cyr']}")
    ada.send({"grant-role": "ciso", "grant-unit_id": str(company.unit.id)}, press="Give the role")
    room.now = NEXT_MONDAY
    with clock.moved_to(NEXT_MONDAY):
        arriving.look()
        assert newest().number == 2
        fresh_one = replace(company, reference="")
        for step in (way.tell, way.submit, way.judge, way.agree, way.plan):
            step(fresh_one)

    go_through_the_review(room, fresh_one)
    room["Lea"].open(f"/projects/{old}")
    assert "Ask for final approval" in room["Lea"].page, "it keeps the rules it was started under"
    room["Lea"].open(f"/projects/{old}/moves/ask_approval")
    room["Lea"].send({})
    assert room.stage(old) == "final_approval"

    take_it_back(ada, abe)
    assert newest().number == 3
    assert newest().text == rulebooks.version_of(KEY, 1).text
    assert [line for said in room.complaints for line in said] == []


def go_through_the_review(room: Room, company: Company) -> None:
    """Lea asks and answers, Cyr agrees: the new project goes on by itself."""
    lea, cyr = room["Lea"], room["Cyr"]
    here = f"/projects/{company.reference}"
    confirm_the_newest(room["Ines"])
    assert "Ask for the security review" in lea.open(here)
    lea.open(f"{here}/moves/ask_approval")
    lea.send({})
    assert room.stage(company.reference) == "security_review"
    assert "Cyr" in {name for name, _event in company.mails()}
    lea.open(f"{here}/parts/scope/questions")
    lea.send({"q_which_data_leave_the_company": "own"}, press="Save and continue")
    cyr.open("/approvals")
    cyr.open(next(path for _text, path in cyr.links() if path.startswith("/approvals/")))
    cyr.send({"decision": "approved"})
    assert room.stage(company.reference) == "final_approval"


def confirm_the_newest(ines: Visitor) -> None:
    """Ines says that the new project's metric can be reported; it is the first on her page."""
    ines.open("/measurement/confirmations")
    with ines.sheet.expect_navigation():
        ines.sheet.get_by_role("button", name="It can be reported", exact=True).first.click()


def take_it_back(ada: Visitor, abe: Visitor) -> None:
    """Roll back to the first version, which the other administrator approves."""
    ada.open("/rules")
    ada.open("/rules/1/roll-back")
    ada.send({"note": "It takes too long."}, press="Roll back")
    abe.open(ada.path)
    abe.send({}, press="Approve this text")


def newest() -> RulebookVersion:
    """Return the version that is newest just now."""
    db.session.rollback()
    return rulebooks.newest(KEY)
