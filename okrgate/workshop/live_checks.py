"""Check a text while it is typed: only the newest text of a person is worth an answer.

Each check runs in a process of its own, which is ended as soon as the same person sends a newer text.
"""

import threading
from dataclasses import dataclass

from okrgate.gates.checks import in_child
from okrgate.gates.examining import check_of_process
from okrgate.gates.problems import Problem
from okrgate.rulebooks.drafts import LONGEST

_SECONDS = 15.0
_lock = threading.Lock()
_newest: dict[tuple[int, str], int] = {}


@dataclass(frozen=True)
class Found:
    """What is wrong with a text; `full`: promises were proved and small mistakes tried, too."""

    problems: tuple[Problem, ...]
    full: bool

    @property
    def errors(self) -> int:
        """Return how many errors there are."""
        return sum(one.severity == "error" for one in self.problems)

    @property
    def warnings(self) -> int:
        """Return how many warnings there are."""
        return len(self.problems) - self.errors


def check(key: str, text: str, *, full: bool, by: int) -> Found | None:
    """Return what is wrong with a text of a process; None when the same person sent a newer one meanwhile."""
    if len(text.encode()) > LONGEST:
        return Found((Problem(1, 1, "error", "the file is larger than 256 KB"),), full)
    with _lock:
        mine = _newest[by, key] = _newest.get((by, key), 0) + 1

    def is_newest() -> bool:
        return _newest.get((by, key)) == mine

    found = in_child(check_of_process, (key, text, full), _SECONDS, is_newest)
    if not is_newest():
        return None
    with _lock:
        if is_newest():
            del _newest[by, key]
    if isinstance(found, tuple):
        return Found(found, full)
    return Found((Problem(1, 1, "error", str(found)),), full)
