"""Remind those whose seat is still open: once before it is due, once when it is over. Silence never approves.

The first one comes a day before, or as many days after the stage began as its `remind_days` say.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.approvals.asking import ask, gate_label
from okrgate.approvals.models import Round, SeatPerson, SignoffReminder
from okrgate.database import transaction
from okrgate.events import Recipient, SignoffDue, publish
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks

SOON, OVERDUE, ESCALATED = "soon", "overdue", "escalated"
_AT_ONCE = 500


def remind_of_signoffs() -> int:
    """Write a reminder to everybody whose open seat is due soon or was due before today; return how many.

    Nobody gets the same one twice for a round, and nobody one on the day on which they were asked.
    """
    total = 0
    while sent := _remind_some():
        total += sent
    return total


def _remind_some() -> int:
    """Remind of some rounds, in one transaction: whom it waits for is looked up in it."""
    today = clock.today()
    with transaction() as session:
        early = _early(session, today)
        rows = session.execute(
            select(Round, Project, SeatPerson.person_id, SeatPerson.waiting_since)
            .join(Project, Project.id == Round.project_id)
            .join(SeatPerson, SeatPerson.round_id == Round.id)
            .where(
                Round.closed_at.is_(None),
                Round.due_on.is_not(None),
                (Round.due_on <= today + timedelta(days=1)) | Round.id.in_(early),
                SeatPerson.waiting_since < clock.now() - timedelta(hours=12),
                ~_told(OVERDUE) & ((Round.due_on < today) | ~_told(SOON)),
            )
            .order_by(Round.id, SeatPerson.person_id)
            .limit(_AT_ONCE)
        ).all()
        waiting = {(row.Round.id, row.person_id): row for row in rows}
        for (number, person), row in waiting.items():
            kind = OVERDUE if row.Round.due_on < today else SOON
            session.add(
                SignoffReminder(round_id=number, person_id=person, kind=kind, at=clock.now())
            )
            publish(_news(row.Round, row.Project, [person], kind))
    return len(waiting)


def _early(session: Session, today: date) -> list[int]:
    """Return the open rounds whose stage wants a reminder sooner than a day before they are due."""
    rows = session.execute(
        select(Round.id, Round.due_on, Project.stage, Project.rulebook_version_id)
        .join(Project, Project.id == Round.project_id)
        .where(Round.closed_at.is_(None), Round.due_on > today + timedelta(days=1))
    )
    found = []
    for number, due, name, version in rows:
        stage = rulebooks.rulebook(version).stages.get(name)
        if due is None or stage is None or not stage.remind_days or not stage.sla_days:
            continue
        if due - timedelta(days=stage.sla_days - stage.remind_days) <= today:
            found.append(number)
    return found


def _told(kind: str) -> ColumnElement[bool]:
    return (
        select(SignoffReminder.id)
        .where(
            SignoffReminder.round_id == Round.id,
            SignoffReminder.person_id == SeatPerson.person_id,
            SignoffReminder.kind == kind,
        )
        .correlate(Round, SeatPerson)
        .exists()
    )


def _news(found: Round, project: Project, people: Iterable[int], kind: str) -> SignoffDue:
    rulebook = rulebooks.rulebook(found.rulebook_version_id)
    return SignoffDue(
        recipients=tuple(
            Recipient(person, "your sign-off is still needed", asked=True) for person in people
        ),
        path=f"/approvals/{found.id}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label(rulebook, found),
        ask=ask(rulebook, found, project.title),
        due=found.due_on.isoformat() if found.due_on else "",
        overdue=kind == OVERDUE,
    )
