"""Every rulebook that comes with okrgate is sound, and its own tests are many and pass."""

from pathlib import Path

import pytest

from okrgate.gates.checks import check_rulebook, run_tests
from okrgate.gates.language import load_rulebook

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "rules").glob("*.yaml"))
EXAMPLES = [
    *sorted((ROOT / "rules" / "examples").glob("*.yaml")),
    ROOT / "tests" / "unit" / "gates" / "portfolio.yaml",
]
FEWEST = {**dict.fromkeys(SHIPPED, 60), **dict.fromkeys(EXAMPLES, 20)}

every_file = pytest.mark.parametrize(
    "path", FEWEST, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def test_there_is_more_than_one_process() -> None:
    bound = [load_rulebook(path.read_text("utf-8")) for path in (*SHIPPED, *EXAMPLES[:-1])]

    assert len({one.id for one in bound}) == len(bound) >= 2
    assert {one.vocabulary for one in bound} == {"application"}


@every_file
def test_it_has_no_error(path: Path) -> None:
    found = check_rulebook(path.read_text("utf-8"))

    assert [str(one) for one in found if one.severity == "error"] == []


@every_file
def test_its_own_tests_are_many_and_pass(path: Path) -> None:
    results = run_tests(load_rulebook(path.read_text("utf-8")))

    assert [(one.name, one.faults) for one in results if not one.passed] == []
    assert len(results) >= FEWEST[path]


@every_file
def test_every_requirement_is_shown_met_and_missing(path: Path) -> None:
    rulebook = load_rulebook(path.read_text("utf-8"))
    shown = {
        (name, status)
        for result in run_tests(rulebook)
        for name, status in result.statuses.items()
    }  # fmt: skip

    wanted = {one.id for gate in rulebook.gates.values() for one in gate.requirements}
    assert [
        (name, status)
        for name in sorted(wanted)
        for status in ("met", "missing")
        if (name, status) not in shown
    ] == []


@pytest.mark.parametrize(
    "change",
    [("big_budget: 50000.00", "big_budget: 75000.00"), ("big_budget: 50000.00", "big_budget: 900"),
     ("problem_min: 80", "problem_min: 120"), ("solution_min: 40", "solution_min: 20")],
    ids=lambda change: change[1],
)  # fmt: skip
def test_a_number_can_be_changed_without_touching_a_test(change: tuple[str, str]) -> None:
    text = (ROOT / "rules" / "stage_gates.yaml").read_text("utf-8")
    assert text.count(change[0]) == 1

    results = run_tests(load_rulebook(text.replace(*change)))

    assert [one.name for one in results if not one.passed] == []


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("$big_bugdet", "unknown parameter big_bugdet; did you mean big_budget?"),
        ("$big_budget * 2", "write $name, $name + 0.01 or $name - 1"),
        ("$big_budget + 0.001", "at most 2 decimals"),
        ("$", "write $name"),
    ],
)
def test_a_reference_that_does_not_fit_is_named_with_its_line(written: str, sentence: str) -> None:
    text = (ROOT / "rules" / "stage_gates.yaml").read_text("utf-8")
    spoiled = text.replace("$big_budget + 0.01", written)
    line = spoiled[: spoiled.index(f"scope.budget: {written},")].count("\n") + 1

    found = [one for one in check_rulebook(spoiled) if one.severity == "error"]

    assert [(one.line, sentence in one.sentence) for one in found] == [(line, True)]
