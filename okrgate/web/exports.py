"""Tables as CSV and XLSX files that no spreadsheet can be tricked with."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Response, send_file, stream_with_context

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 spreadsheets read the wide ones too
_LONGEST_CELL = 32_000
# What XML cannot carry, and a spreadsheet therefore refuses.
_UNPRINTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def neutral(value: object) -> str:
    """Return a cell's text; one that a spreadsheet would run begins with an apostrophe."""
    text = "" if value is None else str(value)
    if text.lstrip(" ").startswith(_FORMULA) and not _is_number(text):
        return f"'{text}"
    return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the file line by line, neutralised, with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff"
    yield _line(header)
    for row in rows:
        yield _line(row)


def csv_download(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Answer with a CSV file, written while it is read."""
    return Response(
        stream_with_context(csv_lines(header, rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def xlsx_download(
    name: str, header: Sequence[str], rows: Iterable[Sequence[object]], *, sheet: str
) -> Response:
    """Answer with an XLSX file: its head stays in view, dates and numbers are dates and numbers.

    Moments are written as they come, without their zone: give them in the reader's.
    """
    # Loaded here: few requests need it.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    page: Any = book.create_sheet(sheet)
    page.freeze_panes = "A2"
    for number, title in enumerate(header, start=1):
        page.column_dimensions[get_column_letter(number)].width = max(14, len(title) + 4)
    heads = [WriteOnlyCell(page, value=neutral(title)) for title in header]
    for head in heads:
        head.font = Font(bold=True)
    page.append(heads)
    for row in rows:
        page.append([_cell(value) for value in row])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return send_file(file, mimetype=XLSX, as_attachment=True, download_name=name)


def _cell(value: object) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if not isinstance(value, str):
        return value
    return neutral(_UNPRINTED.sub("", value)[:_LONGEST_CELL])


def _line(row: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([neutral(cell) for cell in row])
    return text.getvalue()


def _is_number(text: str) -> bool:
    digits = text[1:].replace(".", "", 1)
    return text[0] == "-" and digits.isascii() and digits.isdigit()
