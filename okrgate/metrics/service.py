"""Register metrics, add observations, say what is fresh."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from sqlalchemy import ScalarSelect, Select, func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import check_writing, db, remembered, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.metrics.models import Metric, Observation

PAGE = 50
CADENCES = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92}


@dataclass(frozen=True)
class Listed:
    """A metric with its last observation."""

    metric: Metric
    last_on: date | None
    fresh: bool


Follower = Callable[[int, Observation, int], None]
_followers: list[Follower] = []
_uses: list[Callable[[int], bool]] = []


def on_corrected(follower: Follower) -> None:
    """Call `follower` with (old id, the row that stands now, who) inside the transaction of each correction."""
    if follower not in _followers:
        _followers.append(follower)


def register_use(asks: Callable[[int], bool]) -> None:
    """Let a room above say whether something was agreed in a metric's unit. Done once, where that room begins."""
    if asks not in _uses:
        _uses.append(asks)


def page_of(
    text: str = "", *, after: str = "", steward_id: int | None = None, retired: bool = False
) -> list[Listed]:
    """Return metrics by name, those after `after`: the active ones, or the retired ones."""
    query = (
        select(Metric, _last_day())
        .where(Metric.active.is_not(retired), Metric.name > after)
        .order_by(Metric.name)
        .limit(PAGE + 1)
    )
    if text:
        query = query.where(Metric.name.icontains(text, autoescape=True))
    if steward_id is not None:
        query = query.where(Metric.steward_id == steward_id)
    return [Listed(metric, on, _fresh(metric, on)) for metric, on in db.session().execute(query)]


def stewards() -> list[tuple[int, str]]:
    """Return (id, name) of everybody who keeps a metric, by name."""
    query = (
        select(Person.id, Person.name)
        .where(Person.id.in_(select(Metric.steward_id).where(Metric.steward_id.is_not(None))))
        .order_by(Person.name, Person.id)
    )
    return [(row.id, row.name) for row in db.session().execute(query)]


def choices() -> list[tuple[int, str]]:
    """Return (id, name) of the active metrics."""
    query = (
        select(Metric.id, Metric.name, Metric.unit_of_measure)
        .where(Metric.active)
        .order_by(Metric.name)
    )
    return [
        (row.id, f"{row.name} ({row.unit_of_measure})" if row.unit_of_measure else row.name)
        for row in db.session().execute(query)
    ]


def describe(ids: Iterable[int]) -> dict[int, Listed]:
    """Return these metrics with their freshness, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    return remembered(("metrics", frozenset(wanted)), lambda: _described(wanted))


def _described(ids: set[int]) -> dict[int, Listed]:
    query = select(Metric, _last_day()).where(Metric.id.in_(ids))
    return {
        metric.id: Listed(metric, on, _fresh(metric, on))
        for metric, on in db.session().execute(query)
    }


def with_last(ids: Iterable[int]) -> dict[int, tuple[Metric, Observation | None]]:
    """Return these metrics, each with the last value that stands, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    later = aliased(Observation)
    latest = (
        select(Observation.id)
        .outerjoin(later, later.supersedes_id == Observation.id)
        .where(Observation.metric_id == Metric.id, later.id.is_(None))
        .order_by(Observation.on.desc(), Observation.id.desc())
        .limit(1)
        .correlate(Metric)
        .scalar_subquery()
    )
    last = aliased(Observation)
    query = select(Metric, last).outerjoin(last, last.id == latest).where(Metric.id.in_(wanted))
    return {metric.id: (metric, seen) for metric, seen in db.session().execute(query)}


def get_metric(metric_id: int) -> Metric:
    """Return a metric. Raises NotFound."""
    found = db.session().get(Metric, metric_id)
    if found is None:
        raise NotFound
    return found


def series(metric_id: int, *, limit: int = 400) -> list[Observation]:
    """Return the values that stand, the latest first: what was corrected is left out."""
    return list(db.session().scalars(_standing(metric_id).limit(limit)))


def recent(ids: Iterable[int], *, limit: int = 24) -> dict[int, list[tuple[date, Decimal]]]:
    """Return the last values that stand of each of these metrics, as (day, value), in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    corrected = select(Observation.supersedes_id).where(Observation.supersedes_id.is_not(None))
    place = func.row_number().over(
        partition_by=Observation.metric_id, order_by=(Observation.on.desc(), Observation.id.desc())
    )
    standing = (
        select(Observation.metric_id, Observation.on, Observation.value, place.label("place"))
        .where(Observation.metric_id.in_(wanted), Observation.id.not_in(corrected))
        .subquery()
    )
    found: dict[int, list[tuple[date, Decimal]]] = {}
    rows = select(standing.c.metric_id, standing.c.on, standing.c.value)
    for metric, on, value in db.session().execute(rows.where(standing.c.place <= limit)):
        found.setdefault(metric, []).append((on, value))
    return found


def page_of_values(metric_id: int, *, before: tuple[date, int] | None = None) -> list[Observation]:
    """Return the values that stand, the latest first, those older than `before` (day, id)."""
    query = _standing(metric_id)
    if before is not None:
        query = query.where(tuple_(Observation.on, Observation.id) < tuple_(*before))
    return list(db.session().scalars(query.limit(PAGE + 1)))


def earlier(metric_id: int, shown: Sequence[Observation]) -> dict[int, list[Observation]]:
    """Return what stood before each of these values, the latest first, in one query."""
    if not any(one.supersedes_id for one in shown):
        return {}
    later = aliased(Observation)
    query = (
        select(Observation)
        .join(later, later.supersedes_id == Observation.id)
        .where(Observation.metric_id == metric_id)
        .order_by(Observation.id.desc())
        .limit(1000)
    )
    gone = {one.id: one for one in db.session().scalars(query)}
    found: dict[int, list[Observation]] = {}
    for one in shown:
        step = gone.get(one.supersedes_id or 0)
        while step is not None:
            found.setdefault(one.id, []).append(step)
            step = gone.get(step.supersedes_id or 0)
    return found


def get_observation(observation_id: int) -> Observation:
    """Return a value. Raises NotFound."""
    found = db.session().get(Observation, observation_id)
    if found is None:
        raise NotFound
    return found


def register(
    name: str,
    *,
    unit_of_measure: str,
    direction: str,
    cadence: str,
    steward_id: int | None,
    source: str,
    by: int,
) -> Metric:
    """Add a metric. Raises Invalid when its name is taken."""
    with _name_is_free(), transaction() as session:
        metric = Metric(
            name=name,
            unit_of_measure=unit_of_measure,
            direction=direction,
            cadence=cadence,
            steward_id=steward_id,
            owner_id=by,
            source=source,
        )
        session.add(metric)
        session.flush()
        audit.record(
            "metrics.registered", by=by, target=f"metric:{metric.id}", details={"name": name}
        )
    return metric


def change(
    metric_id: int,
    *,
    name: str,
    unit_of_measure: str,
    cadence: str,
    steward_id: int | None,
    source: str,
    active: bool,
    by: int,
) -> None:
    """Change a metric; which way is better stays, since bands were agreed on it.

    Raises Invalid when the name is taken, or when a project's bands are numbers in the unit that would change. What
    is the same already leaves no trace.
    """
    with _name_is_free(), transaction() as session:
        metric = _locked(metric_id)
        check_may_change(metric, by)
        if metric.unit_of_measure != unit_of_measure and any(asks(metric_id) for asks in _uses):
            sentence = "Projects agreed on numbers in this unit. Register a new metric instead."
            raise Invalid(sentence, {"unit_of_measure": sentence})
        values = {
            "name": name,
            "unit_of_measure": unit_of_measure,
            "cadence": cadence,
            "steward_id": steward_id,
            "source": source,
            "active": active,
        }
        changed = {
            field: [getattr(metric, field), value]
            for field, value in values.items()
            if getattr(metric, field) != value
        }
        for field, (_before, value) in changed.items():
            setattr(metric, field, value)
        session.flush()
        if changed:
            audit.record("metrics.changed", by=by, target=f"metric:{metric_id}", details=changed)


def may_observe(metric: Metric, person: int, *, is_admin: bool) -> bool:
    """Tell whether this person may add and correct values."""
    return is_admin or person in (metric.owner_id, metric.steward_id)


def may_change(metric: Metric, person: int, *, is_admin: bool) -> bool:
    """Tell whether this person may change the metric: its steward, its owner while there is none, an administrator.

    An owner who could replace the steward could confirm their own plan.
    """
    return is_admin or person == (metric.steward_id or metric.owner_id)


def check_may_observe(metric: Metric, person: int) -> None:
    """Raise Forbidden unless this person owns or keeps the metric, or administers okrgate."""
    if not may_observe(metric, person, is_admin=_is_admin(person)):
        raise Forbidden("Only the metric's owner or steward can add or correct a value.")


def check_may_change(metric: Metric, person: int) -> None:
    """Raise Forbidden unless this person may change the metric."""
    if not may_change(metric, person, is_admin=_is_admin(person)):
        raise Forbidden("Only the metric's steward or an administrator can change it.")


def observe(metric_id: int, on: date, value: Decimal, note: str, *, by: int) -> Observation:
    """Add a value somebody saw. Raises Invalid for a day to come, and for a day that has a value."""
    _check_past(on)
    with transaction():
        check_may_observe(_locked(metric_id), by)
        _check_free(metric_id, on)
        row = append(metric_id, on, value, note, by=by)
        audit.record(
            "metrics.observed",
            by=by,
            target=f"metric:{metric_id}",
            reason=note,
            details={"on": on.isoformat(), "value": str(value)},
        )
    return row


def correct(observation_id: int, *, on: date, value: Decimal, reason: str, by: int) -> Observation:
    """Put a new row over a value; the old one stays in the history with the reason.

    Raises Invalid when nothing would change or the day is taken or to come, Conflict when somebody was faster.
    """
    _check_past(on)
    with transaction() as session:
        old = get_observation(observation_id)
        check_may_observe(_locked(old.metric_id), by)
        if session.scalar(select(Observation.id).where(Observation.supersedes_id == old.id)):
            raise Conflict("This value was corrected already. Look at the one that stands now.")
        if (old.on, old.value) == (on, value):
            raise Invalid("Nothing would change.", {"value": "This is what stands there already."})
        if old.on != on:
            _check_free(old.metric_id, on)
        row = append(old.metric_id, on, value, old.note, by=by, supersedes=old.id, reason=reason)
        audit.record(
            "metrics.corrected",
            by=by,
            target=f"metric:{old.metric_id}",
            reason=reason,
            details={
                "on": [old.on.isoformat(), on.isoformat()],
                "value": [str(old.value), str(value)],
            },
        )
        for follower in _followers:
            follower(old.id, row, by)
    return row


def append(
    metric_id: int,
    on: date,
    value: Decimal,
    note: str,
    *,
    by: int | None,
    supersedes: int | None = None,
    reason: str = "",
) -> Observation:
    """Add a value in the open transaction; the caller has checked who may and records it."""
    check_writing()
    row = Observation(
        metric_id=metric_id,
        on=on,
        value=value,
        note=note,
        by_id=by,
        at=clock.now(),
        supersedes_id=supersedes,
        reason=reason,
    )
    db.session().add(row)
    db.session().flush()
    return row


@contextmanager
def _name_is_free() -> Iterator[None]:
    """The table keeps names unique, also when two people register one at the same moment."""
    try:
        yield
    except IntegrityError as problem:
        sentence = "There is a metric of this name already."
        raise Invalid("There is one already.", {"name": sentence}) from problem


def _standing(metric_id: int) -> Select[Observation]:
    later = aliased(Observation)
    return (
        select(Observation)
        .outerjoin(later, later.supersedes_id == Observation.id)
        .where(Observation.metric_id == metric_id, later.id.is_(None))
        .order_by(Observation.on.desc(), Observation.id.desc())
    )


@cache
def _last_day() -> ScalarSelect[date]:
    later = aliased(Observation)
    return (
        select(func.max(Observation.on))
        .outerjoin(later, later.supersedes_id == Observation.id)
        .where(Observation.metric_id == Metric.id, later.id.is_(None))
        .correlate(Metric)
        .scalar_subquery()
    )


def _locked(metric_id: int) -> Metric:
    found = db.session().get(Metric, metric_id, with_for_update=True)
    if found is None:
        raise NotFound
    return found


def _check_past(on: date) -> None:
    if on > clock.today():
        raise Invalid("That day has not come yet.", {"on": "Enter today or a day before."})


def _check_free(metric_id: int, on: date) -> None:
    if db.session().scalar(_standing(metric_id).where(Observation.on == on).limit(1)):
        sentence = "There is a value for this day already. Correct that one instead."
        raise Invalid(sentence, {"on": sentence})


def _is_admin(person: int) -> bool:
    return db.session().get_one(Person, person).is_admin


def _fresh(metric: Metric, last_on: date | None) -> bool:
    limit = timedelta(days=2 * CADENCES.get(metric.cadence, 31))
    return last_on is not None and last_on >= clock.today() - limit
