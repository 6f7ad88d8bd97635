from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from okrgate import clock
from okrgate.database import transaction
from okrgate.projects.models import Project
from tests.factories import Factory

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def project(factory: Factory) -> Project:
    """A project with a lead, a sponsor and a submitter."""
    made = factory.project(submitter=factory.person("Sue Submit"), lead=factory.person("Lea Lead"))
    sponsor = factory.person("Sam Sponsor")
    with transaction() as session:
        loaded = session.get(Project, made.id)
        assert loaded is not None
        loaded.sponsor_id = sponsor.id
    return made
