"""What ends or hangs durable_rules when it is used as its guide shows: in a process of its own, and never the judge's."""

import json
import resource
from collections.abc import Callable, Iterator
from typing import Any

import durable_rules_engine as durable  # type: ignore[import-not-found]
import pytest

from okrgate.gates import checks
from okrgate.gates.engine import judge_twice
from okrgate.gates.model import Signoff
from okrgate.gates.verdict import Facts, GateUnjudgeable
from tests.unit.gates.small import TEXT, TODAY, with_condition

ENDED = "ended the process"
TOO_LONG = "took longer"
PATIENCE = 60.0


def _run(definitions: dict[str, Any], *facts: dict[str, Any]) -> str:
    handle = durable.create_ruleset("probe", json.dumps(definitions))
    state = 0
    for number, fact in enumerate(facts):
        _code, state = durable.assert_fact(
            handle, json.dumps({"sid": "1", "id": str(number), **fact})
        )
    started = durable.start_action_for_state(handle, state)
    while started and started[1]:
        started = (None, durable.complete_and_start_action(handle, state))
    durable.delete_state(handle, "1")
    durable.delete_ruleset(handle)
    return "nothing happened"


def _rule(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"all": [{"m": {"$and": list(parts)}}]}


def a_join_that_is_untrue(_: str) -> str:
    who = {"b": {"$and": [{"k": "sign"}, {"$neq": {"by": {"a": "who"}}}]}}
    own, sign = {"k": "own", "who": "ana"}, {"k": "sign", "by": "ana"}
    return _run({"r": {"all": [{"a": {"k": "own"}}, who]}}, own, sign)


def a_state_deleted_where_nothing_fired(_: str) -> str:
    return _run({"r": _rule({"k": "x"}, {"p": 1})}, {"k": "y"})


def an_empty_text_that_is_compared(_: str) -> str:
    return _run({"r": _rule({"k": "x"}, {"$gte": {"n": 3}})}, {"k": "x", "n": ""})


def many_conditions_side_by_side(_: str) -> str:
    return _run({"r": _rule({"k": "x"}, *({f"p{n}": 1} for n in range(512)))}, {"k": "x"})


def many_alternatives(_: str) -> str:
    alternatives = {"$or": [{"p": n} for n in range(512)]}
    return _run({"r": _rule({"k": "x"}, alternatives)}, {"k": "x", "p": 3})


def rules_that_end_alike(_: str) -> str:
    rules = {f"r{n}": _rule({"$gte": {"n": n}}, {"p": 1}) for n in range(256)}
    return _run(rules, {"k": "x", "p": 1, "n": 999})


CRASHES: list[Callable[[str], str]] = [
    a_join_that_is_untrue,
    a_state_deleted_where_nothing_fired,
    an_empty_text_that_is_compared,
    many_conditions_side_by_side,
    rules_that_end_alike,
]


@pytest.mark.parametrize("probe", CRASHES)
def test_what_ends_the_engine_ends_a_child_and_is_told(probe: Callable[[str], str]) -> None:
    assert ENDED in checks.in_child(probe, "", PATIENCE)


def test_what_hangs_the_engine_is_ended_and_told() -> None:
    assert TOO_LONG in checks.in_child(many_alternatives, "", 3)


def _asking_for(condition: str) -> str:
    return TEXT.replace("if: {fact: p.flag, eq: true}", f"if: {condition}")


def _all(parts: Iterator[str]) -> str:
    return f"{{all: [{', '.join(parts)}]}}"


LARGE = {
    "512 comparisons": _asking_for(_all(f"{{fact: p.whole, ne: {n}}}" for n in range(512))),
    "512 values": _asking_for(f"{{fact: p.whole, in: [{', '.join(map(str, range(512)))}]}}"),
    "128 absences": _asking_for(_all("{fact: p.whole, is_set: false}" for _ in range(128))),
    "256 requirements": TEXT
    + "".join(
        f"      - {{id: r{n}, message: M, severity: hard, if: {{fact: p.whole, gte: {n}}}}}\n"
        for n in range(256)
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_rules_that_the_engine_would_not_survive_are_refused(name: str) -> None:
    found = checks.check_rulebook(LARGE[name])

    assert any("at most" in one.sentence for one in found if one.severity == "error"), found


def at_the_limits(_: str) -> tuple[list[str], list[str]]:
    """Return the errors of a gate with all the requirements it may have, and of one with only absences."""
    parts = _all(f"{{fact: p.whole, ne: {n}}}" for n in range(9))
    gate = "".join(
        f"      - {{id: r{n}, message: M, severity: hard, if: {parts}}}\n" for n in range(59)
    )
    absent = _all(f"{{fact: p.{name}, is_set: false}}" for name in ["whole", "other"] * 19)
    return tuple(
        [str(one) for one in checks.check_rulebook(text) if one.severity == "error"]
        for text in (TEXT + gate, _asking_for(absent))
    )  # type: ignore[return-value]


def test_large_gates_that_are_allowed_are_judged() -> None:
    assert checks.in_child(at_the_limits, "", PATIENCE) == ([], [])


SIGNED = "{signoff: {role: md, quorum: 1, exclude: [p.owner]}}"
OPENED: dict[str, tuple[str, Facts]] = {
    "the owner signs": (SIGNED, Facts({"p.owner": "ana"}, {}, (Signoff("md", "ana"),))),
    "nobody signs": (SIGNED, Facts({"p.owner": "ana"})),
    "nothing is known": ("{fact: p.whole, lt: 3}", Facts({})),
    "an empty text for a number": ("{fact: p.whole, gte: 3}", Facts({"p.whole": ""})),
    "more than nothing": ("{fact: p.number, gt: {fact: p.second}}", Facts({"p.number": 3})),
    "a text too long by 65536": (f"{{fact: p.text, eq: {'x' * 9}}}", Facts({"p.text": "x" * 65545})),
    "no violation is found": ("{not: {fact: p.whole, gt: 3}}", Facts({})),
    "none is absent": ("{fact: p.whole, is_set: false}", Facts({"p.whole": 0})),
}  # fmt: skip


@pytest.mark.parametrize("name", OPENED)
def test_what_the_engine_would_open_or_die_of_stays_closed_with_a_reason(name: str) -> None:
    condition, facts = OPENED[name]
    rulebook = with_condition(condition)

    try:
        verdict = judge_twice(rulebook, "go", facts, today=TODAY)
    except GateUnjudgeable as problem:
        reasons = problem.sentence
    else:
        assert not verdict.allowed
        reasons = str(verdict.blocking[0].why)
    assert "p." in reasons or "approvals" in reasons


def growth(_: str) -> int:
    """Return by how many kilobytes a process grows while it judges."""
    rulebook, known = with_condition("{fact: p.whole, gte: 3}"), Facts({"p.whole": 1})
    before = 0
    for number in range(4_000):
        if number == 1_000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        judge_twice(rulebook, "go", known, today=TODAY)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def test_judging_takes_no_memory_for_good() -> None:
    assert checks.in_child(growth, "", PATIENCE) < 2_000


def more_than_there_is(_: str) -> int:
    return len(bytearray(2 * checks.MEMORY_LIMIT))


def test_a_child_takes_no_more_memory_than_it_may() -> None:
    assert ENDED in checks.in_child(more_than_there_is, "", PATIENCE)
