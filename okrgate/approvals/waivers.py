"""Waivers: soft requirements set aside for one project, for a reason and for a time."""

from datetime import date, timedelta

from sqlalchemy import select

from okrgate import clock
from okrgate.approvals.models import WaiverRow
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import Finding, Waiver
from okrgate.projects.models import Project


def waivers_for(project: Project, today: date) -> tuple[Waiver, ...]:
    """Return the waivers in force today."""
    rows = db.session().scalars(
        select(WaiverRow).where(
            WaiverRow.project_id == project.id,
            WaiverRow.revoked_at.is_(None),
            WaiverRow.expires_on >= today,
            WaiverRow.rulebook_version_id == project.rulebook_version_id,
        )
    )
    return tuple(
        Waiver(requirement=row.requirement, role=row.role, by=str(row.by_id)) for row in rows
    )


def grant_waiver(
    project: Project, rulebook: Rulebook, finding: Finding, *, role: str, by: int, reason: str
) -> WaiverRow:
    """Set a soft requirement aside for this project. The caller has checked who may."""
    check_writing()
    terms = finding.waiver
    if terms is None or role not in terms.by:
        raise Forbidden("This requirement cannot be set aside.")
    if len(reason.strip()) < terms.reason_min:
        raise Invalid(
            f"Say why in at least {terms.reason_min} characters.",
            {"reason": f"Say why in at least {terms.reason_min} characters."},
        )
    if any(one.requirement == finding.id for one in waivers_for(project, clock.today())):
        raise Conflict("This requirement was set aside already.")
    row = WaiverRow(
        project_id=project.id,
        requirement=finding.id,
        rulebook_version_id=project.rulebook_version_id,
        role=role,
        by_id=by,
        reason=reason.strip(),
        granted_at=clock.now(),
        expires_on=clock.today() + timedelta(days=terms.expires_days),
    )
    db.session().add(row)
    db.session().flush()
    audit.record(
        "waiver.granted",
        by=by,
        project_id=project.id,
        target=f"requirement:{finding.id}",
        reason=row.reason,
        details={"role": role, "expires_on": row.expires_on.isoformat()},
    )
    return row
