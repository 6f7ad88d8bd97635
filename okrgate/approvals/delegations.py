"""Set and end delegations: by whoever is away, by their assistant, or by an administrator; both are told."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.approvals.delegation_models import Assistant, Delegation
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import Recipient, StandInEnded, StandInSet, publish
from okrgate.projects import money
from okrgate.web.filters import show_date, show_money

MOST_DAYS = 90
_AHEAD = 365
# For so long nobody is named again by whom they stopped standing in for: to end it has to mean something.
_REST_DAYS = 30
_MOST_LISTED = 100
Listener = Callable[[Collection[int]], None]
_listeners: list[Listener] = []


@dataclass(frozen=True)
class Wanted:
    """Who is to stand in, from when until when, and for what: a unit, an amount in minor units, roles; none means all."""

    stand_in_id: int
    starts_on: date
    ends_on: date
    unit_id: int | None = None
    amount_minor: int | None = None
    roles: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """A delegation as people read it. `when` is now, later or over."""

    id: int
    person_id: int
    person: str
    stand_in_id: int
    stand_in: str
    starts_on: date
    ends_on: date
    scope: str
    note: str
    set_by: str
    when: str
    ended: bool


def on_changed(listener: Listener) -> None:
    """Call `listener` with the two people, inside the transaction, when a delegation was set or ended."""
    if listener not in _listeners:
        _listeners.append(listener)


def may_arrange(person_id: int, by: int, *, admin: bool) -> bool:
    """Tell whether somebody may say who stands in for a person: they themselves, an assistant, an administrator."""
    return by == person_id or admin or by in assistants_of(person_id)


def check_may_arrange(person_id: int, by: int, *, admin: bool) -> None:
    """Raise Forbidden for whoever may not, NotFound for nobody."""
    if not may_arrange(person_id, by, admin=admin):
        raise Forbidden("Only they, their assistants and administrators say who stands in.")
    if person_id not in directory.names([person_id]):
        raise NotFound


def set_delegation(person_id: int, wanted: Wanted, *, by: int, admin: bool = False) -> int:
    """Let somebody stand in for a person; recorded, and both are told. Return its id; the same again is once.

    Raises Forbidden (not theirs to arrange, or naming oneself), Invalid (days, people), Conflict (stands in
    already, or ended it themselves lately).
    """
    check_may_arrange(person_id, by, admin=admin)
    if by != person_id and wanted.stand_in_id == by:
        raise Forbidden(
            "You cannot name yourself to stand in for somebody. They name you, or others do."
        )
    names = directory.names([person_id, wanted.stand_in_id, by])
    _check_people(person_id, wanted)
    _check_days(wanted)
    known = dict(directory.role_choices())
    if set(wanted.roles) - set(known):
        raise Invalid("Choose among the roles.", {"roles": "Choose among the roles."})
    unit = directory.unit(wanted.unit_id)
    if wanted.unit_id is not None and unit is None:
        raise Invalid("Choose one of the units.", {"unit_id": "Choose one of the units."})
    with transaction() as session:
        _check_not_twice(session, person_id, wanted)
        _check_not_declined(session, person_id, wanted.stand_in_id)
        row = Delegation(
            person_id=person_id,
            stand_in_id=wanted.stand_in_id,
            starts_on=wanted.starts_on,
            ends_on=wanted.ends_on,
            unit_id=wanted.unit_id,
            amount_minor=wanted.amount_minor,
            roles=sorted(wanted.roles),
            note=wanted.note.strip(),
            set_by_id=by,
            set_at=clock.now(),
        )
        session.add(row)
        session.flush()
        audit.record(
            "delegation.set",
            by=by,
            target=f"person:{person_id}",
            reason=row.note,
            details={
                "delegation": row.id,
                "people": [wanted.stand_in_id],
                "from": wanted.starts_on.isoformat(),
                "until": wanted.ends_on.isoformat(),
                "unit": wanted.unit_id,
                "amount_minor": wanted.amount_minor,
                "roles": row.roles,
            },
        )
        about: dict[str, Any] = {
            "by": names.get(by, "Somebody"),
            "by_id": by,
            "person": names[person_id],
            "stand_in": names[wanted.stand_in_id],
            "starts": wanted.starts_on.isoformat(),
            "ends": wanted.ends_on.isoformat(),
            "scope": _scope(row, unit.name if unit else "", known),
            "note": row.note,
        }
        for told, path, recipient in _told(row):
            publish(
                StandInSet(
                    recipients=(recipient,),
                    path=path,
                    you_stand_in=told == row.stand_in_id,
                    **about,
                )
            )
        _tell_changed(row)
        return row.id


def end(delegation_id: int, *, by: int, admin: bool = False) -> None:
    """End a delegation from this moment on: either of the two may, and whoever may arrange it. Twice is once."""
    helpers = _helpers(delegation_id)
    with transaction() as session:
        row = session.get(Delegation, delegation_id, with_for_update=True)
        if row is None:
            raise NotFound
        if by not in {row.person_id, row.stand_in_id, *helpers} and not admin:
            raise NotFound
        if row.ended_at is not None or row.ends_on < clock.today():
            return
        _end(row, by)


def end_all_of(person_id: int) -> None:
    """End what was arranged for somebody, or with them as stand-in, once they are shut out. In the open transaction."""
    session = db.session()
    person = session.get(Person, person_id)
    if person is None or person.active:
        return
    for row in session.scalars(_open().where(_about(person_id))):
        _end(row, None)


def of_person(person_id: int, *, over: bool = False) -> list[Shown]:
    """Return who stands in for somebody, and for whom they stand in: what is, what comes, and, if asked, what was."""
    query = select(Delegation).where(_about(person_id))
    if not over:
        query = _open().where(_about(person_id))
    rows = list(
        db.session().scalars(
            query.order_by(Delegation.starts_on.desc(), Delegation.id.desc()).limit(_MOST_LISTED)
        )
    )
    return _shown(rows)


def away_meanwhile(stand_in_id: int, starts_on: date, ends_on: date) -> bool:
    """Tell whether somebody is stood in for themselves on some of these days: they are probably away, too."""
    query = (
        _open()
        .where(
            Delegation.person_id == stand_in_id,
            Delegation.starts_on <= ends_on,
            Delegation.ends_on >= starts_on,
        )
        .limit(1)
    )
    return db.session().scalar(query) is not None


def assistants_of(person_id: int) -> list[int]:
    """Return who may arrange stand-ins for somebody, while they are active."""
    query = (
        select(Assistant.assistant_id)
        .join(Person, Person.id == Assistant.assistant_id)
        .where(Assistant.person_id == person_id, Person.active)
        .order_by(Assistant.id)
    )
    return list(db.session().scalars(query))


def assists(person_id: int) -> list[int]:
    """Return the active people for whom somebody may arrange stand-ins."""
    query = (
        select(Assistant.person_id)
        .join(Person, Person.id == Assistant.person_id)
        .where(Assistant.assistant_id == person_id, Person.active)
        .order_by(Assistant.id)
    )
    return list(db.session().scalars(query))


def name_assistant(person_id: int, assistant_id: int, *, by: int) -> None:
    """Let somebody arrange who stands in for a person: only that person says so. Twice is once."""
    _check_own(person_id, by)
    if assistant_id == person_id or assistant_id not in directory.active([assistant_id]):
        raise Invalid("Choose a person.", {"assistant": "Choose somebody else who is active."})
    with transaction() as session:
        if _assistant(session, person_id, assistant_id) is not None:
            return
        session.add(Assistant(person_id=person_id, assistant_id=assistant_id, named_at=clock.now()))
        _record_assistant("assistant.named", person_id, assistant_id, by)


def remove_assistant(person_id: int, assistant_id: int, *, by: int) -> None:
    """Let them arrange it no longer. Twice is once."""
    _check_own(person_id, by)
    with transaction() as session:
        row = _assistant(session, person_id, assistant_id)
        if row is not None:
            session.delete(row)
            _record_assistant("assistant.removed", person_id, assistant_id, by)


def _check_own(person_id: int, by: int) -> None:
    if by != person_id:
        raise Forbidden("Everybody names their own assistants.")


def _assistant(session: Session, person_id: int, assistant_id: int) -> Assistant | None:
    return session.scalar(
        select(Assistant).where(
            Assistant.person_id == person_id, Assistant.assistant_id == assistant_id
        )
    )


def _record_assistant(action: str, person_id: int, assistant_id: int, by: int) -> None:
    audit.record(action, by=by, target=f"person:{person_id}", details={"people": [assistant_id]})


def _helpers(delegation_id: int) -> list[int]:
    row = db.session().get(Delegation, delegation_id)
    return assistants_of(row.person_id) if row is not None else []


def _check_people(person_id: int, wanted: Wanted) -> None:
    if wanted.stand_in_id == person_id:
        sentence = "Nobody stands in for themselves."
    elif wanted.stand_in_id not in directory.active([wanted.stand_in_id]):
        sentence = "Choose somebody who is active."
    elif person_id not in directory.active([person_id]):
        sentence = "They are inactive, so nothing waits for them."
    else:
        return
    raise Invalid(sentence, {"stand_in": sentence})


def _check_days(wanted: Wanted) -> None:
    today = clock.today()
    problems: dict[str, str] = {}
    if wanted.starts_on < today:
        problems["starts_on"] = "Begin today or later: what was decided before stays as it is."
    elif wanted.starts_on > today + timedelta(days=_AHEAD):
        problems["starts_on"] = "Begin within a year."
    if wanted.ends_on < wanted.starts_on:
        problems["ends_on"] = "The last day must not be before the first."
    elif wanted.ends_on > wanted.starts_on + timedelta(days=MOST_DAYS - 1):
        problems["ends_on"] = f"Choose at most {MOST_DAYS} days at once."
    if problems:
        raise Invalid(next(iter(problems.values())), problems)


def _check_not_twice(session: Session, person_id: int, wanted: Wanted) -> None:
    known = session.scalars(
        _open().where(
            Delegation.person_id == person_id,
            Delegation.stand_in_id == wanted.stand_in_id,
            Delegation.starts_on <= wanted.ends_on,
            Delegation.ends_on >= wanted.starts_on,
            Delegation.unit_id.is_not_distinct_from(wanted.unit_id),
            Delegation.amount_minor.is_not_distinct_from(wanted.amount_minor),
        )
    )
    if any(set(row.roles) == set(wanted.roles) for row in known):
        raise Conflict(
            "They stand in already on some of these days. End that first, or choose others."
        )


def _check_not_declined(session: Session, person_id: int, stand_in_id: int) -> None:
    ended = session.scalar(
        select(Delegation.ended_at)
        .where(
            Delegation.person_id == person_id,
            Delegation.stand_in_id == stand_in_id,
            Delegation.ended_by_id == stand_in_id,
            Delegation.ended_at > clock.now() - timedelta(days=_REST_DAYS),
        )
        .order_by(Delegation.ended_at.desc())
        .limit(1)
    )
    if ended is not None:
        again = show_date((ended + timedelta(days=_REST_DAYS + 1)).date())
        raise Conflict(
            f"They ended this themselves. Choose somebody else; they can be named again on {again}."
        )


def _open() -> Select[Delegation]:
    return select(Delegation).where(
        Delegation.ended_at.is_(None), Delegation.ends_on >= clock.today()
    )


def _about(person_id: int) -> ColumnElement[bool]:
    return or_(Delegation.person_id == person_id, Delegation.stand_in_id == person_id)


def _end(row: Delegation, by: int | None) -> None:
    names = directory.names([row.person_id, row.stand_in_id, by])
    row.ended_at, row.ended_by_id = clock.now(), by
    audit.record(
        "delegation.ended",
        by=by,
        target=f"person:{row.person_id}",
        details={"delegation": row.id, "people": [row.stand_in_id]},
    )
    for told, path, recipient in _told(row):
        publish(
            StandInEnded(
                recipients=(recipient,),
                by=names.get(by, "Somebody") if by else "okrgate",
                by_id=by,
                path=path,
                person=names.get(row.person_id, "Somebody"),
                stand_in=names.get(row.stand_in_id, "Somebody"),
                you_stand_in=told == row.stand_in_id,
            )
        )
    _tell_changed(row)


def _told(row: Delegation) -> Iterable[tuple[int, str, Recipient]]:
    """Return whom to tell, and where it leads them. Both, also of what they did: they are asked to see that it is right."""
    for person, why in (
        (row.person_id, "somebody stands in for you"),
        (row.stand_in_id, "you stand in for somebody"),
    ):
        yield person, "/standing-in", Recipient(person, why, asked=True)


def _tell_changed(row: Delegation) -> None:
    for listener in _listeners:
        listener({row.person_id, row.stand_in_id})


def _scope(row: Delegation, unit: str, labels: dict[str, str]) -> str:
    parts = [f"projects of {unit}" if unit else "all projects"]
    if row.amount_minor is not None:
        amount = show_money(row.amount_minor, money.company_currency()).removesuffix(".00")
        parts.append(f"up to a budget of {amount}")
    if row.roles:
        parts.append(f"as {' or '.join(labels.get(one, one) for one in row.roles)}")
    return ", ".join(parts)


def _shown(rows: list[Delegation]) -> list[Shown]:
    names = directory.names(
        one for row in rows for one in (row.person_id, row.stand_in_id, row.set_by_id)
    )
    units = directory.units(row.unit_id for row in rows)
    labels = dict(directory.role_choices())
    today = clock.today()
    found = []
    for row in rows:
        unit = units.get(row.unit_id) if row.unit_id is not None else None
        over = row.ended_at is not None or row.ends_on < today
        found.append(
            Shown(
                id=row.id,
                person_id=row.person_id,
                person=names.get(row.person_id, "Somebody"),
                stand_in_id=row.stand_in_id,
                stand_in=names.get(row.stand_in_id, "Somebody"),
                starts_on=row.starts_on,
                ends_on=row.ends_on,
                scope=_scope(row, unit.name if unit else "", labels),
                note=row.note,
                set_by=names.get(row.set_by_id, "Somebody"),
                when="over" if over else ("later" if row.starts_on > today else "now"),
                ended=row.ended_at is not None,
            )
        )
    return found
