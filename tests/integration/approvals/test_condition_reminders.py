"""Whoever owns a condition hears of it a working day before it is due and once when it is over, never on a day off."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from okrgate import clock
from okrgate.accounts import calendars
from okrgate.accounts.working_days import Calendar
from okrgate.approvals import service as approvals
from okrgate.approvals.condition_reminders import remind_of_conditions
from okrgate.approvals.models import Condition, SignoffRow
from okrgate.database import db, transaction
from okrgate.projects.models import Project
from tests.integration.approvals.test_queue import Days
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

WORKING = Calendar()


@pytest.fixture
def company(arrive: Arrive) -> Company:
    """Lea owns a condition of Mia's approval, due in two weeks."""
    company = arrive("in approval")
    wanted = {"text": "Show the contract", "owner": str(company.ids["Lea"]), "due": str(due())}
    company.sign("Mia", "approved_with_conditions", reason="Mind this.", condition={**wanted})
    return company


def due() -> date:
    """Return a Tuesday two or three weeks ahead."""
    day = clock.today() + timedelta(days=14)
    return day + timedelta(days=(1 - day.weekday()) % 7)


def told(company: Company) -> list[str]:
    remind_of_conditions()
    remind_of_conditions()
    return company.told().get("ConditionDue", [])


def test_the_owner_hears_once_before_and_once_after(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, days = due(), Days(monkeypatch, clock.now())
    days.until(WORKING.before(WORKING.before(day)))
    assert told(company) == []
    days.until(WORKING.before(day))
    assert told(company) == ["Lea"]
    with transaction() as session:
        session.get_one(Project, company.project().id).title = "Another title"
    days.until(day)
    assert told(company) == ["Lea"]
    for later in (1, 2, 9, 40):
        days.until(WORKING.after(day, later))
        assert told(company) == ["Lea", "Lea"]
    subjects = [letter["Subject"] for _, letter in company.letters()]
    assert sum("your condition is due on" in one for one in subjects) == 1
    assert sum("overdue: your condition was due on" in one for one in subjects) == 1


def test_nobody_hears_of_it_on_a_day_off(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    day, days = due(), Days(monkeypatch, clock.now())
    soon = WORKING.before(day)
    calendars.close(
        company.unit.id,
        first=day - timedelta(days=9),
        last=soon,
        why="Party",
        by=company.ids["Ada"],
    )
    days.until(soon)
    assert told(company) == []
    days.until(day)
    assert told(company) == ["Lea"], "no worker ran before the party: made up for"


def test_what_nobody_has_to_meet_is_not_reminded_of(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = Days(monkeypatch, clock.now())
    days.until(due())
    number = db.session.scalars(select(Condition)).one().id
    with transaction() as session:
        session.get_one(Project, company.project().id).closed_at = clock.now()
    assert told(company) == [], "the project is over"
    with transaction() as session:
        session.execute(update(Project).values(closed_at=None))
    with transaction():
        approvals.close_condition(number, by=company.ids["Lea"], evidence="It is signed.")
    assert told(company) == [], "it is met"
    with transaction() as session:
        session.execute(update(Condition).values(closed_at=None))
        session.execute(update(SignoffRow).values(withdrawn_at=clock.now()))
    assert told(company) == [], "the approval was taken back"
    with transaction() as session:
        session.execute(update(SignoffRow).values(withdrawn_at=None))
    assert told(company) == ["Lea"]
