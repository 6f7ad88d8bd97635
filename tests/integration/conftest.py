"""The stops of a project's way, as fixtures."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.conftest import DATABASES
from tests.integration.journey.company import Company
from tests.integration.journey.stops import Stops

Arrive = Callable[[str], Company]


@pytest.fixture(scope="session")
def known_stops() -> dict[str, Stops]:
    """Keep what was reached, by kind of database."""
    return {}


@pytest.fixture(params=DATABASES)
def stops(
    request: pytest.FixtureRequest,
    known_stops: dict[str, Stops],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stops:
    """Return the stops on one kind of database."""
    kind: str = request.param
    if kind not in known_stops:
        empty = str(request.getfixturevalue(f"{kind}_template"))
        server = request.getfixturevalue("postgresql") if kind == "postgresql" else ""
        known_stops[kind] = Stops(tmp_path_factory.mktemp(f"stops-{kind}"), empty, server)
    return known_stops[kind]


@pytest.fixture
def arrive(stops: Stops) -> Iterator[Arrive]:
    """Return a way to be at a stop: `company = arrive("in review")`."""
    with ExitStack() as stack:
        yield lambda stop: stack.enter_context(contextmanager(stops.arrive)(stop))
