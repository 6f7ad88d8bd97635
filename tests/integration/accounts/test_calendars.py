"""Administration: which days a unit works."""

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import calendars
from okrgate.accounts.models import ClosedDays, UnitCalendar
from okrgate.accounts.working_days import Calendar, calendar_of, resting_units
from okrgate.audit.models import Entry
from okrgate.database import db
from tests.factories import Factory
from tests.integration.accounts.conftest import Joined

CHRISTMAS = date(2026, 12, 25)


@pytest.fixture
def boss(factory: Factory, joined: Joined) -> FlaskClient:
    """Return an administrator's browser."""
    return factory.browser(joined("Bea Boss", admin=True))


def test_a_unit_has_the_days_of_the_one_above_until_it_has_its_own(
    boss: FlaskClient, factory: Factory
) -> None:
    top = factory.unit("Acme")
    south = factory.unit("South", parent=top)
    team = factory.unit("Bakers", parent=south)
    assert calendar_of(team.id) == Calendar()
    assert boss.post(f"/admin/units/{top.id}/days", data={"country": "DE"}).status_code == 303
    assert calendar_of(team.id) == Calendar("DE")
    at = f"/admin/units/{south.id}/days"
    boss.post(at, data={"country": "DE", "region": "BY"})
    assert calendar_of(team.id) == Calendar("DE"), "a region is chosen when its country is kept"
    boss.post(at, data={"country": "DE", "region": "BY"})
    assert calendar_of(team.id) == Calendar("DE", "BY")
    assert "Bayern" in boss.get(f"/admin/units/{team.id}/days").text
    boss.post(at, data={"country": "nobody"})
    assert (calendar_of(team.id), calendar_of(top.id)) == (Calendar(), Calendar("DE"))
    assert resting_units(CHRISTMAS) == {top.id}
    boss.post(at, data={"country": "above"})
    assert resting_units(CHRISTMAS) == {top.id, south.id, team.id}
    actions = list(db.session.scalars(select(Entry.action).order_by(Entry.seq.desc()).limit(5)))
    assert actions == ["calendar.changed"] * 5


def test_closed_days_hold_for_all_below(boss: FlaskClient, factory: Factory) -> None:
    top = factory.unit("Acme")
    team = factory.unit("Bakers", parent=top)
    first = Calendar().next(clock.today() + timedelta(days=3))
    at = f"/admin/units/{top.id}/days/closed"
    sent = {"closed-first": first.isoformat(), "closed-why": "Stocktaking"}
    assert boss.post(at, data=sent).status_code == 303
    assert not calendar_of(team.id).works(first)
    assert resting_units(first) == {top.id, team.id}
    page = boss.get(f"/admin/units/{team.id}/days").text
    assert "Stocktaking" in page
    assert "Remove" not in page, "it is another unit's"
    row = db.session.scalars(select(ClosedDays)).one()
    elsewhere = f"/admin/units/{team.id}/days/closed/{row.id}/remove"
    assert boss.post(elsewhere).status_code == 404
    assert boss.post(f"{at}/{row.id}/remove").status_code == 303
    assert calendar_of(team.id).works(first)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"country": "XX"}, "from the list"),
        ({"country": ""}, "from the list"),
        ({"country": "above"}, "from the list"),
        ({"country": "\x00"}, "cannot be stored"),
    ],
)
def test_a_country_nobody_knows_is_refused(
    boss: FlaskClient, factory: Factory, sent: dict[str, str], said: str
) -> None:
    unit = factory.unit("Acme")
    answer = boss.post(f"/admin/units/{unit.id}/days", data=sent)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert db.session.get(UnitCalendar, unit.id) is None


def test_a_region_of_another_country_is_refused(boss: FlaskClient, factory: Factory) -> None:
    unit = factory.unit("Acme")
    calendars.keep(unit.id, country="DE", region="", by=factory.person("Ina").id)
    answer = boss.post(f"/admin/units/{unit.id}/days", data={"country": "DE", "region": "TX"})
    assert answer.status_code == 422
    assert "region of this country" in answer.text


@pytest.mark.parametrize(
    ("first", "last", "why", "said"),
    [
        ("", "", "Party", "Enter the first day"),
        ("2026-12-04", "2026-12-01", "Party", "before the first day"),
        ("2026-12-04", "2027-12-01", "Party", "At most 60 days"),
        ("2026-12-04", "", "", "Say what for"),
        ("soon", "", "Party", "Enter a date"),
    ],
)
def test_closed_days_that_make_no_sense_are_refused(
    boss: FlaskClient, factory: Factory, first: str, last: str, why: str, said: str
) -> None:
    unit = factory.unit("Acme")
    sent = {"closed-first": first, "closed-last": last, "closed-why": why}
    answer = boss.post(f"/admin/units/{unit.id}/days/closed", data=sent)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert db.session.scalars(select(ClosedDays)).first() is None
