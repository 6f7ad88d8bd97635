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
