"""The authority tree: who is below whom. One root; a unit is never deleted, it is closed."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid, NotFound

KINDS = (
    ("company", "Company"),
    ("region", "Region"),
    ("department", "Department"),
    ("team", "Team"),
)
_DEEPEST = 20


@dataclass(frozen=True)
class Branch:
    """A unit where it stands in the tree; `depth` counts the units above it."""

    id: int
    name: str
    place: str
    kind: str
    domain: str
    active: bool
    depth: int
    people: int


def tree() -> list[Branch]:
    """Return every unit, each below its parent, siblings by name."""
    counting = (
        select(Person.unit_id, func.count().label("people"))
        .where(Person.active, Person.unit_id.is_not(None))
        .group_by(Person.unit_id)
    )
    counted = {row.unit_id: row.people for row in db.session().execute(counting)}
    units = {unit.id: unit for unit in db.session().scalars(select(OrgUnit))}
    labels = dict(KINDS)
    found = []
    for unit in units.values():
        above = [units[int(step)].name for step in unit.path.strip("/").split("/")]
        branch = Branch(
            unit.id,
            unit.name,
            " › ".join(above),  # noqa: RUF001 the arrow of a path
            labels.get(unit.kind, unit.kind),
            unit.domain,
            unit.active,
            len(above) - 1,
            counted.get(unit.id, 0),
        )
        found.append(([name.casefold() for name in above], branch))
    return [branch for _names, branch in sorted(found, key=lambda one: (one[0], one[1].id))]


def get(unit_id: int) -> OrgUnit:
    """Return a unit; raises NotFound."""
    return _get(db.session(), unit_id)


def create(*, name: str, kind: str, parent_id: int | None, domain: str, by: int) -> int:
    """Add a unit below another; only the first has none above. Return its id."""
    with transaction() as session:
        parent = session.get(OrgUnit, parent_id) if parent_id else None
        _check_place(session, parent, name)
        unit = OrgUnit(
            name=name, kind=kind, domain=domain, parent_id=parent.id if parent else None, path=""
        )
        session.add(unit)
        session.flush()
        unit.path = f"{parent.path if parent else '/'}{unit.id}/"
        audit.record(
            "unit.created",
            by=by,
            target=f"unit:{unit.id}",
            details={"name": name, "kind": kind, "parent": unit.parent_id, "domain": domain},
        )
        return unit.id


def change(unit_id: int, *, name: str, kind: str, domain: str, by: int) -> None:
    """Rename a unit, or say better what it is."""
    with transaction() as session:
        unit = _get(session, unit_id)
        wanted = {"name": name, "kind": kind, "domain": domain}
        details = {
            key: [getattr(unit, key), value]
            for key, value in wanted.items()
            if getattr(unit, key) != value
        }
        if not details:
            return
        if "name" in details:
            _check_name_free(session, unit.parent_id, name)
        for key, value in wanted.items():
            setattr(unit, key, value)
        audit.record("unit.changed", by=by, target=f"unit:{unit_id}", details=details)


def move(unit_id: int, *, parent_id: int | None, by: int) -> None:
    """Put a unit, with all below it, under another. Roles held above count there from now on."""
    with transaction() as session:
        unit = _get(session, unit_id)
        if unit.parent_id == parent_id:
            return
        parent = session.get(OrgUnit, parent_id) if parent_id else None
        _check_move(session, unit, parent)
        below = list(session.scalars(select(OrgUnit).where(OrgUnit.path.startswith(unit.path))))
        before, after = unit.path, f"{parent.path if parent else '/'}{unit.id}/"
        if max(one.path.count("/") for one in below) + after.count("/") - before.count("/") > (
            _DEEPEST + 1
        ):
            sentence = f"The tree can be {_DEEPEST} units deep. Choose a unit further up."
            raise Invalid(sentence, {"parent_id": sentence})
        details = {"parent": [unit.parent_id, parent_id]}
        unit.parent_id = parent_id
        for one in below:
            one.path = after + one.path.removeprefix(before)
        audit.record("unit.moved", by=by, target=f"unit:{unit_id}", details=details)
        directory.tell_roles_changed(by)


def _check_move(session: Session, unit: OrgUnit, parent: OrgUnit | None) -> None:
    if unit.parent_id is None:
        sentence = "This is the first unit: everything else is below it, so it cannot be moved."
        raise Invalid(sentence, {"parent_id": sentence})
    if parent is not None and parent.path.startswith(unit.path):
        sentence = "A unit cannot be below itself. Choose another."
        raise Invalid(sentence, {"parent_id": sentence})
    if unit.active or parent is None:
        _check_place(session, parent, unit.name)
    else:
        _check_name_free(session, parent.id, unit.name)


def set_active(unit_id: int, *, active: bool, by: int) -> None:
    """Close a unit for new projects, people and roles, or open it again. Roles held there stay."""
    with transaction() as session:
        unit = _get(session, unit_id)
        if unit.active == active:
            return
        if not active and session.scalar(
            select(OrgUnit.id).where(OrgUnit.parent_id == unit_id, OrgUnit.active).limit(1)
        ):
            raise Conflict("There are open units below this one. Close those first.")
        if active and unit.parent_id and not _get(session, unit.parent_id).active:
            raise Conflict("The unit above is closed. Open that one first.")
        unit.active = active
        action = "unit.opened" if active else "unit.closed"
        audit.record(action, by=by, target=f"unit:{unit_id}")


def _check_place(session: Session, parent: OrgUnit | None, name: str) -> None:
    if parent is None:
        if session.scalar(select(OrgUnit.id).limit(1)) is not None:
            sentence = "Choose the unit above. Only the first unit has none."
            raise Invalid(sentence, {"parent_id": sentence})
        return
    if not parent.active:
        sentence = "The unit above is closed. Open it first, or choose another."
        raise Invalid(sentence, {"parent_id": sentence})
    if parent.path.count("/") > _DEEPEST:
        sentence = f"The tree can be {_DEEPEST} units deep. Choose a unit further up."
        raise Invalid(sentence, {"parent_id": sentence})
    _check_name_free(session, parent.id, name)


def _check_name_free(session: Session, parent_id: int | None, name: str) -> None:
    twin = select(OrgUnit.id).where(
        OrgUnit.parent_id == parent_id, func.lower(OrgUnit.name) == name.lower()
    )
    if parent_id is not None and session.scalar(twin.limit(1)) is not None:
        sentence = "There is a unit of this name there already."
        raise Invalid(sentence, {"name": sentence})


def _get(session: Session, unit_id: int) -> OrgUnit:
    unit = session.get(OrgUnit, unit_id)
    if unit is None:
        raise NotFound
    return unit
