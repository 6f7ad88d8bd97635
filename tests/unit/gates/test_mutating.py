"""What the tests of a rulebook would not notice: found where it is so, and not where a test is there."""

from pathlib import Path

import pytest

from okrgate.gates.checks import run_tests
from okrgate.gates.coverage import coverage
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from okrgate.gates.mutating import survivors
from okrgate.gates.reference import reference_verdict
from tests.unit.gates.small import TEXT

_ROOT = Path(__file__).resolve().parents[3]
_BASE = """
fixtures:
  full:
    today: 2027-01-10
    facts: {p.flag: true, p.whole: 2, p.money: 50000.00, p.kind: a, p.lead: u-lead, p.owner: u-owner, p.day: 2027-01-10, p.number: 3}
    rows: [{name: A, flag: true}]
    signoffs: [{role: md, by: u-one}, {role: md, by: u-two}]
"""


def _book(requirement: str, *tests: str) -> Rulebook:
    text = TEXT.replace(
        "{id: r, message: Say it, severity: hard, if: {fact: p.flag, eq: true}}", requirement
    )
    lines = "".join(
        f"  - {{name: t{at}, transition: go, fixture: full, {test}}}\n"
        for at, test in enumerate(tests)
    )
    return load_rulebook(text + _BASE + (f"tests:\n{lines}" if tests else ""))  # fmt: skip


def _words(rulebook: Rulebook) -> list[str]:
    return [one.words for one in survivors(rulebook).survivors]


MET = "expect: {allowed: true, missing: []}"
MISSING = "expect: {allowed: false, missing: [r]}"
WHOLE = "{id: r, message: Say it, severity: hard, if: {fact: p.whole, gte: 2}}"
SIGNED = "{id: r, message: Say it, severity: hard, if: {signoff: {role: md, quorum: 2, exclude: [p.owner]}}}"


@pytest.mark.parametrize(
    ("requirement", "tests", "unnoticed"),
    [
        (WHOLE, (), ["this were not asked at all"]),
        (WHOLE, (MET,), ["this were not asked at all"]),
        (WHOLE, (MET, "unset: [p.whole], expect: {missing: [r]}"),
         ["this were only advice", "“p.whole: at least 2” said “at least 1”"]),
        (WHOLE, (MET, f"set: {{p.whole: 0}}, {MISSING}"), ["“p.whole: at least 2” said “at least 1”"]),
        (WHOLE, (f"set: {{p.whole: 3}}, {MET}", f"set: {{p.whole: 1}}, {MISSING}"),
         ["“p.whole: at least 2” said “at least 3”"]),
        (WHOLE, (MET, f"set: {{p.whole: 1}}, {MISSING}"), []),
        (WHOLE.replace("p.whole, gte: 2", "p.number, gt: 2"), (MET, f"set: {{p.number: 1}}, {MISSING}"),
         ["“p.number: above 2” said “above 1”", "“p.number: above 2” said “at least 2”"]),
        (WHOLE.replace("p.whole, gte: 2", "p.money, lte: 50000.00"), (MET, f"set: {{p.money: 60000}}, {MISSING}"),
         ["“p.money: at most 50,000.00” said “at most 50,000.01”"]),
        (WHOLE.replace("{fact: p.whole, gte: 2}", "{all: [{fact: p.flag, eq: true}, {fact: p.kind, eq: a}]}"),
         (MET, f"set: {{p.flag: false}}, {MISSING}"),
         ["“p.kind: a” were not asked"]),
        (WHOLE.replace("{fact: p.whole, gte: 2}", "{all: [{fact: p.flag, eq: true}, {fact: p.kind, eq: a}]}"),
         (MET, f"set: {{p.flag: false}}, {MISSING}", f"set: {{p.kind: b}}, {MISSING}"), []),
        (WHOLE.replace("{fact: p.whole, gte: 2}", "{fact: p.kind, in: [a, b]}"),
         (MET, f"set: {{p.kind: c}}, {MISSING}"), ["“p.kind: a, b” left out “b”"]),
        (SIGNED, (MET, f"set: {{signoffs: []}}, {MISSING}"),
         ["1 of Managing Director were enough, not 2", "p.owner counted among Managing Director, too"]),
        (SIGNED, (MET, f"set: {{signoffs: [{{role: md, by: u-one}}, {{role: md, by: u-owner}}]}}, {MISSING}"), []),
        (WHOLE.replace("{fact: p.whole, gte: 2}", "{each: {in: rows, at_least: 1, must: {fact: flag, eq: true}}}"),
         (MET, f"set: {{rows: [{{name: B, flag: false}}]}}, {MISSING}"), ["the list “Row” might be empty"]),
        (WHOLE.replace("if:", "when: {fact: p.flag, eq: true}, if:"), (MET, f"set: {{p.whole: 1}}, {MISSING}"),
         ["this were always asked"]),
        (WHOLE.replace("severity: hard", "severity: hard, mode: off"), (), []),
    ],
)  # fmt: skip
def test_what_no_test_notices_is_found(
    requirement: str, tests: tuple[str, ...], unnoticed: list[str]
) -> None:
    assert _words(_book(requirement, *tests)) == unnoticed


def test_who_never_signs_is_no_mistake_to_forget() -> None:
    """Leaving out somebody who is barred anyway changes nothing, so no test has to notice it."""
    book = _book(SIGNED.replace("p.owner", "p.lead"), MET, f"set: {{signoffs: []}}, {MISSING}")

    assert _words(book) == ["1 of Managing Director were enough, not 2"]


def test_each_comes_with_a_project_at_which_it_shows() -> None:
    rulebook = _book(WHOLE, f"set: {{p.whole: 3}}, {MET}", f"set: {{p.whole: 0}}, {MISSING}")

    found = survivors(rulebook).survivors

    assert [one.words for one in found] == [
        "“p.whole: at least 2” said “at least 1”",
        "“p.whole: at least 2” said “at least 3”",
    ]
    shown = [
        reference_verdict(rulebook, one.transition, one.facts, today=one.today).allowed
        for one in found
        if one.facts is not None
    ]
    assert shown == [False, True]


def test_a_failing_test_notices_nothing() -> None:
    assert _words(_book(WHOLE, MET, "expect: {allowed: false}")) == ["this were not asked at all"]


def test_it_says_how_many_it_had_no_time_for() -> None:
    found = survivors(_book(WHOLE, MET), seconds=-1)

    assert (found.survivors, found.tried) == ((), 0)
    assert found.untried > 3


@pytest.mark.parametrize("name", ["stage_gates.yaml", "examples/device_change.yaml"])
def test_the_shipped_rules_are_held_by_their_tests(name: str) -> None:
    rulebook = load_rulebook((_ROOT / "rules" / name).read_text("utf-8"))

    found = survivors(rulebook, seconds=60)

    assert [(one.requirement, one.words) for one in found.survivors] == []
    assert found.tried > 40


def test_coverage_counts_what_the_tests_show() -> None:
    requirement = WHOLE.replace("if:", "when: {fact: p.flag, eq: true}, if:")
    rulebook = _book(requirement, MET, f"set: {{p.whole: 3}}, {MET}")

    (shown,) = coverage(rulebook, (one.statuses for one in run_tests(rulebook)))

    assert shown.counts == {"met": 2}
    assert shown.lacking == ("missing", "na")
    assert shown.lacking_in_words == "missing or not applicable"
