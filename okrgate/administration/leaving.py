"""Somebody leaves: what waits for them, kind by kind, and who takes each kind over. Only then are they shut out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, literal, or_, select, union_all, update
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts import directory, people, roles
from okrgate.accounts.models import RoleGrant
from okrgate.approvals.models import Condition, SeatPerson, SignoffRow
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.delivery.models import WorkItem
from okrgate.errors import Conflict, Invalid, Refused
from okrgate.events import DutiesHanded, Recipient, publish
from okrgate.gates.verdict import GateUnjudgeable
from okrgate.measurement.models import Checkpoint
from okrgate.metrics import service as metrics
from okrgate.metrics.models import Metric
from okrgate.okrs import service as okrs
from okrgate.okrs.models import Objective
from okrgate.projects.models import Project
from okrgate.stages import handing
from okrgate.stages.settling import put_off

_SHOWN = 5
_REASON_MIN = 10


@dataclass(frozen=True)
class Duty:
    """One kind of what waits for somebody: how much, some of it by name, and whether a successor is demanded."""

    key: str
    label: str
    count: int
    some: tuple[str, ...]
    needed: bool
    note: str = ""


@dataclass(frozen=True)
class _Kind:
    key: str
    label: str
    rows: Callable[[int], Select[Any, Any]]
    hand: Callable[[int, int, int], None]


def duties(person: int) -> list[Duty]:
    """Return what waits for somebody and can be taken over, kind by kind; what is empty is left out."""
    counts = (
        db.session()
        .execute(
            select(
                *(
                    select(func.count()).select_from(kind.rows(person).subquery()).scalar_subquery()
                    for kind in _KINDS
                )
            )
        )
        .one()
    )
    some = _some(person) if any(counts) else {}
    found = [_decisions(person)]
    found += [
        Duty(kind.key, kind.label, count, tuple(some.get(kind.key, ())), needed=True)
        for kind, count in zip(_KINDS, counts, strict=True)
    ]
    return [one for one in found if one.count]


def _some(person: int) -> dict[str, list[str]]:
    """Return a few of each kind by name, in one query."""
    parts = []
    for kind in _KINDS:
        first = kind.rows(person).limit(_SHOWN).subquery()
        parts.append(select(literal(kind.key).label("kind"), first.c.id, first.c.name))
    found: dict[str, list[str]] = {}
    for key, _, name in db.session().execute(union_all(*parts)):
        found.setdefault(key, []).append(name)
    return found


def must_hand_over(person: int) -> bool:
    """Tell whether something waits for somebody that nobody else would see to."""
    return any(one.needed for one in duties(person))


def leave(person: int, successors: Mapping[str, int], *, by: int) -> list[str]:
    """Hand over what waits for somebody and, if nothing is left, shut them out; both are told by mail.

    Return what could not be handed over, in words: then they are still in. Raises Invalid for a kind without a
    successor, Conflict for the last administrator.
    """
    waiting = duties(person)
    _check_successors(person, waiting, successors)
    problems: list[str] = []
    handed: dict[int, list[str]] = {}
    # The worker sees to what follows from each of these, a minute later.
    with put_off():
        for one in waiting:
            taker = successors.get(one.key)
            if taker is None:
                continue
            said = _hand(one, person, taker, by)
            problems += said
            if not said:
                handed.setdefault(taker, []).append(f"{one.label}: {one.count}")
    _tell(person, handed, by)
    if not problems:
        people.deactivate(person, by=by)
    return problems


def shut_out(person: int, reason: str, *, by: int) -> None:
    """Shut somebody out at once, whatever waits for them, for a reason that stays in the record."""
    if len(reason.strip()) < _REASON_MIN:
        sentence = f"Say in at least {_REASON_MIN} characters why it cannot wait."
        raise Invalid(sentence, {"reason": sentence})
    left = {one.key: one.count for one in duties(person)}
    people.deactivate(person, by=by)
    with transaction():
        audit.record(
            "person.left_without_successor",
            by=by,
            target=f"person:{person}",
            reason=reason.strip(),
            details={"waiting": left},
        )


_DECISIONS = "decisions"


def _check_successors(person: int, waiting: Sequence[Duty], successors: Mapping[str, int]) -> None:
    active = directory.active(successors.values())
    problems: dict[str, str] = {}
    for one in waiting:
        taker = successors.get(one.key)
        if taker is None and one.needed:
            problems[one.key] = "Choose who takes this over."
        elif taker is not None and (taker == person or taker not in active):
            problems[one.key] = "Choose somebody else who is active."
    if problems:
        raise Invalid("Something is still needed.", problems)


def _decisions(person: int) -> Duty:
    """Return the decisions that wait for somebody: a successor is demanded where nobody else is asked."""
    other = aliased(SeatPerson)
    alone = (
        ~select(other.id)
        .where(other.seat_id == SeatPerson.seat_id, other.person_id != person)
        .exists()
    )
    count, lonely = (
        db.session()
        .execute(
            select(func.count(SeatPerson.round_id.distinct()), func.count().filter(alone)).where(
                SeatPerson.person_id == person
            )
        )
        .one()
    )
    held = roles.in_words([person]).get(person, [])
    note = (
        "Nobody else is asked for some of them. Whoever takes over gets the roles."
        if lonely
        else "Others are asked, too, so nobody is needed. Whoever takes over gets the roles."
    )
    return Duty(_DECISIONS, "Decisions at gates", count, tuple(held), bool(lonely), note)


def _hand(one: Duty, person: int, taker: int, by: int) -> list[str]:
    """Hand one kind over; return what stood against it."""
    if one.key == _DECISIONS:
        _give_roles(person, taker, by)
        return []
    kind = next(each for each in _KINDS if each.key == one.key)
    problems: list[str] = []
    for number, name in db.session().execute(kind.rows(person)).all():
        try:
            kind.hand(number, taker, by)
        except Refused as refusal:
            db.session().rollback()
            said = " ".join(refusal.fields.values()) if isinstance(refusal, Invalid) else ""
            problems.append(f"{name}: {said or refusal.sentence}")
        except GateUnjudgeable as doubt:
            db.session().rollback()
            problems.append(f"{name}: {doubt}")
    return problems


def _give_roles(person: int, taker: int, by: int) -> None:
    today = clock.today()
    held = db.session().scalars(
        select(RoleGrant).where(
            RoleGrant.person_id == person,
            or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= today),
        )
    )
    for role, unit, starts, ends in [
        (one.role, one.unit_id, one.starts_on, one.ends_on) for one in held
    ]:
        try:
            roles.grant(taker, role=role, unit_id=unit, starts_on=starts, ends_on=ends, by=by)
        except (Conflict, Invalid):
            # They hold it already, or the rules of today know it no more.
            db.session().rollback()


def _tell(person: int, handed: Mapping[int, Sequence[str]], by: int) -> None:
    if not handed:
        return
    names = directory.names([person, by, *handed])
    about: dict[str, Any] = {
        "by": names.get(by, "Somebody"),
        "by_id": by,
        "former": names.get(person, "Somebody"),
    }
    with transaction():
        for taker, lines in handed.items():
            publish(
                DutiesHanded(
                    recipients=(Recipient(taker, "you take this over", asked=True),),
                    to=names.get(taker, "Somebody"),
                    duties=tuple(lines),
                    you_take_over=True,
                    **about,
                )
            )
        publish(
            DutiesHanded(
                recipients=(Recipient(person, "it was yours until now", asked=person == by),),
                to=", ".join(names.get(taker, "Somebody") for taker in handed),
                duties=tuple(
                    f"{line} ({names.get(taker, 'Somebody')})"
                    for taker, lines in handed.items()
                    for line in lines
                ),
                **about,
            )
        )


def _named(name: Any) -> Any:
    """Return what a row is called; an administrator reads no more of what is not for everybody than others do."""
    hidden = Project.confidential | Project.submitted_at.is_(None)
    return case(
        (hidden, "A project that is not for everybody"), else_=Project.reference + " " + name
    )


def _projects(column: Any) -> Callable[[int], Select[Any, Any]]:
    def rows(person: int) -> Select[Any, Any]:
        return (
            select(Project.id, _named(Project.title).label("name"))
            .where(column == person, Project.closed_at.is_(None))
            .order_by(Project.id)
        )

    return rows


def _owned(table: Any, name: Any, still_open: Any) -> Callable[[int], Select[Any, Any]]:
    def rows(person: int) -> Select[Any, Any]:
        return (
            select(table.id, _named(name).label("name"))
            .join(Project, Project.id == table.project_id)
            .where(table.owner_id == person, still_open, Project.closed_at.is_(None))
            .order_by(table.id)
        )

    return rows


def _hand_part(part: str) -> Callable[[int, int, int], None]:
    def hand(project_id: int, taker: int, by: int) -> None:
        version = db.session().get_one(Project, project_id, populate_existing=True).version
        note = "The one who had it leaves."
        handing.hand_over(project_id, part, to=taker, note=note, version=version, by=by, admin=True)

    return hand


def _hand_named(part: str, column: str) -> Callable[[int, int, int], None]:
    return lambda project_id, taker, by: handing.name_another(
        project_id, part, column, to=taker, by=by
    )


def _hand_owned(table: Any, action: str) -> Callable[[int, int, int], None]:
    def hand(number: int, taker: int, by: int) -> None:
        with transaction() as session:
            row = session.get_one(table, number, with_for_update=True)
            former = row.owner_id
            session.execute(update(table).where(table.id == number).values(owner_id=taker))
            audit.record(
                action,
                by=by,
                project_id=row.project_id,
                target=f"person:{taker}",
                details={"id": number, "owner_id": [former, taker]},
            )

    return hand


def _hand_metric(number: int, taker: int, by: int) -> None:
    row = db.session().get_one(Metric, number)
    metrics.change(
        number,
        name=row.name,
        unit_of_measure=row.unit_of_measure,
        cadence=row.cadence,
        steward_id=taker,
        source=row.source,
        active=row.active,
        by=by,
    )


def _hand_objective(number: int, taker: int, by: int) -> None:
    row = db.session().get_one(Objective, number)
    okrs.change_objective(
        number, title=row.title, period_id=row.period_id, unit_id=row.unit_id, owner_id=taker, by=by
    )


# What somebody owes in a project comes before the project: a new lead would get it along.
_KINDS = (
    _Kind(
        "conditions",
        "Conditions to meet",
        _owned(
            Condition,
            Condition.text,
            Condition.closed_at.is_(None)
            & select(SignoffRow.id)
            .where(SignoffRow.id == Condition.signoff_id, SignoffRow.withdrawn_at.is_(None))
            .exists(),
        ),
        _hand_owned(Condition, "condition.handed_over"),
    ),
    _Kind(
        "tasks",
        "Tasks, sprints and blockers",
        _owned(WorkItem, WorkItem.name, WorkItem.open),
        _hand_owned(WorkItem, "task.handed_over"),
    ),
    _Kind(
        "readings",
        "Measurements to take",
        _owned(Checkpoint, Checkpoint.name, Checkpoint.read_at.is_(None)),
        _hand_owned(Checkpoint, "checkpoint.handed_over"),
    ),
    _Kind("lead", "Projects they lead", _projects(Project.lead_id), _hand_part(handing.LEAD)),
    _Kind(
        "submitter",
        "Projects they submitted",
        _projects(Project.submitter_id),
        _hand_part(handing.SUBMITTER),
    ),
    _Kind(
        "sponsor",
        "Projects they sponsor",
        _projects(Project.sponsor_id),
        _hand_named("sponsor", "sponsor_id"),
    ),
    _Kind(
        "benefits",
        "Projects whose benefits they own",
        _projects(Project.benefits_owner_id),
        _hand_named("benefits_owner", "benefits_owner_id"),
    ),
    _Kind(
        "metrics",
        "Metrics they keep",
        lambda person: select(Metric.id, Metric.name).where(
            Metric.steward_id == person, Metric.active
        ),
        _hand_metric,
    ),
    _Kind(
        "objectives",
        "Objectives they own",
        lambda person: select(Objective.id, Objective.title.label("name")).where(
            Objective.owner_id == person
        ),
        _hand_objective,
    ),
)
