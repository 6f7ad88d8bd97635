"""How far a key result has come, and an objective. Formulas and cases: design page "Numbers", key results.

Progress looks back, confidence looks forward: they are never mixed. No data is never 0 %, silence is never green.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

ON_TRACK, AT_RISK, OFF_TRACK = "on_track", "at_risk", "off_track"
PENDING, OUTDATED = "pending", "outdated"
# How far progress may lie behind the expected line, as shares.
_SMALL_GAP, _LARGE_GAP = Decimal("0.10"), Decimal("0.25")
_SILENCE_DAYS = 31
_NOTHING, _WHOLE = Decimal(0), Decimal(1)


def progress(baseline: Decimal, target: Decimal, current: Decimal | None) -> Decimal | None:
    """Return the share of the way done: (current - baseline) / (target - baseline), for both directions.

    None when there is no value yet: no data is never 0 %. Raises ValueError when baseline and target are one.
    """
    if baseline == target:
        raise ValueError("A key result needs a target that differs from its baseline.")
    return None if current is None else (current - baseline) / (target - baseline)


def clamped(share: Decimal) -> Decimal:
    """Keep a share between nothing and all, as it counts towards an objective."""
    return min(max(share, _NOTHING), _WHOLE)


def roll_up(parts: Iterable[tuple[int, Decimal | None]]) -> Decimal | None:
    """Return an objective's progress from (weight, progress): the weighted mean of the clamped shares.

    Key results without data are left out; None when none has any.
    """
    known = [(weight, clamped(share)) for weight, share in parts if share is not None]
    total = sum(weight for weight, _ in known)
    if not total:
        return None
    return sum((weight * share for weight, share in known), _NOTHING) / total


def elapsed(starts_on: date, ends_on: date, today: date) -> Decimal:
    """Return the share of a period that is over, today included: 15 April of 1 to 30 April is a half."""
    gone = (today - starts_on).days + 1
    return clamped(Decimal(gone) / Decimal((ends_on - starts_on).days + 1))


def status(
    share: Decimal | None, checked_on: date | None, starts_on: date, ends_on: date, today: date
) -> str:
    """Say how a key result stands against the straight line from the first to the last day of its period."""
    if share is None or checked_on is None:
        return PENDING
    if (min(today, ends_on) - checked_on).days > _SILENCE_DAYS:
        return OUTDATED
    gap = elapsed(starts_on, ends_on, today) - clamped(share)
    if gap > _LARGE_GAP:
        return OFF_TRACK
    return AT_RISK if gap > _SMALL_GAP else ON_TRACK
