"""Tables as CSV files that no spreadsheet can be tricked with."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 spreadsheets read the wide ones too


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


def _line(row: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([neutral(cell) for cell in row])
    return text.getvalue()


def _is_number(text: str) -> bool:
    digits = text[1:].replace(".", "", 1)
    return text[0] == "-" and digits.isascii() and digits.isdigit()
