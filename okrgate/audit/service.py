"""Keep the chain, check it, read it.

Each row's hash covers the row in canonical JSON and the hash before it, so a row changed, removed or slipped
in from outside breaks the chain at that place. Names are never written: ids stay, people can be forgotten.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, bindparam, func, select, text
from sqlalchemy.orm import QueryableAttribute

from okrgate import clock
from okrgate.audit.chain import GENESIS, Break, hash_of, verify
from okrgate.audit.models import Checkpoint, Entry
from okrgate.database import after_commit, ask, check_writing, db
from okrgate.logs import request_id

# One number for one lock: PostgreSQL's writers queue here, so that the chain never forks.
_CHAIN_LOCK = 0x6F6B7267


__all__ = [
    "GENESIS",
    "Break",
    "Filter",
    "actions",
    "checkpoint_over",
    "head",
    "last_of",
    "newest",
    "of_project",
    "on_project_change",
    "page",
    "record",
    "stream",
    "verify",
]


@dataclass(frozen=True)
class Filter:
    """What to look for; dates are moments in UTC, `until` is exclusive."""

    project_id: int | None = None
    actor_id: int | None = None
    action: str = ""
    without: str = ""
    since: datetime | None = None
    until: datetime | None = None


def record(
    action: str,
    *,
    by: int | None,
    project_id: int | None = None,
    target: str = "",
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    on_behalf_of: int | None = None,
) -> Entry:
    """Append to the chain, in the transaction that makes it true. `details` are plain JSON values."""
    check_writing()
    session = db.session()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    last = ask(_HEAD, {}).first()
    entry = Entry(
        seq=last.seq + 1 if last else 1,
        at=clock.now(),
        action=action,
        actor_id=by,
        on_behalf_of_id=on_behalf_of,
        project_id=project_id,
        target=target[:120],
        reason=reason,
        details=dict(details or {}),
        request_id=request_id.get(),
        prev_hash=last.hash if last else GENESIS,
    )
    entry.hash = hash_of(_body(entry), entry.prev_hash)
    session.add(entry)
    session.flush()
    if project_id is not None:
        after_commit(f"project:{project_id}", lambda: _tell(project_id))
    return entry


def on_project_change(listener: Callable[[int], None]) -> None:
    """Call `listener` with a project's id after anything about it was recorded and stored.

    Nothing happens to a project without a row here, so whoever judges it cannot miss a change.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def last_of(project_id: int) -> int:
    """Return the number of a project's newest row; 0 when it has none."""
    return ask(_LAST, {"project": project_id}).scalar() or 0


def newest_of(project_id: QueryableAttribute[int]) -> ScalarSelect[int]:
    """Return the number of a project's newest row, as a part of another query."""
    return select(func.max(Entry.seq)).where(Entry.project_id == project_id).scalar_subquery()


_listeners: list[Callable[[int], None]] = []


def _tell(project_id: int) -> None:
    for listener in _listeners:
        listener(project_id)


def newest(project_id: int) -> tuple[int, int]:
    """Return the number of the last row of all, and of a project's newest; 0 where there is none."""
    row = ask(_NEWEST, {"project": project_id}).one()
    return row[0] or 0, row[1] or 0


_HEAD = select(Entry.seq, Entry.hash).order_by(Entry.seq.desc()).limit(1)
_LAST = select(func.max(Entry.seq)).where(Entry.project_id == bindparam("project"))
_NEWEST = select(
    select(func.max(Entry.seq)).scalar_subquery(),
    select(func.max(Entry.seq)).where(Entry.project_id == bindparam("project")).scalar_subquery(),
)


def head() -> tuple[int, str]:
    """Return number and hash of the last row; (0, zeros) when there is none."""
    last = db.session().execute(_HEAD).first()
    return (last.seq, last.hash) if last else (0, GENESIS)


def checkpoint_over(seq: int) -> Checkpoint | None:
    """Return the newest checkpoint that covers a row."""
    query = select(Checkpoint).where(Checkpoint.seq >= seq).order_by(Checkpoint.seq.desc())
    return db.session().scalar(query.limit(1))


def page(wanted: Filter, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """Return the newest rows that fit, older than row `before`."""
    query = _filtered(wanted)
    if before is not None:
        query = query.where(Entry.seq < before)
    return list(db.session().scalars(query.order_by(Entry.seq.desc()).limit(limit)))


def stream(wanted: Filter) -> Iterator[Entry]:
    """Yield every row that fits, oldest first, for an export."""
    query = _filtered(wanted).order_by(Entry.seq).execution_options(yield_per=500)
    for entry in db.session().scalars(query):
        yield entry
        db.session().expunge(entry)


def actions() -> list[str]:
    """Return the kinds of action seen so far, for the filter."""
    return list(db.session().scalars(select(Entry.action).distinct().order_by(Entry.action)))


def of_project(
    project_id: int, *, limit: int = 50, before: int | None = None, without: str = ""
) -> list[Entry]:
    """Return what happened to one project, newest first, but for one kind of act."""
    return page(Filter(project_id=project_id, without=without), before=before, limit=limit)


def _filtered(wanted: Filter) -> Select[Entry]:
    query = select(Entry)
    if wanted.project_id is not None:
        query = query.where(Entry.project_id == wanted.project_id)
    if wanted.actor_id is not None:
        query = query.where(
            (Entry.actor_id == wanted.actor_id) | (Entry.on_behalf_of_id == wanted.actor_id)
        )
    if wanted.action:
        query = query.where(Entry.action == wanted.action)
    if wanted.without:
        query = query.where(Entry.action != wanted.without)
    if wanted.since:
        query = query.where(Entry.at >= wanted.since)
    if wanted.until:
        query = query.where(Entry.at < wanted.until)
    return query


def _body(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(timespec="microseconds"),
        "action": entry.action,
        "actor": entry.actor_id,
        "on_behalf_of": entry.on_behalf_of_id,
        "project": entry.project_id,
        "target": entry.target,
        "reason": entry.reason,
        "details": entry.details,
        "request": entry.request_id,
    }
