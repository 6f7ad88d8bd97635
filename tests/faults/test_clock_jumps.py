"""The clock of a machine jumps: the record keeps its order, and nobody is reminded early or twice (R23)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.working_days import Calendar
from okrgate.approvals.models import Round
from okrgate.approvals.reminders import remind_of_signoffs
from okrgate.audit import chain
from okrgate.database import db
from tests.faults.whole import assert_whole
from tests.integration.conftest import Arrive

DAY = timedelta(days=1)


@pytest.mark.parametrize("jump", [-400 * DAY, -DAY, -timedelta(seconds=1), 400 * DAY])
def test_the_record_is_in_the_order_in_which_it_was_written(
    arrive: Arrive, jump: timedelta
) -> None:
    company = arrive("in approval")
    with clock.moved_to(clock.now() + jump):
        company.sign("Mia", "approved")
    company.sign("Vik", "approved")
    actions = [
        (entry.action, entry.actor_id)
        for entry in company.entries()
        if entry.action in {"signoff.approved", "project.moved"}
    ]
    mia, vik = company.ids["Mia"], company.ids["Vik"]
    assert actions[-3:] == [
        ("signoff.approved", mia),
        ("signoff.approved", vik),
        ("project.moved", None),
    ]
    assert [entry.seq for entry in company.entries()] == sorted(
        entry.seq for entry in company.entries()
    )
    assert chain.verify()[1] == []
    assert_whole()


def test_nobody_is_reminded_early_or_twice(arrive: Arrive) -> None:
    arrive("in approval")
    due = db.session.scalars(select(Round.due_on).where(Round.closed_at.is_(None))).one()
    assert due is not None
    working, today = Calendar(), clock.today()
    days = (due - today).days
    soon, late = (working.before(due) - today).days, (working.after(due, 1) - today).days
    now, told = clock.now(), []
    for ahead in (
        0,
        -400,
        soon - 1,
        -1,
        soon,
        0,
        soon,
        days,
        soon - 2,
        late,
        0,
        late + 1,
        late,
    ):
        with clock.moved_to(now + ahead * DAY):
            told.append(remind_of_signoffs())
    # Two sign: each hears of it the working day before, and once when it is over.
    assert told == [0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0]
