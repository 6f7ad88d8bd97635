"""How a mail writes dates, and keeps out what has no place in a header or a text."""

import re
import unicodedata
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from okrgate import clock

_SPACES = re.compile(r"\s+")
_LONGEST_LINE = 180


def day(text: str) -> str:
    """Write an ISO date as 4 Dec 2026; anything else as it stands."""
    try:
        value = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return (
        f"{value.day} {value:%b %Y}"
        if value.year != clock.today().year
        else f"{value.day} {value:%b}"
    )


def moment(text: str, zone: ZoneInfo | None = None) -> str:
    """Write an ISO moment as 4 Dec 2026, 14:00 CET, in this zone (the company's by default)."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return text
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    local = value.astimezone(zone or clock.company_zone())
    return f"{local.day} {local:%b %Y, %H:%M} {local:%Z}"


def zone_named(name: str) -> ZoneInfo:
    """Return a person's zone; the company's when they chose none."""
    try:
        return ZoneInfo(name) if name else clock.company_zone()
    except (ZoneInfoNotFoundError, ValueError):
        return clock.company_zone()


def one_line(text: str) -> str:
    """Make a text fit for a header: no control or direction characters, one line, not too long."""
    spaced = _SPACES.sub(" ", text)
    clean = "".join(
        character for character in spaced if unicodedata.category(character)[0] != "C"
    ).strip()
    return clean if len(clean) <= _LONGEST_LINE else f"{clean[: _LONGEST_LINE - 1]}…"


def printable(text: str) -> str:
    """Keep lines and tabs, drop every other control character and what cannot be encoded."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
    )
