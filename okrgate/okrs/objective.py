"""One objective with everything its page shows: key results, check-ins, the projects that contribute."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.database import db
from okrgate.errors import NotFound
from okrgate.okrs import service
from okrgate.okrs.models import CheckIn, KeyResult, Objective, Period
from okrgate.okrs.progress import elapsed, roll_up

CHECK_INS = 30


@dataclass(frozen=True)
class LinkedProject:
    """A project that contributes to a key result."""

    reference: str
    title: str
    contribution: str


@dataclass(frozen=True)
class CheckedIn:
    """What somebody saw, and when."""

    id: int
    at: datetime
    key_result: str
    value: Decimal
    confidence: int | None
    note: str
    by: str


@dataclass(frozen=True)
class Shown:
    """An objective as its page shows it. `expected` is the share of the period that is over."""

    objective: Objective
    unit: str
    period: Period
    owner: str
    lines: Sequence[service.KeyResultLine]
    progress: Decimal | None
    with_data: int
    expected: Decimal
    check_ins: Sequence[CheckedIn]
    projects: Mapping[int, Sequence[LinkedProject]]


Links = Callable[[Collection[int], int, bool], Mapping[int, Sequence[LinkedProject]]]
_links: list[Links] = []


def register_links(provider: Links) -> None:
    """Let the room of projects say which of them contribute: (key result ids, reader, is auditor) → projects."""
    _links[:] = [provider]


def load(objective_id: int, *, reader: int, is_auditor: bool, before: int | None = None) -> Shown:
    """Return an objective; its check-ins are those older than `before`. Raises NotFound."""
    row = (
        db.session()
        .execute(
            select(Objective, Period, OrgUnit.name)
            .join(Period, Period.id == Objective.period_id)
            .join(OrgUnit, OrgUnit.id == Objective.unit_id)
            .where(Objective.id == objective_id)
        )
        .first()
    )
    if row is None:
        raise NotFound
    objective, period, unit = row
    lines = service.lines_of(objective_id)
    seen = _check_ins(objective_id, before)
    names = directory.names([objective.owner_id, *(one.by_id for one, _ in seen)])
    return Shown(
        objective=objective,
        unit=unit,
        period=period,
        owner=names.get(objective.owner_id, "") if objective.owner_id else "",
        lines=lines,
        progress=roll_up((line.weight, line.progress) for line in lines),
        with_data=sum(1 for line in lines if line.progress is not None),
        expected=elapsed(period.starts_on, period.ends_on, clock.today()),
        check_ins=[
            CheckedIn(
                one.id,
                one.at,
                title,
                one.value,
                one.confidence,
                one.note,
                names.get(one.by_id, "Somebody"),
            )
            for one, title in seen
        ],
        projects=_links[0]([line.id for line in lines], reader, is_auditor) if _links else {},
    )


def _check_ins(objective_id: int, before: int | None) -> list[tuple[CheckIn, str]]:
    query = (
        select(CheckIn, KeyResult.title)
        .join(KeyResult, KeyResult.id == CheckIn.key_result_id)
        .where(KeyResult.objective_id == objective_id)
        .order_by(CheckIn.id.desc())
        .limit(CHECK_INS + 1)
    )
    if before is not None:
        query = query.where(CheckIn.id < before)
    return [(row[0], row[1]) for row in db.session().execute(query)]
