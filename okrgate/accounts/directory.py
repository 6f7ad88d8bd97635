"""Ask who is who, and who may act for what. Reads only; every other room asks here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.database import ask, check_writing, db, remembered


@dataclass(frozen=True)
class Holding:
    """A role somebody holds today, and where."""

    person_id: int
    role: str
    unit_id: int
    path: str


def names(ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of these people, in one query."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    return {one: known.name for one, known in _people(wanted).items() if known is not None}


def people_choices() -> list[tuple[int, str]]:
    """Return (id, name) of everybody active, by name: the choices of a people picker."""
    query = select(Person.id, Person.name).where(Person.active).order_by(Person.name, Person.id)
    return [(row.id, row.name) for row in db.session().execute(query)]


def unit_choices() -> list[tuple[int, str]]:
    """Return (id, name with its parents) of every active unit, in tree order."""
    units = list(db.session().scalars(select(OrgUnit).where(OrgUnit.active).order_by(OrgUnit.path)))
    by_id = {unit.id: unit.name for unit in units}
    found = [
        (
            unit.id,
            " › ".join(  # noqa: RUF001 the arrow of a path
                by_id[int(step)] for step in unit.path.strip("/").split("/") if int(step) in by_id
            ),
        )
        for unit in units
    ]
    return sorted(found, key=lambda choice: choice[1].casefold())


def unit(unit_id: int | None) -> OrgUnit | None:
    """Return a unit, or nothing."""
    if unit_id is None:
        return None
    known = remembered("units", dict[int, OrgUnit])
    found = known.get(unit_id) or db.session().get(OrgUnit, unit_id)
    if found is not None:
        known[unit_id] = found
    return found


def know(unit: OrgUnit) -> None:
    """Let a block of remembering() know a unit that was read beside something else."""
    remembered("units", dict[int, OrgUnit])[unit.id] = unit


def units(ids: Iterable[int | None]) -> Mapping[int, OrgUnit]:
    """Return these units by id, in one query."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    known = remembered("units", dict[int, OrgUnit])
    missing = wanted - set(known)
    if missing:
        found = db.session().scalars(select(OrgUnit).where(OrgUnit.id.in_(missing)))
        known |= {unit.id: unit for unit in found}
    return {one: known[one] for one in wanted if one in known}


def holdings(roles: Iterable[str], *, person: int | None = None) -> list[Holding]:
    """Return who among the active people (or whether this one) holds these roles today, anywhere."""
    wanted = set(roles)
    if not wanted:
        return []
    known = remembered(("holdings", person), dict[str, list[Holding]])
    missing = wanted - set(known)
    if missing:
        known |= {role: [] for role in missing}
        values = {"roles": list(missing), "day": clock.today(), "person": person}
        for row in ask(_HOLDINGS if person is None else _HELD_BY, values):
            known[row.role].append(Holding(*row))
    return sorted((one for role in wanted for one in known[role]), key=lambda one: one.person_id)


# Written once: to write a statement takes longer than to ask it.
_PEOPLE = select(Person.id, Person.name, Person.active).where(
    Person.id.in_(bindparam("people", expanding=True))
)
_HOLDINGS = (
    select(RoleGrant.person_id, RoleGrant.role, RoleGrant.unit_id, OrgUnit.path)
    .join(OrgUnit, OrgUnit.id == RoleGrant.unit_id)
    .join(Person, Person.id == RoleGrant.person_id)
    .where(
        RoleGrant.role.in_(bindparam("roles", expanding=True)),
        Person.active,
        (RoleGrant.starts_on.is_(None)) | (RoleGrant.starts_on <= bindparam("day")),
        (RoleGrant.ends_on.is_(None)) | (RoleGrant.ends_on >= bindparam("day")),
    )
)
_HELD_BY = _HOLDINGS.where(RoleGrant.person_id == bindparam("person"))


def covers(holding: Holding, paths: Sequence[str]) -> bool:
    """Tell whether a role held in one unit counts for any of these unit paths: the unit itself or above."""
    return any(path.startswith(holding.path) for path in paths)


def auditors() -> list[int]:
    """Return the ids of the active auditors."""
    return list(
        db.session().scalars(
            select(Person.id).where(Person.active, Person.is_auditor).order_by(Person.id)
        )
    )


def admins() -> list[int]:
    """Return the ids of the active administrators."""
    return list(
        db.session().scalars(
            select(Person.id).where(Person.active, Person.is_admin).order_by(Person.id)
        )
    )


def active(ids: Iterable[int]) -> set[int]:
    """Return those of these people who are active."""
    wanted = set(ids)
    if not wanted:
        return set()
    return {one for one, known in _people(wanted).items() if known is not None and known.active}


def _people(wanted: set[int]) -> dict[int, Any]:
    """Return (id, name, active) of each of these; None for a number that is nobody's."""
    known = remembered("people", dict[int, Any])
    missing = wanted - set(known)
    if missing:
        found = {row.id: row for row in ask(_PEOPLE, {"people": list(missing)})}
        known |= {one: found.get(one) for one in missing}
    return {one: known[one] for one in wanted}


def by_email(email: str) -> int | None:
    """Return the id of the active person with this address, if there is one."""
    return db.session().scalar(
        select(Person.id).where(Person.email == email.strip().lower(), Person.active)
    )


def everybody_choices() -> list[tuple[int, str]]:
    """Return (id, name) of everybody there ever was, by name: for looking things up, not for choosing."""
    query = select(Person.id, Person.name).order_by(Person.name, Person.id)
    return [(row.id, row.name) for row in db.session().execute(query)]


RoleChoices = Callable[[], Sequence[tuple[str, str]]]
RolesListener = Callable[[int], None]
Holder = Callable[[int], Sequence[Mapping[str, Any]]]


@dataclass
class _Registered:
    """What rooms above have told us; we may not ask them ourselves."""

    role_choices: RoleChoices | None = None
    roles_listeners: list[RolesListener] = field(default_factory=list)
    holders: dict[str, Holder] = field(default_factory=dict)


_registered = _Registered()


def register_roles(provider: RoleChoices) -> None:
    """Say which roles can be given: `provider` returns (role id, label). Done once, in app.py."""
    _registered.role_choices = provider


def role_choices() -> list[tuple[str, str]]:
    """Return (role id, label) of every role that can be given in a unit."""
    choices = _registered.role_choices
    return remembered("roles to give", lambda: list(choices())) if choices else []


def on_roles_changed(listener: RolesListener) -> None:
    """Call `listener` with a person's id, inside the transaction, after what they may act for has changed."""
    if listener not in _registered.roles_listeners:
        _registered.roles_listeners.append(listener)


def tell_roles_changed(person_id: int) -> None:
    """Tell the listeners. Raises RuntimeError outside a transaction."""
    check_writing()
    db.session().flush()
    for listener in _registered.roles_listeners:
        listener(person_id)


def register_held(title: str, holder: Holder) -> None:
    """Add to what a person's export holds: `holder` returns plain JSON rows about a person's id."""
    _registered.holders[title] = holder


def held_elsewhere(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return what the other rooms hold on a person."""
    return {
        title: [dict(row) for row in holder(person_id)]
        for title, holder in _registered.holders.items()
    }
