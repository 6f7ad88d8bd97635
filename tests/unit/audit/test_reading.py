import csv

import pytest

from okrgate.audit import reading
from okrgate.web import exports


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("project.moved", "Project moved"),
        ("person.sign_in_failed", "Person sign in failed"),
        ("", ""),
    ],
)
def test_an_action_is_said_in_words(action: str, words: str) -> None:
    assert reading.words_for(action) == words


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "@SUM(A1)", "-1+2", "\t=1", "\r=1", "  =1", "＝1", '=HYPERLINK("x")'],  # noqa: RUF001
)
def test_a_formula_is_made_harmless(cell: str) -> None:
    assert exports.neutral(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "text"), [("-12.5", "-12.5"), (None, ""), (7, "7"), ("a=b", "a=b")]
)
def test_other_cells_stay_as_they_are(cell: object, text: str) -> None:
    assert exports.neutral(cell) == text


def test_a_table_survives_quotes_commas_and_lines() -> None:
    rows = [["a,b", 'say "yes"', "two\nlines"]]

    text = "".join(exports.csv_lines(["x", "y", "z"], rows))

    assert text.startswith("\ufeff")
    assert list(csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True)))[1] == rows[0]
