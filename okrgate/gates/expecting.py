"""Whether what came out of a gate is what an embedded test expects."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from okrgate.gates.model import Expectation
from okrgate.gates.verdict import Verdict


@dataclass(frozen=True)
class Came:
    """What came out: the status and the items at fault of each requirement by its id, and what blocks."""

    statuses: Mapping[str, str]
    items: Mapping[str, tuple[str, ...]]
    blocking: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether nothing blocks."""
        return not self.blocking

    def having(self, status: str) -> frozenset[str]:
        """Return the requirements that came out so."""
        return frozenset(name for name, found in self.statuses.items() if found == status)


def came_out(verdict: Verdict) -> Came:
    """Return what came out of a verdict."""
    return Came(
        statuses={one.id: one.status for one in verdict.findings},
        items={one.id: one.items for one in verdict.findings},
        blocking=tuple(one.id for one in verdict.blocking),
    )


def faults(expect: Expectation, came: Came) -> Iterator[str]:
    """Yield a sentence for everything that came out otherwise; none when all is as expected."""
    if expect.allowed is not None and expect.allowed != came.allowed:
        yield (
            "expected to be allowed, but it is blocked by " + ", ".join(came.blocking)
            if expect.allowed
            else "expected to be blocked, but it is allowed"
        )
    missing = came.having("missing")
    if expect.missing is not None and expect.missing != missing:
        yield f"expected missing {_listed(expect.missing)}, but missing are {_listed(missing)}"
    for status, wanted in (("met", expect.met), ("waived", expect.waived), ("na", expect.na)):
        lacking = wanted - came.having(status)
        if lacking:
            yield f"expected {status}: {_listed(lacking)}"
    for name, wanted_items in expect.items.items():
        found = came.items.get(name, ())
        if sorted(wanted_items) != sorted(found):
            yield f"expected items of {name} {_listed(wanted_items)}, but they are {_listed(found)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
