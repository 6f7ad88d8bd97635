"""Which days a unit works: its weekends and public holidays, and the days on which it is closed.

A unit has the calendar of the nearest unit above it that has one; without any, it rests on Saturdays and Sundays.
It is closed when it is itself, and when a unit above it is.
"""

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from okrgate.accounts.models import ClosedDays, OrgUnit, UnitCalendar
from okrgate.database import db, remembered

_WEEKEND = frozenset({5, 6})
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """The days of a unit. `country` is empty where no public holidays are kept; `closed` are (first, last, why)."""

    country: str = ""
    region: str = ""
    closed: tuple[tuple[date, date, str], ...] = ()

    def works(self, day: date) -> bool:
        """Tell whether it is a working day."""
        if any(first <= day <= last for first, last, _why in self.closed):
            return False
        if not self.country:
            return day.weekday() not in _WEEKEND
        return day not in _resting(self.country, self.region, day.year)

    def next(self, day: date) -> date:
        """Return the first working day from this one on."""
        while not self.works(day):
            day += _DAY
        return day

    def after(self, day: date, count: int) -> date:
        """Return the working day that is `count` of them after `day`."""
        for _ in range(count):
            day = self.next(day + _DAY)
        return day

    def before(self, day: date) -> date:
        """Return the last working day before this one."""
        day -= _DAY
        while not self.works(day):
            day -= _DAY
        return day


@lru_cache(maxsize=400)
def _resting(country: str, region: str, year: int) -> frozenset[date]:
    """Return the days of a year on which a country does not work, as a set that no thread still fills."""
    import holidays

    days = holidays.country_holidays(country, subdiv=region or None, years=year, expand=False)
    first = date(year, 1, 1)
    return frozenset(
        day
        for number in range(366 if isleap(year) else 365)
        if not days.is_working_day(day := first + number * _DAY)
    )


def holidays_of(country: str, region: str, since: date) -> list[tuple[date, str]]:
    """Return the public holidays of the year that begins with a day, with their names, in order."""
    import holidays

    until = since + 365 * _DAY
    years = {since.year, until.year}
    found = holidays.country_holidays(country, subdiv=region or None, years=years, expand=False)
    return [(day, name) for day, name in sorted(found.items()) if since <= day < until]


def region_names(country: str) -> Mapping[str, str]:
    """Return what people call each region of a country, by its code."""
    import holidays

    called = holidays.country_holidays(country).get_subdivision_aliases() if country else {}
    return {code: (names or [code])[0] for code, names in called.items()}


@lru_cache(maxsize=1)
def countries() -> Mapping[str, tuple[str, ...]]:
    """Return the regions of each country whose public holidays are known, by its code."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(regions) for code, regions in known.items()}


@lru_cache(maxsize=1)
def country_names() -> Mapping[str, str]:
    """Return what people call each country, by its code (ISO 3166, as the zone database lists it)."""
    listed = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    lines = (line.partition("\t") for line in listed.splitlines() if not line.startswith("#"))
    return {code: name for code, _, name in lines if name}


def calendar_of(unit_id: int | None) -> Calendar:
    """Return the calendar of one unit, in one query; without a unit it knows weekends only."""
    return remembered(("calendar", unit_id), lambda: _calendar_of(unit_id))


def _calendar_of(unit_id: int | None) -> Calendar:
    if unit_id is None:
        return Calendar()
    rows = db.session().execute(_ABOVE, {"unit": unit_id}).all()
    country, region = next(
        ((row.country, row.region) for row in rows if row.country is not None), ("", "")
    )
    closed = {row.id: (row.first, row.last, row.why) for row in rows if row.id is not None}
    return Calendar(country, region, tuple(sorted(closed.values())))


def resting_units(day: date) -> set[int]:
    """Return the units that do not work on a day."""
    session = db.session()
    own = {one.unit_id: one for one in session.scalars(select(UnitCalendar))}
    closed: dict[int, list[tuple[date, date, str]]] = {}
    for one in session.scalars(
        select(ClosedDays).where(ClosedDays.first <= day, ClosedDays.last >= day)
    ):
        closed.setdefault(one.unit_id, []).append((one.first, one.last, one.why))
    found = set()
    for unit, path in session.execute(select(OrgUnit.id, OrgUnit.path)):
        above = [int(step) for step in path.strip("/").split("/")]
        kept = next((own[step] for step in reversed(above) if step in own), None)
        calendar = Calendar(
            kept.country if kept else "",
            kept.region if kept else "",
            tuple(span for step in above for span in closed.get(step, ())),
        )
        if not calendar.works(day):
            found.add(unit)
    return found


_home = aliased(OrgUnit)
_ABOVE = (
    select(
        UnitCalendar.country,
        UnitCalendar.region,
        ClosedDays.id,
        ClosedDays.first,
        ClosedDays.last,
        ClosedDays.why,
    )
    .select_from(_home)
    .join(OrgUnit, _home.path.startswith(OrgUnit.path))
    .outerjoin(UnitCalendar, UnitCalendar.unit_id == OrgUnit.id)
    .outerjoin(ClosedDays, ClosedDays.unit_id == OrgUnit.id)
    .where(_home.id == bindparam("unit"))
    .order_by(OrgUnit.path.desc())
)
