"""Send what waits in the outbox: at least once, never two workers at one row, never a network call in a transaction."""

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from email.message import EmailMessage

import structlog
from flask import current_app
from jinja2 import TemplateError
from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.accounts import people
from okrgate.accounts.models import Person
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.events import DutiesHanded
from okrgate.notifications import hiding, messages, rights, snapshots
from okrgate.notifications.models import DEAD, MAIL, SENDING, SENT, SKIPPED, WAITING, OutboxRow
from okrgate.notifications.relay import Refusal, Relay, Unreachable
from okrgate.notifications.wording import printable, zone_named

log = structlog.get_logger()

BATCH = 50
TRIES = 10
_LEASE = timedelta(minutes=10)
# No new mail is begun in the lease's second half, so that a slow relay never outlives it.
_BUSY_SECONDS = 300.0
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=6)
_STUMBLES = 3
_chance = secrets.SystemRandom()


@dataclass(frozen=True)
class Claim:
    """A row that is ours until the lease ends."""

    row_id: int
    until: datetime


@dataclass(frozen=True)
class _Outcome:
    """What became of one row."""

    status: str
    error: str = ""


def send_due(limit: int = BATCH, *, only: str = "") -> int:
    """Send up to `limit` mails that are due, of one kind of event `only` if that is said.

    Return how many rows were settled (sent, dead or skipped).
    """
    claims = _claim(limit, only)
    if not claims:
        return 0
    settings: Settings = current_app.extensions["okrgate.settings"]
    started, settled, stumbles = time.monotonic(), 0, 0
    with Relay(settings.mail) as relay:
        for number, claim in enumerate(claims):
            if stumbles >= _STUMBLES or time.monotonic() - started > _BUSY_SECONDS:
                _give_back(claims[number:])
                break
            try:
                outcome = _deliver(claim, relay)
                stumbles = 0
            except Unreachable as problem:
                outcome = _Outcome(WAITING, str(problem))
                stumbles += 1
            settled += _settle(claim, outcome)
    return settled


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many tries: doubling from a minute to six hours, scattered by a fifth."""
    wait: timedelta = min(_FIRST_WAIT * 2 ** min(attempts - 1, 12), _LONGEST_WAIT)
    return wait * _chance.uniform(0.8, 1.0)


def _claim(limit: int, only: str = "") -> list[Claim]:
    """Take rows that are due, or whose worker died. SQLite lets one writer in; PostgreSQL skips what is locked."""
    now = clock.now()
    until = now + _LEASE
    due = or_(
        (OutboxRow.status == WAITING) & (OutboxRow.due_at <= now),
        (OutboxRow.status == SENDING) & (OutboxRow.claimed_until < now),
    )
    query = (
        select(OutboxRow.id)
        .where(OutboxRow.channel == MAIL, due)
        .order_by(OutboxRow.due_at, OutboxRow.id)
        .limit(limit)
    )
    if only:
        query = query.where(OutboxRow.event == only)
    # A look without a lock first: an idle worker must not queue up with the writers.
    if db.session().scalar(query.limit(1)) is None:
        db.session().rollback()
        return []
    with transaction() as session:
        ids = list(session.scalars(query.with_for_update(skip_locked=True)))
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id.in_(ids))
            .values(status=SENDING, claimed_until=until, attempts=OutboxRow.attempts + 1)
        )
    return [Claim(row_id, until) for row_id in ids]


def _deliver(claim: Claim, relay: Relay) -> _Outcome:
    """Check, write and send one mail. Raises Unreachable when the relay, not the mail, is at fault."""
    try:
        found = _write(claim)
    except (TemplateError, MessageError, LookupError, TypeError, ValueError) as problem:
        log.error("mail could not be written", row=claim.row_id, exc_info=problem)
        return _Outcome(DEAD, f"The mail could not be written: {type(problem).__name__}.")
    finally:
        db.session().rollback()
    if isinstance(found, _Outcome):
        return found
    try:
        relay.send(found)
    except Refusal as refusal:
        return _Outcome(DEAD if refusal.permanent else WAITING, str(refusal))
    return _Outcome(SENT)


def _write(claim: Claim) -> EmailMessage | _Outcome:
    row = db.session().get(OutboxRow, claim.row_id)
    person = db.session().get(Person, row.person_id) if row else None
    if row is None or person is None:
        return _Outcome(SKIPPED, "The person or the news is gone.")
    if not person.active and not _is_farewell(row, person):
        return _Outcome(SKIPPED, "The person is no longer active.")
    if row.project_id is not None and not rights.may_read(person.id, row.project_id):
        return _Outcome(SKIPPED, "The person may no longer read the project.")
    event = snapshots.restore(row.event, row.snapshot, person_id=person.id, asked=row.asked)
    event = hiding.as_read_now(event, person.id)
    reader = messages.Reader(person.id, person.name, person.email, zone_named(person.timezone))
    return messages.compose(event, reader, message_id=row.message_id)


def _is_farewell(row: OutboxRow, person: Person) -> bool:
    """Tell whether this is the last mail to somebody who was just shut out: it tells of no project, only of themselves."""
    return row.event == DutiesHanded.__name__ and not person.email.endswith(people.ERASED)


def _settle(claim: Claim, outcome: _Outcome) -> bool:
    """Write down what became of the row, if it is still ours. Return whether it is settled."""
    with transaction() as session:
        if outcome.status == SENT and _is_noted_as_sent(session, claim):
            return True
        row = session.scalar(_ours(claim).with_for_update())
        if row is None:
            log.warning("mail settled by another worker", row=claim.row_id)
            return False
        status = DEAD if outcome.status == WAITING and row.attempts >= TRIES else outcome.status
        row.status = status
        row.claimed_until = None
        row.last_error = printable(outcome.error)[:500]
        if status == SENT:
            row.sent_at = clock.now()
        elif status == WAITING:
            row.due_at = clock.now() + wait_after(row.attempts)
        if status != WAITING and snapshots.has_secret(row.event):
            row.snapshot = row.snapshot | {"path": "/"}
    if outcome.error:
        log.warning("mail not sent", row=claim.row_id, status=status, problem=outcome.error)
    return status != WAITING


def _is_noted_as_sent(session: Session, claim: Claim) -> bool:
    """Settle what nearly every row comes to, in one statement. A row with a secret to forget is left to the long way."""
    noted = session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.id == claim.row_id,
            OutboxRow.status == SENDING,
            OutboxRow.claimed_until == claim.until,
            OutboxRow.event.not_in(snapshots.SECRETS),
        )
        .values(status=SENT, claimed_until=None, last_error="", sent_at=clock.now())
        .returning(OutboxRow.id)
        .execution_options(synchronize_session=False)
    )
    return noted.first() is not None


def _give_back(claims: list[Claim]) -> None:
    """Put rows that were not tried back, uncounted, for the next round."""
    with transaction() as session:
        for claim in claims:
            session.execute(
                update(OutboxRow)
                .where(
                    OutboxRow.id == claim.row_id,
                    OutboxRow.status == SENDING,
                    OutboxRow.claimed_until == claim.until,
                )
                .values(
                    status=WAITING,
                    claimed_until=None,
                    attempts=OutboxRow.attempts - 1,
                    due_at=clock.now() + _FIRST_WAIT,
                )
            )


def _ours(claim: Claim) -> Select[OutboxRow]:
    return select(OutboxRow).where(
        OutboxRow.id == claim.row_id,
        OutboxRow.status == SENDING,
        OutboxRow.claimed_until == claim.until,
    )
