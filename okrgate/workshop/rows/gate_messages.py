"""Messages of requirements with the numbers that they name."""

import re

from okrgate.gates.reading_conditions import Names
from okrgate.gates.reading_gates import spoken

_PLACE = re.compile(r"\{([^{}]*)\}")


def numbers_named(message: str) -> list[str]:
    """Return what a message names in braces."""
    return _PLACE.findall(message)


def filled(message: str, names: Names) -> str:
    """Return a message with the numbers it names."""

    def value(found: re.Match[str]) -> str:
        return spoken(names.params[found[1]]) if found[1] in names.params else found[0]

    return _PLACE.sub(value, message)
