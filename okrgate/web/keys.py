"""Keyset links: where the last row of a page stood, as a short text in the address."""

from datetime import UTC, datetime

# Nine digits: what every column of numbers can hold.
_DIGITS = 9


def pack(moment: datetime, number: int) -> str:
    """Return the text for a row's (moment, id)."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')}~{number}"


def unpack(text: str) -> tuple[datetime, int] | None:
    """Read such a text; nothing for anything else."""
    moment, _, number = text.partition("~")
    row = whole(number)
    try:
        found = datetime.fromisoformat(moment)
        # At the ends of the calendar a zone leads out of it.
        found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (found, row) if found.tzinfo is not None and row is not None else None


def whole(text: str) -> int | None:
    """Read the number of a row or a version as it came with a request; nothing for what none can have."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        return None
    return int(text)
