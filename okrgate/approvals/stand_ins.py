"""Which delegations are in force, what they cover, and which rounds wait for a stand-in.

A delegation covers the seats of the one who is away, never what they themselves stand in for: there is no chain.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
    union,
)
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.approvals.delegation_models import Assistant, Delegation, StandInSeat
from okrgate.approvals.models import Round, SeatPerson, SignoffRow
from okrgate.database import ask, check_writing, db, remembered
from okrgate.projects import money, together
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from okrgate.projects.scope import budget_in_company_currency
from okrgate.web.filters import minor_digits

if TYPE_CHECKING:
    from okrgate.approvals.rounds import WantedSeat


@dataclass(frozen=True)
class StandIn:
    """A delegation in force today between two active people. `below` is the path of its unit, `most` its amount.

    `own` is true when the one who is away set it, or an assistant of theirs.
    """

    id: int
    person_id: int
    stand_in_id: int
    below: str | None
    most: int | None
    roles: frozenset[str]
    set_by_id: int
    own: bool


@dataclass(frozen=True)
class Covering:
    """What a delegation is held against: where the project is at home, its budget, if known, and who never signs it."""

    home_path: str
    budget_minor: int | None
    confidential: bool
    never: frozenset[int]


def in_force_today() -> ColumnElement[bool]:
    """Return what says, in a query of Delegation, that it counts today. The day is asked for when the query runs."""
    today: BindParameter[object] = bindparam(
        None, callable_=lambda: clock.today(), type_=Date, unique=True
    )
    return and_(
        Delegation.ended_at.is_(None), Delegation.starts_on <= today, Delegation.ends_on >= today
    )


def own_choice() -> ColumnElement[bool]:
    """Return what says, in a query of Delegation, that the one who is away set it, or an assistant of theirs."""
    return or_(
        Delegation.set_by_id == Delegation.person_id,
        exists().where(
            Assistant.person_id == Delegation.person_id,
            Assistant.assistant_id == Delegation.set_by_id,
        ),
    )


_AWAY, _THERE = aliased(Person), aliased(Person)
_IN_FORCE = (
    select(
        Delegation.id,
        Delegation.person_id,
        Delegation.stand_in_id,
        Delegation.unit_id,
        OrgUnit.path,
        Delegation.amount_minor,
        Delegation.roles,
        Delegation.set_by_id,
        own_choice().label("own"),
    )
    .join(_AWAY, _AWAY.id == Delegation.person_id)
    .join(_THERE, _THERE.id == Delegation.stand_in_id)
    .outerjoin(OrgUnit, OrgUnit.id == Delegation.unit_id)
    .where(
        Delegation.ended_at.is_(None),
        Delegation.starts_on <= bindparam("day"),
        Delegation.ends_on >= bindparam("day"),
        _AWAY.active,
        _THERE.active,
    )
    .order_by(Delegation.id)
)


def in_force() -> list[StandIn]:
    """Return every delegation that counts today; one question."""
    return remembered("delegations in force", _in_force)


def _in_force() -> list[StandIn]:
    return [
        StandIn(
            row.id,
            row.person_id,
            row.stand_in_id,
            None if row.unit_id is None else row.path,
            row.amount_minor,
            frozenset(row.roles),
            row.set_by_id,
            bool(row.own),
        )
        for row in ask(_IN_FORCE, {"day": clock.today()})
    ]


def stood_in_for(stand_in: int) -> list[StandIn]:
    """Return the delegations of today in which this person stands in for somebody."""
    return [one for one in in_force() if one.stand_in_id == stand_in]


def ever_stood_in(person: int) -> bool:
    """Tell whether somebody ever stood in for anybody: they may come back by an old mail."""
    query = select(Delegation.id).where(Delegation.stand_in_id == person).limit(1)
    return db.session().scalar(query) is not None


def stands_in(person: int | BindParameter[int]) -> ColumnElement[bool]:
    """Return what says, beside any query, whether somebody stands in for anybody today."""
    return exists().where(Delegation.stand_in_id == person, in_force_today())


def covers(one: StandIn, here: Covering, roles: Iterable[str]) -> frozenset[str]:
    """Return in which of these roles somebody may be stood in for; none when the project is outside the delegation.

    A limit that cannot be compared is not met: a project without a unit, or without a known budget, is not covered.
    Nor is one that whoever set it for another may never sign; a confidential one only by their own choice.
    """
    if one.set_by_id != one.person_id and one.set_by_id in here.never:
        return frozenset()
    if here.confidential and not one.own:
        return frozenset()
    if one.below is not None and not (here.home_path and here.home_path.startswith(one.below)):
        return frozenset()
    if one.most is not None and (here.budget_minor is None or here.budget_minor > one.most):
        return frozenset()
    return frozenset(roles) & one.roles if one.roles else frozenset(roles)


def covering(project: Project, home_path: str, never: Iterable[int]) -> Covering:
    """Return what delegations are held against for a project that some `never` sign.

    Its budget counts in the company's currency.
    """
    query = select(Scope).where(Scope.project_id == project.id)
    scope = together.one(Scope, project.id, lambda: db.session().scalar(query))
    budget = budget_in_company_currency(scope) if scope is not None else None
    return Covering(home_path, in_minor(budget), project.confidential, frozenset(never))


def in_minor(amount: Decimal | None) -> int | None:
    """Return an amount of the company's currency in minor units, rounded up: a limit gets no benefit of a doubt."""
    if amount is None:
        return None
    digits = minor_digits(money.company_currency())
    return int(amount.scaleb(digits).to_integral_value(ROUND_CEILING))


def for_seat(
    project: Project,
    home_path: str,
    held: Mapping[str, Collection[int]],
    people: Collection[int],
    never: Collection[int],
) -> frozenset[tuple[int, int]]:
    """Return (stand-in, for whom) of those who may sign in place of these people of a seat, in the roles `held`."""
    found = [one for one in in_force() if one.person_id in people and one.stand_in_id not in never]
    if not found:
        return frozenset()
    here = covering(project, home_path, never)
    return frozenset(
        (one.stand_in_id, one.person_id)
        for one in found
        if covers(one, here, (role for role, who in held.items() if one.person_id in who))
    )


def hands_in(round_id: int) -> set[int]:
    """Return everybody whose word a round has: those who decided and did not take it back, and those they decided for."""
    rows = db.session().execute(
        select(SignoffRow.person_id, SignoffRow.on_behalf_of_id).where(
            SignoffRow.round_id == round_id, SignoffRow.withdrawn_at.is_(None)
        )
    )
    return {one for row in rows for one in row if one is not None}


def seat_stand_ins(found: Round, wanted: Iterable["WantedSeat"]) -> set[tuple[int, int]]:
    """Let a round wait for the stand-ins of its open seats. Return those (stand-in, for whom) who are new to it."""
    check_writing()
    session = db.session()
    known = {
        (row.person_id, row.for_id): row
        for row in session.scalars(select(StandInSeat).where(StandInSeat.round_id == found.id))
    }
    keep = {pair for seat in wanted if seat.open for pair in seat.stand_ins}
    if keep:
        spoken = hands_in(found.id)
        keep = {pair for pair in keep if not spoken & set(pair)}
    for pair in set(known) - keep:
        session.delete(known[pair])
    for person, away in keep - set(known):
        session.add(
            StandInSeat(round_id=found.id, person_id=person, for_id=away, waiting_since=clock.now())
        )
    session.flush()
    return keep - set(known)


def unseat(round_id: int, people: Collection[int] | None = None) -> set[int]:
    """Let a round wait no longer for the stand-ins among and of these people; of everybody, if none are named.

    Return whom it waited for.
    """
    check_writing()
    here = StandInSeat.round_id == round_id
    if people is not None:
        here &= or_(StandInSeat.person_id.in_(people), StandInSeat.for_id.in_(people))
    gone = set(db.session().scalars(select(StandInSeat.person_id).where(here)))
    db.session().execute(delete(StandInSeat).where(here))
    return gone


def standing_seats() -> Select[int, int, int]:
    """Return a query of (round, stand-in, for whom) of the rounds that wait for a stand-in while it lasts."""
    return select(StandInSeat.round_id, StandInSeat.person_id, StandInSeat.for_id).join(
        Delegation,
        and_(
            Delegation.person_id == StandInSeat.for_id,
            Delegation.stand_in_id == StandInSeat.person_id,
            in_force_today(),
        ),
    )


def rounds_asked(person: int | BindParameter[int], whose: str = "") -> Select[int]:
    """Return a query for the rounds that wait for somebody: in their own name ("own"), for others ("others"), or both."""
    own = select(SeatPerson.round_id).where(SeatPerson.person_id == person)
    others = standing_seats().with_only_columns(StandInSeat.round_id)
    others = others.where(StandInSeat.person_id == person)
    if whose == "own":
        return own
    if whose == "others":
        return others
    return select(union(own, others).subquery().c.round_id)


def waits_for(people: Collection[int]) -> ColumnElement[bool]:
    """Return what says, in a query of Round, that it waits for one of these people, in whatever name."""
    own = select(SeatPerson.round_id).where(SeatPerson.person_id.in_(people))
    others = select(StandInSeat.round_id).where(StandInSeat.person_id.in_(people))
    return or_(Round.id.in_(own), Round.id.in_(others))


def stands_for(person: int, rounds: Collection[int]) -> dict[int, list[int]]:
    """Return, for each of these rounds that waits for somebody as a stand-in, for whom."""
    if not rounds:
        return {}
    query = standing_seats().where(
        StandInSeat.person_id == person, StandInSeat.round_id.in_(rounds)
    )
    found: dict[int, list[int]] = {}
    for round_id, _, away in db.session().execute(query.order_by(StandInSeat.id)):
        if away not in found.setdefault(round_id, []):
            found[round_id].append(away)
    return found


def there_for(asked: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    """Return who stands in, by (round, for whom), for these people in these rounds."""
    wanted = set(asked)
    if not wanted:
        return {}
    query = standing_seats().where(StandInSeat.round_id.in_({number for number, _ in wanted}))
    found: dict[tuple[int, int], list[int]] = {}
    for number, person, away in db.session().execute(query.distinct()):
        if (number, away) in wanted:
            found.setdefault((number, away), []).append(person)
    return found


def readers() -> tuple[Select[Any, Any], ...]:
    """Return queries for (project, person) of those who read a project as stand-ins: while it lasts, and no longer.

    Beside them those who were stood in for, as if they had signed themselves.
    """
    opens = and_(in_force_today(), or_(~Project.confidential, own_choice()))
    waiting = (
        select(Round.project_id, StandInSeat.person_id)
        .join(StandInSeat, StandInSeat.round_id == Round.id)
        .join(Project, Project.id == Round.project_id)
        .join(
            Delegation,
            and_(
                Delegation.person_id == StandInSeat.for_id,
                Delegation.stand_in_id == StandInSeat.person_id,
            ),
        )
        .where(opens)
    )
    signed = (
        select(SignoffRow.project_id, SignoffRow.person_id)
        .join(Project, Project.id == SignoffRow.project_id)
        .join(
            Delegation,
            and_(
                Delegation.person_id == SignoffRow.on_behalf_of_id,
                Delegation.stand_in_id == SignoffRow.person_id,
            ),
        )
        .where(opens)
    )
    stood_for = select(SignoffRow.project_id, SignoffRow.on_behalf_of_id).where(
        SignoffRow.on_behalf_of_id.is_not(None)
    )
    return waiting, signed, stood_for
