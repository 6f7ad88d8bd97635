"""What may let something through that was stopped before is known, whatever else changes along with it."""

import pytest

from okrgate.gates.checks import check_rulebook
from okrgate.gates.differing import differ
from okrgate.gates.language import load_rulebook
from okrgate.rulebooks import wording
from okrgate.workshop.publishing.loosening import may_loosen
from tests.integration.workshop.small import TEXT


def loosens(old: str, new: str) -> bool:
    for text in (old, new):
        assert [str(one) for one in check_rulebook(text) if one.severity == "error"] == []
    assert old != new
    before, after = load_rulebook(old), load_rulebook(new)
    return may_loosen(before, after, differ(before, after, say=wording.said))


MUST = TEXT.replace("{fact: problem.length, gte: 10}", "{fact: project.priority, in: [must]}")
SHOULD = MUST.replace("in: [must]", "in: [should]")
LAST = "      - {id: days-passed"


@pytest.mark.parametrize("binds", ["advisory", "hard, mode: evaluate", "hard, mode: off"])
def test_advice_beside_it_hides_no_other_requirement(binds: str) -> None:
    tip = f"      - {{id: tip, message: Tip, severity: {binds}, if: {{fact: problem.length, gte: 3}}}}\n"
    assert loosens(MUST, SHOULD.replace(LAST, tip + LAST)) is True
    assert loosens(MUST, MUST.replace(LAST, tip + LAST)) is False


@pytest.mark.parametrize(
    "words",
    [
        ("message: Wait a day", "message: Wait one day"),
        ("message: Wait a day", "message: Wait a day, help: Well"),
        ("message: Wait a day", "message: Wait a day, fix: scope"),
    ],
)
def test_other_words_beside_it_hide_no_other_requirement(words: tuple[str, str]) -> None:
    assert loosens(MUST, SHOULD.replace(*words)) is True
    assert loosens(MUST, MUST.replace(*words)) is False


GO = "  go: {label: Go on, from: begun, to: later, by: [author], gate: told}\n"
FULL = (
    TEXT.replace(
        GO, f"{GO}  back: {{label: Back, from: later, to: begun, by: [author], kind: return}}\n"
    )
    .replace("    label: Agreed\n", "    label: Agreed\n    material: [problem.length]\n")
    .replace("later: {label: Later}", "later: {label: Later, on_enter: [freeze_bands]}")
    .replace(
        "gates:\n",
        "questions:\n"
        "  size: {stage: begun, section: problem, type: enum, values: [low, high], label: Size}\n"
        "gates:\n",
        1,
    )
    .replace("{fact: problem.length, gte: 10}", "{fact: answers.size, ne: high}")
)


@pytest.mark.parametrize(
    "changes",
    [
        [("Begun, initial: true", "Begun"), ("label: Later,", "label: Later, initial: true,")],
        [(", on_enter: [freeze_bands]", "")],
        [("values: [low, high]", "values: [low, high, other]")],
        [("problem: {edit: [author]}", "problem: {edit: [author, boss]}")],
    ],
)
def test_another_place_or_another_answer_may_loosen(changes: list[tuple[str, str]]) -> None:
    text = FULL
    for old, new in changes:
        text = text.replace(old, new)
    assert loosens(FULL, text) is True


@pytest.mark.parametrize(
    "change",
    [
        ("label: Begun", "label: Started"),
        ("label: Later,", "label: Later, help: Wait here, sla_days: 5, escalate_to: [boss],"),
        ("label: Size", "label: How big"),
    ],
)
def test_words_and_reminders_of_stages_loosen_nothing(change: tuple[str, str]) -> None:
    assert loosens(FULL, FULL.replace(*change)) is False
