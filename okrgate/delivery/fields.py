"""Form fields whose complaints are whole sentences, and what every list of rows shares."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, Optional, ValidationError

from okrgate.accounts import directory
from okrgate.web.filters import show_date

TITLE = 200
LONG = 10_000
ROWS = 100
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MOST_DAYS = 1_000_000


class Positioned(Protocol):
    """A stored row of a list."""

    id: Any
    position: Any


Row = TypeVar("Row", bound=Positioned)
_NOBODY = SelectChoice("", "Nobody yet")


def tidy(value: str | None) -> str:
    """Take away what no text needs: space around it, zero bytes, other line ends, other spellings of a letter."""
    plain = (value or "").replace("\x00", "").replace("\r\n", "\n").strip()
    return unicodedata.normalize("NFC", plain)


class Line(StringField):
    """One line of text."""

    def __init__(self, label: str, *, most: int = TITLE, **more: Any) -> None:
        """Limit its length."""
        too_long = Length(max=most, message=f"Use at most {most} characters.")
        super().__init__(label, [*more.pop("validators", ()), too_long], filters=[tidy], **more)


class Text(TextAreaField):
    """A long text."""

    def __init__(self, label: str, *, rows: int = 4, **more: Any) -> None:
        """Limit its length."""
        too_long = Length(max=LONG, message=f"Use at most {LONG:,} characters.")
        checks = [*more.pop("validators", ()), too_long]
        super().__init__(label, checks, filters=[tidy], render_kw={"rows": rows}, **more)


class Day(DateField):
    """A date, or nothing."""

    def __init__(self, label: str, *, validators: Sequence[Any] = (), **more: Any) -> None:
        """Accept an empty one."""
        super().__init__(label, [Optional(strip_whitespace=True), *validators], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say how a date is written when it is none."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Enter a date, for example 2026-12-04.") from None

    def pre_validate(self, form: Any) -> None:
        """Refuse years that can only be a slip."""
        check_year(self.data)


class Moment(DateTimeLocalField):
    """A date with a time of day, or nothing. It has no zone: the label says which is meant."""

    def __init__(self, label: str, **more: Any) -> None:
        """Accept an empty one."""
        super().__init__(label, [Optional(strip_whitespace=True)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say how a moment is written when it is none."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Enter a date and a time, for example 2026-12-04 14:00.") from None

    def pre_validate(self, form: Any) -> None:
        """Refuse years that can only be a slip."""
        check_year(self.data)


class Count(IntegerField):
    """A whole number within bounds, or nothing."""

    def __init__(self, label: str, *, least: int, most: int, **more: Any) -> None:
        """Set the bounds."""
        self.least, self.most = least, most
        self.sentence = f"Enter a whole number from {least} to {most:,}."
        super().__init__(label, [Optional(True)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say what is expected when it is no whole number."""
        try:
            super().process_formdata(valuelist)
        except (ValueError, OverflowError):
            raise ValueError(self.sentence) from None

    def pre_validate(self, form: Any) -> None:
        """Keep it within its bounds."""
        if self.data is not None and not self.least <= self.data <= self.most:
            raise ValidationError(self.sentence)


class Days(DecimalField):
    """An amount of work in days, or nothing."""

    sentence = f"Enter a number of days from 0 to {_MOST_DAYS:,}, for example 12.5."

    def __init__(self, label: str, **more: Any) -> None:
        """Accept an empty one; keep what is typed exact."""
        super().__init__(label, places=None, validators=[Optional(True)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say what is expected when it is no number."""
        try:
            super().process_formdata(valuelist)
        except (ValueError, ArithmeticError):
            raise ValueError(self.sentence) from None

    def pre_validate(self, form: Any) -> None:
        """Keep it within its bounds, and small enough to be meant."""
        value = self.data
        if value is None:
            return
        if not value.is_finite() or not 0 <= value <= _MOST_DAYS:
            raise ValidationError(self.sentence)
        if value != round(value, 2):
            raise ValidationError("Use at most two decimals.")


class Choice(RadioField):
    """One of a few answers, or nothing."""

    def __init__(self, label: str, choices: Sequence[tuple[str, str]], **more: Any) -> None:
        """Offer the answers."""
        super().__init__(
            label,
            [*more.pop("validators", ()), Optional(True)],
            choices=[SelectChoice(value, text) for value, text in choices],
            coerce=text_or_none,
            invalid_choice_message="Choose one of the answers.",
            **more,
        )


class YesNo(Choice):
    """Yes, no, or not said yet. Its data is "yes", "no" or nothing; `said` turns it into a truth value."""

    def __init__(self, label: str, **more: Any) -> None:
        """Offer the two answers."""
        super().__init__(label, (("yes", "Yes"), ("no", "No")), **more)


class Somebody(SelectField):
    """A person of the company, or nobody. `offer_people` gives it its choices."""

    def __init__(self, label: str, **more: Any) -> None:
        """Start without choices."""
        unknown = "Choose a person from the list."
        super().__init__(
            label,
            choices=[_NOBODY],
            coerce=id_or_none,
            invalid_value_message=unknown,
            invalid_choice_message=unknown,
            **more,
        )


class Known(HiddenField):
    """The id of the row that is edited; empty for a new one."""

    def __init__(self, **more: Any) -> None:
        """Accept anything: what is not a row of this project counts as new."""
        super().__init__("Row", filters=[row_id], **more)


def row_id(value: object) -> int | None:
    """Return the id in a hidden field, or nothing."""
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def id_or_none(value: object) -> int | None:
    """Read a choice of a person."""
    return None if value in (None, "", "None") else int(str(value))


def text_or_none(value: object) -> str | None:
    """Read one of a few answers; nothing chosen is nothing."""
    return None if value in (None, "", "None") else str(value)


def said(value: str | None) -> bool | None:
    """Turn "yes" and "no" into a truth value; nothing stays nothing."""
    return None if value is None else value == "yes"


def yes_no(value: bool | None) -> str | None:
    """Turn a truth value into what a form shows."""
    return None if value is None else ("yes" if value else "no")


def check_year(value: date | datetime | None) -> None:
    """Raise for a year outside this century."""
    if value is not None and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValidationError(f"Enter a date between {_FIRST_YEAR} and {_LAST_YEAR}.")


def offer_people(fields: Iterable[Any], *, also: Callable[[], Iterable[int | None]]) -> None:
    """Let these fields choose among everybody active; `also` names people already in the list, who may have left."""
    fields = list(fields)
    people = dict(directory.people_choices())
    if any(field.data is not None and field.data not in people for field in fields):
        people |= directory.names(set(also()) - set(people))
    choices = [_NOBODY, *(SelectChoice(str(one), name) for one, name in people.items())]
    for field in fields:
        field.choices = choices


def store_rows(
    known: Sequence[Row],
    typed: Iterable[Mapping[str, Any]],
    *,
    make: Callable[[], Row],
    fill: Callable[[Row, Mapping[str, Any]], None],
    drop: Callable[[Row], None],
) -> None:
    """Make the stored rows be the typed ones, in their order. A row keeps its identity by its hidden id."""
    by_id = {row.id: row for row in known}
    for position, data in enumerate(typed):
        row = by_id.pop(data.get("id"), None)
        if row is None:
            row = make()
        if row.position != position:
            row.position = position
        fill(row, data)
    for gone in by_id.values():
        drop(gone)


def day_or(value: date | None, otherwise: str) -> str:
    """Write a date, or a word for having none."""
    return show_date(value) if value else otherwise
