"""What a stage may do of its own when a project enters it: ask, invite, celebrate.

Run by the crossing, in its transaction; it records the move and publishes what is returned.
"""

from collections.abc import Sequence

from sqlalchemy import select

from okrgate import clock
from okrgate.database import check_writing, db
from okrgate.delivery import kickoff, statements
from okrgate.delivery.models import Celebration
from okrgate.delivery.people import about, stakeholders, told
from okrgate.events import Celebrated, Event, PersonNamed, Recipient
from okrgate.projects.models import Project

_THANKS = "Cheers to everybody who had a part in it. 🍾"


def ask_stakeholders(project: Project, by: int | None) -> Sequence[Event]:
    """Ask everybody with a part in the project, but the lead, how it went. Nobody is asked twice."""
    return statements.ask(project, stakeholders(project, lead=False), by=by)


def invite_kickoff(project: Project, by: int | None) -> Sequence[Event]:
    """Invite to the planned kick-off whoever has no invitation yet; without a plan, ask the lead for one."""
    check_writing()
    found = kickoff.kickoff_of(project.id)
    if found is None or found.starts_at is None:
        return _ask_for_a_date(project, by)
    if found.held_on is not None or found.starts_at <= clock.now():
        return ()
    people = stakeholders(project)
    new = {person: why for person, why in people.items() if person not in found.invited}
    if not new:
        return ()
    found.announced_at = found.announced_at or clock.now()
    found.invited = sorted({*found.invited, *new})
    return (kickoff.invitation(project, found, by, new),)


def celebrate(project: Project, by: int | None) -> Sequence[Event]:
    """Say thank you to everybody involved, once."""
    check_writing()
    if celebration_of(project.id) is not None:
        return ()
    db.session().add(Celebration(project_id=project.id, at=clock.now(), by_id=by))
    return (Celebrated(**about(project, by), recipients=told(stakeholders(project)), note=_THANKS),)


def celebration_of(project_id: int) -> Celebration | None:
    """Return when the work was celebrated, if it was."""
    return db.session().scalar(select(Celebration).where(Celebration.project_id == project_id))


def _ask_for_a_date(project: Project, by: int | None) -> Sequence[Event]:
    if project.lead_id is None:
        return ()
    return (
        PersonNamed(
            **about(project, by),
            recipients=(Recipient(project.lead_id, "you lead this project", asked=True),),
            part="host of the kick-off",
            detail="Set its date and place; the invitations go out when you save.",
        ),
    )
