"""The engine and the plain judge agree, whatever they are asked; and doubt closes the gate."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from okrgate.gates import engine
from okrgate.gates.conditions import (
    All,
    Compare,
    Condition,
    Count,
    IsSet,
    Ref,
    SignoffCondition,
    leaves,
)
from okrgate.gates.conditions import (
    Any as AnyOf,
)
from okrgate.gates.engine import EngineDisagreement, GateUnjudgeable, judge, judge_twice
from okrgate.gates.model import Requirement, Rulebook, Signoff
from okrgate.gates.verdict import Facts, Verdict
from tests.faults.profile import times
from tests.unit.gates.small import SMALL, TODAY, conditions, facts, gates, with_condition, with_gate

QUICK = settings(
    max_examples=times(30, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ABSENT = object()


@QUICK
@given(gates(), facts())
def test_engine_and_plain_judge_always_agree(rulebook: Rulebook, known: Facts) -> None:
    verdict = judge_twice(rulebook, "go", known, today=TODAY)

    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    assert verdict.allowed == (not verdict.blocking)


@QUICK
@given(gates(), facts())
def test_the_same_facts_give_the_same_verdict_from_a_fresh_engine(
    rulebook: Rulebook, known: Facts
) -> None:
    again = replace(rulebook, sha256=rulebook.sha256 + "x")

    first, second = (judge(one, "go", known, today=TODAY) for one in (rulebook, again))

    assert first.findings == second.findings


def _asks_for_absence(condition: Condition) -> bool:
    if isinstance(condition, All | AnyOf):
        return any(map(_asks_for_absence, condition.parts))
    return (isinstance(condition, IsSet) and not condition.wanted) or isinstance(
        condition, SignoffCondition | Count
    )


@QUICK
@given(conditions(), facts(), st.data())
def test_taking_a_value_away_never_opens_a_gate(
    condition: Condition, known: Facts, data: st.DataObject
) -> None:
    filled = sorted(known.values)
    if not filled or any(isinstance(one, SignoffCondition) for one in leaves(condition)):
        return
    if "IsSet" in repr(condition) and "wanted=False" in repr(condition):
        return
    rulebook = with_gate(Requirement("r0", "Say it", "hard", condition))
    away = data.draw(st.sampled_from(filled))
    fewer = replace(
        known, values={name: value for name, value in known.values.items() if name != away}
    )

    before = judge(rulebook, "go", known, today=TODAY)
    after = judge(rulebook, "go", fewer, today=TODAY)

    assert before.allowed or not after.allowed


HOSTILE: list[tuple[str, str, Any]] = [
    ("text for an integer", "p.whole", "3"),
    ("empty text for an integer", "p.whole", ""),
    ("a boolean for an integer", "p.whole", True),
    ("a float for an integer", "p.whole", 3.0),
    ("a number that is none", "p.number", float("nan")),
    ("infinity", "p.number", float("inf")),
    ("a decimal that is none", "p.number", Decimal("NaN")),
    ("a signalling decimal", "p.number", Decimal("sNaN")),
    ("a number too large", "p.whole", 2**53),
    ("a decimal too large", "p.number", Decimal("1e400")),
    ("money too large", "p.money", Decimal("90071992547409.92")),
    ("a tenth of a cent", "p.money", Decimal("0.001")),
    ("a boolean for money", "p.money", False),
    ("a moment for a date", "p.day", datetime(2027, 1, 1, 12, 0)),  # noqa: DTZ001
    ("text for a date", "p.day", "2027-01-01"),
    ("a number for a text", "p.text", 3),
    ("a text too long", "p.text", "x" * 201),
    ("text over 65535 bytes", "p.text", "x" * 65_636),
    ("half a character", "p.text", "\ud800"),
    ("a null character", "p.text", "a\0b"),
    ("an unknown enum value", "p.kind", "d"),
    ("a number for a boolean", "p.flag", 1),
    ("a list for a user", "p.user", ["ana"]),
    ("a list for a number", "p.whole", [1]),
    ("a group for a number", "p.whole", {"$gt": 1}),
    ("bytes", "p.text", b"a"),
    ("an unknown fact", "p.unknown", 1),
]


@pytest.mark.parametrize(
    ("fact", "value"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_a_value_that_does_not_fit_closes_the_gate_by_name(fact: str, value: Any) -> None:
    read = fact if fact in SMALL.facts else "p.flag"
    rulebook = with_condition(f"{{fact: {read}, is_set: true}}")

    with pytest.raises(GateUnjudgeable, match=fact):
        judge_twice(rulebook, "go", Facts({fact: value}), today=TODAY)


@pytest.mark.parametrize("rows", [None, "ab", [1], [{"wrong": 1}], [{"whole": "1"}], {"a": 1}])
def test_a_list_that_does_not_fit_closes_the_gate(rows: Any) -> None:
    rulebook = with_condition("{each: {in: rows, must: {fact: whole, gte: 1}, at_least: 0}}")

    try:
        verdict = judge_twice(rulebook, "go", Facts({}, {"rows": rows}), today=TODAY)
    except GateUnjudgeable:
        return
    assert not verdict.allowed


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(SMALL.facts)),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.decimals()
        | st.dates()
        | st.binary(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=3,
    ),
)
def test_no_value_whatever_breaks_the_judge(fact: str, value: Any) -> None:
    rulebook = with_gate(
        Requirement("r0", "Say it", "hard", IsSet(Ref(fact, SMALL.facts[fact].type), True))
    )

    try:
        verdict = judge_twice(rulebook, "go", Facts({fact: value}), today=TODAY)
    except GateUnjudgeable:
        return
    assert verdict.allowed or not value or isinstance(value, str | list)


def test_a_transition_without_a_gate_is_allowed() -> None:
    free = replace(SMALL, transitions={"go": replace(SMALL.transitions["go"], gate=None)})

    verdict = judge_twice(free, "go", Facts({}), today=TODAY)

    assert verdict == Verdict(None, True, (), TODAY, free.sha256)


def test_an_unknown_transition_cannot_be_judged() -> None:
    with pytest.raises(GateUnjudgeable, match="no transition"):
        judge(SMALL, "elsewhere", Facts({}), today=TODAY)


def test_a_fault_of_the_engine_closes_the_gate_and_the_next_question_starts_afresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rulebook = with_gate(
        Requirement("r0", "Say it", "hard", Compare(Ref("p.flag", "boolean"), "eq", True))
    )
    known = Facts({"p.flag": True})
    assert judge(rulebook, "go", known, today=TODAY).allowed

    with monkeypatch.context() as broken:
        answer = '{"never":{"m":{"id":"x"'
        broken.setattr("okrgate.gates.engine.durable.complete_and_start_action", lambda *_: answer)
        with pytest.raises(GateUnjudgeable):
            judge(rulebook, "go", known, today=TODAY)

    assert judge(rulebook, "go", known, today=TODAY).allowed


def test_a_silent_engine_means_missing_never_met(monkeypatch: pytest.MonkeyPatch) -> None:
    rulebook = with_gate(
        Requirement("r0", "Say it", "hard", Compare(Ref("p.flag", "boolean"), "eq", True))
    )
    monkeypatch.setattr("okrgate.gates.engine.durable.start_action_for_state", lambda *_: None)

    with pytest.raises(GateUnjudgeable):
        judge(rulebook, "go", Facts({"p.flag": True}), today=TODAY)


def test_two_judges_that_disagree_close_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    def allowing(rulebook: Rulebook, _transition: str, _facts: Facts, *, today: date) -> Verdict:
        return Verdict("g", True, (), today, rulebook.sha256)

    monkeypatch.setattr(engine, "reference_verdict", allowing)

    with pytest.raises(EngineDisagreement):
        judge_twice(SMALL, "go", Facts({}), today=TODAY)


def test_threads_judge_side_by_side_while_rulesets_come_and_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "_KEPT", 3)
    books = [
        with_gate(
            Requirement("r0", "Say it", "hard", Compare(Ref("p.whole", "integer"), "gte", limit))
        )
        for limit in range(8)
    ]
    wrong: list[object] = []

    def work(start: int) -> None:
        try:
            for turn in range(150):
                limit, has = (start + turn) % 8, turn % 9
                verdict = judge(books[limit], "go", Facts({"p.whole": has}), today=TODAY)
                if verdict.allowed != (has >= limit):
                    wrong.append((limit, has))
        except GateUnjudgeable as problem:
            wrong.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_digest_is_the_same_in_another_process() -> None:
    known = Facts(
        {"b": Decimal("50.00"), "a": TODAY, "c": "é"},
        {"rows": [{"x": 1, "y": None}]},
        (Signoff("md", "ana"),),
    )
    code = (
        "from datetime import date; from decimal import Decimal; from okrgate.gates.verdict import Facts, Signoff;"
        "print(Facts({'a': date(2027,1,10), 'c': 'é', 'b': 50}, {'rows': [{'x': Decimal('1.0')}]},"
        " (Signoff('md','ana'),)).digest())"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert told.stdout.strip() == known.digest()
