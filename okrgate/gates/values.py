"""What fits a fact: the one place that says which values a type takes."""

import math
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from okrgate.gates.conditions import Value
from okrgate.gates.model import Fact

TYPES = ("boolean", "integer", "money", "number", "date", "string", "enum", "user")
TEXTS = frozenset({"string", "enum", "user"})
NUMBERS = frozenset({"integer", "money", "number"})
DECIMALS = {"integer": 0, "money": 2, "number": 6}
LIMIT = 2**53
MAX_TEXT = 200
MAX_PEOPLE = 200


class Unfit(ValueError):
    """A value that its fact cannot hold; the text is a sentence without the fact's name."""


def fit(fact: Fact, value: object) -> Value | tuple[str, ...] | None:
    """Return the value as its fact holds it, None if it is not filled in. Raises Unfit."""
    if value is None:
        return None
    if fact.many and isinstance(value, list | tuple | set | frozenset):
        return _people(fact, value)
    found = fit_type(fact.type, value)
    if found is None:
        return None
    if fact.type == "enum" and found not in fact.values:
        raise Unfit(f"has to be one of {', '.join(fact.values)}, not {shown(value)}")
    if fact.min is not None and found < fact.min:  # type: ignore[operator]
        raise Unfit(f"has to be at least {fact.min}, not {shown(value)}")
    if fact.max is not None and found > fact.max:  # type: ignore[operator]
        raise Unfit(f"has to be at most {fact.max}, not {shown(value)}")
    return found


def fit_type(kind: str, value: object) -> Value | None:
    """Return a value of this type; None for a text that is empty. Raises Unfit."""
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        raise Unfit(f"has to be true or false, not {shown(value)}")
    if kind in NUMBERS:
        return _number(kind, value)
    if kind == "date":
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise Unfit(f"has to be a date, not {shown(value)}")
    return _text(value)


def shown(value: object) -> str:
    """Return a value as a sentence may quote it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    if isinstance(value, int) and abs(value) >= LIMIT:
        return "a number that large"
    if isinstance(value, int | Decimal | float | date):
        return str(value)[:40]
    return f"a {type(value).__name__}"


def _number(kind: str, value: object) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise Unfit(f"has to be a number, not {shown(value)}")
    if isinstance(value, int):
        if abs(value) * 10 ** DECIMALS[kind] >= LIMIT:
            raise Unfit("is too large a number")
        return int(value)
    if kind == "integer":
        raise Unfit(f"has to be a whole number, not {shown(value)}")
    return _decimal(kind, value)


def _decimal(kind: str, value: Decimal | float) -> Decimal:
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise Unfit("has to be a finite number")
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    places = DECIMALS[kind]
    if exact and exact.adjusted() > 15:
        raise Unfit("is too large a number")
    exponent = exact.normalize().as_tuple().exponent if exact else 0
    if isinstance(exponent, int) and exponent < -places:
        raise Unfit(f"has at most {places} decimals, not {shown(value)}")
    if abs(exact) * 10**places >= LIMIT:
        raise Unfit("is too large a number")
    return exact


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        raise Unfit(f"has to be a text, not {shown(value)}")
    if len(value) > MAX_TEXT:
        raise Unfit(f"has at most {MAX_TEXT} characters")
    if value.isascii():
        if not value.isprintable():
            raise Unfit("holds a character that cannot be shown")
        return str(value) if value.strip() else None
    text = unicodedata.normalize("NFC", value)
    if len(text) > MAX_TEXT:
        raise Unfit(f"has at most {MAX_TEXT} characters")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
        raise Unfit("holds a character that cannot be shown")
    return text if text.strip() else None


def _people(
    fact: Fact, value: Sequence[object] | set[object] | frozenset[object]
) -> tuple[str, ...] | None:
    if len(value) > MAX_PEOPLE:
        raise Unfit(f"has at most {MAX_PEOPLE} people")
    people = [_text(one) for one in value]
    return tuple(sorted({one for one in people if one is not None})) or None
