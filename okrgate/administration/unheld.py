"""Roles that nobody holds where a project needs them, and the projects that wait because of it.

A gap is never a pass: the gate stays closed until somebody is given the role.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_

from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.approvals.models import Round, Seat, SeatPerson, SignoffRow
from okrgate.database import db
from okrgate.gates.model import FORWARD, Gate, Role, Rulebook, Stage
from okrgate.projects.models import Project
from okrgate.projects.permissions import visible_clause
from okrgate.rulebooks import service as rulebooks

_MOST = 200
_NAMED = 5
_APPROVALS = ("approved", "approved_with_conditions")
Place = tuple[int, int | None, str]


@dataclass(frozen=True)
class Waiting:
    """A project that waits for somebody who does not exist yet."""

    reference: str
    title: str


@dataclass(frozen=True)
class Gap:
    """Roles (any of them would do) that nobody holds in a unit, what for, and who waits."""

    roles: tuple[str, ...]
    labels: str
    unit_id: int | None
    unit: str
    tasks: tuple[str, ...]
    count: int
    projects: tuple[Waiting, ...] = ()

    @property
    def hidden(self) -> int:
        """Return how many of the projects are not named: too many, or not the reader's to see."""
        return self.count - len(self.projects)


@dataclass(frozen=True)
class Short:
    """A sign-off for which people hold the role, but too few may give it."""

    reference: str
    title: str
    label: str
    need: int
    have: int


@dataclass(frozen=True)
class Nowhere:
    """A role that the binding rules name and nobody holds anywhere."""

    role: str
    label: str
    process: str


@dataclass
class _Found:
    """A gap while it is being collected."""

    labels: str
    tasks: dict[str, None]
    places: dict[Place, int]


def gaps(*, reader: int | None = None, is_auditor: bool = False) -> list[Gap]:
    """Return every gap that open projects meet in their stage; projects are named as far as `reader` may see them."""
    counted, units = _places()
    found = _collect(counted, units)
    named = _named({place for one in found.values() for place in one.places}, reader, is_auditor)
    return [
        Gap(
            roles=roles,
            labels=one.labels,
            unit_id=unit,
            unit=units[unit].name if unit is not None and unit in units else "no unit",
            tasks=tuple(one.tasks),
            count=sum(one.places.values()),
            projects=tuple(waiting for place in one.places for waiting in named.get(place, ()))[
                :_NAMED
            ],
        )
        for (roles, unit), one in found.items()
    ]


def nowhere() -> list[Nowhere]:
    """Return the roles of the rules that bind which nobody holds today, anywhere."""
    found: dict[str, Nowhere] = {}
    for version in rulebooks.binding():
        rulebook = rulebooks.rulebook(version.id)
        for role in rulebook.roles.values():
            if role.kind == "org":
                found.setdefault(role.id, Nowhere(role.id, role.label, rulebook.title))
    held = {one.role for one in directory.holdings(found)}
    return [one for role, one in found.items() if role not in held]


def short_seats(*, reader: int, is_auditor: bool = False) -> list[Short]:
    """Return sign-offs asked for in open rounds that too few people may give, once some are excluded."""
    people = func.count(SeatPerson.id)
    query = (
        select(Seat, Project.reference, Project.title, people.label("people"))
        .join(Round, Round.id == Seat.round_id)
        .join(Project, Project.id == Round.project_id)
        .outerjoin(SeatPerson, SeatPerson.seat_id == Seat.id)
        .where(Round.closed_at.is_(None), visible_clause(reader, is_auditor=is_auditor))
        .group_by(Seat.id, Project.reference, Project.title)
        .having(people < Seat.need)
        .order_by(Seat.id)
        .limit(_MOST)
    )
    rows = db.session().execute(query).all()
    signed = _signed({seat.round_id for seat, *_rest in rows})
    found = []
    for seat, reference, title, waiting in rows:
        given = sum(bool(roles & set(seat.roles)) for roles in signed.get(seat.round_id, ()))
        if given + waiting < seat.need:
            found.append(Short(reference, title, seat.label, seat.need, given + waiting))
    return found


def missing_in(version_id: int, unit_id: int | None) -> list[str]:
    """Return the roles, in words, that a project of this unit would need somewhere on its way and nobody holds."""
    rulebook = rulebooks.rulebook(version_id)
    holders = _Holders(rulebook.roles.values())
    unit = directory.unit(unit_id)
    path = unit.path if unit else ""
    wanted = [roles for stage in rulebook.stages.values() for roles, _ in _needs(rulebook, stage)]
    wanted += [roles for gate in rulebook.gates.values() if (roles := _signers(rulebook, gate))]
    missing = dict.fromkeys(one for one in wanted if not holders.any(rulebook, one, path))
    return [
        _labels(rulebook, roles)
        for roles in missing
        if not any(set(other) < set(roles) for other in missing)
    ]


class _Holders:
    """Who holds roles today, asked once."""

    def __init__(self, roles: Iterable[Role]) -> None:
        org = {role.id for role in roles if role.kind == "org"}
        self._held: dict[str, list[directory.Holding]] = {}
        for one in directory.holdings(org):
            self._held.setdefault(one.role, []).append(one)

    def any(self, rulebook: Rulebook, roles: Iterable[str], path: str) -> bool:
        """Tell whether somebody holds one of the roles for a project at home in `path`.

        A role of the teams' units counts as held when anybody holds it: teams differ from project to project.
        """
        for name in roles:
            held = self._held.get(name, ())
            if rulebook.roles[name].scope in {"company", "teams"}:
                if held:
                    return True
            elif path and any(directory.covers(one, [path]) for one in held):
                return True
        return False


def _places() -> tuple[dict[Place, int], dict[int, OrgUnit]]:
    """Return how many open projects stand in each stage of each unit, under each version; and these units."""
    counted = (
        select(
            Project.rulebook_version_id.label("version"),
            Project.home_unit_id.label("unit"),
            Project.stage.label("stage"),
            func.count().label("open_ones"),
        )
        .where(Project.closed_at.is_(None), Project.submitted_at.is_not(None))
        .group_by(Project.rulebook_version_id, Project.home_unit_id, Project.stage)
        .subquery()
    )
    query = select(counted, OrgUnit).outerjoin(OrgUnit, OrgUnit.id == counted.c.unit)
    rows = db.session().execute(query).all()
    places = {(row.version, row.unit, row.stage): row.open_ones for row in rows}
    return places, {row.unit: row.OrgUnit for row in rows if row.OrgUnit is not None}


def _collect(
    counted: Mapping[Place, int], units: Mapping[int, OrgUnit]
) -> dict[tuple[tuple[str, ...], int | None], _Found]:
    rules = {version: rulebooks.rulebook(version) for version, _unit, _stage in counted}
    holders = _Holders(role for one in rules.values() for role in one.roles.values())
    found: dict[tuple[tuple[str, ...], int | None], _Found] = {}
    for place, count in counted.items():
        version, unit, stage = place
        home = units.get(unit) if unit is not None else None
        rulebook, path = rules[version], home.path if home else ""
        if stage not in rulebook.stages:
            continue
        for roles, task in _needs(rulebook, rulebook.stages[stage]):
            if holders.any(rulebook, roles, path):
                continue
            one = found.setdefault((roles, unit), _Found(_labels(rulebook, roles), {}, {}))
            one.tasks[task] = None
            one.places[place] = count
    return found


def _needs(rulebook: Rulebook, stage: Stage) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what a stage needs people for: (roles of which one is enough, the task). Only roles held in units."""
    for section in stage.sections.values():
        if _all_org(rulebook, section):
            yield section, f"fill in what {stage.label} asks"
    for move in rulebook.transitions_from(stage.id):
        if move.kind != FORWARD:
            continue
        if not move.auto and _all_org(rulebook, move.by):
            yield move.by, f"take the step “{move.label}”"
        gate = rulebook.gates.get(move.gate or "")
        for one in gate.requirements if gate else ():
            if one.mode != "active" or one.severity != "hard" or one.when is not None:
                continue
            for seat in rulebook.signoff_conditions(one):
                if seat.quorum and _all_org(rulebook, seat.roles):
                    yield seat.roles, f"sign for “{gate.label}”" if gate else ""


def _signers(rulebook: Rulebook, gate: Gate) -> tuple[str, ...]:
    """Return every role that a hard requirement of a gate lets sign, whatever the case: one of them is always needed."""
    seats = [
        seat.roles
        for one in gate.requirements
        if one.mode == "active" and one.severity == "hard"
        for seat in rulebook.signoff_conditions(one)
        if seat.quorum and _all_org(rulebook, seat.roles)
    ]
    return tuple(dict.fromkeys(role for roles in seats for role in roles))


def _all_org(rulebook: Rulebook, roles: Sequence[str]) -> bool:
    return bool(roles) and all(rulebook.roles[one].kind == "org" for one in roles)


def _labels(rulebook: Rulebook, roles: Iterable[str]) -> str:
    return " or ".join(rulebook.roles[one].label for one in roles)


def _named(places: set[Place], reader: int | None, is_auditor: bool) -> dict[Place, list[Waiting]]:
    if not places or reader is None:
        return {}
    home = func.coalesce(Project.home_unit_id, 0)
    wanted = [(version, unit or 0, stage) for version, unit, stage in places]
    query = (
        select(Project.rulebook_version_id, Project.home_unit_id, Project.stage, Project)
        .where(
            tuple_(Project.rulebook_version_id, home, Project.stage).in_(wanted),
            Project.closed_at.is_(None),
            Project.submitted_at.is_not(None),
            visible_clause(reader, is_auditor=is_auditor),
        )
        .order_by(Project.stage_entered_at, Project.id)
        .limit(_MOST)
    )
    found: dict[Place, list[Waiting]] = {}
    for version, unit, stage, project in db.session().execute(query):
        waiting = Waiting(project.reference, project.title)
        found.setdefault((version, unit, stage), []).append(waiting)
    return found


def _signed(rounds: set[int]) -> dict[int, list[set[str]]]:
    if not rounds:
        return {}
    query = select(SignoffRow.round_id, SignoffRow.roles).where(
        SignoffRow.round_id.in_(rounds),
        SignoffRow.decision.in_(_APPROVALS),
        SignoffRow.withdrawn_at.is_(None),
    )
    found: dict[int, list[set[str]]] = {}
    for round_id, roles in db.session().execute(query):
        found.setdefault(round_id, []).append(set(roles))
    return found
