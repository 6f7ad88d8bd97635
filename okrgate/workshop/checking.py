"""Say what is wrong with a text and how its own tests go, before it binds anybody. A process of its own runs it."""

from collections.abc import Sequence
from dataclasses import dataclass

from okrgate.gates.checks import (
    check_in_child_process,
    check_rulebook,
    in_child,
    run_tests_in_child_process,
)
from okrgate.gates.examining import check_thoroughly
from okrgate.gates.language import load_rulebook, read_rulebook
from okrgate.gates.model import EmbeddedTest
from okrgate.gates.problems import Problem, RulebookError
from okrgate.rulebooks import service
from okrgate.workshop.publishing import merging

_SECONDS = 15.0


@dataclass(frozen=True)
class Tested:
    """One embedded test: what it expects, what came out, where it stands."""

    name: str
    move: str
    line: int
    expected: str
    got: str
    passed: bool


def check(key: str, text: str) -> None:
    """Raise RulebookError unless a text is sound and of this process."""
    service.check_sound(text)
    if service.parsed(text).id != key:
        sentence = f"“id” of the ruleset must stay {key}: it says which process these rules are of."
        raise RulebookError((Problem(1, 1, "error", sentence),))


def is_readable(key: str, text: str) -> bool:
    """Tell whether a text is a rulebook of this process at all, however its own tests go; found out elsewhere."""
    return in_child(_is_readable, (key, text), _SECONDS) is True


def _is_readable(given: tuple[str, str]) -> bool:
    key, text = given
    rulebook, _problems = read_rulebook(text)
    return rulebook is not None and rulebook.id == key and rulebook.vocabulary == "application"


def problems(key: str, text: str, *, thorough: bool = False) -> tuple[Problem, ...]:
    """Return every error and warning of a text, found in a process of its own.

    `thorough`: small mistakes that no test would notice are warned of, too.
    """
    both = merging.undecided(text)
    if both:
        return tuple(both)
    check_text = check_thoroughly if thorough else check_rulebook
    found = check_in_child_process(text, seconds=_SECONDS, check=check_text)
    if any(one.severity == "error" for one in found):
        return found
    try:
        check(key, text)
    except RulebookError as error:
        return tuple(sorted({*found, *error.problems}))
    return found


def run_tests(text: str) -> tuple[Sequence[Tested], tuple[Problem, ...]]:
    """Return how a text's own tests go, or what keeps them from running."""
    results, faults = run_tests_in_child_process(text, seconds=_SECONDS)
    if faults:
        return (), faults
    rulebook = load_rulebook(text)
    return [
        Tested(
            name=result.name,
            move=rulebook.transitions[test.transition].label,
            line=test.line,
            expected=_expected(test),
            got="As expected" if result.passed else "; ".join(result.faults),
            passed=result.passed,
        )
        for test, result in zip(rulebook.tests, results, strict=True)
    ], ()


def _expected(test: EmbeddedTest) -> str:
    expect, said = test.expect, []
    if expect.allowed is not None:
        said.append("The move is allowed" if expect.allowed else "The move is refused")
    if expect.missing is not None:
        said.append("missing: " + (", ".join(sorted(expect.missing)) or "nothing"))
    for word, names in (("met", expect.met), ("set aside", expect.waived), ("n/a", expect.na)):
        if names:
            said.append(f"{word}: {', '.join(sorted(names))}")
    said += [f"items of {name}: {', '.join(items)}" for name, items in expect.items.items()]
    return "; ".join(said)
