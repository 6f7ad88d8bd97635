"""All that the tests of a rulebook show and leave open: how they go, what they cover, what they would not notice."""

from collections.abc import Iterable
from dataclasses import dataclass

from okrgate.gates.checks import TIME_LIMIT, TestResult, check_rulebook, in_child, run_tests
from okrgate.gates.coverage import Shown, coverage
from okrgate.gates.language import read_rulebook
from okrgate.gates.model import Rulebook
from okrgate.gates.mutating import Survivor, Tried, survivors
from okrgate.gates.problems import Problem

_MOST_SAID = 3


@dataclass(frozen=True)
class Examined:
    """The tests of a rulebook, what they cover, and the small mistakes they would not notice."""

    results: tuple[TestResult, ...]
    shown: tuple[Shown, ...]
    mistakes: Tried

    @property
    def passed(self) -> int:
        """Return how many tests pass."""
        return sum(one.passed for one in self.results)


def examine(rulebook: Rulebook) -> Examined:
    """Run a rulebook's tests and see what they leave open."""
    results = run_tests(rulebook)
    shown = coverage(rulebook, (one.statuses for one in results))
    return Examined(results, shown, survivors(rulebook))


def examine_text(text: str) -> Examined | tuple[Problem, ...]:
    """Return what `examine` finds in a text, or what keeps it from being read: for `checks.in_child`."""
    rulebook, problems = read_rulebook(text)
    return problems if rulebook is None else examine(rulebook)


def examine_in_child_process(
    text: str, *, seconds: float = TIME_LIMIT
) -> Examined | tuple[Problem, ...]:
    """Examine a text that nobody has run yet; problems tell why nothing could be found out."""
    found: Examined | tuple[Problem, ...] | str = in_child(examine_text, text, seconds)
    return (Problem(1, 1, "error", found),) if isinstance(found, str) else found


def check_thoroughly(text: str) -> tuple[Problem, ...]:
    """Return what `check_rulebook` does, and a warning where a small mistake would pass all tests."""
    found = check_rulebook(text)
    rulebook, _ = read_rulebook(text)
    if rulebook is None:
        return found
    return tuple(sorted({*found, *unnoticed(survivors(rulebook))}))


def check_of_process(given: tuple[str, str, bool]) -> tuple[Problem, ...]:
    """Return what is wrong with (id of a process, text, thoroughly?), that it is of another process included.

    For `checks.in_child`: what this module needs is read quickly, and somebody is waiting.
    """
    key, text, thoroughly = given
    found = check_thoroughly(text) if thoroughly else check_rulebook(text, prove=False)
    rulebook, _ = read_rulebook(text)
    if rulebook is None or rulebook.id == key:
        return found
    sentence = f"“id” of the ruleset must stay {key}: it says which process these rules are of"
    return tuple(sorted({*found, Problem(1, 1, "error", sentence)}))


def unnoticed(mistakes: Tried) -> Iterable[Problem]:
    """Yield one warning for each requirement with small mistakes that no test notices."""
    by_requirement: dict[str, list[Survivor]] = {}
    for one in mistakes.survivors:
        by_requirement.setdefault(one.requirement, []).append(one)
    for name, found in by_requirement.items():
        words = "; or if ".join(one.words for one in found[:_MOST_SAID])
        more = len(found) - _MOST_SAID
        rest = f"; and {more} more" if more > 0 else ""
        sentence = f"no test of {name} would fail if {words}{rest}"
        yield Problem(found[0].line, 1, "warning", sentence)
