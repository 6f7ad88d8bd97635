"""What is wrong with a rulebook before anyone uses it: its language, and its own tests."""

import resource
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from okrgate.gates import nursery
from okrgate.gates.barring import barred_signers
from okrgate.gates.coverage import coverage
from okrgate.gates.engine import judge_twice
from okrgate.gates.expecting import came_out, faults
from okrgate.gates.language import read_rulebook
from okrgate.gates.model import EmbeddedTest, Example, Rulebook
from okrgate.gates.problems import Problem
from okrgate.gates.verdict import Facts, GateUnjudgeable

TIME_LIMIT = 20.0
_PATIENCE = 3
MEMORY_LIMIT = 2**30
NO_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class TestResult:
    """How one embedded test went; `faults` are sentences, none when it passed."""

    __test__ = False

    name: str
    transition: str
    line: int
    column: int
    faults: tuple[str, ...]
    statuses: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Tell whether the verdict was as expected."""
        return not self.faults


def check_rulebook(text: str, *, prove: bool = True) -> tuple[Problem, ...]:
    """Return every error and warning, those of embedded tests included, in the order of the file.

    Without proofs it is quicker, and says nothing of promises and of what can never or must always be met.
    """
    rulebook, problems = read_rulebook(text)
    if rulebook is None:
        return problems
    results = run_tests(rulebook)
    failed = [
        Problem(
            one.line, one.column, "error", f"the test {one.name} fails: {'; '.join(one.faults)}"
        )
        for one in results
        if not one.passed
    ]
    proved = _proved(rulebook) if prove else []
    unshown, barred = _unshown(rulebook, results), barred_signers(rulebook)
    found = {*problems, *failed, *unshown, *barred, *_unjudgeable(rulebook), *proved}
    return tuple(sorted(found))


def _proved(rulebook: Rulebook) -> list[Problem]:
    """Prove the promises and see through every gate; the solver is there only while a file is checked."""
    from okrgate.gates.proving import prove

    return prove(rulebook)


def _unjudgeable(rulebook: Rulebook) -> list[Problem]:
    """Judge every gate once, on nothing: one that the engine cannot take is an error before it binds anybody."""
    found = []
    for transition in rulebook.transitions.values():
        try:
            judge_twice(rulebook, transition.id, Facts({}), today=NO_DAY)
        except GateUnjudgeable as problem:
            line = min(
                (one.line for one in rulebook.gates[transition.gate or ""].requirements), default=1
            )
            sentence = f"the gate {transition.gate} cannot be judged: {problem.sentence}"
            found.append(Problem(line, 1, "error", sentence))
    return found


def _unshown(rulebook: Rulebook, results: Iterable[TestResult]) -> list[Problem]:
    """Warn of requirements that no test shows met, missing, or (where they have a `when`) set aside."""
    return [
        Problem(one.line, 1, "warning", f"no test shows {one.requirement} {one.lacking_in_words}")
        for one in coverage(rulebook, (result.statuses for result in results))
        if one.lacking
    ]


def run_tests(rulebook: Rulebook) -> tuple[TestResult, ...]:
    """Judge every embedded test, by the engine and by the reference."""
    return tuple(_run(rulebook, test) for test in rulebook.tests)


def _run(rulebook: Rulebook, test: EmbeddedTest) -> TestResult:
    fixture = rulebook.fixtures[test.fixture]
    today = test.changes.today or fixture.today or NO_DAY
    try:
        verdict = judge_twice(rulebook, test.transition, facts_of(test, fixture), today=today)
    except GateUnjudgeable as problem:
        return TestResult(
            test.name, test.transition, test.line, test.column, (problem.sentence,), {}
        )
    came = came_out(verdict)
    return TestResult(
        test.name,
        test.transition,
        test.line,
        test.column,
        tuple(faults(test.expect, came)),
        came.statuses,
    )


def facts_of(test: EmbeddedTest, fixture: Example) -> Facts:
    """Return the facts of a fixture as a test changes them."""
    changes = test.changes
    values = {**fixture.values, **changes.values}
    collections = {**fixture.collections, **changes.collections}
    return Facts(
        values={name: value for name, value in values.items() if name not in test.unset},
        collections={name: rows for name, rows in collections.items() if name not in test.unset},
        signoffs=(changes.signoffs if changes.signoffs is not None else fixture.signoffs) or (),
        waivers=(changes.waivers if changes.waivers is not None else fixture.waivers) or (),
    )


def check_in_child_process(
    text: str,
    *,
    seconds: float = TIME_LIMIT,
    check: Callable[[str], tuple[Problem, ...]] = check_rulebook,
) -> tuple[Problem, ...]:
    """Check a text that nobody has run yet: a crash or a hang of the engine is a problem, not our end."""
    found = in_child(check, text, seconds)
    if isinstance(found, str):
        return (Problem(1, 1, "error", found),)
    return tuple(found)


def run_tests_in_child_process(
    text: str, *, seconds: float = TIME_LIMIT
) -> tuple[tuple[TestResult, ...], tuple[Problem, ...]]:
    """Load a text and run its tests elsewhere; problems tell why there are no results."""
    found = in_child(_load_and_run, text, seconds)
    if isinstance(found, str):
        return (), (Problem(1, 1, "error", found),)
    results, problems = found
    return results, problems


def _load_and_run(text: str) -> tuple[tuple[TestResult, ...], tuple[Problem, ...]]:
    rulebook, problems = read_rulebook(text)
    return (run_tests(rulebook), ()) if rulebook is not None else ((), problems)


def in_child(
    work: Callable[[Any], Any],
    given: Any,
    seconds: float,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Any:
    """Return what `work` (of a module) returns in a process of its own, or a sentence that says why it did not.

    Once nobody wants the answer any more the process is ended.
    """
    # The work's own time is bounded; a busy machine may take longer over it.
    until = time.monotonic() + seconds * _PATIENCE
    too_long = f"checking took longer than {seconds:g} seconds"
    try:
        return nursery.work(
            work,
            given,
            prepare=partial(_keep_small, seconds),
            is_awaited=lambda: time.monotonic() < until and is_wanted(),
        )
    except nursery.GivenUp:
        return too_long
    except nursery.Ended as end:
        if end.signal == signal.SIGXCPU:
            return too_long
        return "checking the file ended the process that did it"


def _keep_small(seconds: float) -> None:
    """Bound what this process may take, also when nobody is left to end it; a crash writes no memory to a disk."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, int(seconds) + 2),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))
