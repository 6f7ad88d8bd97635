"""What an address of the list asks for, whatever it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from okrgate.projects import search
from okrgate.stages import listing
from okrgate.stages.finding import Query

_KEYS = (
    *("q", "stage", "scope", "state", "unit", "lead", "process"),
    *("sort", "direction", "column", "view", "before"),
)


def read(*pairs: tuple[str, str]) -> listing.Wanted:
    return listing.read(MultiDict(pairs))


def test_an_empty_address_asks_for_what_goes_on_newest_first() -> None:
    assert read() == listing.Wanted(Query(), listing.USUAL, None)


def test_an_address_says_all_that_it_was_made_of() -> None:
    wanted = listing.Wanted(
        Query("late", "plan", "mine", "ended", 4, 5, 6, "title", descending=True),
        ("lead", "updated"),
        9,
    )
    said: MultiDict[str, str] = MultiDict()
    for key, value in listing.arguments(wanted).items():
        said.setlist(key, [str(one) for one in (value if isinstance(value, list) else [value])])
    assert listing.read(said) == wanted


@pytest.mark.parametrize(
    ("sort", "descending"), [("changed", True), ("days", True), ("title", False)]
)
def test_each_order_has_its_usual_direction(sort: str, descending: bool) -> None:
    query = read(("sort", sort)).query
    assert query.descending is descending
    assert "direction" not in listing.arguments(read(("sort", sort)))
    assert read(("sort", sort), ("direction", "desc")).query.descending


def test_columns_come_in_the_order_of_the_page_and_once() -> None:
    asked = read(("column", "updated"), ("column", "lead"), ("column", "lead"), ("column", "x"))
    assert asked.columns == ("lead", "updated")
    assert read(("column", "nonsense")).columns == listing.USUAL


@given(st.lists(st.tuples(st.sampled_from(_KEYS), st.text(max_size=130)), max_size=12))
def test_no_address_asks_for_what_there_is_not(pairs: list[tuple[str, str]]) -> None:
    wanted = read(*pairs)
    assert wanted.query.scope in listing.SCOPES
    assert wanted.query.state in listing.STATES
    assert set(wanted.columns) <= {column.key for column in listing.COLUMNS}
    assert "\0" not in wanted.query.stage
    assert read(*pairs) == wanted


def test_words_lose_case_accents_and_what_stands_between_them() -> None:
    assert search.words_of("Café-Zürich, CAFÉ ﬁne straße!") == ["cafe", "zurich", "fine", "strasse"]
    assert search.words_of("更新 notice") == ["更", "新", "notice"]
    assert search.words_of("  \0 --- ") == []


def test_a_word_that_another_begins_with_is_not_asked_for() -> None:
    assert search.asked_words("re renewal ren x") == ["renewal", "x"]
    assert len(search.asked_words("a b c d e f g h i j k l")) == search.MOST_ASKED


@given(st.text(max_size=200))
def test_what_a_text_says_finds_it(text: str) -> None:
    kept = search.words_of(text)
    assert all(any(one.startswith(word) for one in kept) for word in search.asked_words(text))
