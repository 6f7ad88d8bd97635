"""Register metrics, add observations, say what is fresh."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import check_writing, db, transaction
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.metrics.models import Metric, Observation

PAGE = 50
CADENCES = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92}


@dataclass(frozen=True)
class Listed:
    """A metric with its last observation."""

    metric: Metric
    last_on: date | None
    fresh: bool


def page_of(text: str = "", *, after: str = "") -> list[Listed]:
    """Return active metrics by name, those after `after`."""
    last = (
        select(func.max(Observation.on))
        .where(Observation.metric_id == Metric.id)
        .correlate(Metric)
        .scalar_subquery()
    )
    query = (
        select(Metric, last)
        .where(Metric.active, Metric.name > after)
        .order_by(Metric.name)
        .limit(PAGE + 1)
    )
    if text:
        query = query.where(Metric.name.icontains(text, autoescape=True))
    return [Listed(metric, on, _fresh(metric, on)) for metric, on in db.session().execute(query)]


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
    last = (
        select(func.max(Observation.on))
        .where(Observation.metric_id == Metric.id)
        .correlate(Metric)
        .scalar_subquery()
    )
    rows = db.session().execute(select(Metric, last).where(Metric.id.in_(wanted)))
    return {metric.id: Listed(metric, on, _fresh(metric, on)) for metric, on in rows}


def get_metric(metric_id: int) -> Metric:
    """Return a metric. Raises NotFound."""
    found = db.session().get(Metric, metric_id)
    if found is None:
        raise NotFound
    return found


def series(metric_id: int, *, limit: int = 400) -> list[Observation]:
    """Return the values that stand, the latest first: what was corrected is left out."""
    later = aliased(Observation)
    query = (
        select(Observation)
        .outerjoin(later, later.supersedes_id == Observation.id)
        .where(Observation.metric_id == metric_id, later.id.is_(None))
        .order_by(Observation.on.desc(), Observation.id.desc())
        .limit(limit)
    )
    return list(db.session().scalars(query))


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
    with transaction() as session:
        if session.scalar(select(Metric.id).where(Metric.name == name)):
            raise Invalid(
                "There is one already.", {"name": "There is a metric of this name already."}
            )
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


def check_may_observe(metric: Metric, person: int) -> None:
    """Raise Forbidden unless this person owns or keeps the metric, or administers okrgate."""
    if (
        person not in (metric.owner_id, metric.steward_id)
        and not db.session().get_one(Person, person).is_admin
    ):
        raise Forbidden("Only the metric's owner or steward can add a value.")


def observe(metric_id: int, on: date, value: Decimal, note: str, *, by: int) -> Observation:
    """Add a value somebody saw. Raises Invalid for a day to come."""
    if on > clock.today():
        raise Invalid("That day has not come yet.", {"on": "Enter today or a day before."})
    with transaction():
        check_may_observe(get_metric(metric_id), by)
        row = append(metric_id, on, value, note, by=by)
        audit.record(
            "metrics.observed",
            by=by,
            target=f"metric:{metric_id}",
            reason=note,
            details={"on": on.isoformat(), "value": str(value)},
        )
    return row


def append(
    metric_id: int,
    on: date,
    value: Decimal,
    note: str,
    *,
    by: int | None,
    supersedes: int | None = None,
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
    )
    db.session().add(row)
    db.session().flush()
    return row


def _fresh(metric: Metric, last_on: date | None) -> bool:
    limit = timedelta(days=2 * CADENCES.get(metric.cadence, 31))
    return last_on is not None and last_on >= clock.today() - limit
