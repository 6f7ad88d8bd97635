"""Slow down guessing: per account and per network address, counted in the database so that every process knows.

A try is counted before it is judged, so that many at once cannot slip through together. Nobody is locked out for
good: waits end after a quarter of an hour, a day of peace forgets everything, and a new password by mail opens the
account at once.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.accounts.models import Throttle
from okrgate.database import insert_into, transaction
from okrgate.errors import Refused

_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(days=1)


class TooMany(Refused):
    """Too many tries. `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        """Say when to come back."""
        minutes = -(-seconds // 60)
        when = "a minute" if minutes <= 1 else f"{minutes} minutes"
        super().__init__(f"There were too many tries. Wait {when} and try again.")
        self.seconds = seconds


@dataclass(frozen=True)
class Counter:
    """One thing that is counted: how many tries are free before waits begin, each twice the one before."""

    name: str
    free: int


def account(purpose: str, email: str) -> Counter:
    """Count tries for an address that somebody typed, whether or not anybody has it."""
    return Counter(keyed(f"{purpose}:account:{email}"), free=5)


def network(purpose: str, address: str) -> Counter:
    """Count tries from one network address; a whole office may share it."""
    return Counter(keyed(f"{purpose}:network:{address}"), free=30)


def keyed(text: str) -> str:
    """Return a hash that only this installation can make, so that tables name no address."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def count_try(*counters: Counter) -> None:
    """Count a try. Raises TooMany, counting nothing, while one of the counters is closed."""
    now = clock.now()
    with transaction() as session:
        session.execute(delete(Throttle).where(Throttle.last_at < now - _FORGOTTEN_AFTER))
        # Always in one order: two processes must not wait for each other.
        rows = {
            one: _row(session, one.name, now) for one in sorted(counters, key=lambda one: one.name)
        }
        waits = [_wait(row, now) for row in rows.values()]
        if any(waits):
            raise TooMany(max(waits))
        for counter, row in rows.items():
            row.count += 1
            row.last_at = now
            row.closed_until = _closed_until(row.count - counter.free, now)


def forgive(*counters: Counter, all_tries: bool = True) -> None:
    """Forget the tries of these counters, or only the last one, because it was right after all."""
    with transaction() as session:
        for counter in sorted(counters, key=lambda one: one.name):
            row = session.get(Throttle, counter.name, with_for_update=True)
            if row is not None:
                row.count = 0 if all_tries else max(0, row.count - 1)
                row.closed_until = None


def _row(session: Session, key: str, now: datetime) -> Throttle:
    values = {"key": key, "count": 0, "last_at": now, "closed_until": None}
    session.execute(insert_into(Throttle).values(values).on_conflict_do_nothing())
    return session.get_one(Throttle, key, with_for_update=True)


def _wait(row: Throttle, now: datetime) -> int:
    if row.closed_until is None or row.closed_until <= now:
        return 0
    return max(1, int((row.closed_until - now).total_seconds()))


def _closed_until(beyond: int, now: datetime) -> datetime | None:
    if beyond < 0:
        return None
    return now + min(timedelta(seconds=2 ** min(beyond, 12)), _LONGEST_WAIT)
