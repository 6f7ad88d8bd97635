"""What z3 shows of a rulebook is true: the plain judge says the same of every project that is tried."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from okrgate.gates.answering import Asker
from okrgate.gates.conditions import Condition
from okrgate.gates.language import load_rulebook
from okrgate.gates.proving import prove
from okrgate.gates.reference import Case
from okrgate.gates.typed import type_facts
from okrgate.gates.verdict import Facts
from tests.unit.gates.small import SMALL, TEXT, TODAY, conditions, facts, with_condition

SHIPPED = Path(__file__).resolve().parents[3] / "rules" / "stage_gates.yaml"
FIRST = "{id: r, message: Say it, severity: hard, if: {fact: p.flag, eq: true}}"


def _holds(condition: Condition, known: Facts, today: date = TODAY) -> bool:
    return Case(SMALL, type_facts(SMALL, known, today)).holds(condition)


@settings(max_examples=15)
@given(st.one_of(conditions(), conditions(depth=1)), st.lists(facts(), min_size=3, max_size=3))
def test_never_and_always_met_agree_with_the_plain_judge(
    condition: Condition, tried: list[Facts]
) -> None:
    asker = Asker(SMALL)
    met = asker.ask(hold=[condition], show=True)
    not_met = asker.ask(fail=[condition], show=True)
    answers = {_holds(condition, known) for known in tried}

    assert met.possible is not False or answers == {False}
    assert not_met.possible is not False or answers == {True}
    if met.example is not None:
        assert _holds(condition, met.example.facts, met.example.today)
    if not_met.example is not None:
        assert not _holds(condition, not_met.example.facts, not_met.example.today)


@settings(max_examples=10)
@given(conditions(depth=1), conditions(depth=1), st.lists(facts(), min_size=3, max_size=3))
def test_what_follows_from_something_follows_for_every_project(
    first: Condition, second: Condition, tried: list[Facts]
) -> None:
    answer = Asker(SMALL).ask(hold=[first], fail=[second], show=True)

    for known in tried:
        assert answer.possible is not False or not _holds(first, known) or _holds(second, known)
    if answer.example is not None:
        known, today = answer.example.facts, answer.example.today
        assert _holds(first, known, today)
        assert not _holds(second, known, today)


MD = "{signoff: {role: md, quorum: 1}}"
NOT_USER = "{signoff: {role: md, quorum: 1, exclude: [p.user]}}"
NOT_LEAD = "{signoff: {role: md, quorum: 1, exclude: [p.lead]}}"
LEAD = "{fact: p.lead, is_set: true}"
OBJECTED = "{signoff: {role: md, decision: rejected, at_most: 0}}"

# a condition, another, and whether the second follows from the first
FOLLOWS: list[tuple[str, str, bool]] = [
    (MD, "{signoff: {role: [md, vp], quorum: 1}}", True),
    ("{signoff: {role: [md, vp], quorum: 1}}", MD, False),
    (NOT_USER, MD, True),
    (MD, NOT_USER, False),
    (NOT_USER, "{fact: p.user, is_set: true}", True),
    (MD, NOT_LEAD, False),
    (f"{{all: [{MD}, {LEAD}]}}", NOT_LEAD, True),
    (f"{{all: [{MD}, {{signoff: {{role: vp, quorum: 1}}}}]}}", "{signoff: {role: [md, vp], quorum: 2}}", False),
    # Whoever signs for one of them as the other makes the two one.
    ("{signoff: {role: md, quorum: 2}}", "{signoff: {role: [md, vp], quorum: 2}}", False),
    ("{signoff: {role: [md, vp], quorum: 3}}", "{signoff: {role: [md, vp], quorum: 2}}", True),
    (f"{{not: {OBJECTED}}}", "{signoff: {role: md, decision: rejected, quorum: 1}}", True),
    ("{signoff: {role: md, decision: rejected, quorum: 1}}", f"{{not: {OBJECTED}}}", True),
    (OBJECTED, "{signoff: {role: vp, decision: rejected, at_most: 0}}", False),
    # More people than one would think of may be left out.
    ("{all: [{signoff: {role: md, quorum: 5}}, {fact: p.team, is_set: true}]}", "{signoff: {role: md, quorum: 1, exclude: [p.team]}}", False),
    # A stale objection counts, but is none that was raised against what there is now.
    ("{fact: p.lead, is_set: false}", f"{{any: [{OBJECTED}, {{signoff: {{role: md, decision: rejected, quorum: 1}}}}]}}", False),
    ("{fact: p.kind, is_set: true}", "{fact: p.kind, in: [a, b, c]}", True),
    ("{fact: p.kind, ne: a}", "{fact: p.kind, is_set: true}", True),
    ("{not: {fact: p.flag, eq: true}}", "{fact: p.flag, eq: false}", True),
    ("{fact: p.flag, is_set: true}", "{any: [{fact: p.flag, eq: true}, {fact: p.flag, eq: false}]}", True),
    ("{fact: p.money, gt: 1}", "{fact: p.money, gte: 1.01}", True),
    ("{fact: p.number, gt: 1}", "{fact: p.number, gte: 1.01}", False),
    ("{fact: p.day, lte: {today_plus_days: -1}}", "{fact: p.day, lt: {today_plus_days: 0}}", True),
    ("{fact: p.user, eq: {fact: p.owner}}", "{fact: p.owner, is_set: true}", True),
    ("{count: {of: rows, where: {fact: flag, eq: true}, gte: 2}}", "{count: {of: rows, gte: 2}}", True),
    ("{fact: p.kind, in: [a]}", "{fact: p.kind, is_set: true}", True),
    # A list may be unknown altogether.
    ("{fact: p.flag, eq: true}", "{count: {of: rows, gte: 0}}", False),
    ("{count: {of: rows, where: {fact: flag, eq: true}, lte: 0}}", "{count: {of: rows, where: {fact: flag, is_set: false}, lte: 0}}", True),
    ("{count: {of: rows, lte: 2}}", "{count: {of: rows, where: {fact: flag, eq: true}, lte: 2}}", True),
    ("{count: {of: rows, where: {fact: flag, eq: true}, lte: 2}}", "{count: {of: rows, lte: 2}}", False),
    ("{each: {in: rows, at_least: 1, must: {fact: whole, gte: 3}}}", "{count: {of: rows, where: {fact: whole, gte: 2}, gte: 1}}", True),
    ("{each: {in: rows, at_least: 0, must: {fact: whole, gte: 3}}}", "{count: {of: rows, gte: 1}}", False),
    # An item of which nobody knows whether it is meant counts against the project.
    ("{each: {in: rows, at_least: 0, where: {fact: flag, eq: true}, must: {fact: whole, gte: 3}}}",
     "{count: {of: rows, where: {all: [{fact: flag, is_set: false}, {fact: whole, is_set: false}]}, lte: 0}}", True),
    ("{not: {each: {in: rows, at_least: 0, must: {fact: whole, gte: 3}}}}", "{count: {of: rows, where: {fact: whole, lt: 3}, gte: 1}}", True),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "follows"), FOLLOWS)
def test_what_follows_from_what(first: str, second: str, follows: bool) -> None:
    both = [with_condition(one).gates["g"].requirements[0].condition for one in (first, second)]

    answer = Asker(SMALL).ask(hold=both[:1], fail=both[1:], show=True)

    assert answer.possible is not follows
    if answer.example is not None:
        known, today = answer.example.facts, answer.example.today
        assert [_holds(one, known, today) for one in both] == [True, False]


def _gate(*rules: str) -> str:
    """Return the small rulebook with other requirements, one a line."""
    lines = [
        f"      - {{id: r{number}, message: Say it, severity: hard, {rule}}}"
        for number, rule in enumerate(rules)
    ]
    return TEXT.replace(f"      - {FIRST}", "\n".join(lines))


def _of(text: str, severity: str) -> list[tuple[str, str]]:
    """Return what is wrong and the line where it is said to be."""
    lines = text.splitlines()
    return [
        (lines[one.line - 1], one.sentence)
        for one in prove(load_rulebook(text))
        if one.severity == severity
    ]


MANY = "{count: {of: rows, gte: 3}}"
FEW = "{count: {of: rows, where: {fact: flag, eq: true}, lte: 1}}"
ALL = "{each: {in: rows, at_least: 0, must: {fact: flag, eq: true}}}"
A = "{signoff: {role: md, quorum: 1}}"
B = "{signoff: {role: vp, quorum: 1}}"
EITHER = "{signoff: {role: [md, vp], quorum: 1}}"
TWO = "{signoff: {role: [md, vp], quorum: 2}}"
ROUND = (
    "{all: [{fact: p.whole, gt: {fact: p.other}}, {fact: p.other, gt: 3}, {fact: p.whole, lt: 4}]}"
)

# the rules of a gate, the one at fault, error or warning, what is said
WRONG: dict[str, tuple[list[str], int, str, str]] = {
    "never met, over two facts": ([f"if: {ROUND}"], 0, "error", "r0 can never be met"),
    "never met, of a list": ([f"if: {{all: [{MANY}, {FEW}, {ALL}]}}"], 0, "error", "r0 can never be met"),
    "never met, of sign-offs": (
        ["if: {all: [{signoff: {role: md, quorum: 2}}, {signoff: {role: md, at_most: 1}}]}"],
        0, "error", "r0 can never be met",
    ),
    "three that contradict each other": (
        [f"if: {MANY}", "if: {fact: p.flag, eq: true}", f"if: {FEW}", f"if: {ALL}"],
        3, "error", "r0, r2 and r3 can never be met together",
    ),
    "a contradiction where both apply": (
        ["when: {fact: p.kind, in: [a, b]}, if: {fact: p.whole, gt: 5}",
         "when: {fact: p.kind, in: [b, c]}, if: {fact: p.whole, lt: 5}",
         "if: {fact: p.kind, eq: b}"],
        2, "error", "r0, r1 and r2 can never be met together",
    ),
    "always met": (["if: {any: [{fact: p.whole, is_set: false}, {fact: p.whole, lt: 3}, {fact: p.whole, gte: 3}]}"], 0, "warning", "r0 is always met"),
    "implied by another": ([f"if: {A}", f"if: {EITHER}"], 1, "warning", "r1 adds nothing: whatever meets r0 meets it, too"),
    "said twice": (["if: {fact: p.whole, gt: 3}", "if: {fact: p.whole, gte: 4}"], 1, "warning", "r1 adds nothing: whatever meets r0 meets it, too"),
    "a when that always applies": (
        ["when: {any: [{fact: p.whole, is_set: false}, {fact: p.whole, is_set: true}]}, if: {fact: p.flag, eq: true}"],
        0, "warning", "r0 always applies: its when can be left out",
    ),
    "never met, of one fact": (["if: {all: [{fact: p.whole, gt: 3}, {fact: p.whole, lt: 3}]}"], 0, "error", "r0 can never be met"),
    "two that contradict each other": (["if: {fact: p.flag, eq: true}", "if: {fact: p.flag, eq: false}"], 1, "error", "r0 and r1 can never be met together"),
    "a when that never applies": (
        [f"when: {ROUND}, if: {{fact: p.flag, eq: true}}"], 0, "warning", "r0 never applies: its when is never true",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_on_its_line(name: str) -> None:
    rules, at, severity, sentence = WRONG[name]

    found = _of(_gate(*rules), severity)

    assert [(f"id: r{at}," in line, said) for line, said in found] == [(True, sentence)]


@pytest.mark.parametrize(
    "rules",
    [[f"if: {A}", f"if: {B}", f"if: {TWO}"],
     ["if: {fact: p.whole, gt: 3}", "if: {fact: p.whole, lt: 5}"],
     ["when: {fact: p.flag, eq: true}, if: {fact: p.whole, gt: 5}", "when: {fact: p.flag, ne: true}, if: {fact: p.whole, lt: 5}"]],
    ids=["two roles are not two people", "one value is left", "one or the other"],
)  # fmt: skip
def test_what_is_right_is_left_alone(rules: list[str]) -> None:
    assert prove(load_rulebook(_gate(*rules))) == []


def test_a_fact_without_any_value_left_can_still_be_absent() -> None:
    text = TEXT.replace("p.whole: {type: integer}", "p.whole: {type: integer, min: 5, max: 3}")
    rules = "if: {fact: p.whole, is_set: false}", "if: {fact: p.whole, gt: 0}"
    for rule, errors in zip(rules, ([], ["r can never be met"]), strict=True):
        changed = text.replace("if: {fact: p.flag, eq: true}", rule)
        assert [said for _, said in _of(changed, "error")] == errors


def test_a_promise_that_cannot_be_broken_is_kept_anywhere() -> None:
    either = "{any: [{fact: p.whole, is_set: false}, {fact: p.whole, is_set: true}]}"
    promise = f"invariants: [{{id: one, never_reach: start, unless: {either}}}, {{id: two, always: {either}, at: go}}]"

    assert prove(load_rulebook(TEXT.replace("gates:\n", f"{promise}\ngates:\n"))) == []


def test_a_soft_requirement_contradicts_nothing() -> None:
    text = _gate("if: {fact: p.whole, gt: 5}", "if: {fact: p.whole, lt: {fact: p.other}}")
    soft = text.replace(
        "id: r1, message: Say it, severity: hard",
        "id: r1, message: Say it, severity: soft, waiver: {by: [md]}",
    )

    assert prove(load_rulebook(soft)) == []


def test_more_sign_offs_than_are_worth_a_question_are_not_decided() -> None:
    found = _of(_gate("if: {signoff: {role: md, quorum: 90}}"), "warning")

    assert [said for _, said in found] == ["could not decide whether r0 is ever, or always, met"]


def test_a_question_without_steps_is_not_decided() -> None:
    rulebook = load_rulebook(_gate(f"if: {TWO}"))
    asker = Asker(rulebook, left=0)

    assert asker.ask(hold=[rulebook.gates["g"].requirements[0].condition]).possible is None
    assert asker.undecided == 1


def test_a_server_reads_its_rules_without_the_solver() -> None:
    code = (
        "import sys; from pathlib import Path; import okrgate.app; "
        "from okrgate.gates.language import load_rulebook; "
        "from okrgate.rulebooks.wording import in_words; "
        f"assert in_words(load_rulebook(Path({str(SHIPPED)!r}).read_text('utf-8'))).promises; "
        "assert 'okrgate.gates.checks' in sys.modules and 'z3' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr
