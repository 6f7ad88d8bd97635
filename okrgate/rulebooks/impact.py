"""What a draft would do to the projects there are. Worked out above this room, where projects are known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

PAGE = 50
# Each kind in the order of its weight, and how a heading says it.
KINDS = {
    "blocked": "Newly blocked",
    "freed": "Newly free",
    "stageless": "In a stage the new text does not have",
    "unjudged": "Cannot be judged",
    "otherwise": "Something else is asked on their way",
}


@dataclass(frozen=True)
class Needed:
    """Sign-offs that a project now needs: at which gate, from which roles, how many more, and who holds these roles."""

    gate: str
    roles: str
    count: int
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Affected:
    """One project for which something changes. Of one that the reader may not see there is neither name nor people."""

    project_id: int
    kind: str
    closed: bool
    stage: str
    reference: str = ""
    title: str = ""
    lead: str = ""
    asked: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    needed: tuple[Needed, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Counted:
    """How many projects of one stage there are of each kind."""

    stage: str
    open: Mapping[str, int]


@dataclass(frozen=True)
class Impact:
    """What a draft would do. `open` and `closed` count by kind, "same" included; `left_out` were not looked at.

    `affected` is one page of those for which something changes, the newest first; `older` is where the next begins.
    """

    open: Mapping[str, int]
    closed: Mapping[str, int]
    stages: tuple[Counted, ...] = ()
    affected: tuple[Affected, ...] = ()
    older: int | None = None
    left_out: int = 0
    problem: str = ""

    @property
    def looked_at(self) -> tuple[int, int]:
        """Return how many open and how many closed projects were looked at."""
        return sum(self.open.values()), sum(self.closed.values())


Worker = Callable[[str, str, int | None, int | None, int], Impact]


@dataclass
class _Registered:
    worker: Worker | None = None


_registered = _Registered()


def register(worker: Worker) -> None:
    """Say what works out an impact: (process, text, reader or None for all, before which id, how many named)."""
    _registered.worker = worker


def of(
    key: str, text: str, *, reader: int | None, before: int | None = None, most: int = PAGE
) -> Impact:
    """Return what a sound text would do to the projects of its process, as far as the reader may see them."""
    if _registered.worker is None:
        return Impact({}, {}, problem="Projects are not known here.")
    return _registered.worker(key, text, reader, before, most)
