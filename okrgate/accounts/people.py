"""Who may come in: invite, change, deactivate, forget. An administrator's work; each act is recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.accounts import addresses, administrators, directory, links, sessions
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.accounts.signing_in import working_admins
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import PersonInvited, Recipient, publish

Waiting = Callable[[int], Sequence[tuple[str, str]]]
_waiting: list[Waiting] = []
_leaving: list[Callable[[int], bool]] = []
_forgetting: list[Callable[[int], None]] = []

STATES = (("active", "Active"), ("invited", "Invited"), ("inactive", "Inactive"))
_TAKEN = "Somebody has this address already."
_LAST_ADMIN = (
    "This is the last administrator who can sign in. Make somebody else an administrator first."
)


@dataclass(frozen=True)
class Listed:
    """One line of the list of people."""

    id: int
    name: str
    email: str
    unit: str
    state: str
    is_admin: bool
    is_auditor: bool


@dataclass(frozen=True)
class Record:
    """Somebody as an administrator sees them."""

    id: int
    name: str
    email: str
    unit_id: int | None
    timezone: str
    is_admin: bool
    is_auditor: bool
    active: bool
    joined: bool
    created_at: datetime

    @property
    def state(self) -> str:
        """Return active, invited or inactive."""
        return state_of(active=self.active, joined=self.joined)


def register_waiting(source: Waiting) -> None:
    """Let a room say what waits for somebody, as (text, address). Done once, in app.py."""
    if source not in _waiting:
        _waiting.append(source)


def register_duties(check: Callable[[int], bool]) -> None:
    """Let a room above say whether somebody has to hand something over before they are shut out. Done once."""
    if check not in _leaving:
        _leaving.append(check)


def must_hand_over(person_id: int) -> bool:
    """Tell whether something waits for somebody that nobody else would see to."""
    return any(check(person_id) for check in _leaving)


def on_erased(forget: Callable[[int], None]) -> None:
    """Call `forget` with somebody's id while their name is erased, in that transaction. Done once, in app.py."""
    if forget not in _forgetting:
        _forgetting.append(forget)


def waits_for(person_id: int) -> list[tuple[str, str]]:
    """Return what waits for somebody in the rooms above."""
    return [one for source in _waiting for one in source(person_id)]


def state_of(*, active: bool, joined: bool) -> str:
    """Name what somebody's account is."""
    if not active:
        return "inactive"
    return "active" if joined else "invited"


def page(
    *,
    search: str = "",
    state: str = "",
    role: str = "",
    unit_id: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Return people by name, those behind person `after`, who fit: words, state, a role held today, a unit or below."""
    joined = Person.password_hash.is_not(None)
    query = (
        select(
            Person.id,
            Person.name,
            Person.email,
            OrgUnit.name.label("unit"),
            Person.active,
            joined.label("joined"),
            Person.is_admin,
            Person.is_auditor,
        )
        .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
        .order_by(Person.name, Person.id)
        .limit(limit)
    )
    if search:
        query = query.where(
            Person.name.icontains(search, autoescape=True)
            | Person.email.icontains(search, autoescape=True)
        )
    if state == "inactive":
        query = query.where(~Person.active)
    elif state in {"active", "invited"}:
        query = query.where(Person.active, joined if state == "active" else ~joined)
    if role:
        query = query.where(Person.id.in_(_holding(role)))
    if unit_id is not None:
        path = select(OrgUnit.path).where(OrgUnit.id == unit_id).scalar_subquery()
        query = query.where(OrgUnit.path.startswith(path))
    rows = db.session().execute(_behind(query, after))
    return [
        Listed(
            row.id,
            row.name,
            row.email,
            row.unit or "",
            state_of(active=row.active, joined=row.joined),
            row.is_admin,
            row.is_auditor,
        )
        for row in rows
    ]


def get(person_id: int) -> Record:
    """Return a person; raises NotFound."""
    return _record(_get(db.session(), person_id))


def invite(*, email: str, name: str, unit_id: int | None, by: int) -> int:
    """Let somebody join: store them and mail them a link. Return their id; raises Invalid."""
    email = addresses.spelled(email)
    sentence = addresses.fault(email)
    if sentence:
        raise Invalid(sentence, {"email": sentence})
    who = directory.names([by]).get(by, "okrgate")
    try:
        with transaction() as session:
            person = _new(session, email, name, unit_id)
            audit.record(
                "person.invited", by=by, target=f"person:{person.id}", details={"unit": unit_id}
            )
            _mail_invitation(person.id, by, who)
            return person.id
    except IntegrityError as problem:
        raise Invalid(_TAKEN, {"email": _TAKEN}) from problem


def invite_again(person_id: int, *, by: int) -> None:
    """Mail another invitation; the link of the one before stops working."""
    who = directory.names([by]).get(by, "okrgate")
    with transaction() as session:
        person = _get(session, person_id)
        if person.password_hash is not None:
            raise Conflict("They have joined already. They can choose a new password by mail.")
        if not person.active:
            raise Conflict("They are inactive. Activate them first.")
        audit.record("person.invited_again", by=by, target=f"person:{person_id}")
        _mail_invitation(person_id, by, who)


def change(person_id: int, *, name: str, unit_id: int | None, by: int) -> None:
    """Correct a name or the unit somebody works in."""
    with transaction() as session:
        person = _get(session, person_id)
        details: dict[str, object] = {}
        if person.name != name:
            # Names are never written into the record, so that they can be forgotten.
            details["name"] = "changed"
        if person.unit_id != unit_id:
            details["unit"] = [person.unit_id, unit_id]
        if not details:
            return
        person.name, person.unit_id = name, unit_id
        audit.record("person.changed", by=by, target=f"person:{person_id}", details=details)


def change_own(person_id: int, *, name: str, timezone: str) -> None:
    """Change what people keep up themselves."""
    with transaction() as session:
        person = _get(session, person_id)
        details: dict[str, object] = {}
        if person.name != name:
            details["name"] = "changed"
        if person.timezone != timezone:
            details["timezone"] = [person.timezone, timezone]
        if not details:
            return
        person.name, person.timezone = name, timezone
        audit.record("person.changed", by=person_id, target=f"person:{person_id}", details=details)


def set_rights(person_id: int, *, is_admin: bool, is_auditor: bool, by: int) -> None:
    """Make somebody administrator or auditor, or no longer. They sign in again, unless it is their own doing."""
    known = directory.admins()
    with transaction() as session:
        person = _get(session, person_id, lock=True)
        if (person.is_admin, person.is_auditor) == (is_admin, is_auditor):
            return
        if person.is_admin and not is_admin:
            _check_not_last_admin(session, person_id)
        details = {
            "admin": [person.is_admin, is_admin],
            "auditor": [person.is_auditor, is_auditor],
        }
        was_admin, person.is_admin, person.is_auditor = person.is_admin, is_admin, is_auditor
        if person_id != by:
            sessions.end_all(person_id)
        audit.record("person.rights_changed", by=by, target=f"person:{person_id}", details=details)
        if was_admin != is_admin and person.active:
            administrators.tell(person, is_one=is_admin, by=by, known=known)
        directory.tell_roles_changed(person_id)


def deactivate(person_id: int, *, by: int) -> None:
    """Shut somebody out from now on: sessions, links and mail end, what they did stays."""
    if person_id == by:
        raise Forbidden("You cannot deactivate yourself. Ask another administrator.")
    known = directory.admins()
    with transaction() as session:
        person = _get(session, person_id, lock=True)
        if not person.active:
            return
        if person.is_admin:
            _check_not_last_admin(session, person_id)
        _shut_out(person)
        audit.record("person.deactivated", by=by, target=f"person:{person_id}")
        if person.is_admin:
            administrators.tell(person, is_one=False, by=by, known=known)
        directory.tell_roles_changed(person_id)


def end_sessions(person_id: int, *, by: int) -> None:
    """Sign somebody out everywhere."""
    with transaction() as session:
        _get(session, person_id)
        if sessions.end_all(person_id):
            audit.record("person.sessions_ended", by=by, target=f"person:{person_id}")


def activate(person_id: int, *, by: int) -> None:
    """Let somebody in again, with the roles they had."""
    known = directory.admins()
    with transaction() as session:
        person = _get(session, person_id)
        if person.active:
            return
        if person.email.endswith(ERASED):
            raise Conflict("This person was forgotten. Invite them anew.")
        person.active = True
        audit.record("person.activated", by=by, target=f"person:{person_id}")
        if person.is_admin:
            administrators.tell(person, is_one=True, by=by, known=known)
        directory.tell_roles_changed(person_id)


ERASED = "@erased.invalid"


def erase(person_id: int, *, by: int) -> None:
    """Forget name and address of somebody inactive. Records keep the number, so the chain stays whole."""
    with transaction() as session:
        person = _get(session, person_id, lock=True)
        if person.active:
            raise Conflict("Deactivate them first; then their name can be erased.")
        if person.email.endswith(ERASED):
            return
        details = {"admin": person.is_admin}
        person.name = f"Former colleague {person_id}"
        person.email = f"{person_id}{ERASED}"
        person.password_hash, person.timezone = None, ""
        person.is_admin = person.is_auditor = False
        links.forget(person_id)
        sessions.forget(person_id)
        for forget in _forgetting:
            forget(person_id)
        audit.record("person.erased", by=by, target=f"person:{person_id}", details=details)


def first_admin_link(*, email: str, name: str) -> str:
    """Return a link that makes its reader the first administrator, once. Raises Conflict when there is one."""
    email = addresses.spelled(email)
    sentence = addresses.fault(email)
    if sentence:
        raise Invalid(sentence, {"email": sentence})
    name = name.strip()
    if not 0 < len(name) <= 120:
        raise Invalid("Give the name, in at most 120 characters.")
    with transaction() as session:
        if session.scalar(working_admins().limit(1)) is not None:
            raise Conflict(
                "There is an administrator already. They can invite others on the page Admin."
            )
        person = session.scalar(select(Person).where(Person.email == email))
        if person is None:
            person = _new(session, email, name, None)
        if not person.active:
            raise Conflict("This person is inactive. Name somebody else.")
        audit.record("person.first_admin_named", by=None, target=f"person:{person.id}")
        return links.address(links.make(links.FIRST_ADMIN, person.id))


def _holding(role: str) -> Select[int]:
    """Return a query for those who hold a role today; "admin" and "auditor" are rights that count as one."""
    if role in {"admin", "auditor"}:
        return select(Person.id).where(Person.is_admin if role == "admin" else Person.is_auditor)
    today = clock.today()
    return select(RoleGrant.person_id).where(
        RoleGrant.role == role,
        or_(RoleGrant.starts_on.is_(None), RoleGrant.starts_on <= today),
        or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= today),
    )


def _behind(query: Select[*tuple[object, ...]], after: int | None) -> Select[*tuple[object, ...]]:
    if after is None:
        return query
    last = select(Person.name).where(Person.id == after).scalar_subquery()
    return query.where(tuple_(Person.name, Person.id) > tuple_(last, after))


def _record(person: Person) -> Record:
    return Record(
        id=person.id,
        name=person.name,
        email=person.email,
        unit_id=person.unit_id,
        timezone=person.timezone,
        is_admin=person.is_admin,
        is_auditor=person.is_auditor,
        active=person.active,
        joined=person.password_hash is not None,
        created_at=person.created_at,
    )


def _get(session: Session, person_id: int, *, lock: bool = False) -> Person:
    person = session.get(Person, person_id, with_for_update=True if lock else None)
    if person is None:
        raise NotFound
    return person


def _new(session: Session, email: str, name: str, unit_id: int | None) -> Person:
    if session.scalar(select(Person.id).where(Person.email == email)) is not None:
        raise Invalid(_TAKEN, {"email": _TAKEN})
    person = Person(
        email=email, name=name, unit_id=unit_id, active=True, created_at=clock.now(), timezone=""
    )
    session.add(person)
    session.flush()
    return person


def _mail_invitation(person_id: int, by: int, who: str) -> None:
    publish(
        PersonInvited(
            recipients=(Recipient(person_id, f"{who} invited you", asked=True),),
            by=who,
            by_id=by,
            path=links.make(links.INVITE, person_id),
            valid_hours=links.VALID_HOURS[links.INVITE],
        )
    )


def _check_not_last_admin(session: Session, person_id: int) -> None:
    """Refuse when nobody else could sign in as administrator. Rows are locked: two may not leave together."""
    others: Sequence[int] = session.scalars(working_admins().with_for_update()).all()
    if all(other == person_id for other in others):
        raise Conflict(_LAST_ADMIN)


def _shut_out(person: Person) -> None:
    person.active = False
    sessions.end_all(person.id)
    links.void(person.id)
