"""The front door of the room: find a project for its pages, and what others show of its delivery."""

from collections.abc import Container
from dataclasses import dataclass

from sqlalchemy import func, select

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.delivery import calendar, effects, kickoff
from okrgate.delivery.models import Celebration, StatusUpdate
from okrgate.delivery.running import Posted, posted
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
    query = select(Project, permissions.reads_all(reader)).where(Project.reference == reference)
    row = db.session().execute(query).first() if reference.isprintable() else None
    if row is None:
        raise NotFound
    project, involved = row
    also = (reader,) if involved else ()
    permissions.check_visible(project, reader, is_auditor=is_auditor, also=also)
    return Seen(project, is_auditor or bool(involved))


def celebration(project_id: int) -> Celebration | None:
    """Return when the work was celebrated, if it was."""
    return effects.celebration_of(project_id)


def news(project_id: int) -> tuple[Posted | None, Celebration | None]:
    """Return the newest status update and when the work was celebrated, so far as there are; one query."""
    newest = select(func.max(StatusUpdate.id)).where(StatusUpdate.project_id == project_id)
    row = (
        db.session()
        .execute(
            select(StatusUpdate, Person.name, Celebration)
            .select_from(Project)
            .outerjoin(StatusUpdate, StatusUpdate.id == newest.scalar_subquery())
            .outerjoin(Person, Person.id == StatusUpdate.by_id)
            .outerjoin(Celebration, Celebration.project_id == Project.id)
            .where(Project.id == project_id)
        )
        .one()
    )
    update, name, celebrated = row
    return posted(update, name) if update is not None else None, celebrated


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
