"""What is done to the program here: races, kills, faults. Short by default, long with OKRGATE_TEST_PROFILE=long."""

from tests.integration.conftest import arrive, known_stops, stops

__all__ = ["arrive", "known_stops", "stops"]
