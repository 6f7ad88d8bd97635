"""How values look to people: dates, moments, money, numbers."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Flask
from flask_login import current_user

from okrgate import clock

_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
# An en dash: what a page shows where there is no value.
NO_VALUE = "\u2013"
_NO_MINOR = {"JPY", "KRW", "VND", "ISK", "CLP"}


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount in this currency has."""
    return 0 if currency in _NO_MINOR else 2


def show_date(value: date | datetime | str | None) -> str:
    """Write a date as 4 Dec 2026; an empty value as an en dash."""
    if value is None or value == "":
        return NO_VALUE
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    if isinstance(value, datetime):
        value = value.astimezone(_zone()).date()
    return f"{value.day} {value:%b %Y}"


def show_moment(value: datetime | None) -> str:
    """Write a moment in the reader's zone, as 4 Dec 2026, 14:02."""
    if value is None:
        return NO_VALUE
    local = value.astimezone(_zone())
    return f"{local.day} {local:%b %Y, %H:%M}"


def show_clock_time(value: datetime) -> str:
    """Write the time of a moment of today in the reader's zone, as 14:02."""
    return f"{value.astimezone(_zone()):%H:%M}"


def show_ago(value: datetime | None) -> str:
    """Say how long ago a moment was, in its largest whole unit."""
    if value is None:
        return "never"
    seconds = max(0, int((clock.now() - value).total_seconds()))
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return "just now"


def show_money(minor: int | None, currency: str) -> str:
    """Write an amount of minor units as € 1,234.50."""
    if minor is None:
        return NO_VALUE
    digits = minor_digits(currency)
    amount = Decimal(minor).scaleb(-digits)
    return f"{_SIGNS.get(currency, currency)}\u202f{amount:,.{digits}f}"


def show_number(value: Decimal | int | None) -> str:
    """Write a number with thousands separated and no empty decimals."""
    if value is None:
        return NO_VALUE
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _zone() -> ZoneInfo:
    # A list asks for each of its lines: what stands behind the proxy is looked up once.
    reader = current_user._get_current_object() if current_user else None
    if reader is not None and reader.is_authenticated:
        zone: ZoneInfo = reader.zone
        return zone
    return clock.company_zone()


def install(app: Flask) -> None:
    """Give the filters to every template."""
    app.jinja_env.filters.update(
        clock_time=show_clock_time,
        day=show_date,
        moment=show_moment,
        ago=show_ago,
        money=show_money,
        number=show_number,
    )
