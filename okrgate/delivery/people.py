"""Who has a stake in a project, and how an event about it is addressed."""

from collections.abc import Iterable, Mapping
from typing import Any

from okrgate.accounts import directory
from okrgate.events import Recipient
from okrgate.projects import permissions
from okrgate.projects.models import Project

_PART = "you have a part in this project"


def stakeholders(project: Project, *, lead: bool = True) -> dict[int, str]:
    """Return the active people with a part in a project, and that part as they would be told of it.

    That is everybody in its RACI, the sponsor, the submitter, the benefits owner, whoever else is involved, and
    (unless `lead` is False) the lead.
    """
    found: dict[int, str] = {}
    for person_id, part in (
        (project.lead_id, "you lead this project"),
        (project.sponsor_id, "you sponsor this project"),
        (project.benefits_owner_id, "you own the benefits of this project"),
        (project.submitter_id, "you submitted this project"),
    ):
        if person_id is not None:
            found.setdefault(person_id, part)
    for person_id in sorted(permissions.involved(project.id)):
        found.setdefault(person_id, _PART)
    if not lead and project.lead_id is not None:
        found.pop(project.lead_id, None)
    active = directory.active(found)
    return {person_id: part for person_id, part in found.items() if person_id in active}


def told(people: Mapping[int, str], *, asked: bool = False) -> tuple[Recipient, ...]:
    """Return these people as recipients."""
    return tuple(Recipient(person_id, why, asked) for person_id, why in people.items())


def about(project: Project, by: int | None, path: str = "") -> dict[str, Any]:
    """Return what every event about a project carries."""
    return {
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
        "by": name_of(by),
        "by_id": by,
        "path": path or f"/projects/{project.reference}",
    }


def name_of(person_id: int | None) -> str:
    """Return a person's name; okrgate's own for nobody."""
    if person_id is None:
        return "okrgate"
    return directory.names([person_id]).get(person_id, "Somebody")


def names_for(ids: Iterable[int | None]) -> Mapping[int | None, str]:
    """Return names by id, with words for nobody and for those who cannot be found."""
    wanted = list(ids)
    found = directory.names(wanted)
    return {
        None: "nobody yet",
        **{one: found.get(one, "Somebody") for one in wanted if one is not None},
    }
