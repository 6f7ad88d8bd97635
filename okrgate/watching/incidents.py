"""What an administrator has to look at: opened once, told once, closed when it is over."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from okrgate import clock, events
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import db, insert_into, transaction
from okrgate.errors import Conflict
from okrgate.events import AlertRaised, Recipient
from okrgate.watching.models import Incident

ENGINE = "engine"
JOB = "job"
DEAD_LETTERS = "dead_letters"
WORKER = "worker"
CHAIN = "chain"
SECOND_HOST = "second_host"
RULES_FILE = "rules_file"
PATH = "/admin"
# How long an incident that is only heard of (and not looked for) stays open after it was last heard of.
_QUIET = timedelta(hours=24)
_HEARD = {
    "gate unjudgeable": ENGINE,
    "facts unreadable": ENGINE,
    "settling failed": ENGINE,
    "settling does not end": ENGINE,
    "periodic job failed": JOB,
    "rules not moved": JOB,
}
_TOLD = ("project", "transition", "problem", "job", "request_id")
_LONGEST = 500


@dataclass(frozen=True)
class Words:
    """What an incident is called, and what to do about it."""

    sentence: str
    advice: str


WORDS: Mapping[str, Words] = {
    ENGINE: Words(
        "A gate could not be judged and stays closed",
        "Read the log at this time. Put the facts of the project into “okrgate rules judge” to see it again.",
    ),
    JOB: Words(
        "A periodic job failed",
        "It is tried again, three times in all. Read the log at this time.",
    ),
    DEAD_LETTERS: Words(
        "Mail was given up",
        "See why at Administration, Mail that could not be sent. Send it again, or give it up with a reason.",
    ),
    WORKER: Words(
        "No worker is working",
        "Start “okrgate worker”. Until then mail waits, imports wait, and nobody is reminded.",
    ),
    CHAIN: Words(
        "The record is broken",
        "Run “okrgate audit verify”. Keep the database as it is, and hold it against your last backup.",
    ),
    RULES_FILE: Words(
        "The rules file was not put in force",
        "Run “okrgate rules check” on it and mend it. Until then the rules that bind stay as they are.",
    ),
    SECOND_HOST: Words(
        "Two hosts use one SQLite file",
        "SQLite is for one host. Stop the other host, or move to PostgreSQL.",
    ),
}

_lock = threading.Lock()
_heard: dict[str, tuple[int, str]] = {}


@dataclass(frozen=True)
class Open:
    """An incident that is not over, in words."""

    kind: str
    sentence: str
    detail: str
    advice: str
    count: int
    since: datetime
    last: datetime

    @property
    def closes_by_hand(self) -> bool:
        """Tell whether it stays open until somebody has seen it, or nobody has heard of it for a day."""
        return self.kind in _HEARD.values()


def hear(event: Mapping[str, Any]) -> None:
    """Remember a line of the log that is an incident. Called while anything may be going on: it asks no database."""
    kind = _HEARD.get(str(event.get("event")))
    if kind is None:
        return
    parts = [f"{name} {event[name]}" for name in _TOLD if event.get(name)]
    with _lock:
        count = _heard.get(kind, (0, ""))[0] + 1
        _heard[kind] = (count, f"{event['event']}: {', '.join(parts)}"[:_LONGEST])


def write_down() -> None:
    """Store what this process has heard of since the last time."""
    with _lock:
        heard = dict(_heard)
        _heard.clear()
    for kind, (count, detail) in heard.items():
        arise(kind, detail, count=count)


def arise(kind: str, detail: str, *, count: int = 1) -> bool:
    """Open an incident and tell the administrators, or note that it goes on. Return whether it is new."""
    now = clock.now()
    people = tuple(
        Recipient(person, "you are an administrator", asked=True) for person in directory.admins()
    )
    values = {
        "kind": kind,
        "open_kind": kind,
        "detail": detail,
        "count": count,
        "opened_at": now,
        "last_at": now,
    }
    with transaction() as session:
        fresh = insert_into(Incident).values(values)
        fresh = fresh.on_conflict_do_nothing(index_elements=["open_kind"])
        if session.execute(fresh.returning(Incident.id)).first() is None:
            session.execute(
                update(Incident)
                .where(Incident.open_kind == kind)
                .values(count=Incident.count + count, last_at=now, detail=detail)
            )
            return False
        words = WORDS[kind]
        events.publish(
            AlertRaised(
                recipients=people,
                path=PATH,
                kind=kind,
                sentence=words.sentence,
                detail=detail,
                advice=words.advice,
                at=now.isoformat(),
            )
        )
    return True


def subside(*kinds: str) -> None:
    """Close incidents of these kinds: what they told of is over."""
    _close(Incident.open_kind.in_(kinds))


def close_seen(kind: str, *, by: int) -> None:
    """Close an incident that somebody has looked into; heard of again, it opens anew.

    Raises Conflict when it is not open, or is looked for and so closes by itself as soon as it is over.
    """
    if kind not in _HEARD.values():
        raise Conflict("This closes by itself as soon as it is over.")
    with transaction() as session:
        row = session.scalar(select(Incident).where(Incident.open_kind == kind).with_for_update())
        if row is None:
            raise Conflict("This was closed already.")
        row.open_kind, row.closed_at = None, clock.now()
        audit.record(
            "incident.seen",
            by=by,
            target=f"incident:{row.id}",
            details={"incident": WORDS[kind].sentence, "detail": row.detail, "count": row.count},
        )


def forget_old() -> None:
    """Close what was only heard of and was not heard of for a day."""
    heard = tuple(set(_HEARD.values()))
    _close(Incident.open_kind.in_(heard), Incident.last_at < clock.now() - _QUIET)


def _close(*conditions: Any) -> None:
    found = db.session().scalar(select(Incident.id).where(*conditions).limit(1))
    db.session().rollback()
    if found is None:
        return
    with transaction() as session:
        session.execute(
            update(Incident).where(*conditions).values(open_kind=None, closed_at=clock.now())
        )


def open_ones() -> Sequence[Open]:
    """Return what is not over, oldest first."""
    rows = db.session().scalars(
        select(Incident).where(Incident.open_kind.is_not(None)).order_by(Incident.id)
    )
    return [
        Open(
            kind=row.kind,
            sentence=WORDS[row.kind].sentence if row.kind in WORDS else row.kind,
            detail=row.detail,
            advice=WORDS[row.kind].advice if row.kind in WORDS else "",
            count=row.count,
            since=row.opened_at,
            last=row.last_at,
        )
        for row in rows
    ]
