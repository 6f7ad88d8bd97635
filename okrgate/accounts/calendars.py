"""Say which days a unit works. What is due already keeps its day."""

from datetime import date

from sqlalchemy import select

from okrgate.accounts import units
from okrgate.accounts.models import ClosedDays, UnitCalendar
from okrgate.accounts.working_days import countries
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Invalid, NotFound

LONGEST = 60
_MOST = 200
_FIELDS = ("country", "region")


def own_calendar(unit_id: int) -> UnitCalendar | None:
    """Return what a unit itself says of its public holidays; nothing if it follows the unit above."""
    return db.session().get(UnitCalendar, unit_id)


def own_closed_days(unit_id: int) -> list[ClosedDays]:
    """Return the days on which a unit itself is closed, in order."""
    query = select(ClosedDays).where(ClosedDays.unit_id == unit_id)
    return list(db.session().scalars(query.order_by(ClosedDays.first, ClosedDays.id)))


def keep(unit_id: int, *, country: str, region: str, by: int) -> None:
    """Keep a country's public holidays in a unit and below it; none at all for an empty country.

    Raises Invalid for a country or region that nobody knows.
    """
    if country and country not in countries():
        raise Invalid("Choose a country.", {"country": "Choose a country from the list."})
    if region and region not in countries().get(country, ()):
        raise Invalid("Choose a region.", {"region": "Choose a region of this country."})
    _put(unit_id, (country, region), by=by)


def follow(unit_id: int, *, by: int) -> None:
    """Let a unit have the calendar of the unit above."""
    _put(unit_id, None, by=by)


def _put(unit_id: int, wanted: tuple[str, str] | None, *, by: int) -> None:
    with transaction() as session:
        units.get(unit_id)
        known = session.get(UnitCalendar, unit_id)
        before = (known.country, known.region) if known is not None else None
        if before == wanted:
            return
        if wanted is None:
            session.delete(known)
        elif known is None:
            session.add(UnitCalendar(unit_id=unit_id, country=wanted[0], region=wanted[1]))
        else:
            known.country, known.region = wanted
        audit.record(
            "calendar.changed",
            by=by,
            target=f"unit:{unit_id}",
            details={
                name: [before[place] if before else None, wanted[place] if wanted else None]
                for place, name in enumerate(_FIELDS)
            },
        )


def close(unit_id: int, *, first: date, last: date, why: str, by: int) -> int:
    """Close a unit and all below it for some days. Return the row's id.

    Raises Invalid for days in the wrong order, too many at once, or too many rows.
    """
    if last < first:
        raise Invalid("It ends too early.", {"last": "This is before the first day."})
    if (last - first).days >= LONGEST:
        raise Invalid("Too long.", {"last": f"At most {LONGEST} days in one row."})
    with transaction() as session:
        units.get(unit_id)
        if len(own_closed_days(unit_id)) >= _MOST:
            sentence = f"There are {_MOST} rows already. Remove those that are over."
            raise Invalid(sentence, {"first": sentence})
        row = ClosedDays(unit_id=unit_id, first=first, last=last, why=why)
        session.add(row)
        session.flush()
        audit.record("days.closed", by=by, target=f"unit:{unit_id}", details=_said(row))
        return row.id


def reopen(unit_id: int, row_id: int, *, by: int) -> None:
    """Take closed days back. Raises NotFound for a row of another unit."""
    with transaction() as session:
        row = session.get(ClosedDays, row_id)
        if row is None or row.unit_id != unit_id:
            raise NotFound
        session.delete(row)
        audit.record("days.reopened", by=by, target=f"unit:{unit_id}", details=_said(row))


def _said(row: ClosedDays) -> dict[str, str]:
    return {"first": row.first.isoformat(), "last": row.last.isoformat(), "why": row.why}
