"""Files that people open in a spreadsheet."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from openpyxl import load_workbook

from okrgate.web.exports import csv_lines, neutral, xlsx_download

_DANGEROUS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"),  # noqa: RUF001
    '=HYPERLINK("http://example.com")',
)


@pytest.mark.parametrize("text", _DANGEROUS)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_a_negative_number_stays_one() -> None:
    assert neutral("-12.5") == "-12.5"


def test_a_csv_file_begins_with_the_mark_of_utf_8() -> None:
    text = "".join(csv_lines(("A", "B"), [("é,", None), ("=1", 3)]))
    assert text[0] == "\ufeff"
    assert list(csv.reader(io.StringIO(text[1:]))) == [["A", "B"], ["é,", ""], ["'=1", "3"]]


def test_an_xlsx_file_has_real_dates_and_numbers_and_a_head_that_stays() -> None:
    moment = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    rows = [
        ("=1+1", 7, Decimal("12.50"), moment, None),
        ("a\x00b\x07", -1, None, None, "x" * 40_000),
    ]
    with Flask(__name__).test_request_context():
        answer = xlsx_download("list.xlsx", ("Title", "N", "D", "At", "E"), rows, sheet="Projects")
        answer.direct_passthrough = False
        book = load_workbook(io.BytesIO(answer.get_data()))
    page = book["Projects"]
    assert page.freeze_panes == "A2"
    first, second = list(page.iter_rows(min_row=2, values_only=True))
    assert first == ("'=1+1", 7, 12.5, moment.replace(tzinfo=None), None)
    assert second[:2] == ("ab", -1)
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
