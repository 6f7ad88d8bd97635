"""Ask somebody about a missing requirement: to put it right, or to set it aside. And refuse the latter."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import Nudged, Recipient, WaiverAsked, WaiverRefused, publish
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import Finding
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import judging, requested, waiving
from okrgate.stages.facts import Snapshot, gather
from okrgate.stages.judging import Judged
from okrgate.stages.models import FindingRequest
from okrgate.stages.preparing import locked
from okrgate.stages.requested import NUDGE, REFUSED, WAIVER
from okrgate.stages.sections import place_of, section_for

_REASON_MIN = 3


@dataclass(frozen=True)
class _Here:
    """A project as it is now, and one of its missing requirements."""

    project: Project
    rulebook: Rulebook
    snapshot: Snapshot
    judged: Judged
    finding: Finding


@dataclass(frozen=True)
class Asking:
    """A finding that somebody may ask to have set aside: who may do so, and why the reader may not ask, if so."""

    finding: Finding
    granters: Sequence[str]
    refusal: str
    may_grant: bool


def nudge(project_id: int, requirement: str, person: int, *, by: int) -> str:
    """Ask somebody, once a day, to put a missing requirement right. Return their name.

    Raises Forbidden for those without a part, Conflict when they were asked today, NotFound when nothing is missing.
    """
    here = _here(project_id, requirement)
    project, finding = here.project, here.finding
    if by not in permissions.readers(project.id):
        raise Forbidden("Only those with a part in this project can nudge somebody about it.")
    if person == by:
        raise Forbidden("You can put this right yourself: open it from the list.")
    if here.judged.position != 0 or person not in here.judged.fixers.get(finding.id, ()):
        raise Forbidden("This person cannot put it right, so nobody was asked.")
    names = directory.names([by, person])
    path = _where(here)
    with transaction() as session:
        locked(project.id)
        known = requested.nudged_today(project.id, requirement, person)
        if known is not None:
            raise Conflict(
                f"{names.get(person, 'This person')} was asked about this today. Once a day is enough."
            )
        session.add(_row(here, NUDGE, by, person))
        audit.record(
            "requirement.nudged",
            by=by,
            project_id=project.id,
            target=f"requirement:{finding.id}",
            details={"message": finding.message, "people": [person]},
        )
        publish(
            Nudged(
                recipients=(Recipient(person, "you can put this right", asked=True),),
                by=names.get(by, "Somebody"),
                by_id=by,
                path=path,
                project_id=project.id,
                reference=project.reference,
                title=project.title,
                requirement=finding.message,
                help=finding.help or "",
                facts=_facts(finding),
            )
        )
    return names.get(person, "Somebody")


def asking(project_id: int, requirement: str, person: int) -> Asking:
    """Return what the page that asks for a waiver needs. Raises NotFound when there is nothing to set aside."""
    here = _here(project_id, requirement)
    waiving.missing_finding([here.judged.verdict], requirement)
    granters = _granters(here)
    names = directory.names(granters)
    return Asking(
        finding=here.finding,
        granters=sorted(names.values()),
        refusal=_why_not(here, granters, person),
        may_grant=person in granters,
    )


def ask_for_waiver(project_id: int, requirement: str, *, reason: str, by: int) -> None:
    """Ask those who may to set a soft requirement aside.

    Raises Forbidden for whoever may not ask, Invalid for a short reason, Conflict while it is asked already.
    """
    here = _here(project_id, requirement)
    finding = waiving.missing_finding([here.judged.verdict], requirement)
    granters = _granters(here)
    refusal = _why_not(here, granters, by)
    if refusal:
        raise Forbidden(refusal)
    least = finding.waiver.reason_min if finding.waiver else _REASON_MIN
    if len(reason.strip()) < least:
        sentence = f"Say why in at least {least} characters: it becomes the reason of the waiver."
        raise Invalid(sentence, {"reason": sentence})
    project, name = here.project, directory.names([by]).get(by, "Somebody")
    with transaction() as session:
        locked(project.id)
        if requested.open_waivers(project.id, requirement):
            raise Conflict("Somebody asked for this already. It is waiting for an answer.")
        session.add_all(_row(here, WAIVER, by, one, reason.strip()) for one in granters)
        audit.record(
            "waiver.asked",
            by=by,
            project_id=project.id,
            target=f"requirement:{finding.id}",
            reason=reason.strip(),
            details={"message": finding.message, "people": list(granters)},
        )
        publish(
            WaiverAsked(
                recipients=tuple(
                    Recipient(one, "you may set this aside", asked=True) for one in granters
                ),
                by=name,
                by_id=by,
                path=f"/projects/{project.reference}/waivers/{finding.id}",
                project_id=project.id,
                reference=project.reference,
                title=project.title,
                requirement=finding.message,
                reason=reason.strip(),
                facts=_facts(finding),
            )
        )


def refuse_waiver(project_id: int, requirement: str, *, reason: str, by: int) -> None:
    """Refuse to set a requirement aside; whoever asked hears why. The same people refuse who may grant."""
    here = _here(project_id, requirement)
    finding = waiving.missing_finding([here.judged.verdict], requirement)
    waiving.check_may_waive(here.project, here.rulebook, here.snapshot, finding, by)
    if len(reason.strip()) < _REASON_MIN:
        sentence = "Say why not, so that others can act on it."
        raise Invalid(sentence, {"reason": sentence})
    project, name = here.project, directory.names([by]).get(by, "Somebody")
    with transaction():
        locked(project.id)
        askers = requested.close(project.id, requirement, REFUSED, by=by, reason=reason.strip())
        if not askers:
            raise Conflict("Nobody asks for this any more: it was answered meanwhile.")
        audit.record(
            "waiver.refused",
            by=by,
            project_id=project.id,
            target=f"requirement:{finding.id}",
            reason=reason.strip(),
            details={"message": finding.message, "people": sorted(askers)},
        )
        publish(
            WaiverRefused(
                recipients=tuple(
                    Recipient(one, "you asked for it") for one in sorted(askers) if one != by
                ),
                by=name,
                by_id=by,
                path=_where(here),
                project_id=project.id,
                reference=project.reference,
                title=project.title,
                requirement=finding.message,
                reason=reason.strip(),
            )
        )


def _here(project_id: int, requirement: str) -> _Here:
    """Judge the project anew and return its missing requirement. Raises NotFound when it is not missing."""
    db.session().expire_all()
    project = db.session().get(Project, project_id)
    if project is None:
        raise NotFound
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    for judged in judging.judge_ahead(project, snapshot, rulebook):
        for finding in judged.verdict.findings:
            if finding.id == requirement and finding.status == "missing":
                return _Here(project, rulebook, snapshot, judged, finding)
    raise NotFound("This requirement is met by now, so there is nothing to ask for.")


def _granters(here: _Here) -> tuple[int, ...]:
    """Return those who may set the finding aside: they hold the role, and may sign for this project."""
    roles = here.finding.waiver.by if here.finding.waiver else ()
    around = here.snapshot.around
    held = entitlement.holders(here.rulebook, roles, around)
    never = entitlement.barred(here.project, here.rulebook, around)
    return tuple(sorted({one for people in held.values() for one in people} - set(never)))


def _why_not(here: _Here, granters: Sequence[int], person: int) -> str:
    """Return why somebody may not ask for a waiver; nothing when they may."""
    if person in granters:
        return "You may set this aside yourself."
    project = here.project
    if person not in {project.submitter_id, project.lead_id, *here.snapshot.around.co_editors}:
        sections = here.rulebook.stages[project.stage].sections.values()
        roles = dict.fromkeys(role for listed in sections for role in listed)
        held = entitlement.holders(here.rulebook, roles, here.snapshot.around, only=person)
        if not any(person in people for people in held.values()):
            return (
                "Only those who submit, lead or write this project can ask for it to be set aside."
            )
    if not granters:
        return "Nobody holds a role that may set this aside. An administrator can give somebody the role."
    return ""


def _where(here: _Here) -> str:
    """Return the path of the place where a finding is put right: the round of sign-off, the field, or the project."""
    home = f"/projects/{here.project.reference}"
    if judging.stewards_asked(here.finding, here.snapshot):
        return "/measurement/confirmations"
    if here.finding.seats:
        found = db.session().scalar(
            select(Round.id)
            .where(
                Round.project_id == here.project.id,
                Round.transition == here.judged.transition.id,
                Round.closed_at.is_(None),
            )
            .limit(1)
        )
        if found is not None:
            return f"/approvals/{found}"
    section = section_for(here.rulebook, here.finding.fix or "")
    if section is None:
        return home
    for why in here.finding.why:
        place = place_of(section, why.fact)
        if place is not None:
            return f"{home}/parts/{section.key}/{place[0]}#{place[1]}"
    return f"{home}/parts/{section.key}"


def _facts(finding: Finding) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one.label, f"needs {one.needed}, " + (f"has {one.has}" if one.has else "none yet"))
        for one in finding.why
    )


def _row(here: _Here, kind: str, by: int, person: int, reason: str = "") -> FindingRequest:
    return FindingRequest(
        project_id=here.project.id,
        requirement=here.finding.id,
        transition=here.judged.transition.id,
        kind=kind,
        by_id=by,
        person_id=person,
        reason=reason,
        at=clock.now(),
        day=clock.today(),
    )
