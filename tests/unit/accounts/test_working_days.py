"""Working days: weekends, public holidays, closed days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okrgate.accounts.working_days import (
    Calendar,
    countries,
    country_names,
    holidays_of,
    region_names,
)

FRIDAY = date(2026, 12, 4)
DAY = timedelta(days=1)
CLOSED = ((date(2026, 12, 24), date(2026, 12, 31), "Company holidays"),)


@pytest.mark.parametrize(
    ("calendar", "start", "count", "expected"),
    [
        (Calendar(), FRIDAY, 0, FRIDAY),
        (Calendar(), FRIDAY, 1, date(2026, 12, 7)),
        (Calendar(), date(2026, 12, 5), 1, date(2026, 12, 7)),
        (Calendar(), FRIDAY, 5, date(2026, 12, 11)),
        (Calendar("DE"), date(2026, 12, 24), 1, date(2026, 12, 28)),
        (Calendar("DE", "BY"), date(2027, 1, 5), 1, date(2027, 1, 7)),
        (Calendar("DE", "NW"), date(2027, 1, 5), 1, date(2027, 1, 6)),
        (Calendar("DE", closed=CLOSED), date(2026, 12, 23), 1, date(2027, 1, 4)),
        (Calendar("AE"), date(2027, 1, 7), 1, date(2027, 1, 8)),
        (Calendar("IL"), date(2026, 11, 19), 1, date(2026, 11, 22)),
    ],
)
def test_days_are_counted_as_they_are_worked(
    calendar: Calendar, start: date, count: int, expected: date
) -> None:
    assert calendar.after(start, count) == expected


@given(
    st.sampled_from([Calendar(), Calendar("DE", "BY"), Calendar("US"), Calendar(closed=CLOSED)]),
    st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    st.integers(1, 30),
)
def test_a_counted_day_is_worked_and_as_far_away_as_asked(
    calendar: Calendar, start: date, count: int
) -> None:
    end = calendar.after(start, count)
    between = [start + number * DAY for number in range(1, (end - start).days + 1)]
    assert calendar.works(end)
    assert sum(calendar.works(day) for day in between) == count
    assert calendar.before(calendar.after(start, 1)) <= start


def test_holidays_and_places_have_names() -> None:
    found = holidays_of("DE", "BY", date(2026, 11, 22))
    assert (date(2026, 12, 25), "Christmas Day") in found
    assert (found[0][0] >= date(2026, 11, 22), found[-1][0] < date(2027, 11, 22)) == (True, True)
    assert country_names()["DE"] == "Germany"
    assert set(countries()) <= set(country_names())
    assert set(region_names("DE")) == set(countries()["DE"])
    assert region_names("DE")["BY"] == "Bayern"
    assert region_names("") == {}
