"""A key result that reaches, or falls to, a value: said with a hold or a decline, and looked at by the sweep."""

from dataclasses import dataclass
from decimal import Decimal

from okrgate.okrs import service as okrs
from okrgate.okrs.service import KeyResultLine
from okrgate.web.filters import show_number

AT_LEAST, AT_MOST = "at_least", "at_most"
BOUNDS = ((AT_LEAST, "reaches at least"), (AT_MOST, "falls to at most"))


@dataclass(frozen=True)
class Reach:
    """A key result, by its id, and the value that it has to come to."""

    key_result_id: int
    at_least: bool
    value: Decimal

    def is_true_of(self, current: Decimal | None) -> bool:
        """Tell whether it came true. What nobody measured yet did not."""
        if current is None:
            return False
        return current >= self.value if self.at_least else current <= self.value


def problem_with(reach: Reach) -> str:
    """Say why nobody can wait for this; nothing when one can."""
    line = _line(reach)
    if line is None:
        return "Choose a key result from the list."
    if reach.is_true_of(line.current):
        return f"“{line.name}” is at {show_number(line.current)} already."
    return ""


def in_words(reach: Reach | None) -> str:
    """Say what is waited for: "“Monthly churn to 3.5” falls to at most 4 %"."""
    if reach is None:
        return ""
    line = _line(reach)
    title, unit = (line.name, line.unit_of_measure) if line else ("a key result", "")
    verb = dict(BOUNDS)[AT_LEAST if reach.at_least else AT_MOST]
    return f"“{title}” {verb} {show_number(reach.value)}{f' {unit}' if unit else ''}"


def _line(reach: Reach) -> KeyResultLine | None:
    return okrs.describe([reach.key_result_id]).get(reach.key_result_id)
