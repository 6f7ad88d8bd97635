"""The news of a sign-off: that somebody decided, what conditions that set, and that sign-offs lapsed or are not needed."""

from collections.abc import Iterable, Sequence
from typing import Any

from okrgate.accounts import directory
from okrgate.approvals import proofs
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Condition, Round, SignoffRow
from okrgate.events import (
    ConditionSet,
    Event,
    Recipient,
    SignoffGiven,
    SignoffNotNeeded,
    SignoffsVoided,
    SignoffWithdrawn,
)
from okrgate.factors.proving import Checked
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.stages.standing import SPOKEN, Ask, Standing

_STOOD_IN = "somebody stands in for you"


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
    checked: Checked | None = None,
) -> Sequence[Event]:
    """Return the news of a decision, and one more for the owner of each condition.

    When the decision moves the project, the news of the move names it and goes to the same people and more.
    """
    gate = rulebook.gates[found.gate].label
    told = {} if moves else _concerned(project, by)
    if ask.on_behalf_of is not None:
        told[ask.on_behalf_of] = _STOOD_IN
    about = _about(project, name, by)
    events: list[Event] = [
        SignoffGiven(
            recipients=tuple(Recipient(one, why) for one, why in told.items()),
            gate=gate,
            decision=ask.decision,
            role=_as(rulebook, stand.roles),
            reason=ask.reason.strip(),
            conditions=tuple(condition.text for condition in ask.conditions),
            signed_with=proofs.WORDS[checked.method] if checked else "",
            signed_at=checked.at.isoformat() if checked else "",
            meaning=SPOKEN[ask.decision].rstrip(","),
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


def withdrawn(
    project: Project,
    rulebook: Rulebook,
    found: Round,
    row: SignoffRow,
    name: str,
    *,
    reason: str,
    conditions: Sequence[Condition],
) -> Event:
    """Return the news that somebody took their decision back, for all who had heard of it.

    Whoever was to meet a condition of it hears that nobody waits for that any more.
    """
    told = {one.owner_id: "you were to see to a condition of it" for one in conditions}
    told |= _concerned(project, row.person_id)
    if row.on_behalf_of_id is not None:
        told[row.on_behalf_of_id] = _STOOD_IN
    told.pop(row.person_id, None)
    return SignoffWithdrawn(
        recipients=tuple(Recipient(one, why) for one, why in told.items()),
        gate=rulebook.gates[found.gate].label,
        decision=row.decision,
        role=_as(rulebook, row.roles),
        reason=reason,
        conditions=tuple(one.text for one in conditions),
        **_about(project, name, row.person_id),
    )


def _concerned(project: Project, by: int) -> dict[int, str]:
    """Return who hears of a decision, and why: whoever decided, the submitter and the lead."""
    told = {row["person_id"]: "you decided on it" for row in approvals.decisions_of(project.id)}
    told[project.submitter_id] = "you submitted it"
    if project.lead_id:
        told[project.lead_id] = "you lead it"
    told.pop(by, None)
    return told


def _about(project: Project, name: str, by: int) -> dict[str, Any]:
    return {
        "by": name,
        "by_id": by,
        "path": f"/projects/{project.reference}",
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
    }


def _as(rulebook: Rulebook, roles: Sequence[str]) -> str:
    known = (rulebook.roles.get(role) for role in roles)
    return " and ".join(role.label for role in known if role is not None)


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
