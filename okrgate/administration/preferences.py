"""The company's settings: kept in the database, in force in every process within seconds.

Each process remembers the newest row's id and looks again at most every few seconds, before a request or a job.
"""

import time
from dataclasses import asdict, dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, current_app
from sqlalchemy import select

from okrgate import clock
from okrgate.administration.models import CompanySettings
from okrgate.audit import service as audit
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid
from okrgate.projects import money

_KEY = "okrgate.preferences"
_LOOK_EVERY = 5.0


@dataclass(frozen=True)
class Preferences:
    """What is in force. `version` is 0 while nobody has saved anything."""

    name: str
    timezone: str
    currency: str
    welcome: str = ""
    help_contact: str = ""
    version: int = 0


@dataclass
class _Known:
    """What one process goes by, and when it last looked."""

    preferences: Preferences
    looked: float = field(default=float("-inf"))


def install(app: Flask, settings: Settings) -> None:
    """Begin with the environment's values; the database's follow with the first request or job."""
    found = Preferences("", settings.timezone, settings.currency)
    app.extensions[_KEY] = _Known(found)
    app.jinja_env.globals["company"] = current


def current() -> Preferences:
    """Return what this process goes by."""
    return _known().preferences


def refresh() -> None:
    """Go by the newest row from now on. Ends whatever was being read."""
    row = db.session().scalar(select(CompanySettings).order_by(CompanySettings.id.desc()).limit(1))
    if row is not None and row.id != current().version:
        _apply(_in_force(row))
    _known().looked = time.monotonic()
    db.session().rollback()


def refresh_if_stale() -> None:
    """Look again when the last look was a while ago."""
    if time.monotonic() - _known().looked > _LOOK_EVERY:
        refresh()


def save(wanted: Preferences, *, by: int) -> None:
    """Store settings; `wanted.version` is the one they were made from.

    Raises Invalid for an unknown zone or currency, Conflict if somebody saved others meanwhile.
    """
    _check(wanted)
    with transaction() as session:
        newest = session.scalar(
            select(CompanySettings).order_by(CompanySettings.id.desc()).limit(1)
        )
        before = _in_force(newest) if newest is not None else current()
        if before.version != wanted.version:
            raise Conflict(
                "Somebody else saved settings meanwhile. Compare with what is in force below, and save again."
            )
        old, new = _values(before), _values(wanted)
        details = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
        if not details:
            return
        row = CompanySettings(**new, saved_at=clock.now(), saved_by_id=by)
        session.add(row)
        session.flush()
        audit.record("settings.changed", by=by, details=details)
        fresh = _in_force(row)
    _apply(fresh)


def _check(wanted: Preferences) -> None:
    try:
        ZoneInfo(wanted.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        sentence = "Choose one of the time zones."
        raise Invalid(sentence, {"timezone": sentence}) from problem
    if wanted.currency not in money.CURRENCIES and wanted.currency != current().currency:
        sentence = "Choose one of the currencies."
        raise Invalid(sentence, {"currency": sentence})


def _apply(found: Preferences) -> None:
    clock.set_company_zone(found.timezone)
    money.set_company_currency(found.currency)
    _known().preferences = found


def _in_force(row: CompanySettings) -> Preferences:
    return Preferences(
        row.name, row.timezone, row.currency, row.welcome, row.help_contact, version=row.id
    )


def _values(one: Preferences) -> dict[str, str]:
    return {name: value for name, value in asdict(one).items() if name != "version"}


def _known() -> _Known:
    known: _Known = current_app.extensions[_KEY]
    return known
