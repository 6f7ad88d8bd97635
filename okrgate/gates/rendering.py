"""Plain values written as YAML of the rules language: on one line while it is short, else one thing a line."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from okrgate.gates.tree import plain

Plain = Any  # str | int | bool | Decimal | date | None | list[Plain] | dict[str, Plain]; mypy knows no exact recursive one

WIDEST = 120
_STEP = 2
# Words that mean the same bare as in quotes, here and to readers of older YAML.
_BARE = re.compile(r"[A-Za-z_$./][A-Za-z0-9_$./+()\- ]*\Z")
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
_ESCAPED = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff"\\\\]')


def word(value: Plain) -> str:
    """Return a scalar as it is written. Raises TypeError for what is none."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value if _is_bare(value) else _quoted(value)
    raise TypeError(f"{value!r} cannot be written")


def inline(value: Plain) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        pairs = (f"{word(key)}: {inline(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(inline, value)) + "]"
    return word(value)


def block(value: Plain, indent: int) -> str:
    """Return a list or mapping in lines of their own, each after `indent` spaces; the first line is not indented."""
    margin = "\n" + " " * indent
    if isinstance(value, Mapping):
        return margin.join(f"{word(key)}:{after_colon(one, indent)}" for key, one in value.items())
    return margin.join(f"- {as_item(one, indent)}" for one in value)


def after_colon(value: Plain, indent: int, *, spread: bool = False) -> str:
    """Return what follows the colon of a key that stands after `indent` spaces."""
    if not spread and fits(value, indent):
        return f" {inline(value)}"
    if not is_group(value) or not value:
        return f" {inline(value)}"
    inner = indent + _STEP
    return "\n" + " " * inner + block(value, inner)


def as_item(value: Plain, indent: int) -> str:
    """Return what follows the dash of an item whose dash stands after `indent` spaces."""
    if fits(value, indent) or not is_group(value) or not value:
        return inline(value)
    return block(value, indent + _STEP)


def fits(value: Plain, indent: int) -> bool:
    """Tell whether a value is to stand on one line: short, and no group of groups of rows."""
    return not _holds_rows(value) and indent + len(inline(value)) <= WIDEST


def is_group(value: Plain) -> bool:
    """Tell whether a value is a list or a mapping."""
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


def _holds_rows(value: Plain) -> bool:
    """Tell whether a value is or holds rows, as a gate holds its requirements: each is to get a line."""
    inside = value.values() if isinstance(value, Mapping) else (value,)
    return any(_has_id(row) for one in inside if isinstance(one, list) for row in one)


def _has_id(row: Plain) -> bool:
    return isinstance(row, Mapping) and "id" in row


def _is_bare(text: str) -> bool:
    if not _BARE.match(text) or text != text.strip() or text.lower() in _OLD_WORDS:
        return False
    try:
        return plain(text) == text
    except ValueError:
        return False


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character in '"\\':
        return "\\" + character
    return "\\n" if character == "\n" else f"\\u{ord(character):04x}"
