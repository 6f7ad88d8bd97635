"""Keyset links: where the last row of a page stood, as a short text in the address."""

from datetime import UTC, datetime


def pack(moment: datetime, number: int) -> str:
    """Return the text for a row's (moment, id)."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')}~{number}"


def unpack(text: str) -> tuple[datetime, int] | None:
    """Read such a text; nothing for anything else."""
    moment, _, number = text.partition("~")
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if found.tzinfo is None or not number.isdecimal() or len(number) > 15:
        return None
    return found, int(number)
