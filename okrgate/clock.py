"""The only clock. Tests and the demo move it; nothing else asks the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)
_company_zone = ZoneInfo("UTC")


def set_company_zone(name: str) -> None:
    """Say where "today" is. Called once, when the application is built."""
    global _company_zone
    _company_zone = ZoneInfo(name)


def company_zone() -> ZoneInfo:
    """Return the zone whose date is "today" in every rule."""
    return _company_zone


def now() -> datetime:
    """Return the present moment in UTC."""
    return _frozen.get() or datetime.now(UTC)


def today() -> date:
    """Return today's date in the company's zone: the date that every rule is judged for."""
    return now().astimezone(_company_zone).date()


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """Stand at `moment` (with a zone) for the length of the block."""
    token = _frozen.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
