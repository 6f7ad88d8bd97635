"""Processes that were added on a page: what they begin with, until a first version of their rules is published."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import db, insert_into, transaction
from okrgate.errors import Conflict, NotFound
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.models import Beginning, Process, RulebookDraft
from okrgate.rulebooks.standing import has_versions


@dataclass(frozen=True)
class Begun:
    """A process without a version, as pages list it."""

    id: int
    key: str
    title: str
    origin: str
    begun_at: datetime
    begun_by_id: int


def begin(key: str, title: str, text: str, *, origin: str, by: int) -> None:
    """Add a process that has no version yet; the text is the draft of whoever adds it.

    Raises Conflict when there is one with this key: of two who add it at once the second is told who came first.
    """
    if len(text.encode()) > drafts.LONGEST:
        raise Conflict("The text is longer than a rulebook may be.")
    with transaction() as session:
        fresh = insert_into(Process).values(key=key, title=title)
        session.execute(fresh.on_conflict_do_nothing(index_elements=["key"]))
        process = locked(key)
        known = session.get(Beginning, process.id, populate_existing=True)
        if session.scalar(select(has_versions(process.id))):
            raise Conflict(f"There is a process with the key {key} already: {process.title}.")
        if known is not None and known.thrown_away_at is None:
            name = directory.names([known.begun_by_id]).get(known.begun_by_id, "Somebody")
            raise Conflict(
                f"{name} has just added a process with the key {key}: {process.title}. "
                "Work on that one, or choose another key."
            )
        row = known or Beginning(process_id=process.id)
        row.text, row.origin, row.thrown_away_at = text, origin[:300], None
        row.begun_at, row.begun_by_id = clock.now(), by
        session.add(row)
        process.title = title
        session.flush()
        audit.record(
            "rulebook.process_added",
            by=by,
            target=f"process:{process.id}",
            reason=origin,
            details={"process": key, "title": title, "sha256": _digest(text)},
        )
        drafts.keep(key, Draft(text, "", 0), by=by)


def throw_away(key: str, *, by: int) -> None:
    """Take away a process that has no version, with one's own draft of it. Nothing happens the second time.

    Raises Conflict for one that has a version, while a text of it waits to be published, and while somebody else
    keeps a draft of it: nobody loses work.
    """
    with transaction() as session:
        process = locked(key)
        row = session.get(Beginning, process.id, populate_existing=True)
        if row is None or session.scalar(select(has_versions(process.id))):
            raise Conflict("This process has a version: it can be retired, not thrown away.")
        if row.thrown_away_at is not None:
            return
        if any(one.process == key for one in service.proposed()):
            raise Conflict("A text of this process waits for approval. Withdraw that first.")
        others = list(session.scalars(_others(process.id, by)))
        if others:
            raise Conflict(
                f"{', '.join(others)} work{'s' if len(others) == 1 else ''} on it too. "
                "Ask them to throw their draft away first."
            )
        row.thrown_away_at = clock.now()
        session.execute(delete(RulebookDraft).where(RulebookDraft.process_id == process.id))
        audit.record(
            "rulebook.process_thrown_away",
            by=by,
            target=f"process:{process.id}",
            details={"process": key, "title": process.title},
        )


def locked(key: str) -> Process:
    """Return a process, locked in the open transaction. Raises NotFound."""
    process = db.session().scalar(
        select(Process)
        .where(Process.key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if process is None:
        raise NotFound
    return process


def unpublished() -> list[Begun]:
    """Return the processes that have no version yet, the newest first."""
    query = (
        select(
            Process.id,
            Process.key,
            Process.title,
            Beginning.origin,
            Beginning.begun_at,
            Beginning.begun_by_id,
        )
        .join(Beginning, Beginning.process_id == Process.id)
        .where(Beginning.thrown_away_at.is_(None), ~has_versions(Process.id))
        .order_by(Beginning.begun_at.desc(), Process.id.desc())
        .limit(50)
    )
    return [Begun(*row) for row in db.session().execute(query)]


def origin_of(process_id: int) -> str:
    """Say where the first text of a process is from; empty where it was not added on a page."""
    return (
        db.session().scalar(select(Beginning.origin).where(Beginning.process_id == process_id))
        or ""
    )


def _others(process_id: int, person: int) -> Select[str]:
    return (
        select(Person.name)
        .join(RulebookDraft, RulebookDraft.person_id == Person.id)
        .where(
            RulebookDraft.process_id == process_id,
            Person.id != person,
            Person.active,
            Person.is_admin,
        )
        .order_by(Person.name)
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
