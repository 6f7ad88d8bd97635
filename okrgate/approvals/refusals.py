"""Keep in the record who tried to decide and may not: once a day for each round, however often they try."""

from datetime import timedelta

from sqlalchemy import select

from okrgate import clock
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.audit.models import Entry
from okrgate.database import db, transaction

_ACTION = "signoff.refused"
_AGAIN = timedelta(days=1)


def note(found: Round, *, by: int, sentence: str) -> None:
    """Record a refused decision, in a transaction of its own. The project's own history is not touched by it."""
    target = f"round:{found.id}"
    known = select(Entry.seq).where(
        Entry.action == _ACTION,
        Entry.actor_id == by,
        Entry.target == target,
        Entry.at > clock.now() - _AGAIN,
    )
    with transaction():
        if db.session().scalar(known.limit(1)) is None:
            audit.record(
                _ACTION,
                by=by,
                target=target,
                reason=sentence,
                details={"gate": found.gate, "project": found.project_id},
            )
