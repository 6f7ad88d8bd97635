"""Mail that was given up: why, in words; send it again, or let it rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid, NotFound
from okrgate.notifications import snapshots
from okrgate.notifications.models import DEAD, DROPPED, MAIL, WAITING, OutboxRow
from okrgate.notifications.service import headline

PAGE = 50
_REASONS = {
    "address": ("The address takes no mail", ("said 550%", "said 551%", "said 553%")),
    "full": ("The mailbox is full", ("said 552%", "said 452%")),
    "server": (
        "The mail server could not be reached, or was busy",
        ("could not be reached%", "did not answer%", "said 4%", "refused our user name%"),
    ),
    "refused": ("The mail server refused it for good", ("said 5%", "cannot write to%")),
    "written": ("okrgate could not write this mail", ("could not be written%",)),
}
REASONS = tuple((key, words) for key, (words, _parts) in _REASONS.items())
_LEAST, _MOST = 3, 300


@dataclass(frozen=True)
class DeadLetter:
    """A mail that was given up: why in words, and what the server said."""

    id: int
    headline: str
    person: str
    reason: str
    problem: str
    attempts: int
    at: datetime
    can_send_again: bool


@dataclass(frozen=True)
class Wanted:
    """Which dead letters to list: to whom, and for which reason ("" means any)."""

    person: str = ""
    reason: str = ""


def letters(wanted: Wanted | None = None, *, before: int | None = None) -> Sequence[DeadLetter]:
    """Return a page of the mails that were given up, newest first; one more than PAGE if there is more."""
    wanted = wanted or Wanted()
    query = select(OutboxRow).where(OutboxRow.channel == MAIL, OutboxRow.status == DEAD)
    if before is not None:
        query = query.where(OutboxRow.id < before)
    if wanted.person:
        query = query.join(Person, Person.id == OutboxRow.person_id).where(
            Person.name.icontains(wanted.person, autoescape=True)
            | Person.email.icontains(wanted.person, autoescape=True)
        )
    if wanted.reason in _REASONS:
        query = query.where(_because(wanted.reason))
    rows = list(db.session().scalars(query.order_by(OutboxRow.id.desc()).limit(PAGE + 1)))
    names = directory.names(row.person_id for row in rows)
    return [
        DeadLetter(
            id=row.id,
            headline=headline(row),
            person=names.get(row.person_id, "somebody"),
            reason=in_words(row.last_error),
            problem=row.last_error,
            attempts=row.attempts,
            at=row.created_at,
            can_send_again=not snapshots.has_secret(row.event),
        )
        for row in rows
    ]


def in_words(problem: str) -> str:
    """Say why a mail was given up, for somebody who does not know what a mail server says."""
    for words, parts in _REASONS.values():
        if any(part.rstrip("%") in problem for part in parts):
            return words
    return "It could not be sent"


def send_again(row_id: int, *, by: int) -> None:
    """Let a dead letter try again from the start. Raises Conflict when it cannot."""
    with transaction():
        row = _dead(row_id)
        if snapshots.has_secret(row.event):
            raise Conflict(
                "The secret link of this mail was erased. Invite the person, or ask for the reset, anew."
            )
        row.status, row.attempts, row.due_at = WAITING, 0, clock.now()
        audit.record(
            "notifications.sent_again",
            by=by,
            project_id=row.project_id,
            target=f"outbox:{row.id}",
            details={"event": row.event, "person": row.person_id, "problem": row.last_error},
        )


def send_many_again(ids: Iterable[int], *, by: int) -> tuple[int, int]:
    """Let several try again; those that cannot stay. Return how many are tried, and how many stayed."""
    tried = stayed = 0
    for row_id in list(ids)[:PAGE]:
        try:
            send_again(row_id, by=by)
            tried += 1
        except (Conflict, NotFound):
            stayed += 1
    return tried, stayed


def give_up(ids: Iterable[int], *, reason: str, by: int) -> int:
    """Let dead letters rest for good, with a reason. Return how many. Raises Invalid without a reason."""
    reason = " ".join(reason.split())
    if not _LEAST <= len(reason) <= _MOST:
        sentence = f"Say why in {_LEAST} to {_MOST} characters: it stands in the record."
        raise Invalid(sentence, {"reason": sentence})
    count = 0
    with transaction():
        for row_id in list(ids)[:PAGE]:
            try:
                row = _dead(row_id)
            except (Conflict, NotFound):
                continue
            row.status = DROPPED
            count += 1
            audit.record(
                "notifications.given_up",
                by=by,
                project_id=row.project_id,
                target=f"outbox:{row.id}",
                reason=reason,
                details={"event": row.event, "person": row.person_id, "problem": row.last_error},
            )
    return count


def _dead(row_id: int) -> OutboxRow:
    row = db.session().get(OutboxRow, row_id, with_for_update=True)
    if row is None or row.channel != MAIL:
        raise NotFound
    if row.status != DEAD:
        raise Conflict("This mail is no longer among the dead letters.")
    return row


def _because(reason: str) -> ColumnElement[bool]:
    """Return the condition of one reason; an earlier reason of the table wins over a later one."""
    conditions: list[ColumnElement[bool]] = []
    for key, (_words, parts) in _REASONS.items():
        fits = or_(*(OutboxRow.last_error.like(f"%{part}") for part in parts))
        if key == reason:
            conditions.append(fits)
            break
        conditions.append(~fits)
    found = conditions[0]
    for one in conditions[1:]:
        found = found & one
    return found
