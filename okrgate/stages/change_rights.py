"""What of a project can be changed by a change request, who may ask for it, and who decides."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from okrgate.approvals import entitlement
from okrgate.approvals.models import Round
from okrgate.database import db
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.projects.sections import Page, Section
from okrgate.stages import editing
from okrgate.stages.facts import Snapshot
from okrgate.stages.sections import section_for


def changeable(project: Project, rulebook: Rulebook) -> list[tuple[Section, Page]]:
    """Return the pages whose content is signed and locked, and that a change request can change."""
    stage = rulebook.stages[project.stage]
    if stage.terminal or stage.holding:
        return []
    held = editing.locked_material(project, rulebook)
    used = dict.fromkeys(key for one in rulebook.stages.values() for key in one.sections)
    found = []
    for key in used:
        section = section_for(rulebook, key)
        if section is not None and not stage.sections.get(key):
            found += [(section, page) for page in section.pages if signed_on(page) & held]
    return found


def signed_on(page: Page) -> frozenset[str]:
    """Return the facts and lists that a signature covers and that this page writes."""
    return frozenset(page.facts) if page.signed is None else page.signed


def may_ask(rulebook: Rulebook, section: str, roles: frozenset[str]) -> bool:
    """Tell whether somebody in these roles may ask: whoever agreed it, that is, edits it in some stage."""
    return any(roles & set(one.sections.get(section, ())) for one in rulebook.stages.values())


def form_of(page: Page, project: Project, typed: Sequence[Sequence[str]]) -> Any:
    """Build the page's form from what was typed. Raises Invalid with what is wrong in it."""
    form = page.form(
        formdata=MultiDict((name, value) for name, value in typed), meta={"csrf": False}
    )
    page.prepare(form, project)
    if not form.validate():
        raise Invalid(
            "Something is not right yet.",
            {name: _first(said) for name, said in form.errors.items()},
        )
    return form


def _first(said: Any) -> str:
    """Return the first sentence of what is wrong with a field, or with a row of a list."""
    if isinstance(said, str):
        return said
    inner = said.values() if isinstance(said, Mapping) else said
    return next(filter(None, map(_first, inner)), "")


def gate_of(project: Project, rulebook: Rulebook, page: Page) -> Round:
    """Return the newest round that signed what is on this page."""
    query = select(Round).where(Round.project_id == project.id, Round.closed_as == "satisfied")
    for found in db.session().scalars(query.order_by(Round.id.desc())):
        if found.gate in rulebook.gates and signed_on(page) & rulebook.material_of(found.gate):
            return found
    raise Forbidden("Nobody signed this here, so there is nobody who could agree to a change.")


def gate_named(project: Project, gate: str) -> Round:
    """Return the newest round that signed a gate. Raises Conflict when nothing of it is signed any more."""
    query = select(Round).where(
        Round.project_id == project.id, Round.closed_as == "satisfied", Round.gate == gate
    )
    found = db.session().scalar(query.order_by(Round.id.desc()).limit(1))
    if found is None:
        raise Conflict(
            "What this would change is not signed any more. It can be changed where it is agreed."
        )
    return found


def entitled(
    project: Project, rulebook: Rulebook, snapshot: Snapshot, gate: Round, without: set[int]
) -> dict[int, set[str]]:
    """Return who may decide, and in which roles: those of the gate's seats, but for whoever never signs."""
    never = set(
        entitlement.barred(
            project, rulebook, snapshot.around, since=snapshot.settled.get(gate.gate)
        )
    )
    found: dict[int, set[str]] = {}
    for requirement in rulebook.gates[gate.gate].requirements:
        for asked in rulebook.signoff_conditions(requirement):
            excluded = never.union(
                without, *(snapshot.around.people.get(fact, ()) for fact in asked.exclude)
            )
            held = entitlement.holders(rulebook, asked.roles, snapshot.around)
            for role, people in held.items():
                for person in people - excluded:
                    found.setdefault(person, set()).add(role)
    return found
