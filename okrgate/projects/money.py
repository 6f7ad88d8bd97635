"""Money as people type it, as it is stored (whole minor units and a currency) and as rules compare it."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from okrgate.web.filters import minor_digits

MOST = Decimal(10**12)
CURRENCIES = (
    *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR", "GBP"),
    *("HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP"),
    *("PLN", "RON", "RSD", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
)

_SIGNS = {
    "€": {"EUR"},
    "£": {"GBP"},
    "$": {"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "TWD", "ARS", "CLP"},
    "¥": {"JPY", "CNY"},
}
_MARK = r"(€|£|\$|¥|[A-Za-z]{3})?"
_TYPED = re.compile(rf"{_MARK} ?([0-9][0-9 .,]*?) ?{_MARK}")
_SPACES = re.compile("[ '\u2019\u00a0\u2009\u202f\t]+")
_ONE_SEPARATOR = re.compile(r"([0-9]+)([.,])([0-9]+)")
_GROUPS = re.compile(r"([0-9]{1,3}(?:([ .,])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]+))?")
_EXACT = Context(prec=60)

UNREADABLE = "Enter an amount of money such as 1,234.50."
TOO_LARGE = f"Enter an amount from 0 to {MOST:,}."


class BadAmount(ValueError):
    """A text that is no amount, or could be two; the sentence is for whoever typed it."""


@dataclass(frozen=True)
class Typed:
    """An amount in major units, and the sign or code typed with it ("" when there was none)."""

    amount: Decimal
    mark: str = ""


_company_currency = "EUR"


def set_company_currency(code: str) -> None:
    """Say which currency rules compare in. Called once, when the application is built."""
    global _company_currency
    _company_currency = code


def company_currency() -> str:
    """Return the currency in which rules compare."""
    return _company_currency


def read(text: str) -> Typed:
    """Read an amount such as 1,234.50, 1234.5 or € 1 234,50. Raises BadAmount for what is none or could be two."""
    found = _TYPED.fullmatch(_SPACES.sub(" ", text[:80]).strip()) if len(text) <= 80 else None
    if found is None or (found[1] and found[3]):
        raise BadAmount(UNREADABLE)
    amount = Decimal(_plain(found[2].strip()))
    if amount > MOST:
        raise BadAmount(TOO_LARGE)
    return Typed(amount, (found[1] or found[3] or "").upper())


def check_mark(mark: str, currency: str) -> None:
    """Raise BadAmount when the sign or code typed with an amount speaks of another currency."""
    if mark and currency not in _SIGNS.get(mark, {mark}):
        raise BadAmount(f"This amount is in {currency}. Enter it without {mark}.")


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount of major units as whole minor units. Raises BadAmount when it has more decimals."""
    digits = minor_digits(currency)
    scaled = amount.scaleb(digits, _EXACT)
    if scaled != scaled.to_integral_value():
        most = f"at most {digits} decimals" if digits else "no decimals"
        raise BadAmount(f"An amount in {currency} has {most}.")
    return int(scaled)


def to_major(minor: int | None, currency: str) -> Decimal | None:
    """Return minor units as an amount of major units; nothing for nothing."""
    return None if minor is None else Decimal(minor).scaleb(-minor_digits(currency), _EXACT)


def minor_or_none(amount: Decimal | None, currency: str) -> int | None:
    """Return what `to_minor` returns; nothing for nothing."""
    return None if amount is None else to_minor(amount, currency)


def in_company_currency(minor: int | None, currency: str) -> Decimal | None:
    """Return an amount in major units if it is in the company's currency; nothing else can be compared."""
    return to_major(minor, currency) if currency == _company_currency else None


def converted(minor: int, currency: str, rate: Decimal) -> int:
    """Return an amount in the company's currency, in minor units, rounded half up.

    `rate` says how much of the company's currency one unit of `currency` is worth.
    """
    amount = _EXACT.multiply(Decimal(minor).scaleb(-minor_digits(currency), _EXACT), rate)
    scaled = amount.scaleb(minor_digits(_company_currency), _EXACT)
    return int(scaled.to_integral_value(ROUND_HALF_UP, _EXACT))


def _plain(number: str) -> str:
    """Return digits with at most one point. `number` holds only digits, spaces, points and commas."""
    if number.isdecimal():
        return number
    single = _ONE_SEPARATOR.fullmatch(number)
    if single is not None:
        return _one_separator(*single.groups())
    grouped = _GROUPS.fullmatch(number)
    if grouped is None:
        raise BadAmount(UNREADABLE)
    whole = "".join(character for character in grouped[1] if character.isdecimal())
    return f"{whole}.{grouped[3] or 0}"


def _one_separator(whole: str, separator: str, rest: str) -> str:
    """Decide whether one point or comma separates thousands or decimals.

    Pages write 1,234.50, so 1,234 is read as they write it. 1.234 is a thousand to some and one to others.
    """
    looks_grouped = len(rest) == 3 and len(whole) <= 3 and not whole.startswith("0")
    if not looks_grouped:
        return f"{whole}.{rest}"
    if separator == ",":
        return whole + rest
    raise BadAmount(
        f"{whole}.{rest} can be read in two ways. Write {whole}{rest} or {whole}.{rest[:2]} instead."
    )
