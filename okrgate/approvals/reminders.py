"""Remind those whose seat is still open: once before it is due, once when it is over. Silence never approves.

The first one comes a working day before, or as many of them after it was asked as the stage's `remind_days` say.
Nobody is reminded on a day on which they do not work.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.accounts.working_days import calendar_of, resting_units
from okrgate.approvals import stand_ins
from okrgate.approvals.asking import ask, gate_label
from okrgate.approvals.models import Round, SeatPerson, SignoffReminder
from okrgate.database import remembering, transaction
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
        near = _near(session, today)
        resting = resting_units(today)
        rows = session.execute(
            select(Round, Project, SeatPerson.person_id, SeatPerson.waiting_since)
            .join(Project, Project.id == Round.project_id)
            .join(SeatPerson, SeatPerson.round_id == Round.id)
            .join(Person, Person.id == SeatPerson.person_id)
            .where(
                Round.closed_at.is_(None),
                (Round.due_on <= today) | Round.id.in_(near),
                func.coalesce(Person.unit_id, Project.home_unit_id, 0).not_in(resting),
                SeatPerson.waiting_since < clock.now() - timedelta(hours=12),
                ~_told(OVERDUE) & ((Round.due_on < today) | ~_told(SOON)),
            )
            .order_by(Round.id, SeatPerson.person_id)
            .limit(_AT_ONCE)
        ).all()
        waiting = {(row.Round.id, row.person_id): row for row in rows}
        there = stand_ins.there_for(waiting)
        names = directory.names(person for _, person in waiting) if there else {}
        for (number, person), row in waiting.items():
            kind = OVERDUE if row.Round.due_on < today else SOON
            session.add(
                SignoffReminder(round_id=number, person_id=person, kind=kind, at=clock.now())
            )
            publish(_news(row.Round, row.Project, [person], kind))
            in_place = there.get((number, person), [])
            if in_place:
                publish(_news(row.Round, row.Project, in_place, kind, names[person]))
    return len(waiting)


def _near(session: Session, today: date) -> list[int]:
    """Return the open rounds that are not due yet, and of which somebody should be reminded by now."""
    rows = session.execute(
        select(
            Round.id,
            Round.opened_at,
            Round.due_on,
            Project.home_unit_id,
            Project.stage,
            Project.rulebook_version_id,
        )
        .join(Project, Project.id == Round.project_id)
        .where(Round.closed_at.is_(None), Round.due_on > today)
    )
    with remembering({}):
        return [row.id for row in rows if _reminds_from(row) <= today]


def _reminds_from(row: Any) -> date:
    """Return the day from which those are reminded who are asked to sign."""
    calendar = calendar_of(row.home_unit_id)
    stage = rulebooks.rulebook(row.rulebook_version_id).stages.get(row.stage)
    if stage is not None and stage.remind_days and stage.sla_days:
        asked = row.opened_at.astimezone(clock.company_zone()).date()
        return calendar.after(asked, stage.remind_days)
    return calendar.before(row.due_on)


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


def _news(
    found: Round, project: Project, people: Iterable[int], kind: str, stood_in_for: str = ""
) -> SignoffDue:
    rulebook = rulebooks.rulebook(found.rulebook_version_id)
    why = f"you stand in for {stood_in_for}" if stood_in_for else "your sign-off is still needed"
    return SignoffDue(
        recipients=tuple(Recipient(person, why, asked=True) for person in people),
        path=f"/approvals/{found.id}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label(rulebook, found),
        ask=ask(rulebook, found, project.title),
        due=found.due_on.isoformat() if found.due_on else "",
        overdue=kind == OVERDUE,
        suggests_stand_in=kind == OVERDUE and not stood_in_for,
    )
