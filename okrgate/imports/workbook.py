"""Read a sheet of an XLSX file as if it were delimited text: dates as ISO, numbers without a trailing zero.

openpyxl parses with defusedxml, which refuses entity bombs; the size of what is packed is checked before it opens.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from okrgate.imports.reading import MOST_COLUMNS, MOST_ROWS, Table, Unreadable, clean

MOST_UNPACKED = 200 * 1024 * 1024


def sheet_names(content: bytes) -> list[str]:
    """Return the names of a file's sheets, those with cells first. Raises Unreadable."""
    with _opened(content) as book:
        names = [sheet.title for sheet in book.worksheets]
        if not names:
            raise Unreadable("The spreadsheet has no sheet.")
        full = [
            sheet.title
            for sheet in book.worksheets
            if sheet.sheet_state == "visible" and (sheet.max_row or 2) > 1
        ]
        return full + [name for name in names if name not in full]


def read_sheet(content: bytes, name: str) -> Table:
    """Read one sheet; its first row with a cell is the header. Raises Unreadable."""
    with _opened(content) as book:
        if name not in book.sheetnames:
            raise Unreadable(f"There is no sheet “{name[:60]}” in the file.")
        rows = [(number, tuple(_text(cell) for cell in row)) for number, row in _rows(book[name])]
    found = [(number, row) for number, row in rows if any(row)]
    if len(found) < 2:
        raise Unreadable("The sheet holds a header at most, but no rows.")
    header = _trimmed(found[0][1])
    width = len(header)
    return Table(
        header=header,
        rows=tuple((row + ("",) * width)[:width] for _, row in found[1:]),
        lines=tuple(number for number, _ in found[1:]),
    )


def _rows(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    # The library fills each row up to the width that the sheet claims to have.
    rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise Unreadable(f"The sheet holds more than {MOST_ROWS:,} rows. Split it.")
        yield number, row


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    from openpyxl import load_workbook  # slow to import, seldom needed

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED:
                raise Unreadable("The spreadsheet is too large once unpacked. Save it as CSV.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Unreadable:
        raise
    except (
        Exception
    ) as problem:  # the library has no common error for a file that is not what it says
        raise Unreadable("The file is not an XLSX spreadsheet that can be read.") from problem
    try:
        yield book
    except Unreadable:
        raise
    except (ValueError, TypeError, KeyError, SyntaxError, zipfile.BadZipFile) as problem:
        raise Unreadable("A sheet of the spreadsheet cannot be read. Save it as CSV.") from problem
    finally:
        book.close()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return clean(str(value))


def _trimmed(header: tuple[str, ...]) -> tuple[str, ...]:
    width = max(place for place, name in enumerate(header, start=1) if name)
    return tuple(name.strip() for name in header[:width])
