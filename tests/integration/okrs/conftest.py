from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.okrs import service
from tests.factories import Factory

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Set:
    """An objective of one unit and period, with one key result."""

    owner: int
    unit: int
    period: int
    objective: int
    key_result: int


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def company(factory: Factory) -> OrgUnit:
    return factory.unit("Acme")


@pytest.fixture
def owner(factory: Factory, company: OrgUnit) -> Person:
    return factory.person("Olga Owner")


@pytest.fixture
def churn(owner: Person, company: OrgUnit) -> Set:
    by, unit = owner.id, company.id
    period = service.add_period("H2 2026", "half", date(2026, 7, 1), date(2026, 12, 31), by=by).id
    goal = service.Goal("Churn from 6 to 3", Decimal(6), Decimal(3), "%")
    made = service.begin("Customers stay", period_id=period, unit_id=unit, goal=goal, by=by).id
    return Set(by, unit, period, made, service.lines_of(made)[0].id)
