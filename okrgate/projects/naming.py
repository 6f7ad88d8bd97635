"""The news that somebody was given a part in a project."""

from collections.abc import Sequence

from okrgate.accounts import directory
from okrgate.events import Event, PersonNamed, Recipient
from okrgate.projects.models import Project


def named(
    project: Project, person_id: int | None, part: str, *, by: int, detail: str = ""
) -> Sequence[Event]:
    """Return the news for one person; none for nobody and for those who named themselves."""
    if person_id is None or person_id == by:
        return ()
    return (
        PersonNamed(
            project_id=project.id,
            reference=project.reference,
            title=project.title,
            path=f"/projects/{project.reference}",
            by=directory.names([by]).get(by, "Somebody"),
            by_id=by,
            part=part,
            detail=detail,
            recipients=(Recipient(person_id, f"you were named {part}"),),
        ),
    )
