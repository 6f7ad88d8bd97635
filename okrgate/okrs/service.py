"""Set objectives and key results, check in, and describe them for other rooms."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.okrs.models import CheckIn, KeyResult, Objective, Period
from okrgate.okrs.progress import progress

PAGE = 50
_LEVELS = {"company": "company", "region": "region", "team": "team"}


@dataclass(frozen=True)
class KeyResultLine:
    """A key result as other rooms see it. `progress` is a share, None without data."""

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


def key_result_choices() -> list[tuple[int, str]]:
    """Return (id, label) of the key results of periods that have not ended."""
    rows = db.session().execute(_lines().where(Period.ends_on >= clock.today()).limit(500))
    return [
        (row.KeyResult.id, f"{row.Period.label} · {row.OrgUnit.name} · {row.KeyResult.title}")
        for row in rows
    ]


def describe(ids: Iterable[int]) -> dict[int, KeyResultLine]:
    """Return these key results, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = db.session().execute(_lines().where(KeyResult.id.in_(wanted)))
    return {row.KeyResult.id: _line(row) for row in rows}


def page_of(*, period_id: int | None, before: int | None = None) -> list[KeyResultLine]:
    """Return key results, the newest first, older than `before`."""
    query = _lines()
    if period_id is not None:
        query = query.where(Period.id == period_id)
    if before is not None:
        query = query.where(KeyResult.id < before)
    rows = db.session().execute(query.order_by(None).order_by(KeyResult.id.desc()).limit(PAGE + 1))
    return [_line(row) for row in rows]


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
    with transaction() as session:
        if session.scalar(select(Period.id).where(Period.label == label)):
            raise Invalid(
                "There is one already.", {"label": "There is a period of this name already."}
            )
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
    if baseline == target:
        raise Invalid(
            "Nothing would change.", {"target": "The target must differ from the baseline."}
        )
    with transaction() as session:
        if session.get(Objective, objective_id) is None:
            raise NotFound
        found = KeyResult(
            objective_id=objective_id,
            title=title,
            baseline=baseline,
            target=target,
            unit_of_measure=unit_of_measure,
        )
        session.add(found)
        session.flush()
        audit.record(
            "okrs.key_result_added",
            by=by,
            target=f"key_result:{found.id}",
            details={"title": title},
        )
    return found


def check_in(key_result_id: int, value: Decimal, note: str, *, by: int) -> None:
    """Record a key result's value. Only its objective's owner and administrators may."""
    with transaction() as session:
        found = session.get(KeyResult, key_result_id, with_for_update=True)
        if found is None:
            raise NotFound
        objective = session.get_one(Objective, found.objective_id)
        if by != objective.owner_id and not session.get_one(Person, by).is_admin:
            raise Forbidden("Only the owner of the objective can check in.")
        before = found.current
        session.add(
            CheckIn(key_result_id=found.id, value=value, note=note, by_id=by, at=clock.now())
        )
        found.current, found.checked_at = value, clock.now()
        audit.record(
            "okrs.checked_in",
            by=by,
            target=f"key_result:{found.id}",
            reason=note,
            details={"value": [str(before) if before is not None else None, str(value)]},
        )


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
    return KeyResultLine(
        id=found.id,
        name=found.title,
        level=_LEVELS.get(unit.kind, "domain"),
        period=period.label,
        open=period.ends_on >= clock.today(),
        objective=objective.title,
        unit=unit.name,
        progress=progress(found.baseline, found.target, found.current),
        current=found.current,
        target=found.target,
        owner_id=objective.owner_id,
    )
