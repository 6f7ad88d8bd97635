"""The front door of the room: find a project for its pages, and what others show of its delivery."""

from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from okrgate.database import db
from okrgate.delivery import calendar, effects, kickoff, running, wrapup
from okrgate.delivery.models import Celebration
from okrgate.delivery.running import Posted
from okrgate.errors import NotFound
from okrgate.projects import permissions
from okrgate.projects.models import Project


@dataclass(frozen=True)
class Seen:
    """A project that the reader may read; `involved` says whether also what is for those involved."""

    project: Project
    involved: bool


def find_project(reference: str, *, reader: int, is_auditor: bool) -> Seen:
    """Return a project that this person may read. Raises NotFound for what is hidden or missing alike."""
    query = select(Project).where(Project.reference == reference)
    project = db.session().scalar(query) if reference.isprintable() else None
    if project is None:
        raise NotFound
    permissions.check_visible(project, reader, is_auditor=is_auditor)
    return Seen(project, is_auditor or reader in permissions.readers(project.id))


def celebration(project_id: int) -> Celebration | None:
    """Return when the work was celebrated, if it was."""
    return effects.celebration_of(project_id)


def last_update(project_id: int) -> Posted | None:
    """Return the newest status update, if there is one."""
    return next(iter(running.updates(project_id, limit=1)), None)


def is_session_begun(sections: Container[str]) -> bool:
    """Tell, from the sections that were saved, whether there may be a session to put into a calendar."""
    return kickoff.KICKOFF.key in sections


def kickoff_file(
    project: Project, *, organizer: str, link: str, attendee: calendar.Mailbox | None
) -> str:
    """Return the kick-off as an .ics text. Raises NotFound while none is planned."""
    found = kickoff.kickoff_of(project.id)
    if found is None or found.starts_at is None:
        raise NotFound("No kick-off is planned yet.")
    event = kickoff.invitation(project, found, None, {})
    return calendar.invitation(event, organizer=organizer, link=link, attendee=attendee)


def actual_effort(project_id: int) -> Decimal | None:
    """Return the days of work it took, if they were said."""
    found = wrapup.wrap_up_of(project_id)
    return found.actual_effort_days if found else None
