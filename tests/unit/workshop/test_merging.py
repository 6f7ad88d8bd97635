"""Two people's changes of one text: nothing of either is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okrgate.errors import Conflict
from okrgate.workshop.publishing import merging
from okrgate.workshop.publishing.merging import Merged, _merge, _Texts

BASE = "a\nb\nc\nd\ne\n"
NAMED = ("version 2", "your text")


def merge(theirs: str, mine: str, base: str = BASE) -> Merged:
    return _merge(_Texts(base, theirs, mine, NAMED))


def test_changes_in_different_places_come_together() -> None:
    assert merge("A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\nf\n") == Merged("A\nb\nc\nd\nE\nf\n")


def test_the_same_change_is_made_once() -> None:
    assert merge("a\nX\nc\nd\ne\n", "a\nX\nc\nd\ne\n") == Merged("a\nX\nc\nd\ne\n")


@pytest.mark.parametrize(("theirs", "mine"), [(BASE, "x\n"), ("x\n", BASE), ("", BASE), (BASE, "")])
def test_where_one_changed_nothing_the_other_stands(theirs: str, mine: str) -> None:
    assert merge(theirs, mine) == Merged(mine if theirs == BASE else theirs)


def test_where_both_changed_the_same_both_are_shown() -> None:
    merged = merge("a\nX\nc\nd\ne\n", "a\nY\nc\nd\ne\n")
    assert merged.conflicts == (2,)
    assert merged.text == ("a\n<<<<<<< version 2\nX\n=======\nY\n>>>>>>> your text\nc\nd\ne\n")


LINES = st.lists(st.sampled_from("abcde"), max_size=8).map(
    lambda one: "".join(f"{x}\n" for x in one)
)


@given(base=LINES, theirs=LINES, mine=LINES)
def test_nothing_is_lost_and_nothing_comes_from_nowhere(base: str, theirs: str, mine: str) -> None:
    merged = merge(theirs, mine, base)
    taken = [line for line in merged.text.splitlines() if line[:1] in set("abcde")]
    for letter in "abcde":
        counts = [one.count(letter) for one in (base, theirs, mine)]
        # What either added is there; what is there stood in one of them.
        assert taken.count(letter) >= max(counts[1], counts[2]) - counts[0]
        assert taken.count(letter) <= counts[1] + counts[2]
    assert merge(theirs, base, base).text == theirs
    assert merge(base, mine, base).text == mine
    assert merge(mine, mine, base).text == mine


def test_texts_that_take_for_ever_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "in_child", lambda *_: "it took longer than 10 seconds")
    with pytest.raises(Conflict):
        merging.merge("a", "b", "c", named=NAMED)
