"""Read a project for its pages: few queries, whatever the size of the data."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Row, Select, bindparam, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.approvals import entitlement, stand_ins
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.comments import following
from okrgate.database import ask, db
from okrgate.errors import NotFound
from okrgate.gates.model import Rulebook, Transition
from okrgate.gates.verdict import Verdict
from okrgate.projects import permissions
from okrgate.projects.models import CoEditor, Project, Visit
from okrgate.projects.people import PEOPLE
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process
from okrgate.stages.models import StoredVerdict
from okrgate.stages.path import steps
from okrgate.stages.preparing import who_may

_READER = bindparam("reader", type_=Integer)
_IN_THE_ROW = {"project.submitter", "project.lead", "project.sponsor", "project.benefits_owner"}


@dataclass(frozen=True)
class Reader:
    """Whoever looks."""

    id: int
    is_admin: bool = False
    is_auditor: bool = False


@dataclass(frozen=True)
class Loaded:
    """A project with what every page about it needs. `roles` are the reader's roles in it.

    `held` is what the reader holds in units, wherever; `involved` whether they are one of the project's readers.
    `seq` numbers its newest row in the record: a page made before that row is out of date.
    `stands_in` says, where a round was asked for, whether they stand in for anybody today.
    """

    project: Project
    rulebook: Rulebook
    unit: OrgUnit | None
    process: str
    names: Mapping[int, str]
    roles: frozenset[str]
    co_editors: frozenset[int]
    held: tuple[directory.Holding, ...]
    involved: bool
    seq: int
    talk: following.Talk
    stands_in: bool = False

    @property
    def writers(self) -> str:
        """Return the names of the co-editors."""
        return ", ".join(sorted(self.name(one) for one in self.co_editors))

    def name(self, person: int | None) -> str:
        """Return somebody's name."""
        return self.names.get(person or 0, "-") if person else "-"


@dataclass(frozen=True)
class Move:
    """A way on from here, and, when the reader may not take it now, the sentence that says why.

    `mine` tells whether it is the reader's to take, once nothing else stands against it.
    """

    transition: Transition
    url_id: str
    refusal: str
    mine: bool


def load(reference: str, reader: Reader) -> Loaded:
    """Return a project that the reader may read. Raises NotFound for what is hidden or missing alike."""
    query = _by_reference(reader.is_auditor, permissions.registered())
    return _loaded(_row(query, reader, reference=reference), reader)


def load_round(round_id: int, reader: Reader) -> tuple[Loaded, Round]:
    """Return a round with its project. Raises NotFound for what is hidden or missing alike."""
    row = _row(_by_round(reader.is_auditor, permissions.registered()), reader, round=round_id)
    return replace(_loaded(row, reader), stands_in=bool(row.stands_in)), row.Round


# Written once: to write these takes longer than to ask them. They grow when a room registers who reads besides.
@lru_cache(maxsize=8)
def _by_reference(is_auditor: bool, registered: int) -> Select[*tuple[Any, ...]]:
    return _query(is_auditor).where(Project.reference == bindparam("reference"))


@lru_cache(maxsize=8)
def _by_round(is_auditor: bool, registered: int) -> Select[*tuple[Any, ...]]:
    stands_in = stand_ins.stands_in(_READER).label("stands_in")
    query = _query(is_auditor).add_columns(Round, stands_in)
    query = query.join(Round, Round.project_id == Project.id)
    return query.where(Round.id == bindparam("round"))


def _query(is_auditor: bool) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Project,
            OrgUnit,
            Process.title,
            permissions.reads_all(_READER).label("involved"),
            audit.newest_of(Project.id).label("seq"),
            *following.columns(_READER, is_auditor=is_auditor),
        )
        .join(Process, Process.id == Project.process_id)
        .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
    )


def _row(
    query: Select[*tuple[Any, ...]], reader: Reader, **values: str | int
) -> Row[*tuple[Any, ...]]:
    row = db.session().execute(query, {"reader": reader.id, **values}).first()
    if row is None:
        raise NotFound
    return row


def _loaded(row: Row[*tuple[Any, ...]], reader: Reader) -> Loaded:
    project, unit, process, involved, seq = row[:5]
    names, co_editors = _people(project)
    permissions.check_visible(
        project,
        reader.id,
        is_auditor=reader.is_auditor,
        also=(reader.id,) if involved else (),
        writers=co_editors,
    )
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    held = tuple(directory.holdings(entitlement.org_roles(rulebook), person=reader.id))
    around = light_surroundings(project, unit, co_editors)
    roles = entitlement.roles_held(rulebook, held, around, reader.id)
    talk = following.talk_of(row)
    return Loaded(
        project=project,
        rulebook=rulebook,
        unit=unit,
        process=process,
        names=names,
        roles=roles,
        co_editors=co_editors,
        held=held,
        involved=bool(involved),
        seq=seq or 0,
        talk=talk,
    )


def _people(project: Project) -> tuple[dict[int, str], frozenset[int]]:
    """Return the names of those in the project's own row and of its co-editors, and who these are."""
    own = (
        project.submitter_id,
        project.lead_id,
        project.sponsor_id,
        project.benefits_owner_id,
    )
    named = [one for one in own if one is not None]
    rows = list(ask(_PEOPLE, {"project": project.id, "people": named}))
    return {row.id: row.name for row in rows}, frozenset(row.id for row in rows if row.writes)


_WRITING = select(CoEditor.person_id).where(CoEditor.project_id == bindparam("project"))
_PEOPLE = select(Person.id, Person.name, Person.id.in_(_WRITING).label("writes")).where(
    or_(Person.id.in_(bindparam("people", expanding=True)), Person.id.in_(_WRITING))
)


def light_surroundings(
    project: Project, unit: OrgUnit | None, co_editors: frozenset[int]
) -> entitlement.Surroundings:
    """Return what decides the reader's roles on a page, from the project's own row.

    Teams and accountable people are left out: a right that hangs on them is found when it is used.
    """
    people = {
        name: frozenset({person})
        for name, person in (
            ("project.submitter", project.submitter_id),
            ("project.lead", project.lead_id),
            ("project.sponsor", project.sponsor_id),
            ("project.benefits_owner", project.benefits_owner_id),
        )
        if person is not None
    }
    return entitlement.Surroundings(unit.path if unit else "", (), people, co_editors)


def hang_on_facts(rulebook: Rulebook, roles: Iterable[str]) -> bool:
    """Tell whether who holds one of these roles depends on more than `light_surroundings` knows."""
    return any(
        role.scope == "teams" if role.kind == "org" else role.fact not in _IN_THE_ROW
        for role in (rulebook.roles[one] for one in roles)
    )


def moves(loaded: Loaded, verdicts: Sequence[StoredVerdict]) -> list[Move]:
    """Return every move out of the present stage, with the reason why the reader may not take it now."""
    return moves_from(loaded.rulebook, loaded.project.stage, loaded.roles, verdicts)


def moves_from(
    rulebook: Rulebook, stage: str, roles: frozenset[str], verdicts: Sequence[StoredVerdict]
) -> list[Move]:
    """Return every move out of a stage, with the reason why somebody with these roles may not take it now."""
    shut = {row.transition: row.missing for row in verdicts if not row.allowed}
    judged = {row.transition for row in verdicts}
    found: list[Move] = []
    for transition in rulebook.transitions_from(stage):
        refusal = ""
        if transition.auto:
            refusal = "This happens by itself as soon as everything is met."
        elif not set(transition.by) & roles:
            refusal = f"Only {who_may(rulebook, transition)} can do this."
        elif transition.id in shut:
            count = shut[transition.id]
            refusal = f"{count} requirement{'s are' if count != 1 else ' is'} still missing."
        elif transition.gate and transition.id not in judged:
            refusal = "This gate cannot be judged at the moment, so it stays closed."
        found.append(Move(transition, transition.id, refusal, bool(set(transition.by) & roles)))
    return found


def visits(project_id: int) -> list[Visit]:
    """Return a project's stays, oldest first."""
    return list(
        db.session().scalars(select(Visit).where(Visit.project_id == project_id).order_by(Visit.id))
    )


def strip(loaded: Loaded, stays: Sequence[Visit]) -> list[dict[str, Any]]:
    """Return the progress strip: the stages taken, where the project is, and the way ahead."""
    rulebook, project = loaded.rulebook, loaded.project
    taken = [step.stage for step in steps(stays)]
    entered = {stay.stage: stay.entered_at for stay in stays}
    origin = project.parked_from if project.parked_from in rulebook.stages else project.stage
    ahead = [
        step.target
        for step in rulebook.forward_path(origin or project.stage)
        if step.target in rulebook.stages and step.target != project.stage
    ]
    found = [
        {"label": rulebook.stages[one].label, "state": "done", "date": entered.get(one)}
        for one in taken
        if one in rulebook.stages
    ]
    current = rulebook.stages[project.stage]
    on_path = not current.holding and not (current.terminal and not taken)
    days = (clock.now() - project.stage_entered_at).days
    found.append(
        {
            "label": current.label,
            "state": "current" if on_path else "off",
            "date": project.stage_entered_at,
            "note": f"{days} day{'s' if days != 1 else ''}" if not current.terminal else None,
        }
    )
    found += [
        {"label": rulebook.stages[one].label, "state": "ahead"} for one in ahead if one not in taken
    ]
    return found


def verdict_of(row: StoredVerdict) -> Verdict:
    """Return a kept verdict."""
    return Verdict.from_json(row.verdict)


def section_list(
    loaded: Loaded,
    saved_ones: Container[str],
    drafts: Container[str],
    verdicts: Sequence[StoredVerdict],
) -> list[dict[str, Any]]:
    """Return the task list: every section this process uses, with the reader's status of it.

    Unit and people may be filled in elsewhere (when it begins, or when a lead is named), so they count as they are.
    """
    rulebook, project = loaded.rulebook, loaded.project
    used = {key: None for stage in rulebook.stages.values() for key in stage.sections}
    wanting = {
        finding.fix
        for row in verdicts
        if row.position == 0
        for finding in verdict_of(row).findings
        if finding.blocks
    }
    here = rulebook.stages[project.stage].sections
    parts = (project.home_unit_id, project.lead_id, project.sponsor_id)
    filled = {PEOPLE.key: sum(one is not None for one in parts)}
    found = []
    for key in used:
        editable = bool(set(here.get(key, ())) & loaded.roles)
        saved, drafted = key in saved_ones, key in drafts
        whole = saved or filled.get(key) == len(parts)
        if whole and key not in wanting and not drafted:
            status = "completed"
        elif saved or drafted or filled.get(key):
            status = "in_progress"
        elif key in here:
            status = "not_started"
        else:
            status = "cannot_start"
        others = () if editable else here.get(key, ())
        by = " or ".join(f"the {rulebook.roles[role].label}" for role in others)
        found.append(
            {"key": key, "status": status, "editable": editable, "open": key in here, "by": by}
        )
    return found
