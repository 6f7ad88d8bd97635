"""A complete file in the language, with its own tests, judged by both judges."""

from pathlib import Path

from okrgate.gates.checks import check_in_child_process, check_rulebook, run_tests
from okrgate.gates.language import load_rulebook

TEXT = (Path(__file__).parent / "portfolio.yaml").read_text(encoding="utf-8")


def test_every_embedded_test_passes() -> None:
    results = run_tests(load_rulebook(TEXT))

    assert [one.name for one in results if not one.passed] == []
    assert len(results) == 71


def test_the_file_has_no_error() -> None:
    assert [str(one) for one in check_rulebook(TEXT) if one.severity == "error"] == []


def test_a_child_process_says_the_same_and_has_a_time_limit() -> None:
    assert check_in_child_process(TEXT) == check_rulebook(TEXT)
    assert "longer than 0.01 seconds" in check_in_child_process(TEXT, seconds=0.01)[0].sentence
