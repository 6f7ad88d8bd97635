"""A project's whole way at real browsers, by nine people: once by keyboard with scripts, once on a phone without."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, expect

from okrgate import clock
from okrgate.accounts.models import Person as PersonRow
from okrgate.accounts.passwords import hash_of
from okrgate.app import create_app
from okrgate.database import db, transaction
from tests.browser.conftest import be_patient, served
from tests.browser.people import PASSWORD, Keyboard, Mouse, Visitor, fresh
from tests.conftest import settings_for
from tests.factories import SHIPPED, Factory
from tests.integration.journey import story
from tests.integration.journey.company import Answers, Company

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


@dataclass(frozen=True)
class Way:
    """How everybody works on one journey."""

    width: int
    scripts: bool
    keyboard: bool


BY_KEYBOARD = Way(width=1280, scripts=True, keyboard=True)
ON_A_PHONE = Way(width=375, scripts=False, keyboard=False)


@dataclass
class Office(Company):
    """The company of the story, each of them at a browser of their own that stays open for weeks."""

    way: Way = BY_KEYBOARD
    now: datetime = story.MONDAY
    sit_down: Callable[[], BrowserContext] | None = None
    complaints: list[list[str]] = field(default_factory=list)
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Visitor:
        """Return somebody at their browser; whoever was away for long signs in again on the way."""
        if name not in self.visitors:
            assert self.sit_down is not None
            page, complaints = fresh(self.sit_down())
            self.complaints.append(complaints)
            row = db.session.get_one(PersonRow, self.ids[name])
            hand = Keyboard(page) if self.way.keyboard else Mouse()
            self.visitors[name] = Visitor(page, name, row.email, hand)
        return self.visitors[name]

    def fill(self, name: str, page: str, answers: Answers, *, status: int = 200) -> str:
        """Go from the project to its part and on to the page, and fill it."""
        person = self.open_page(name, page)
        person.make_room(answers)
        return person.send(answers, press="Save and continue", status=status)

    def open_page(self, name: str, page: str) -> Visitor:
        """Go from the project to its part and on to a page, unless saving another page led there."""
        person = self[name]
        home = f"/projects/{self.reference}"
        part = page.partition("/")[0]
        for path in (home, f"{home}/parts/{part}", f"{home}/parts/{page}"):
            if person.path != f"{home}/parts/{page}":
                person.open(path)
        return person

    def move(self, name: str, transition: str, *, status: int = 200, **asked: str) -> str:
        """Take a move; with status 422, find that it is not offered."""
        person = self[name]
        person.open(f"/projects/{self.reference}")
        said = person.open(f"/projects/{self.reference}/moves/{transition}")
        if status == 422:
            expect(person.sheet.locator("main .form-buttons")).to_have_count(0)
            return said
        return person.send(dict(asked), status=status)

    def later(self, days: int) -> None:
        """Let so many days pass since the first Monday."""
        self.now = story.MONDAY + timedelta(days=days)


@pytest.fixture
def founded(sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    """Yield an application on a database of its own, for arranging and for looking after what came of it."""
    path = tmp_path / "okrgate.db"
    shutil.copy(sqlite_template, path)
    app = create_app(settings_for(f"sqlite:///{path}", tmp_path))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[list[BrowserContext]]:
    """Yield a list of browsers to be closed at the end."""
    opened: list[BrowserContext] = []
    yield opened
    for one in opened:
        one.close()


@pytest.fixture(params=[BY_KEYBOARD, ON_A_PHONE], ids=["by keyboard", "on a phone without scripts"])
def office(
    request: pytest.FixtureRequest,
    founded: Flask,
    chromium: Browser,
    contexts: list[BrowserContext],
    tmp_path: Path,
) -> Iterator[Office]:
    """Yield the company with an objective and a metric, its people at their browsers."""
    way: Way = request.param
    with clock.moved_to(story.MONDAY):
        company = Company.found(Factory(founded), SHIPPED, story.PEOPLE)
        company.agree_on_numbers("Oli", steward="Ines")
        let_in(company)
    office = Office(**vars(company), way=way)
    url = founded.config["SQLALCHEMY_DATABASE_URI"]
    with served(url, tmp_path, lambda: office.now) as base:

        def sit_down() -> BrowserContext:
            context = chromium.new_context(
                base_url=base,
                viewport={"width": way.width, "height": 900},
                java_script_enabled=way.scripts,
            )
            be_patient(context)
            contexts.append(context)
            return context

        office.sit_down = sit_down
        yield office


def let_in(company: Company) -> None:
    """Give everybody a password."""
    stored = hash_of(PASSWORD)
    with transaction() as session:
        for person in company.ids.values():
            session.get_one(PersonRow, person).password_hash = stored


def test_an_idea_becomes_a_result(office: Office) -> None:
    story.tell_the_idea(office)
    assert office.project().stage == "opportunity_review"
    office.later(days=1)
    rows_come_and_go(office)
    story.review(office)
    assert office.project().stage == "ranked_backlog"
    office.later(days=7)
    story.plan_the_work(office)
    a_waiver_is_asked_for_and_granted(office)
    assert office.project().stage == "final_approval"
    office.later(days=9)
    story.approve(office)
    assert office.project().stage == "kick_off"
    office.later(days=14)
    story.kick_off(office)
    assert office.project().stage == "in_execution"
    office.later(days=100)
    story.work(office)
    assert office.project().stage == "measuring"
    office.later(days=150)
    story.measure(office)
    assert office.project().stage == "look_back"
    story.look_back(office)
    assert office.project().stage == "all_done"
    assert [line for said in office.complaints for line in said] == []


def rows_come_and_go(office: Office) -> None:
    """Rex puts in two more teams, and takes the others out: what was typed into the last one stays."""
    rex = office.open_page("Rex", "teams/teams")
    days = rex.sheet.locator("[name$='-effort_days']")
    expect(days).to_have_count(1)
    rex.add_row("teams")
    rex.add_row("teams")
    rex.hand.put(days.last, "12")
    rex.remove_row("teams-1")
    rex.remove_row("teams-0")
    expect(days).to_have_count(1)
    expect(days).to_have_value("12")


def a_waiver_is_asked_for_and_granted(office: Office) -> None:
    """Nobody has confirmed the metric: Lea asks to set that aside, Oli does, and the gate opens."""
    way = f"/projects/{office.reference}/waivers/metrics-confirmed"
    shut = office.move("Lea", "ask_approval", status=422)
    assert "The steward must confirm every target metric" in shut
    lea = office["Lea"]
    lea.open(f"/projects/{office.reference}")
    lea.open(f"{way}/ask")
    lea.send({"reason": "The steward is away until February."}, press="Ask for it")
    oli = office["Oli"]
    oli.open("/")
    oli.open(way)
    assert "The steward is away until February." in oli.page
    oli.send({"reason": "She confirms it as soon as she is back."}, press="Set it aside")
    office.move("Lea", "ask_approval")
