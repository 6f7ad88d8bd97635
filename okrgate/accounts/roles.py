"""Who acts for what: roles held in a unit and everywhere below it, from a day to a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid, NotFound
from okrgate.events import Recipient, RolesChanged, publish


@dataclass(frozen=True)
class Held:
    """A role somebody holds, held or will hold. Dates are inclusive."""

    id: int
    role: str
    label: str
    unit: str
    starts_on: date | None
    ends_on: date | None
    when: str


def of_person(person_id: int) -> list[Held]:
    """Return a person's roles, those of today first."""
    labels = dict(directory.role_choices())
    query = (
        select(RoleGrant, OrgUnit.name)
        .join(OrgUnit, OrgUnit.id == RoleGrant.unit_id)
        .where(RoleGrant.person_id == person_id)
        .order_by(RoleGrant.id)
    )
    found = [
        Held(
            grant.id,
            grant.role,
            labels.get(grant.role, grant.role),
            unit,
            grant.starts_on,
            grant.ends_on,
            _when(grant.starts_on, grant.ends_on),
        )
        for grant, unit in db.session().execute(query)
    ]
    return sorted(found, key=lambda held: ("now", "later", "over").index(held.when))


def in_words(ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the roles that these people hold today, as "Role, Unit", in one query."""
    labels = dict(directory.role_choices())
    today = clock.today()
    query = (
        select(RoleGrant.person_id, RoleGrant.role, OrgUnit.name)
        .join(OrgUnit, OrgUnit.id == RoleGrant.unit_id)
        .where(
            RoleGrant.person_id.in_(list(ids)),
            or_(RoleGrant.starts_on.is_(None), RoleGrant.starts_on <= today),
            or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= today),
        )
        .order_by(RoleGrant.id)
    )
    held: dict[int, list[str]] = {}
    for person_id, role, unit in db.session().execute(query):
        held.setdefault(person_id, []).append(f"{labels.get(role, role)}, {unit}")
    return held


def grant(
    person_id: int,
    *,
    role: str,
    unit_id: int,
    starts_on: date | None = None,
    ends_on: date | None = None,
    by: int,
) -> None:
    """Give a role in a unit. Raises Invalid for an unknown role or unit, Conflict when it is held already."""
    labels = dict(directory.role_choices())
    if role not in labels:
        raise Invalid("Choose a role of the rules that bind.", {"role": "Choose one of the roles."})
    if starts_on and ends_on and ends_on < starts_on:
        sentence = "The last day must not be before the first."
        raise Invalid(sentence, {"ends_on": sentence})
    who = directory.names([by]).get(by, "okrgate")
    with transaction() as session:
        person, unit = session.get(Person, person_id), session.get(OrgUnit, unit_id)
        if person is None:
            raise NotFound
        if unit is None or not unit.active:
            raise Invalid("Choose an active unit.", {"unit_id": "Choose one of the units."})
        if session.scalar(_same(person_id, role, unit_id, starts_on, ends_on)) is not None:
            raise Conflict("They hold this role there already, for these days.")
        session.add(
            RoleGrant(
                person_id=person_id,
                role=role,
                unit_id=unit_id,
                starts_on=starts_on,
                ends_on=ends_on,
                granted_by_id=by,
                granted_at=clock.now(),
            )
        )
        audit.record(
            "person.role_granted",
            by=by,
            target=f"person:{person_id}",
            details={
                "role": role,
                "unit": unit_id,
                "from": starts_on.isoformat() if starts_on else None,
                "until": ends_on.isoformat() if ends_on else None,
            },
        )
        directory.tell_roles_changed(person_id)
        _tell(
            person_id, by, who, gained=f"{labels[role]} in {unit.name}{_days(starts_on, ends_on)}"
        )


def revoke(person_id: int, grant_id: int, *, by: int) -> None:
    """Take a role away, from this moment on."""
    labels = dict(directory.role_choices())
    who = directory.names([by]).get(by, "okrgate")
    with transaction() as session:
        held = session.get(RoleGrant, grant_id)
        if held is None or held.person_id != person_id:
            raise NotFound
        unit = session.get_one(OrgUnit, held.unit_id)
        session.delete(held)
        audit.record(
            "person.role_revoked",
            by=by,
            target=f"person:{person_id}",
            details={"role": held.role, "unit": held.unit_id},
        )
        directory.tell_roles_changed(person_id)
        _tell(person_id, by, who, lost=f"{labels.get(held.role, held.role)} in {unit.name}")


def _tell(person_id: int, by: int, who: str, *, gained: str = "", lost: str = "") -> None:
    publish(
        RolesChanged(
            recipients=(Recipient(person_id, "it is about your roles"),),
            by=who,
            by_id=by,
            path="/account",
            gained=(gained,) if gained else (),
            lost=(lost,) if lost else (),
        )
    )


def _same(
    person_id: int, role: str, unit_id: int, starts_on: date | None, ends_on: date | None
) -> Select[int]:
    return select(RoleGrant.id).where(
        RoleGrant.person_id == person_id,
        RoleGrant.role == role,
        RoleGrant.unit_id == unit_id,
        RoleGrant.starts_on.is_not_distinct_from(starts_on),
        RoleGrant.ends_on.is_not_distinct_from(ends_on),
    )


def _when(starts_on: date | None, ends_on: date | None) -> str:
    today = clock.today()
    if starts_on and starts_on > today:
        return "later"
    return "over" if ends_on and ends_on < today else "now"


def _days(starts_on: date | None, ends_on: date | None) -> str:
    said = f" from {starts_on.isoformat()}" if starts_on else ""
    return said + (f" until {ends_on.isoformat()}" if ends_on else "")
