"""Checkpoints: from time to time auditors are mailed how far the record goes, and whether it holds.

What was mailed lies where whoever rewrites the record cannot reach it: so even that is noticed.
"""

from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from okrgate import clock, events
from okrgate.accounts import directory
from okrgate.audit import chain
from okrgate.audit import service as audit
from okrgate.audit.models import Checkpoint
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.events import Recipient, RecordCheckpointed
from okrgate.evidence.walking import walk

ACTION = "audit.checkpoint"
LISTED = 200
_NAMED = 3
_MANY = 1000


def take_when_due() -> Checkpoint | None:
    """Take a checkpoint if the last one is old enough. Asked once a day, on one host."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    if settings.checkpoint_days == 0:
        return None
    last = newest()
    if last is not None:
        zone = clock.company_zone()
        due = last.at.astimezone(zone).date() + timedelta(days=settings.checkpoint_days)
        if clock.today() < due:
            return None
    return take()


def take() -> Checkpoint | None:
    """Walk over everything, keep how far the record goes, and mail it to the auditors. None while there is no record."""
    last = newest()
    seq, digest = audit.head()
    if seq == 0:
        return None
    marks = chain.marks_at(seq)
    before = [(last.seq, last.hash), (last.seq, last.listing)] if last else []
    found = walk(*before)
    problem = "; ".join(found.problems[:_NAMED])[:_MANY]
    auditors = directory.auditors()
    db.session().rollback()
    row = Checkpoint(
        seq=seq,
        hash=digest,
        listing=marks[-1] if marks else "",
        at=clock.now(),
        rows_since=seq - (last.seq if last else 0),
        whole=not found.problems,
        problem=problem,
        told=len(auditors),
    )
    with transaction() as session:
        session.add(row)
        session.flush()
        audit.record(
            ACTION,
            by=None,
            target=f"checkpoint:{row.id}",
            reason=problem,
            details={"seq": seq, "sha256": digest, "listing": row.listing, "whole": row.whole},
        )
        events.publish(
            RecordCheckpointed(
                recipients=tuple(Recipient(one, "you are an auditor") for one in auditors),
                path="/audit/checkpoints",
                seq=seq,
                digest=digest,
                listing=row.listing,
                at=row.at.isoformat(),
                rows=row.rows_since,
                whole=row.whole,
                problem=problem,
            )
        )
    return row


def newest() -> Checkpoint | None:
    """Return the last checkpoint that was taken."""
    return db.session().scalar(select(Checkpoint).order_by(Checkpoint.id.desc()).limit(1))


def listed() -> list[Checkpoint]:
    """Return the checkpoints, the newest first."""
    query = select(Checkpoint).order_by(Checkpoint.id.desc()).limit(LISTED)
    return list(db.session().scalars(query))
