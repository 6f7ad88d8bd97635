"""The news of a sign-off: that somebody decided, what conditions that set, and that sign-offs lapsed or are not needed."""

from collections.abc import Iterable, Sequence
from typing import Any

from okrgate.accounts import directory
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round
from okrgate.events import (
    ConditionSet,
    Event,
    Recipient,
    SignoffGiven,
    SignoffNotNeeded,
    SignoffsVoided,
)
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.stages.standing import Ask, Standing


def decided(
    project: Project,
    rulebook: Rulebook,
    found: Round,
    stand: Standing,
    ask: Ask,
    by: int,
    name: str,
    *,
    moves: bool,
) -> Sequence[Event]:
    """Return the news of a decision, and one more for the owner of each condition.

    When the decision moves the project, the news of the move names it and goes to the same people and more.
    """
    gate = rulebook.gates[found.gate].label
    told: dict[int, str] = {}
    for row in approvals.decisions_of(project.id):
        told[row["person_id"]] = "you decided on it earlier"
    told[project.submitter_id] = "you submitted it"
    if project.lead_id:
        told[project.lead_id] = "you lead it"
    told.pop(by, None)
    if moves:
        told = {}
    about: dict[str, Any] = {
        "by": name,
        "by_id": by,
        "path": f"/projects/{project.reference}",
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
    }
    events: list[Event] = [
        SignoffGiven(
            recipients=tuple(Recipient(one, why) for one, why in told.items()),
            gate=gate,
            decision=ask.decision,
            role=" and ".join(rulebook.roles[role].label for role in stand.roles),
            reason=ask.reason.strip(),
            conditions=tuple(condition.text for condition in ask.conditions),
            **about,
        )
    ]
    owners = directory.names(condition.owner_id for condition in ask.conditions)
    events += [
        ConditionSet(
            recipients=(Recipient(condition.owner_id, "you own this condition", asked=True),),
            condition=condition.text,
            owner=owners.get(condition.owner_id, "Somebody"),
            due=condition.due_on.isoformat() if condition.due_on else "",
            **about,
        )
        for condition in ask.conditions
    ]
    return events


def voided(
    project: Project,
    gate_label: str,
    because: str,
    people: Sequence[int],
    by: int | None,
    name: str,
) -> Event:
    """Return the news that sign-offs lapsed, for those who had given them."""
    return SignoffsVoided(
        recipients=tuple(
            Recipient(
                one, "you had signed it; you are asked again if your sign-off is still needed"
            )
            for one in people
        ),
        by=name,
        by_id=by,
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label,
        because=because,
    )


def not_needed(
    project: Project,
    gate_label: str,
    people: Iterable[int],
    because: str,
    said: tuple[str, ...] = (),
) -> Event:
    """Return the news for those who were asked to sign, that they need not any more."""
    return SignoffNotNeeded(
        recipients=tuple(Recipient(one, "you were asked to sign") for one in sorted(people)),
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label,
        because=because,
        said=said,
    )
