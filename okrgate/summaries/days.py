"""How long a project took to get going, and how long it was worked on: pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol


class Stay(Protocol):
    """One visit of a stage, as far as counting days needs it."""

    stage: str
    entered_at: datetime
    left_at: datetime | None


def before_and_in(
    stays: Sequence[Stay], delivering: Collection[str], now: datetime
) -> tuple[Decimal, Decimal] | None:
    """Return the days until work began and the days in it (stays in order), or None if it never began.

    `delivering` are the stages in which work is done. Time on hold in between counts for neither.
    """
    working = [stay for stay in stays if stay.stage in delivering]
    if not working:
        return None
    before = working[0].entered_at - stays[0].entered_at
    inside = sum(((stay.left_at or now) - stay.entered_at for stay in working), timedelta())
    return _days(before), _days(inside)


def _days(span: timedelta) -> Decimal:
    return round(Decimal(span.total_seconds()) / 86400, 1)
