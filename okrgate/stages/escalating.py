"""Who else hears of a late sign-off: those in the roles that its stage names for it (`escalate_to`). Once a round."""

from collections.abc import Iterator

from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.working_days import resting_units
from okrgate.approvals import entitlement
from okrgate.approvals.asking import ask, gate_label
from okrgate.approvals.models import Round, SeatPerson, SignoffReminder
from okrgate.approvals.reminders import ESCALATED
from okrgate.database import db, transaction
from okrgate.events import Recipient, SignoffDue, publish
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import GateUnjudgeable
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.facts import gather


def escalate_signoffs() -> int:
    """Tell those whom a stage names when a sign-off there is overdue; return how many were told.

    Whoever is asked to sign is reminded anyway, and not told a second time. Run once a day by the worker.
    """
    news = list(_late())
    with transaction() as session:
        for found, people, event in news:
            for person in people:
                session.add(
                    SignoffReminder(
                        round_id=found, person_id=person, kind=ESCALATED, at=clock.now()
                    )
                )
            publish(event)
    return sum(len(people) for _, people, _ in news)


def _late() -> Iterator[tuple[int, list[int], SignoffDue]]:
    """Yield (round, people, news) of every overdue round of which somebody should hear and nobody has."""
    told = (
        select(SignoffReminder.id)
        .where(SignoffReminder.round_id == Round.id, SignoffReminder.kind == ESCALATED)
        .correlate(Round)
        .exists()
    )
    today = clock.today()
    rows = (
        db.session()
        .execute(
            select(Round, Project)
            .join(Project, Project.id == Round.project_id)
            .where(
                Round.closed_at.is_(None),
                Round.due_on < today,
                func.coalesce(Project.home_unit_id, 0).not_in(resting_units(today)),
                ~told,
            )
            .order_by(Round.id)
        )
        .all()
    )
    for found, project in rows:
        rulebook = rulebooks.rulebook(found.rulebook_version_id)
        people = _people(found, project, rulebook)
        if people:
            yield found.id, sorted(people), _news(found, project, rulebook, people)


def _people(found: Round, project: Project, rulebook: Rulebook) -> dict[int, str]:
    """Return who is told, each with the reason."""
    stage = rulebook.stages.get(project.stage)
    if stage is None or not stage.escalate_to:
        return {}
    try:
        around = gather(project, rulebook).around
    except GateUnjudgeable:
        return {}
    held = entitlement.holders(rulebook, stage.escalate_to, around)
    asked = set(
        db.session().scalars(select(SeatPerson.person_id).where(SeatPerson.round_id == found.id))
    )
    return {
        person: f"the rules name {rulebook.roles[role].label} for what takes too long"
        for role, people in held.items()
        for person in people - asked
    }


def _news(found: Round, project: Project, rulebook: Rulebook, people: dict[int, str]) -> SignoffDue:
    return SignoffDue(
        recipients=tuple(Recipient(person, why) for person, why in sorted(people.items())),
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label(rulebook, found),
        ask=ask(rulebook, found, project.title),
        due=found.due_on.isoformat() if found.due_on else "",
        overdue=True,
        escalated=True,
    )
