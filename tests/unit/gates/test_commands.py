"""The command line says what it promises, with the promised exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from okrgate.gates.commands import exported, rules
from okrgate.gates.fact_files import facts_from_json
from okrgate.gates.language import load_rulebook
from okrgate.gates.verdict import GateUnjudgeable
from tests.unit.gates.small import SMALL, TEXT

TESTED = TEXT + (
    "fixtures:\n  f: {today: 2027-01-10, facts: {p.flag: true}}\n"
    "tests:\n"
    "  - {name: open, transition: go, fixture: f, expect: {allowed: true, met: [r]}}\n"
    "  - {name: shut, transition: go, fixture: f, unset: [p.flag], expect: {allowed: false, missing: [r]}}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(TESTED, encoding="utf-8")
    return path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(rules, [str(one) for one in arguments])


def test_a_sound_file_passes_its_check_and_its_tests(file: Path) -> None:
    checked, tested = _run("check", file), _run("test", file)

    assert (checked.exit_code, checked.stdout) == (0, "")
    assert (tested.exit_code, tested.stdout) == (0, "2 of 2 tests passed\n")


def test_what_the_tests_do_not_show_is_said(file: Path) -> None:
    without_second = TESTED.replace("allowed: false, missing", "missing").replace("open,", "fine,")
    file.write_text(without_second, encoding="utf-8")

    told = _run("test", "--coverage", file)
    checked = _run("check", file)

    sentence = "no test of r would fail if this were only advice"
    assert sentence in told.stdout
    assert "1 of 1 requirements fully shown" in told.stdout
    assert told.exit_code == checked.exit_code == 0
    assert f": warning: {sentence}" in checked.stdout


def test_errors_stand_behind_file_line_and_column(file: Path) -> None:
    file.write_text(TESTED.replace("p.flag, eq", "p.falg, eq"), encoding="utf-8")

    checked, tested = _run("check", file), _run("test", file)

    line = TESTED[: TESTED.index("p.flag, eq")].count("\n") + 1
    assert checked.exit_code == tested.exit_code == 1
    assert f"{file}:{line}:" in checked.stdout
    assert ": error: unknown fact p.falg; did you mean p.flag?" in checked.stdout


def test_a_failing_test_is_named_and_fails(file: Path) -> None:
    file.write_text(TESTED.replace("allowed: true, met", "allowed: false, met"), encoding="utf-8")

    tested = _run("test", file)

    assert tested.exit_code == 1
    assert "failed: open: expected to be blocked, but it is allowed" in tested.stdout
    assert tested.stdout.endswith("1 of 2 tests passed\n")


@pytest.mark.parametrize(("flag", "allowed"), [(True, True), (False, False)])
def test_a_verdict_is_printed_as_json_and_ends_well_either_way(
    file: Path, tmp_path: Path, flag: bool, allowed: bool
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(
        json.dumps({"facts": {"p.flag": flag, "p.day": "2027-01-31"}, "rows": [], "signoffs": []})
    )

    told = _run(
        "judge",
        "--rulebook",
        file,
        "--transition",
        "go",
        "--facts",
        facts,
        "--today",
        "2027-01-10",
        "--json",
    )

    assert told.exit_code == 0
    verdict = json.loads(told.stdout)
    assert verdict["allowed"] is allowed
    assert {"id", "status", "severity", "mode", "items", "blocks", "why"} <= set(
        verdict["findings"][0]
    )


UNFIT = {
    "text for a number": ('{"facts": {"p.whole": "3"}}', "p.whole"),
    "NaN": ('{"facts": {"p.number": NaN}}', "NaN"),
    "infinity": ('{"facts": {"p.number": 1e999}}', "p.number"),
    "a day that is none": ('{"facts": {"p.day": "2027-02-30"}}', "p.day"),
    "a boolean for a number": ('{"facts": {"p.whole": true}}', "p.whole"),
    "an unknown fact": ('{"facts": {"p.x": 1}}', "p.x"),
    "an unknown list": ('{"facts": {}, "lists": []}', "lists"),
    "an unknown field": ('{"facts": {}, "rows": [{"x": 1}]}', "x"),
    "an unknown role": ('{"facts": {}, "signoffs": [{"role": "king", "by": "a"}]}', "king"),
    "a sign-off of nobody": ('{"facts": {}, "signoffs": [{"role": "md"}]}', "by"),
    "a list that is none": ('{"facts": {}, "rows": {}}', "rows"),
    "no JSON": ("{", "JSON"),
    "a key twice": ('{"facts": {"p.whole": 1, "p.whole": 2}}', "twice"),
    "depth": ("[" * 100_000, "JSON"),
    "a list": ("[]", "group"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_facts_that_do_not_fit_are_refused_by_name(file: Path, tmp_path: Path, name: str) -> None:
    text, word = UNFIT[name]
    facts = tmp_path / "facts.json"
    facts.write_text(text)

    told = _run("judge", "--rulebook", file, "--transition", "go", "--facts", facts, "--json")

    assert told.exit_code == 2
    assert word in told.stderr


def test_the_vocabulary_is_printed_with_labels_and_units() -> None:
    told = _run("vocabulary")

    assert told.exit_code == 0
    assert "scope.effort_days" in told.stdout
    assert "Effort (number, in days" in told.stdout


def test_an_export_is_the_same_whatever_the_file_looks_like() -> None:
    spaced = TEXT.replace("\n", "\n\n")

    first, second = (json.loads(exported(load_rulebook(text))) for text in (TEXT, spaced))

    for one in (first, second):
        one.pop("sha256")
        one["gates"]["g"]["requirements"][0].pop("line")
    assert first == second


def test_a_receipt_keeps_numbers_as_texts() -> None:
    said = {"facts": {"p.money": "50000.00", "p.whole": "3"}}

    known, _ = facts_from_json(SMALL, said, text_numbers=True)

    assert (str(known.values["p.money"]), known.values["p.whole"]) == ("50000.00", 3)
    with pytest.raises(GateUnjudgeable):
        facts_from_json(SMALL, said)
