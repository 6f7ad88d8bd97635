"""Set a soft requirement of a gate ahead aside."""

from collections.abc import Iterable

from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.entitlement import Surroundings
from okrgate.database import db, transaction
from okrgate.errors import Forbidden, NotFound
from okrgate.events import Recipient, WaiverGranted, publish
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import Finding, Verdict
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import judging, requested
from okrgate.stages.facts import Snapshot, gather
from okrgate.stages.preparing import locked


def waive(project_id: int, requirement: str, *, reason: str, by: int) -> None:
    """Set a soft requirement of a gate ahead aside. Whoever may never sign may not waive either."""
    db.session().expire_all()
    project = db.session().get(Project, project_id)
    if project is None:
        raise NotFound
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    ahead = judging.judge_ahead(project, snapshot, rulebook)
    finding = missing_finding((one.verdict for one in ahead), requirement)
    role = check_may_waive(project, rulebook, snapshot, finding, by)
    name = directory.names([by]).get(by, "Somebody")
    concerned = {project.submitter_id: "you submitted it"}
    if project.lead_id:
        concerned[project.lead_id] = "you lead it"
    with transaction():
        project = locked(project_id)
        row = approvals.grant_waiver(project, rulebook, finding, role=role, by=by, reason=reason)
        project.version += 1
        askers = requested.close(
            project_id, requirement, requested.GRANTED, by=by, reason=row.reason
        )
        concerned |= dict.fromkeys(askers, "you asked for it")
        publish(
            WaiverGranted(
                recipients=tuple(
                    Recipient(one, why) for one, why in concerned.items() if one != by
                ),
                by=name,
                by_id=by,
                path=f"/projects/{project.reference}",
                project_id=project.id,
                reference=project.reference,
                title=project.title,
                requirement=finding.message,
                reason=row.reason,
                expires=row.expires_on.isoformat(),
            )
        )


def missing_finding(verdicts: Iterable[Verdict], requirement: str) -> Finding:
    """Return the finding of a requirement ahead that can be set aside. Raises NotFound."""
    for verdict in verdicts:
        for finding in verdict.findings:
            if (
                finding.id == requirement
                and finding.status == "missing"
                and finding.waiver is not None
            ):
                return finding
    raise NotFound("This requirement is met by now, or it cannot be set aside.")


def check_may_waive(
    project: Project, rulebook: Rulebook, snapshot: Snapshot, finding: Finding, by: int
) -> str:
    """Return the role in which somebody may set a finding aside; raise Forbidden with the reason why not."""
    terms = finding.waiver
    roles = terms.by if terms else ()
    held = entitlement.holders(rulebook, roles, snapshot.around)
    mine = frozenset(role for role in roles if by in held[role])
    return waives_as(project, rulebook, snapshot.around, mine, finding, by)


def waives_as(
    project: Project,
    rulebook: Rulebook,
    around: Surroundings,
    mine: frozenset[str],
    finding: Finding,
    by: int,
) -> str:
    """Return the same for somebody whose roles in the project are known already."""
    roles = finding.waiver.by if finding.waiver else ()
    role = next((role for role in roles if role in mine), None)
    if role is None:
        labels = " or ".join(f"the {rulebook.roles[one].label}" for one in roles)
        raise Forbidden(f"Only {labels} can set this aside.")
    never = entitlement.barred(project, rulebook, around)
    if by in never:
        raise Forbidden(never[by].replace("sign", "set this aside"))
    return role
