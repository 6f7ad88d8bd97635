"""Texts that administrators work on. They bind nobody."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Invalid, NotFound
from okrgate.rulebooks.models import Process, RulebookDraft
from okrgate.rulebooks.standing import standing

LONGEST = 262_144


@dataclass(frozen=True)
class Draft:
    """A text in work."""

    text: str
    note: str
    based_on: int
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Kept:
    """That somebody keeps a draft."""

    process: str
    person_id: int
    based_on: int
    changed_at: datetime


def begin(key: str, *, by: int) -> Draft:
    """Return what somebody works on: their own draft, else the newest version or what the process begins with."""
    kept = db.session().scalar(_draft(key, by))
    if kept is not None:
        return Draft(kept.text, kept.note, kept.based_on, kept.changed_at)
    version = standing(key)
    return Draft(version.text, "", version.number)


def drafts() -> list[Kept]:
    """Return who keeps a draft of what, the latest first."""
    query = (
        select(
            Process.key, RulebookDraft.person_id, RulebookDraft.based_on, RulebookDraft.changed_at
        )
        .join(Process, Process.id == RulebookDraft.process_id)
        .order_by(RulebookDraft.changed_at.desc())
        .limit(50)
    )
    return [Kept(*row) for row in db.session().execute(query)]


def keep(key: str, draft: Draft, *, by: int) -> None:
    """Store a text as somebody's draft, sound or not; the same text again stores nothing."""
    if len(draft.text.encode()) > LONGEST:
        raise Invalid("The text is longer than a rulebook may be.")
    with transaction() as session:
        process = session.scalar(select(Process).where(Process.key == key))
        if process is None:
            raise NotFound
        row = session.scalar(_draft(key, by))
        if row is None:
            row = RulebookDraft(process_id=process.id, person_id=by, text="", note="", based_on=0)
            session.add(row)
        elif (row.text, row.note, row.based_on) == (draft.text, draft.note, draft.based_on):
            return
        row.text, row.note, row.based_on = draft.text, draft.note, draft.based_on
        row.changed_at = clock.now()
        audit.record(
            "rulebook.draft_kept",
            by=by,
            details={"process": key, "based_on": draft.based_on},
        )


def discard(key: str, *, by: int) -> None:
    """Throw somebody's own draft away."""
    with transaction() as session:
        row = session.scalar(_draft(key, by))
        if row is None:
            return
        session.execute(delete(RulebookDraft).where(RulebookDraft.id == row.id))
        audit.record("rulebook.draft_discarded", by=by, details={"process": key})


def _draft(key: str, person: int) -> Select[RulebookDraft]:
    return (
        select(RulebookDraft)
        .join(Process, Process.id == RulebookDraft.process_id)
        .where(Process.key == key, RulebookDraft.person_id == person)
        .execution_options(populate_existing=True)
    )
