"""Find out what a file is before anybody says so: spreadsheet or text, its encoding, its delimiter, how it writes dates.

Everything found here is a proposal that the person who imports sees beside samples of the rows, and may change.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from okrgate.imports.reading import Table, Unreadable, table_of
from okrgate.imports.workbook import read_sheet, sheet_names

ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Windows, Western Europe (cp1252)",
    "cp1250": "Windows, Central Europe (cp1250)",
    "utf-16": "UTF-16",
    "mac_roman": "Older Mac",
    "cp850": "Older DOS",
}
DELIMITERS = {";": "Semicolon ;", ",": "Comma ,", "\t": "Tabulator", "|": "Bar |"}
DATES = {
    "%Y-%m-%d": "2026-12-31",
    "%d.%m.%Y": "31.12.2026",
    "%d/%m/%Y": "31/12/2026",
    "%m/%d/%Y": "12/31/2026",
    "%d-%m-%Y": "31-12-2026",
    "%d %b %Y": "31 Dec 2026",
    "%d %B %Y": "31 December 2026",
}
_ZIP = b"PK\x03\x04"
_LOOKED_AT = 200_000
_SAMPLE_ROWS = 200


@dataclass(frozen=True)
class Kind:
    """What a file seems to be. For a spreadsheet `sheet` is set and the others are empty."""

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


def is_workbook(content: bytes) -> bool:
    """Tell whether this may be an XLSX file."""
    return content.startswith(_ZIP)


def detect(content: bytes) -> Kind:
    """Return what a file seems to be. Raises Unreadable for what is neither a spreadsheet nor text."""
    if is_workbook(content):
        return Kind(sheet=sheet_names(content)[0])
    if b"\x00" in content[:_LOOKED_AT] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("This is neither delimited text nor an XLSX spreadsheet.")
    encoding = _encoding(content)
    return Kind(encoding, _delimiter(decode(content, encoding)))


def read(content: bytes, kind: Kind) -> Table:
    """Read a file as said. Raises Unreadable."""
    if kind.sheet:
        return read_sheet(content, kind.sheet)
    return table_of(decode(content, kind.encoding), delimiter=kind.delimiter)


def decode(content: bytes, encoding: str) -> str:
    """Return a file's text. Raises Unreadable when it is not in this encoding."""
    if encoding not in ENCODINGS:
        raise Unreadable("Choose one of the encodings offered.")
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, UnicodeError) as problem:
        raise Unreadable(
            f"The file is not {ENCODINGS[encoding]} text. Choose another."
        ) from problem


def date_spelling(cells: Iterable[str]) -> str:
    """Return the spelling that most of these cells follow; the first listed wins, so 3/4 is 3 April."""
    counts: Counter[str] = Counter()
    for cell in cells:
        for spelling in DATES:
            try:
                datetime.strptime(cell, spelling)  # noqa: DTZ007 a date has no zone
            except ValueError:
                continue
            counts[spelling] += 1
    order = list(DATES)
    return min(counts, key=lambda one: (-counts[one], order.index(one)), default=order[0])


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    allowed = [one for one in ENCODINGS if not one.startswith("utf")]
    from charset_normalizer import from_bytes  # slow to import, seldom needed

    best = from_bytes(content[:_LOOKED_AT], cp_isolation=allowed).best()
    guessed = best.encoding if best else "cp1252"
    # A guesser that has seen little text likes the rare: the common one wins where both read the file.
    for candidate in ("cp1252", guessed, "cp850"):
        try:
            content.decode(candidate)
        except UnicodeDecodeError:
            continue
        return candidate
    return "cp850"


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the most rows into as many cells as the header has."""
    return max(DELIMITERS, key=lambda one: _fit(text, one))


def _fit(text: str, delimiter: str) -> tuple[int, int]:
    widths = [len(row) for row in _sample(text, delimiter)]
    if not widths or widths[0] < 2:
        return (0, 0)
    return (sum(1 for width in widths if width == widths[0]), widths[0])


def _sample(text: str, delimiter: str) -> Sequence[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(row):
                rows.append(row)
            if len(rows) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        return rows
    return rows
