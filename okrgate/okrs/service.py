"""Set objectives and key results, check in, and describe them for other rooms."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.audit import service as audit
from okrgate.database import Model, db, remembered, transaction
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.okrs.models import CheckIn, KeyResult, Objective, Period
from okrgate.okrs.progress import progress, status

PAGE = 50
MOST_KEY_RESULTS = 20
_LEVELS = {"company": "company", "region": "region", "team": "team"}


@dataclass(frozen=True)
class KeyResultLine:
    """A key result as other rooms see it. `progress` is a share, None without data; `confidence` a percentage."""

    id: int
    name: str
    level: str
    period: str
    open: bool
    objective: str
    unit: str
    progress: Decimal | None
    current: Decimal | None
    target: Decimal
    owner_id: int | None
    objective_id: int
    baseline: Decimal
    unit_of_measure: str
    weight: int
    confidence: int | None
    checked_at: datetime | None
    status: str


@dataclass(frozen=True)
class Goal:
    """What makes a key result."""

    title: str
    baseline: Decimal
    target: Decimal
    unit_of_measure: str = ""
    weight: int = 1


def key_result_choices() -> list[tuple[int, str]]:
    """Return (id, label) of the key results of periods that have not ended."""
    rows = db.session().execute(_lines().where(Period.ends_on >= clock.today()).limit(500))
    return [
        (row.KeyResult.id, f"{row.Period.label} · {row.OrgUnit.name} · {row.KeyResult.title}")
        for row in rows
    ]


def choices_query() -> Select[int, str]:
    """Return a query for (id, label) of the same, for whoever reads more with it."""
    label = Period.label + " · " + OrgUnit.name + " · " + KeyResult.title
    return (
        select(KeyResult.id, label.label("name"))
        .join(Objective, Objective.id == KeyResult.objective_id)
        .join(Period, Period.id == Objective.period_id)
        .join(OrgUnit, OrgUnit.id == Objective.unit_id)
        .where(Period.ends_on >= clock.today())
        .limit(500)
    )


def describe(ids: Iterable[int]) -> dict[int, KeyResultLine]:
    """Return these key results, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    return remembered(("key results", frozenset(wanted)), lambda: _described(wanted))


def _described(ids: set[int]) -> dict[int, KeyResultLine]:
    query = _lines().where(KeyResult.id.in_(ids))
    return {row.KeyResult.id: _line(row) for row in db.session().execute(query)}


def page_of(
    *, period_id: int | None, unit_id: int | None = None, before: int | None = None
) -> list[KeyResultLine]:
    """Return key results, the newest first, older than `before`; of a unit and of those below it."""
    query = _lines()
    if period_id is not None:
        query = query.where(Period.id == period_id)
    if unit_id is not None:
        unit = directory.unit(unit_id)
        if unit is None:
            return []
        query = query.where(OrgUnit.path.startswith(unit.path, autoescape=True))
    if before is not None:
        query = query.where(KeyResult.id < before)
    rows = db.session().execute(query.order_by(None).order_by(KeyResult.id.desc()).limit(PAGE + 1))
    return [_line(row) for row in rows]


def lines_of(objective_id: int) -> list[KeyResultLine]:
    """Return an objective's key results in the order in which they were set."""
    rows = db.session().execute(_lines().where(Objective.id == objective_id))
    return [_line(row) for row in rows]


def of_levels(kinds: Collection[str], *, limit: int) -> list[KeyResultLine]:
    """Return the key results of units of these kinds in periods that have not ended, in the order of units."""
    query = (
        _lines()
        .where(OrgUnit.kind.in_(kinds), Period.ends_on >= clock.today())
        .order_by(None)
        .order_by(OrgUnit.path, Objective.id, KeyResult.id)
        .limit(limit)
    )
    return [_line(row) for row in db.session().execute(query)]


def period_choices() -> list[tuple[int, str]]:
    """Return (id, label) of every period, the latest first."""
    rows = db.session().execute(
        select(Period.id, Period.label).order_by(Period.starts_on.desc(), Period.id)
    )
    return [(row.id, row.label) for row in rows]


def add_period(label: str, kind: str, starts_on: date, ends_on: date, *, by: int) -> Period:
    """Add a period. Raises Invalid when it ends before it starts or its label is taken."""
    if ends_on < starts_on:
        raise Invalid("It ends before it starts.", {"ends_on": "It must end after it starts."})
    with _label_is_free(), transaction() as session:
        period = Period(label=label, kind=kind, starts_on=starts_on, ends_on=ends_on)
        session.add(period)
        session.flush()
        audit.record(
            "okrs.period_added", by=by, target=f"period:{period.id}", details={"label": label}
        )
    return period


def add_objective(title: str, *, period_id: int, unit_id: int, owner_id: int, by: int) -> Objective:
    """Set an objective for a unit and a period."""
    with transaction() as session:
        objective = Objective(title=title, period_id=period_id, unit_id=unit_id, owner_id=owner_id)
        session.add(objective)
        session.flush()
        audit.record(
            "okrs.objective_added",
            by=by,
            target=f"objective:{objective.id}",
            details={"title": title},
        )
    return objective


def begin(title: str, *, period_id: int, unit_id: int, goal: Goal, by: int) -> Objective:
    """Set an objective together with its first key result; whoever sets it owns it."""
    with transaction():
        objective = add_objective(title, period_id=period_id, unit_id=unit_id, owner_id=by, by=by)
        _add(objective.id, goal, by)
    return objective


def add_key_result(
    objective_id: int,
    title: str,
    *,
    baseline: Decimal,
    target: Decimal,
    unit_of_measure: str,
    by: int,
) -> KeyResult:
    """Set a key result. Raises Invalid when baseline and target are the same."""
    with transaction() as session:
        if session.get(Objective, objective_id) is None:
            raise NotFound
        return _add(objective_id, Goal(title, baseline, target, unit_of_measure), by)


def add_goal(objective_id: int, goal: Goal, *, by: int) -> KeyResult:
    """Set one more key result. Only the objective's owner and administrators may."""
    with transaction():
        check_may_change(get_objective(objective_id), by)
        if len(lines_of(objective_id)) >= MOST_KEY_RESULTS:
            raise Invalid(f"An objective has at most {MOST_KEY_RESULTS} key results.")
        return _add(objective_id, goal, by)


def get_objective(objective_id: int) -> Objective:
    """Return an objective. Raises NotFound."""
    found = db.session().get(Objective, objective_id)
    if found is None:
        raise NotFound
    return found


def check_may_change(objective: Objective, person: int) -> None:
    """Raise Forbidden unless this person owns the objective or administers okrgate."""
    if person != objective.owner_id and not db.session().get_one(Person, person).is_admin:
        raise Forbidden("Only the owner of the objective or an administrator may do this.")


def change_objective(
    objective_id: int, *, title: str, period_id: int, unit_id: int, owner_id: int | None, by: int
) -> None:
    """Change an objective. What is the same already leaves no trace."""
    with transaction() as session:
        found = session.get(Objective, objective_id, with_for_update=True)
        if found is None:
            raise NotFound
        check_may_change(found, by)
        values = {
            "title": title,
            "period_id": period_id,
            "unit_id": unit_id,
            "owner_id": owner_id,
        }
        changed = _change(found, values)
        if changed:
            target = f"objective:{objective_id}"
            audit.record("okrs.objective_changed", by=by, target=target, details=changed)


def change_key_result(key_result_id: int, goal: Goal, *, by: int) -> None:
    """Change a key result. The values that were checked in stay; progress is counted anew."""
    _check_goal(goal)
    with transaction() as session:
        found = session.get(KeyResult, key_result_id, with_for_update=True)
        if found is None:
            raise NotFound
        check_may_change(session.get_one(Objective, found.objective_id), by)
        changed = _change(found, vars(goal))
        if changed:
            target = f"key_result:{key_result_id}"
            audit.record("okrs.key_result_changed", by=by, target=target, details=changed)


def check_in(
    key_result_id: int, value: Decimal, note: str, *, by: int, confidence: int | None = None
) -> None:
    """Record a key result's value. Only its objective's owner and administrators may.

    The same sent twice within a minute counts once.
    """
    with transaction() as session:
        found = session.get(KeyResult, key_result_id, with_for_update=True)
        if found is None:
            raise NotFound
        check_may_change(session.get_one(Objective, found.objective_id), by)
        if _sent_twice(key_result_id, value, note, confidence, by):
            return
        before, sure = found.current, found.confidence
        session.add(
            CheckIn(
                key_result_id=found.id,
                value=value,
                confidence=confidence,
                note=note,
                by_id=by,
                at=clock.now(),
            )
        )
        found.current, found.confidence, found.checked_at = value, confidence, clock.now()
        audit.record(
            "okrs.checked_in",
            by=by,
            target=f"key_result:{found.id}",
            reason=note,
            details={"value": [plain(before), str(value)], "confidence": [sure, confidence]},
        )


def plain(value: object) -> object:
    """Return a value as the record keeps it: numbers with a point as text."""
    return str(value) if isinstance(value, Decimal) else value


@contextmanager
def _label_is_free() -> Iterator[None]:
    """The table keeps labels unique, also when two people add one at the same moment."""
    try:
        yield
    except IntegrityError as problem:
        sentence = "There is a period of this name already."
        raise Invalid("There is one already.", {"label": sentence}) from problem


def _check_goal(goal: Goal) -> None:
    if goal.baseline == goal.target:
        raise Invalid(
            "Nothing would change.", {"target": "The target must differ from the baseline."}
        )


def _add(objective_id: int, goal: Goal, by: int) -> KeyResult:
    _check_goal(goal)
    session = db.session()
    found = KeyResult(objective_id=objective_id, **vars(goal))
    session.add(found)
    session.flush()
    audit.record(
        "okrs.key_result_added",
        by=by,
        target=f"key_result:{found.id}",
        details={name: plain(value) for name, value in vars(goal).items()},
    )
    return found


def _change(row: Model, values: Mapping[str, Any]) -> dict[str, list[object]]:
    changed: dict[str, list[object]] = {}
    for name, value in values.items():
        before = getattr(row, name)
        if before != value:
            changed[name] = [plain(before), plain(value)]
            setattr(row, name, value)
    return changed


def _sent_twice(
    key_result_id: int, value: Decimal, note: str, confidence: int | None, by: int
) -> bool:
    last = db.session().scalar(
        select(CheckIn)
        .where(CheckIn.key_result_id == key_result_id)
        .order_by(CheckIn.id.desc())
        .limit(1)
    )
    if last is None or clock.now() - last.at > timedelta(minutes=1):
        return False
    return (last.value, last.note, last.confidence, last.by_id) == (value, note, confidence, by)


def _lines() -> Any:
    return (
        select(KeyResult, Objective, Period, OrgUnit)
        .join(Objective, Objective.id == KeyResult.objective_id)
        .join(Period, Period.id == Objective.period_id)
        .join(OrgUnit, OrgUnit.id == Objective.unit_id)
        .order_by(Period.starts_on.desc(), OrgUnit.path, KeyResult.id)
    )


def _line(row: Any) -> KeyResultLine:
    found, objective, period, unit = row.KeyResult, row.Objective, row.Period, row.OrgUnit
    share = progress(found.baseline, found.target, found.current)
    checked_on = found.checked_at.date() if found.checked_at else None
    return KeyResultLine(
        id=found.id,
        name=found.title,
        level=_LEVELS.get(unit.kind, "domain"),
        period=period.label,
        open=period.ends_on >= clock.today(),
        objective=objective.title,
        unit=unit.name,
        progress=share,
        current=found.current,
        target=found.target,
        owner_id=objective.owner_id,
        objective_id=objective.id,
        baseline=found.baseline,
        unit_of_measure=found.unit_of_measure,
        weight=found.weight,
        confidence=found.confidence,
        checked_at=found.checked_at,
        status=status(share, checked_on, period.starts_on, period.ends_on, clock.today()),
    )
