"""Who hears of a move, and why: those with a part in the project, those whom the rules name, those who act next."""

from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.events import Recipient
from okrgate.gates.model import Rulebook, Stage, Transition
from okrgate.projects.models import Project
from okrgate.stages.facts import Snapshot


def whom_to_tell(
    project: Project,
    rulebook: Rulebook,
    transition: Transition,
    target: Stage,
    snapshot: Snapshot,
    by: int | None,
) -> tuple[tuple[Recipient, ...], str]:
    """Return who hears of a move and why; those who have to act next are asked."""
    told: dict[int, Recipient] = {}
    ahead = rulebook.transitions_from(target.id)
    next_one = next((one for one in ahead if one.kind == "forward"), None)
    acting = [
        *(next_one.by if next_one else ()),
        *(role for roles in target.sections.values() for role in roles),
    ]
    held = entitlement.holders(
        rulebook, [*dict.fromkeys([*acting, *transition.notify])], snapshot.around
    )
    for role in transition.notify:
        for person in held[role]:
            told[person] = Recipient(
                person, f"you are {rulebook.roles[role].label} for this project"
            )
    for person, why in concerned(project, snapshot).items():
        told[person] = Recipient(person, why)
    for role in dict.fromkeys(acting):
        for person in held[role]:
            told[person] = Recipient(
                person, f"as {rulebook.roles[role].label} you can take it further", asked=True
            )
    told.pop(by or 0, None)
    return tuple(told.values()), next_one.label if next_one else ""


def concerned(project: Project, snapshot: Snapshot) -> dict[int, str]:
    """Return whoever has a part in a project, with what makes them one who hears of it."""
    found = dict.fromkeys(approvals.deciders(project.id), "you decided on it earlier")
    for person in snapshot.around.co_editors:
        found[person] = "you write it together with the submitter"
    parts = (
        (project.sponsor_id, "you sponsor it"),
        (project.lead_id, "you lead it"),
        (project.submitter_id, "you submitted it"),
    )
    return found | {person: why for person, why in parts if person is not None}
