"""A difference side by side shows every line once on each side, and marks the words that are others."""

from hypothesis import given
from hypothesis import strategies as st

from okrgate.workshop import comparing
from okrgate.workshop.pairing import Side

LINES = st.lists(
    st.sampled_from(["a: 1", "b: two words", "b: other words", "", "# note"]), max_size=12
)


def words(side: Side | None) -> str:
    return "".join(part for part, _ in side.parts) if side else ""


def test_words_that_are_others_are_marked() -> None:
    (pair,) = comparing.compare("- {if: {gte: 10}}\n", "- {if: {gte: 30}}\n").pairs
    assert pair.before is not None
    assert pair.after is not None
    assert [one for one, other in pair.before.parts if other] == ["10"]
    assert [one for one, other in pair.after.parts if other] == ["30"]


def test_lines_that_are_not_alike_are_not_marked() -> None:
    (pair,) = comparing.compare("stages: none\n", "quite, another; thing?\n").pairs
    assert pair.before is not None
    assert not any(other for _, other in pair.before.parts)


def test_what_has_no_other_stands_alone() -> None:
    found = comparing.compare("a\nb\nc\n", "a\nc\n").pairs
    assert [(words(one.before), words(one.after)) for one in found] == [
        ("a", "a"),
        ("b", ""),
        ("c", "c"),
    ]


@given(LINES, LINES)
def test_every_line_is_there_once(old: list[str], new: list[str]) -> None:
    difference = comparing.compare("\n".join(old), "\n".join(new))
    found = difference.pairs
    for sign, numbers, side in (("-", "before", "before"), ("+", "after", "after")):
        wanted = [
            (getattr(one, numbers), one.text) for one in difference.lines if one.sign in (sign, " ")
        ]
        shown = [
            (getattr(one, side).number, words(getattr(one, side)))
            for one in found
            if getattr(one, side)
        ]
        assert shown == wanted
