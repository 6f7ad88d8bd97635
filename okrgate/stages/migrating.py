"""Take an open project from one version of its rules to another, in the open transaction.

It keeps its stage, its answers and its past. What was signed counts on where neither what the signature covers nor what
its gate asks has changed, and so does a waiver; the rest lapses. What follows from the new rules is settled afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select

from okrgate import clock
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round, WaiverRow
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.events import publish
from okrgate.gates.model import Requirement, Role, Rulebook, Transition
from okrgate.projects.models import Project
from okrgate.stages import judging, signing_news

_BECAUSE = "The rules of this gate changed."


@dataclass(frozen=True)
class Target:
    """The version that projects move to."""

    version_id: int
    number: int
    note: str
    rulebook: Rulebook


def why_it_stays(project: Project, own: Rulebook, new: Rulebook) -> str:
    """Say why a project cannot live under other rules; empty when it can."""
    if project.closed_at is not None:
        return "It has ended."
    here, there = own.stages.get(project.stage), new.stages.get(project.stage)
    label = here.label if here is not None else project.stage
    if there is None:
        return f"Its stage, {label}, is not in the new rules."
    if there.terminal:
        return f"Its stage, {label}, is an end in the new rules."
    if there.holding != (project.parked_from is not None):
        return f"In the new rules {label} holds projects in another way."
    if project.parked_from is not None and project.parked_from not in new.stages:
        before = own.stages.get(project.parked_from)
        where = before.label if before is not None else project.parked_from
        return f"It waits, and {where}, where it was before, is not in the new rules."
    return ""


def bring_under(project: Project, own: Rulebook, number: int, target: Target) -> None:
    """Let other rules bind a project that `why_it_stays` has nothing against. `number` is that of its own rules."""
    check_writing()
    new = target.rulebook
    voided = _bring_round(project, own, target)
    kept, lapsed = _bring_waivers(project, own, target)
    project.rulebook_version_id = target.version_id
    # Whoever looks at it, or is about to move it, did so under the other rules.
    project.version += 1
    audit.record(
        "project.rules_changed",
        by=None,
        project_id=project.id,
        target=f"rulebook:{target.version_id}",
        reason=target.note,
        details={
            "before": number,
            "after": target.number,
            "gate": voided if voided in new.gates else "",
            "signoffs": "voided" if voided else "kept",
            "waivers_kept": kept,
            "waivers_lapsed": lapsed,
        },
    )


def _bring_round(project: Project, own: Rulebook, target: Target) -> str:
    """Let the open round go on where its gate is the same in both, else end it. Return the gate of one that ended."""
    found = approvals.open_round(project.id)
    if found is None:
        return ""
    if _goes_on(found, project, own, target.rulebook):
        found.rulebook_version_id = target.version_id
        return ""
    signed = sorted(approvals.hands_in(found.id))
    approvals.close_round(found, closed_as="voided", by=None, reason=_BECAUSE)
    gate = own.gates.get(found.gate)
    if signed:
        label = gate.label if gate is not None else found.gate
        publish(signing_news.voided(project, label, _BECAUSE, signed, None, "okrgate"))
    return found.gate


def _goes_on(found: Round, project: Project, own: Rulebook, new: Rulebook) -> bool:
    signing = judging.signing_transition(new, project.stage)
    signed = own.transitions.get(found.transition)
    return (
        signing is not None
        and signed is not None
        and signing.id == found.transition
        and _leads(signing) == _leads(signed)
        and signing.gate == found.gate
        and is_same_gate(own, new, found.gate)
    )


def _leads(one: Transition) -> Transition:
    """Return a move without its words: whoever signed agreed to where it leads and what it does."""
    return replace(one, label="", notify=(), by=())


def is_same_gate(own: Rulebook, new: Rulebook, gate_id: str) -> bool:
    """Tell whether a signature at a gate means the same under both rules: the same asked, covered, and by the same people."""
    old, now = own.gates.get(gate_id), new.gates.get(gate_id)
    if old is None or now is None:
        return False
    if (own.never_sign, own.editors_barred) != (new.never_sign, new.editors_barred):
        return False
    if own.material_of(gate_id) != new.material_of(gate_id) or (now.strict and not old.strict):
        return False
    if [_asks(one) for one in old.requirements] != [_asks(one) for one in now.requirements]:
        return False
    return _roles(own, old.requirements) == _roles(new, now.requirements)


def _asks(one: Requirement) -> Requirement:
    """Return a requirement without its words."""
    return replace(one, message="", help="", fix=None, line=0, binds_from=None)


def _roles(rulebook: Rulebook, requirements: Iterable[Requirement]) -> dict[str, Role]:
    return {
        role: replace(rulebook.roles[role], label="")
        for one in requirements
        for asked in rulebook.signoff_conditions(one)
        for role in asked.roles
    }


def _waiving(rulebook: Rulebook, one: Requirement) -> dict[str, Role]:
    names = one.waiver.by if one.waiver is not None else ()
    return {role: replace(rulebook.roles[role], label="") for role in names}


def _bring_waivers(project: Project, own: Rulebook, target: Target) -> tuple[list[str], list[str]]:
    """Let waivers count on whose requirement asks the same; return the requirements of these and of the others."""
    rows = db.session().scalars(
        select(WaiverRow).where(
            WaiverRow.project_id == project.id,
            WaiverRow.revoked_at.is_(None),
            WaiverRow.expires_on >= clock.today(),
            WaiverRow.rulebook_version_id == project.rulebook_version_id,
        )
    )
    before, after = asked_by_id(own), asked_by_id(target.rulebook)
    kept, lapsed = [], []
    for row in rows:
        if row.requirement in after and after[row.requirement] == before.get(row.requirement):
            row.rulebook_version_id = target.version_id
            kept.append(row.requirement)
        else:
            lapsed.append(row.requirement)
    return kept, lapsed


def asked_by_id(rulebook: Rulebook) -> dict[str, tuple[str, Requirement, dict[str, Role]]]:
    """Return of each requirement what it asks, and what the roles mean that sign it or set it aside."""
    return {
        one.id: (gate.id, _asks(one), _roles(rulebook, [one]) | _waiving(rulebook, one))
        for gate in rulebook.gates.values()
        for one in gate.requirements
    }
