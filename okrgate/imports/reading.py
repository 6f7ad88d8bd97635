"""Read a delimited file as people really send them: any encoding the map names, mixed line ends, breaks inside cells."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 200
_BREAKS = re.compile(r"\r+\n|\r+|\n")


class Unreadable(ValueError):
    """The file cannot be read as the map says; the sentence tells why."""


@dataclass(frozen=True)
class Table:
    """A file's header and rows. `lines` are the row numbers as a spreadsheet shows them (the header is 1)."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


def read_table(path: Path, *, encoding: str, delimiter: str) -> Table:
    """Read a file. Raises Unreadable; empty rows are left out, line breaks inside cells become plain ones."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from problem
    if len(content) > MOST_BYTES:
        raise Unreadable(f"{path} is larger than {MOST_BYTES // 2**20} MB.")
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as problem:
        raise Unreadable(f"{path} is not {encoding} text: {problem}.") from problem
    return table_of(text.removeprefix("\ufeff"), delimiter=delimiter)


def table_of(text: str, *, delimiter: str) -> Table:
    """Read delimited text."""
    try:
        raw = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as problem:
        raise Unreadable(f"The file is not delimited text: {problem}.") from problem
    if not raw or len(raw) < 2:
        raise Unreadable("The file holds a header at most, but no rows.")
    if len(raw) > MOST_ROWS:
        raise Unreadable(f"The file holds more than {MOST_ROWS:,} rows. Split it.")
    if len(raw[0]) > MOST_COLUMNS:
        raise Unreadable(f"The file holds more than {MOST_COLUMNS} columns. Leave some out.")
    found = [
        (number, row)
        for number, row in enumerate(raw[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    return Table(
        header=tuple(cell.strip() for cell in raw[0]),
        rows=tuple(tuple(clean(cell) for cell in row) for _, row in found),
        lines=tuple(number for number, _ in found),
    )


def clean(cell: str) -> str:
    """Return a cell's text with plain line breaks and no space around it."""
    return _BREAKS.sub("\n", cell.replace("\x00", "")).strip()


def column_at(header: Sequence[str], wanted: str | int) -> int:
    """Return the position (from 0) of a column named by its header or by its number (from 1).

    Raises Unreadable when there is none, or when the name stands there twice.
    """
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(header):
            raise Unreadable(f"There is no column {wanted}; the file has {len(header)}.")
        return wanted - 1
    places = [place for place, name in enumerate(header) if name == wanted]
    if len(places) != 1:
        what = (
            "is not in the file" if not places else "stands there more than once: give its number"
        )
        raise Unreadable(f"The column “{wanted}” {what}.")
    return places[0]
