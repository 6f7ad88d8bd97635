"""Which requirements the embedded tests show met, missing and not applicable, and which not yet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from okrgate.gates.model import Requirement, Rulebook

_SAID = {"na": "not applicable"}


@dataclass(frozen=True)
class Shown:
    """How many tests show one requirement in each status; `lacking`: what no test shows and one should."""

    gate: str
    requirement: str
    message: str
    line: int
    counts: Mapping[str, int]
    lacking: tuple[str, ...]

    @property
    def lacking_in_words(self) -> str:
        """Return what no test shows, as a sentence says it."""
        return " or ".join(_SAID.get(one, one) for one in self.lacking)


def coverage(rulebook: Rulebook, tests: Iterable[Mapping[str, str]]) -> tuple[Shown, ...]:
    """Return what the tests show of every requirement that is judged; each test is the statuses that came out."""
    counts: dict[str, dict[str, int]] = {}
    for statuses in tests:
        for name, status in statuses.items():
            found = counts.setdefault(name, {})
            found[status] = found.get(status, 0) + 1
    return tuple(
        _shown(gate.id, one, counts.get(one.id, {}))
        for gate in rulebook.gates.values()
        for one in gate.requirements
        if one.mode != "off"
    )


def _shown(gate: str, one: Requirement, counts: Mapping[str, int]) -> Shown:
    wanted = ("met", "missing", "na") if one.when is not None else ("met", "missing")
    lacking = tuple(status for status in wanted if status not in counts)
    return Shown(gate, one.id, one.message, one.line, dict(counts), lacking)
