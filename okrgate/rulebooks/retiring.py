"""Processes in which no new project starts. What is under way in them goes on, and their rules can still be changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from okrgate import clock, events
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid
from okrgate.events import ProcessRetired, Recipient
from okrgate.rulebooks import service
from okrgate.rulebooks.models import Process, Retirement, RulebookVersion
from okrgate.rulebooks.standing import has_versions

_WHY = "Say why: every administrator is told."


@dataclass(frozen=True)
class Retired:
    """That a process is retired: since when, by whom, and why."""

    at: datetime
    by_id: int
    reason: str


def retired() -> Mapping[int, Retired]:
    """Return the retired processes, by their id."""
    query = select(
        Retirement.process_id, Retirement.retired_at, Retirement.retired_by_id, Retirement.reason
    )
    return {row[0]: Retired(*row[1:]) for row in db.session().execute(query)}


def startable() -> Sequence[RulebookVersion]:
    """Return what a new project may start under: the binding versions, but those of retired processes."""
    gone = retired()
    return [one for one in service.binding() if one.process_id not in gone]


def retire(key: str, *, by: int, reason: str) -> None:
    """Let no new project start in a process; nothing happens the second time.

    Raises Invalid without a reason, Conflict for one without a version and for the last one in which projects can start.
    """
    _change(key, by=by, reason=reason, back=False)


def bring_back(key: str, *, by: int, reason: str) -> None:
    """Let projects start in a process again; nothing happens the second time. Raises Invalid without a reason."""
    _change(key, by=by, reason=reason, back=True)


def _change(key: str, *, by: int, reason: str, back: bool) -> None:
    if not reason.strip():
        raise Invalid(_WHY, {"reason": _WHY})
    told = [one for one in directory.admins() if one != by]
    name = directory.names([by]).get(by, "Somebody")
    with transaction() as session:
        # All of them, in one order: of two that are retired at once one stays.
        every = list(
            session.scalars(
                select(Process)
                .where(has_versions(Process.id))
                .order_by(Process.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        )
        process = next((one for one in every if one.key == key), None)
        if process is None:
            raise Conflict("Nothing of this process was published yet. It can be thrown away.")
        known = session.get(Retirement, process.id, populate_existing=True)
        if (known is None) is back:
            return
        if known is not None:
            session.delete(known)
        else:
            _check_not_last(process.id, every)
            session.add(
                Retirement(
                    process_id=process.id,
                    retired_at=clock.now(),
                    retired_by_id=by,
                    reason=reason.strip(),
                )
            )
        audit.record(
            "rulebook.process_brought_back" if back else "rulebook.process_retired",
            by=by,
            target=f"process:{process.id}",
            reason=reason.strip(),
            details={"process": key, "title": process.title},
        )
        if told:
            events.publish(
                ProcessRetired(
                    recipients=tuple(Recipient(one, "you administer okrgate") for one in told),
                    by=name,
                    by_id=by,
                    path="/rules",
                    process=process.title,
                    reason=reason.strip(),
                    back=back,
                )
            )


def _check_not_last(process_id: int, every: Sequence[Process]) -> None:
    gone = retired()
    if not any(one.id != process_id and one.id not in gone for one in every):
        raise Conflict(
            "This is the only process in which projects can start. Publish or bring back another one first."
        )
