"""Keep in the record who tried to do what they may not: once a day for each address, however often they try.

Nobody can fill the record by trying: a person's denials are kept up to a bound a day, and the log has the rest.
"""

from datetime import timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from okrgate import clock
from okrgate.audit import service
from okrgate.audit.models import Entry
from okrgate.database import db, transaction

log = structlog.get_logger()

ACTION = "access.denied"
MOST_A_DAY = 100
_AGAIN = timedelta(days=1)


def note(by: int, *, path: str, act: str, sentence: str) -> None:
    """Record that an act was denied, in a transaction of its own. A database that takes nothing stops no answer."""
    target = f"address:{path}"[:120]
    db.session().rollback()
    try:
        with transaction() as session:
            recent = select(func.count()).where(
                Entry.action == ACTION, Entry.actor_id == by, Entry.at > clock.now() - _AGAIN
            )
            same = session.scalar(recent.where(Entry.target == target))
            if not same and (session.scalar(recent) or 0) < MOST_A_DAY:
                service.record(ACTION, by=by, target=target, reason=sentence, details={"act": act})
    except DBAPIError as problem:
        log.warning("denial not recorded", problem=str(problem.orig), path=path)
