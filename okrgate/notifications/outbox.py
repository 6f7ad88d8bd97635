"""Put a row for each recipient and channel into the outbox, in the transaction of the event."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from flask import current_app
from sqlalchemy import event as hooks
from sqlalchemy.orm import Session

from okrgate import clock, events
from okrgate.config import Settings
from okrgate.database import canonical_json, db, insert_unless_known
from okrgate.events import Event, ProjectEvent, Recipient
from okrgate.notifications import snapshots, wishes, worker
from okrgate.notifications.models import HELD, INBOX, MAIL, SENT, WAITING, OutboxRow

_OCCASION = "okrgate_occasion"
_WAKE = "okrgate_wake"
# Sweeps find these again and again: one a day is enough, however often a sweep is repeated.
_ONCE_A_DAY = (events.CheckpointDue, events.RoleUnheld)


def on_event(event: Event) -> None:
    """Store what is to be told. Called inside the event's transaction; the same news twice in it is told once."""
    rows = list(_rows(event))
    if not rows:
        return
    session = db.session()
    # The same news may be there already: that must not fail the decision.
    session.execute(insert_unless_known(OutboxRow, "dedupe_key"), rows)
    if MAIL in event.channels:
        session.info[_WAKE] = True


def recipients(event: Event) -> list[Recipient]:
    """Return whom to tell, each once; who acted is told only when asked to act."""
    found: dict[int, Recipient] = {}
    for one in event.recipients:
        if one.person_id == event.by_id and not one.asked:
            continue
        found[one.person_id] = _merged(found.get(one.person_id), one)
    return list(found.values())


def _merged(known: Recipient | None, more: Recipient) -> Recipient:
    """Say once what two reasons would have said twice; being asked is the stronger reason."""
    if known is None or known == more:
        return more
    first, second = (more, known) if more.asked and not known.asked else (known, more)
    if not second.why or second.why in first.why:
        return first
    why = f"{first.why.rstrip('.')}; {second.why}" if first.why else second.why
    return Recipient(first.person_id, why, first.asked)


def _rows(event: Event) -> Iterator[dict[str, Any]]:
    now = clock.now()
    host = _mail_host()
    told = recipients(event)
    held = _held(event, told)
    for recipient in told:
        snapshot = snapshots.take(event, recipient)
        for channel in dict.fromkeys(event.channels):
            due = held.get(recipient.person_id, now) if channel == MAIL else now
            if due is None:
                continue
            key = _dedupe_key(event, recipient, channel, snapshot)
            yield {
                "event": type(event).__name__,
                "channel": channel,
                "person_id": recipient.person_id,
                "project_id": event.project_id if isinstance(event, ProjectEvent) else None,
                "asked": recipient.asked,
                "snapshot": snapshot,
                "dedupe_key": key,
                "message_id": f"<{key[:40]}@{host}>",
                "created_at": now,
                "due_at": due,
                "attempts": 0,
                "status": SENT if channel == INBOX else WAITING if due == now else HELD,
                "last_error": "",
                "sent_at": now if channel == INBOX else None,
            }


def _held(event: Event, told: Iterable[Recipient]) -> dict[int, datetime | None]:
    """Return until when the mail waits for those who do not want it at once; None: they never want it."""
    kinds: dict[str, list[int]] = {}
    if MAIL in event.channels:
        for one in told:
            kinds.setdefault(wishes.kind_of(event, asked=one.asked), []).append(one.person_id)
    found: dict[int, datetime | None] = {}
    for kind, people in kinds.items():
        found |= wishes.held_until(people, kind) if kind else {}
    return found


def _dedupe_key(
    event: Event, recipient: Recipient, channel: str, snapshot: Mapping[str, Any]
) -> str:
    """Name this news to this person: unique within its transaction; within its day, or for ever, for what sweeps find."""
    said: Any = {name: value for name, value in snapshot.items() if name != "why"}
    if isinstance(event, events.ConditionDue):
        occasion, said = "ever", [event.condition_id, event.due, event.overdue]
    elif isinstance(event, _ONCE_A_DAY):
        occasion = clock.today().isoformat()
    else:
        occasion = _occasion()
    name = canonical_json([occasion, type(event).__name__, recipient.person_id, channel, said])
    return hashlib.sha256(name.encode()).hexdigest()


def _occasion() -> str:
    """Return a name for the running transaction."""
    name: str = db.session().info.setdefault(_OCCASION, uuid.uuid4().hex)
    return name


def _mail_host() -> str:
    settings: Settings = current_app.extensions["okrgate.settings"]
    address = parseaddr(settings.mail.sender)[1]
    return address.rpartition("@")[2] or "localhost"


@hooks.listens_for(db.session, "after_commit")
def _committed(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.info.pop(_OCCASION, None)
    if session.info.pop(_WAKE, False):
        worker.wake()


@hooks.listens_for(db.session, "after_rollback")
def _rolled_back(session: Session) -> None:
    session.info.pop(_OCCASION, None)
    session.info.pop(_WAKE, None)
