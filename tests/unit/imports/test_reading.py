"""Files as people really send them."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okrgate.imports.mapping import BadMap, BadValue, Map, map_of
from okrgate.imports.reading import Unreadable, column_at, read_table, table_of

RAW = {
    "name": "test",
    "process": "some-process",
    "unit": "Acme",
    "key": "id",
    "title": 2,
    "empty": ["Exempt", "none"],
    "money": {"factor": 1000000, "signs": ["£"]},
    "fields": {"problem.problem.problem": {"column": 3}},
    "stage": {
        "start": "from",
        "end": "to",
        "future": "a",
        "running": "b",
        "past": "c",
        "none": "d",
    },
}


def a_map(**changes: object) -> Map:
    return map_of({**RAW, **changes})


def test_breaks_inside_cells_and_mixed_line_ends_are_kept_as_plain_breaks() -> None:
    table = table_of('a;b\r\n1;"x\r\r\r\ny"\n2;z\r\n', delimiter=";")

    assert table.rows == (("1", "x\ny"), ("2", "z"))


def test_rows_are_counted_as_records_and_empty_ones_left_out() -> None:
    table = table_of("a,b\n1,2\n,\n3,4\n", delimiter=",")

    assert table.lines == (2, 4)


def test_another_encoding_than_the_map_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("a;b\n£;1\n".encode("cp1252"))

    with pytest.raises(Unreadable, match="is not utf-8 text"):
        read_table(path, encoding="utf-8", delimiter=";")


def test_two_columns_of_one_name_must_be_named_by_number() -> None:
    with pytest.raises(Unreadable, match="more than once"):
        column_at(("rating", "rating"), "rating")

    assert column_at(("rating", "rating"), 2) == 1


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("£1,234.50", Decimal("1234500000.00")),
        ("£0", Decimal(0)),
        ("Exempt under Section 43", None),
        ("", None),
    ],
)
def test_amounts_are_read_in_the_files_own_unit(cell: str, amount: Decimal | None) -> None:
    assert a_map().read_money(cell) == amount


@pytest.mark.parametrize(
    "cell",
    ["about ten", "1.2.3", "£NaN", "Infinity", "--5", "1,23", "12,3456", "1e5", "1_000", "٣"],
)
def test_what_is_not_an_amount_is_refused(cell: str) -> None:
    with pytest.raises(BadValue):
        a_map().read_money(cell)


def test_a_date_is_read_in_the_spellings_of_the_map() -> None:
    assert a_map(dates=["%d/%m/%Y"]).read_date("04/12/2026") == date(2026, 12, 4)

    with pytest.raises(BadValue):
        a_map().read_date("04/12/2026")


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_dates_and_amounts(cell: str) -> None:
    mapping = a_map()
    for read in (mapping.read_date, mapping.read_money):
        with suppress(BadValue):
            read(cell)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fields": {"problem": "x"}}, "section.page.field"),
        ({"fields": {"a.b.c": {"column": 1, "value": "x"}}}, "either a column or a value"),
        ({"fields": {"a.b.c": {"column": 1, "as": "colour"}}}, "date, money or person"),
        ({"money": {"factor": "much"}}, "must be a number"),
        ({"colour": "red"}, "does not know"),
        ({"key": None}, "needs “key”"),
        ({"name": "x" * 61}, "at most 60 characters"),
    ],
)
def test_a_map_that_cannot_work_is_refused_with_the_place(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadMap, match=sentence):
        a_map(**change)
