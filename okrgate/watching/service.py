"""Look after the machinery: is the record whole, does a worker work, was mail given up, does one host only use SQLite."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.evidence import walking
from okrgate.notifications import service as notifications
from okrgate.notifications import worker
from okrgate.watching import heartbeats, incidents
from okrgate.watching.models import ChainCheck

LATE = timedelta(minutes=15)
_NAMED = 3


def check_chain() -> bool:
    """Walk over the record, the receipts and what was signed, note what was found, and tell the administrators if it is broken. Return whether it is whole.

    The head of the last good walk must still be in it: so one notices rows that were cut off at the end.
    """
    last = db.session().scalar(
        select(ChainCheck).where(ChainCheck.whole).order_by(ChainCheck.id.desc()).limit(1)
    )
    expected = (last.head_seq, last.head_hash) if last is not None and last.head_seq else None
    seq, digest = audit.head()
    found = walking.walk(*([expected] if expected else []))
    problem = "; ".join(found.problems[:_NAMED])
    db.session().rollback()
    with transaction() as session:
        session.add(
            ChainCheck(
                at=clock.now(),
                row_count=found.rows,
                head_seq=seq,
                head_hash=digest,
                whole=not found.problems,
                problem=problem,
            )
        )
    if found.problems:
        incidents.arise(incidents.CHAIN, problem)
    else:
        incidents.subside(incidents.CHAIN)
    return not found.problems


def last_check() -> ChainCheck | None:
    """Return the last walk over the record."""
    return db.session().scalar(select(ChainCheck).order_by(ChainCheck.id.desc()).limit(1))


def check_query() -> Sequence[ScalarSelect[Any]]:
    """Return when the last walk was, whether all was whole, and how many rows there were: parts of a query."""
    columns = (ChainCheck.at, ChainCheck.whole, ChainCheck.row_count)
    newest = select(func.max(ChainCheck.id)).scalar_subquery()
    return [select(one).where(ChainCheck.id == newest).scalar_subquery() for one in columns]


def look(since: datetime | None = None) -> None:
    """Open and close incidents by what the database says. `since`: when the one who looks began to live."""
    _look_at_worker(since)
    _look_at_dead_letters()
    _look_at_hosts()
    incidents.forget_old()


def _look_at_worker(since: datetime | None) -> None:
    late = clock.now() - LATE
    if since is not None and since > late:
        return  # Everything may have been down; a worker gets as long as it always has.
    beat, backlog = worker.last_beat(), notifications.backlog()
    # Whoever begins to work with an old backlog gets time to send it.
    behind = backlog.oldest is not None and backlog.oldest < late and worker.has_worked_since(late)
    db.session().rollback()
    silent = beat < late if beat is not None else since is not None
    if not (behind or silent):
        incidents.subside(incidents.WORKER)
    elif silent:
        incidents.arise(
            incidents.WORKER,
            f"The last sign of life was at {beat:%Y-%m-%d %H:%M} UTC" if beat else "None ever ran",
        )
    else:
        incidents.arise(incidents.WORKER, f"{backlog.waiting} mails wait and are not sent")


def _look_at_dead_letters() -> None:
    dead = notifications.backlog().dead
    db.session().rollback()
    if dead:
        incidents.arise(incidents.DEAD_LETTERS, f"{dead} mail{'' if dead == 1 else 's'}")
    else:
        incidents.subside(incidents.DEAD_LETTERS)


def _look_at_hosts() -> None:
    """On SQLite warn of a second host. One that was here before us and was replaced does not count for long."""
    if db.engine.dialect.name != "sqlite":
        return
    others = heartbeats.other_hosts()
    db.session().rollback()
    if others:
        incidents.arise(
            incidents.SECOND_HOST, f"{', '.join(others)} besides {heartbeats.this_host()}"
        )
    else:
        incidents.subside(incidents.SECOND_HOST)
