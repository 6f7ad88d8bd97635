from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from okrgate import clock
from okrgate.metrics import service
from tests.factories import Factory

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    """A metric with its owner and steward."""

    id: int
    owner: int
    steward: int


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def churn(factory: Factory) -> Kept:
    owner, steward = factory.person("Olga Owner").id, factory.person("Stan Steward").id
    metric = service.register(
        "Churn",
        unit_of_measure="%",
        direction="down",
        cadence="monthly",
        steward_id=steward,
        source="Billing",
        by=owner,
    )
    return Kept(metric.id, owner, steward)
