"""Save a page of a section: rights, conflicts, the lock on what was signed, and what a change does to a round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, literal, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.database import db, remembering, transaction
from okrgate.errors import Conflict, Forbidden, NotFound
from okrgate.events import publish
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Draft, Edit, Project, SectionState, Visit
from okrgate.projects.sections import Agreed, Answer, Gathered, Page, Section
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import drafts
from okrgate.stages.facts import plain
from okrgate.stages.path import passed_gates
from okrgate.stages.preparing import locked
from okrgate.stages.sections import answers_of, stored_answers
from okrgate.stages.signing_news import voided


@dataclass(frozen=True)
class Saved:
    """What a save did: the labels that changed, and whether sign-offs lapsed by it."""

    changed: tuple[str, ...]
    voided: bool


def editors(rulebook: Rulebook, stage: str, section: str) -> tuple[str, ...]:
    """Return the roles that edit a section in a stage."""
    return tuple(rulebook.stages[stage].sections.get(section, ()))


def check_may_edit(
    project: Project,
    rulebook: Rulebook,
    section: str,
    around: entitlement.Surroundings,
    person: int,
) -> None:
    """Raise Forbidden, with the sentence the page shows, unless this person edits this section now."""
    roles = editors(rulebook, project.stage, section)
    if not roles:
        stage = rulebook.stages[project.stage].label
        raise Forbidden(f"This part is not open for changes while the project is in “{stage}”.")
    held = entitlement.holders(rulebook, roles, around)
    if person not in frozenset().union(*held.values()):
        labels = " or ".join(f"the {rulebook.roles[role].label}" for role in roles)
        raise Forbidden(f"Only {labels} can change this part now.")


def save_page(
    project_id: int,
    section: Section,
    page: Page,
    data: Mapping[str, Any],
    *,
    base_version: int,
    around: entitlement.Surroundings,
    by: int,
    tab: drafts.Tab | None = None,
) -> Saved:
    """Store one page of a section.

    Raises Forbidden (may not, or what was signed is locked), Conflict (somebody saved the section meanwhile). A save
    that changes nothing leaves no trace. A change of material content ends the open round of sign-off.
    """
    with transaction() as session:
        project = locked(project_id)
        rulebook = rulebooks.rulebook(project.rulebook_version_id)
        check_may_edit(project, rulebook, section.key, around, by)
        state = session.scalar(
            select(SectionState).where(
                SectionState.project_id == project.id, SectionState.section == section.key
            )
        )
        if (state.version if state else 0) != base_version:
            raise Conflict(_who_saved(state, by))
        before, told_before = _read(section, project, rulebook)
        events = page.save(project, data, by=by)
        session.flush()
        after, told_after = _read(section, project, rulebook)
        changed = differences(before, after)
        names = _changed_content(told_before, told_after)
        drafts.drop(drafts.Place(project.id, section.key, page.key, by), tab=tab)
        first = state is None or page.key not in state.pages_saved
        if not changed and not names and not first:
            return Saved((), False)
        state = _next_state(state, project, section.key, page.key, by)
        if not changed and not names:
            return Saved((), False)
        _check_unlocked(project, rulebook, names)
        lapsed = _void(project, rulebook, names, by)
        material = _is_material(rulebook, names)
        session.add(
            Edit(
                project_id=project.id,
                section=section.key,
                person_id=by,
                at=clock.now(),
                material=material,
            )
        )
        project.version += 1
        project.changed_at = clock.now()
        audit.record(
            "section.saved",
            by=by,
            project_id=project.id,
            target=f"section:{section.key}",
            details={
                "section": section.title,
                "page": page.title,
                "version": state.version,
                "changes": changed,
                "voided": lapsed,
            },
        )
        for event in events:
            publish(event)
        return Saved(tuple(one["label"] for one in changed), lapsed)


def save_agreed(
    project: Project,
    rulebook: Rulebook,
    section: Section,
    page: Page,
    data: Mapping[str, Any],
    *,
    agreed: Agreed,
    asked_by: int,
    changes: Sequence[Mapping[str, Any]],
) -> Saved:
    """Store what a change request agreed, in the open transaction: the lock does not hold it back, all else is as ever.

    It counts as an edit of whoever asked, so that they do not sign it. `changes` are recorded field by field.
    """
    session = db.session()
    state = session.scalar(
        select(SectionState).where(
            SectionState.project_id == project.id, SectionState.section == section.key
        )
    )
    before, told_before = _read(section, project, rulebook)
    events = page.save_agreed(project, data, agreed, by=asked_by)
    session.flush()
    after, told_after = _read(section, project, rulebook)
    names = _changed_content(told_before, told_after)
    if not differences(before, after) and not names and not changes:
        return Saved((), False)
    state = _next_state(state, project, section.key, page.key, asked_by)
    lapsed = _void(project, rulebook, names, agreed.by)
    session.add(
        Edit(
            project_id=project.id,
            section=section.key,
            person_id=asked_by,
            at=clock.now(),
            material=_is_material(rulebook, names),
        )
    )
    project.version += 1
    project.changed_at = clock.now()
    audit.record(
        "section.saved",
        by=agreed.by,
        project_id=project.id,
        target=f"section:{section.key}",
        reason=f"Change request {agreed.request}: {agreed.reason}",
        details={
            "section": section.title,
            "page": page.title,
            "version": state.version,
            "changes": list(changes),
            "voided": lapsed,
            "change_request": agreed.request,
            "asked_by": asked_by,
        },
    )
    for event in events:
        publish(event)
    return Saved(tuple(one["label"] for one in changes), lapsed)


def saved_and_drafted(project_id: int, person: int) -> tuple[set[str], set[str]]:
    """Return the sections that were ever saved, and those in which this person has a draft; one query."""
    saved = select(SectionState.section, literal(1).label("saved")).where(
        SectionState.project_id == project_id
    )
    drafted = select(Draft.section, literal(0)).where(
        Draft.project_id == project_id, Draft.person_id == person
    )
    rows = [(row[0], bool(row[1])) for row in db.session().execute(saved.union_all(drafted))]
    return {key for key, is_saved in rows if is_saved}, {
        key for key, is_saved in rows if not is_saved
    }


def states(project_id: int) -> dict[str, SectionState]:
    """Return the state of every section that was ever saved."""
    rows = db.session().scalars(select(SectionState).where(SectionState.project_id == project_id))
    return {row.section: row for row in rows}


def locked_material(project: Project, rulebook: Rulebook) -> frozenset[str]:
    """Return the facts and collections that were signed and are locked: of every signed gate that was passed."""
    is_signed = exists().where(
        Round.project_id == Visit.project_id,
        Round.gate == Visit.gate,
        Round.closed_as == "satisfied",
    )
    query = select(Visit, is_signed).where(Visit.project_id == project.id).order_by(Visit.id)
    rows = db.session().execute(query).all()
    signed = {visit.gate for visit, was_signed in rows if was_signed}
    passed = [
        gate
        for gate in passed_gates([visit for visit, _ in rows])
        if gate in signed and gate in rulebook.gates
    ]
    return frozenset().union(*(rulebook.material_of(gate) for gate in passed))


def _read(section: Section, project: Project, rulebook: Rulebook) -> tuple[list[Answer], Gathered]:
    with remembering({}):
        answers = answers_of(section, project, rulebook)
        told = section.gather(project, clock.today())
        given = stored_answers(project.id)
    questions = {f"answers.{name}": value for name, value in given.items()}
    return answers, Gathered({**told.values, **questions}, told.collections, told.content)


def differences(before: Sequence[Answer], after: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return what reads differently: label, before, after, and whether only those involved read it."""
    old = {(one.page, one.field): one for one in before}
    new = {(one.page, one.field): one for one in after}
    return [
        {
            "label": (new.get(key) or old[key]).label,
            "private": (new.get(key) or old[key]).private,
            "before": old[key].text if key in old else "",
            "after": new[key].text if key in new else "",
        }
        for key in dict.fromkeys([*old, *new])
        if (old[key].text if key in old else "") != (new[key].text if key in new else "")
    ]


def read_answers(section: Section, project: Project, rulebook: Rulebook) -> list[Answer]:
    """Return a section's answers as they are in the open transaction."""
    return _read(section, project, rulebook)[0]


def _changed_content(before: Gathered, after: Gathered) -> frozenset[str]:
    """Return the facts and collections whose signed content differs."""
    names = {
        *before.values,
        *before.collections,
        *before.content,
        *after.values,
        *after.collections,
        *after.content,
    }
    return frozenset(name for name in names if _content(before, name) != _content(after, name))


def _content(told: Gathered, name: str) -> Any:
    if name in told.content:
        return plain(told.content[name])
    return plain(told.values.get(name, told.collections.get(name)))


def _check_unlocked(project: Project, rulebook: Rulebook, names: frozenset[str]) -> None:
    held = names & locked_material(project, rulebook)
    if held:
        raise Forbidden(
            "This was signed off and is locked. To change it, send the project back to the stage where it is agreed."
        )


def _void(project: Project, rulebook: Rulebook, names: frozenset[str], by: int) -> bool:
    found = approvals.open_round(project.id)
    if found is None or found.gate not in rulebook.gates:
        return False
    if not names & rulebook.material_of(found.gate):
        return False
    people = sorted(approvals.hands_in(found.id))
    approvals.close_round(found, closed_as="voided", by=by, reason="What was to be signed changed.")
    if people:
        label = rulebook.gates[found.gate].label
        name = directory.names([by]).get(by, "Somebody")
        publish(voided(project, label, "What was to be signed changed.", people, by, name))
    return True


def _is_material(rulebook: Rulebook, names: frozenset[str]) -> bool:
    """Tell whether any gate that asks for sign-offs covers one of these."""
    return any(
        names & rulebook.material_of(gate.id)
        for gate in rulebook.gates.values()
        if any(rulebook.signoff_conditions(requirement) for requirement in gate.requirements)
    )


def _next_state(
    state: SectionState | None, project: Project, section: str, page: str, by: int
) -> SectionState:
    if state is None:
        state = SectionState(project_id=project.id, section=section, version=0, pages_saved=[])
        db.session().add(state)
    state.version += 1
    state.saved_at = clock.now()
    state.saved_by_id = by
    state.pages_saved = sorted({*state.pages_saved, page})
    return state


def _who_saved(state: SectionState | None, reader: int) -> str:
    if state is None:
        raise NotFound
    if state.saved_by_id == reader:
        return "You saved this part meanwhile, in another tab or on another device."
    name = directory.names([state.saved_by_id]).get(state.saved_by_id, "Somebody")
    return f"{name} saved this part while you were typing."
