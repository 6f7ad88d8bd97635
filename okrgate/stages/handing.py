"""Hand a project over: who leads it, who answers for having submitted it, and who writes along."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.conditions import in_force
from okrgate.approvals.models import Condition
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.delivery.models import WorkItem
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.events import Event, HandedOver, Recipient, publish
from okrgate.gates.model import Rulebook
from okrgate.measurement.models import Checkpoint
from okrgate.projects.models import CoEditor, Edit, Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.editing import locked_material
from okrgate.stages.facts import gather
from okrgate.stages.preparing import locked
from okrgate.stages.signing_news import voided

LEAD, SUBMITTER = "lead", "submitter"
PARTS = {LEAD: "lead_id", SUBMITTER: "submitter_id"}
_PEOPLE = "people"
_CHANGED = "Who signs must have no part in the project, and its people changed."
_NOTE_MIN = 3


def refusal(
    project: Project, rulebook: Rulebook, part: str, roles: frozenset[str], by: int, *, admin: bool
) -> str:
    """Return why somebody with these roles may not hand a part over; nothing when they may.

    Whoever has the part may, and administrators, whom the rules let name people now, and whoever holds a role in a
    unit that names people in any stage: so a project without a lead can get one wherever it stands.
    """
    if rulebook.stages[project.stage].terminal:
        return "The project has ended; its people stay as they were."
    if (
        admin
        or getattr(project, PARTS[part]) == by
        or roles & naming_roles(rulebook, project.stage)
    ):
        return ""
    return (
        f"Only the {part}, those who name people in this process, and administrators can do this."
    )


def naming_roles(rulebook: Rulebook, stage: str) -> frozenset[str]:
    """Return the roles that may name a project's people: those of this stage, and roles held in units of any stage."""
    now = rulebook.stages[stage].sections.get(_PEOPLE, ())
    ever = {role for one in rulebook.stages.values() for role in one.sections.get(_PEOPLE, ())}
    return frozenset(now) | {role for role in ever if rulebook.roles[role].kind == "org"}


def hand_over(
    project_id: int, part: str, *, to: int | None, note: str, version: int, by: int, admin: bool
) -> None:
    """Give a part to somebody else, with what is open of it; recorded, and both are told.

    The same twice is once. Raises Forbidden, Invalid (nobody chosen, no note), Conflict (changed meanwhile).
    """
    project, rulebook, roles, names = _prepare(project_id, by, [to])
    column = PARTS[part]
    if to is not None and getattr(project, column) == to:
        return
    taker = _check_said(to, note, names)
    refused = refusal(project, rulebook, part, roles, by, admin=admin)
    if refused:
        raise Forbidden(refused)
    with transaction():
        project = locked(project_id)
        if project.version != version:
            raise Conflict("This project was changed since you opened the page. Look at it again.")
        if f"project.{part}" in locked_material(project, rulebook):
            raise Forbidden("Who this is was signed off and is locked.")
        former = getattr(project, column)
        setattr(project, column, taker)
        moved = _move_duties(project, former, taker) if part == LEAD and former else 0
        if former is not None:
            _keep_from_signing(project, former)
        _touch(project)
        audit.record(
            "project.handed_over",
            by=by,
            project_id=project.id,
            target=f"person:{taker}",
            reason=note.strip(),
            details={"part": part, column: [former, taker], "duties": moved},
        )
        _lapse(project, rulebook, [taker], by)
        for event in _news(project, part, former, taker, note.strip(), moved, by, names):
            publish(event)


def name_another(project_id: int, part: str, column: str, *, to: int, by: int) -> None:
    """Name somebody else in a part that nobody hands over themselves, because whoever has it leaves.

    Raises Forbidden when who it is was signed off.
    """
    with transaction():
        project = locked(project_id)
        rulebook = rulebooks.rulebook(project.rulebook_version_id)
        if f"project.{part}" in locked_material(project, rulebook):
            raise Forbidden("Who this is was signed off and is locked.")
        former = getattr(project, column)
        setattr(project, column, to)
        _touch(project)
        audit.record(
            "project.handed_over",
            by=by,
            project_id=project.id,
            target=f"person:{to}",
            details={"part": part, column: [former, to], "duties": 0},
        )
        _lapse(project, rulebook, [to], by)


def add_co_editor(project_id: int, person: int | None, *, by: int, admin: bool) -> None:
    """Let somebody write along. Twice is once."""
    project, rulebook, _, names = _prepare(project_id, by, [person])
    _check_may_choose(project, rulebook, by, admin)
    if person is None or person not in directory.active([person]):
        raise Invalid("Choose a person.", {"co_editor": "Choose a person."})
    if person == project.submitter_id:
        sentence = "The submitter writes already."
        raise Invalid(sentence, {"co_editor": sentence})
    with transaction() as session:
        project = locked(project_id)
        query = select(CoEditor).where(
            CoEditor.project_id == project.id, CoEditor.person_id == person
        )
        if session.scalar(query) is not None:
            return
        session.add(CoEditor(project_id=project.id, person_id=person))
        _chosen(project, "project.co_editor_added", person, by)
        _lapse(project, rulebook, [person], by)
        publish(_told(project, "co-editor", person, None, "", 0, by, names, you="new"))


def remove_co_editor(project_id: int, person: int, *, by: int, admin: bool) -> None:
    """Let somebody write along no more. Twice is once."""
    project, rulebook, _, names = _prepare(project_id, by, [person])
    if person != by:
        _check_may_choose(project, rulebook, by, admin)
    with transaction() as session:
        project = locked(project_id)
        row = session.scalar(
            select(CoEditor).where(CoEditor.project_id == project.id, CoEditor.person_id == person)
        )
        if row is None:
            return
        session.delete(row)
        _chosen(project, "project.co_editor_removed", person, by)
        if person != by:
            publish(_told(project, "co-editor", None, person, "", 0, by, names, you="former"))


def _prepare(
    project_id: int, by: int, people: Sequence[int | None]
) -> tuple[Project, Rulebook, frozenset[str], dict[int, str]]:
    """Read what is needed before the transaction begins: rights and names."""
    db.session().expire_all()
    project = db.session().get_one(Project, project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    around = gather(project, rulebook).around
    held = entitlement.holders(rulebook, rulebook.roles, around, only=by)
    roles = frozenset(role for role, who in held.items() if by in who)
    names = directory.names([by, project.lead_id, project.submitter_id, *people])
    return project, rulebook, roles, names


def _check_may_choose(project: Project, rulebook: Rulebook, by: int, admin: bool) -> None:
    if rulebook.stages[project.stage].terminal:
        raise Forbidden("The project has ended; its people stay as they were.")
    if by != project.submitter_id and not admin:
        raise Forbidden("Only the submitter chooses who writes along.")


def _check_said(to: int | None, note: str, names: dict[int, str]) -> int:
    problems: dict[str, str] = {}
    if to is None or to not in names or to not in directory.active([to]):
        problems["to"] = "Choose who takes it on."
    if len(note.strip()) < _NOTE_MIN:
        problems["note"] = "Say what they should know."
    if to is None or problems:
        raise Invalid("Something is still needed.", problems)
    return to


def _move_duties(project: Project, former: int, to: int) -> int:
    """Give what the former lead still had to do to the new one; return how much that was."""
    open_ones: tuple[tuple[Any, Any], ...] = (
        (WorkItem, WorkItem.open),
        (Condition, Condition.closed_at.is_(None) & in_force()),
        (Checkpoint, Checkpoint.read_at.is_(None)),
    )
    moved = 0
    for table, still_open in open_ones:
        done: Any = db.session().execute(
            update(table)
            .where(table.project_id == project.id, table.owner_id == former, still_open)
            .values(owner_id=to)
        )
        moved += done.rowcount
    return moved


def _keep_from_signing(project: Project, former: int) -> None:
    """Count a hand-over as a change of what is to be signed: nobody gives a part away to sign what was theirs."""
    db.session().add(
        Edit(
            project_id=project.id,
            section=_PEOPLE,
            person_id=former,
            at=clock.now(),
            material=True,
        )
    )


def _touch(project: Project) -> None:
    project.version += 1
    project.changed_at = clock.now()
    db.session().flush()


def _chosen(project: Project, action: str, person: int, by: int) -> None:
    _touch(project)
    audit.record(action, by=by, project_id=project.id, target=f"person:{person}")


def _lapse(project: Project, rulebook: Rulebook, people: Sequence[int], by: int) -> None:
    """End the open round if one of these decided in it: whoever has a part does not sign."""
    found = approvals.open_round(project.id)
    if found is None or found.gate not in rulebook.gates:
        return
    signed = sorted(approvals.hands_in(found.id))
    if not set(people) & set(signed):
        return
    approvals.close_round(found, closed_as="voided", by=by, reason=_CHANGED)
    name = directory.names([by]).get(by, "Somebody")
    publish(voided(project, rulebook.gates[found.gate].label, _CHANGED, signed, by, name))


def _news(
    project: Project,
    part: str,
    former: int | None,
    to: int,
    note: str,
    duties: int,
    by: int,
    names: dict[int, str],
) -> list[Event]:
    others = {project.submitter_id, project.lead_id, project.sponsor_id} - {None, to, former, by}
    found = [_told(project, part, to, former, note, duties, by, names, you="new")]
    if former is not None:
        found.append(_told(project, part, to, former, note, duties, by, names, you="former"))
    found.append(
        _told(project, part, to, former, note, duties, by, names, you="", others=sorted(others))  # type: ignore[type-var]
    )
    return [one for one in found if one.recipients]


def _told(
    project: Project,
    part: str,
    to: int | None,
    former: int | None,
    note: str,
    duties: int,
    by: int,
    names: dict[int, str],
    *,
    you: str,
    others: Sequence[int | None] = (),
) -> Event:
    recipients = {
        "new": [Recipient(to, f"you are its {part} now", asked=True)] if to else [],
        "former": [Recipient(former, f"you were its {part}")] if former else [],
        "": [Recipient(one, "you have a part in it") for one in others if one is not None],
    }[you]
    return HandedOver(
        recipients=tuple(one for one in recipients if one.person_id != by),
        by=names.get(by, "Somebody"),
        by_id=by,
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        part=part,
        to=names.get(to, "nobody") if to else "nobody",
        former=names.get(former, "") if former else "",
        note=note,
        duties=duties,
        you=you,
    )
