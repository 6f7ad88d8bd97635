"""What a file may say about the order in which people sign."""

import pytest

from okrgate.gates.differing import differ
from okrgate.gates.language import load_rulebook, read_rulebook
from okrgate.rulebooks import wording
from tests.factories import SHIPPED

TEXT = SHIPPED.read_text()
SIGNED = "      - id: both-executives\n"


def with_order(after: str) -> str:
    """Return the shipped rules, in which both executives come after something."""
    assert TEXT.count(SIGNED) == 1
    return TEXT.replace(SIGNED, f"{SIGNED}        after: {after}\n")


def test_a_requirement_may_come_after_others_of_its_gate() -> None:
    rules = load_rulebook(with_order("[no-executive-objects, one-executive]"))
    (found,) = [one for one in rules.gates["executive_signoff"].requirements if one.after]
    assert found.after == ("no-executive-objects", "one-executive")


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        ("[effort-known]", "unknown requirement of this gate effort-known"),
        ("[both-executives]", "both-executives comes after itself"),
        ("{a: b}", "after has to be a list"),
    ],
)
def test_steps_that_cannot_be_taken_are_refused(after: str, sentence: str) -> None:
    rules, problems = read_rulebook(with_order(after))
    assert rules is None
    assert any(sentence in str(one) for one in problems), problems


def test_an_order_where_nobody_signs_is_warned_of() -> None:
    written = "{id: effort-known,"
    text = TEXT.replace(written, f"{written} after: budget-known,")
    _rules, problems = read_rulebook(text)
    assert any("nobody signs for effort-known" in str(one) for one in problems)


def test_another_order_is_told_in_words() -> None:
    before, after = load_rulebook(TEXT), load_rulebook(with_order("one-executive"))
    told = [one.sentence for one in differ(before, after, say=wording.said).changes]
    assert any("is asked after “The Managing Director or a Vice" in one for one in told), told
