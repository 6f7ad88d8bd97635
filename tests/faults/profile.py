"""How much is tried: a little in every run, much in `make test-long`."""

import os

LONG = os.environ.get("OKRGATE_TEST_PROFILE", "short") == "long"


def times(short: int, long: int) -> int:
    """Return how often something is tried in this run."""
    return long if LONG else short
