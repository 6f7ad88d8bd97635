"""The fields every form here is made of: they take any input, and complain in whole sentences.

`needed` is the sentence said when a field is left empty; without it, empty is an answer.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, Optional, ValidationError

TITLE = 200
LONG = 10_000
ROWS = 100
NOBODY = SelectChoice("", "Nobody yet")
NOTHING = SelectChoice("", "Choose from the list")
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_MOST_DAYS = 1_000_000
_LONE_COMMA = re.compile(r"[^0-9,.]?[0-9]+,[0-9]{1,2}")
_DIGITS = frozenset("0123456789")
_LONGEST_NUMBER = 100
USE_A_POINT = "Use a point: 3.2. Leave out what separates thousands."


def tidy(value: str | None) -> str:
    """Take away what no text needs: space around it, zero bytes, other line ends, other spellings of a letter."""
    plain = (value or "").replace("\x00", "").replace("\r\n", "\n").strip()
    # Thousands of accents on one letter would be sorted for seconds; no field takes a text of this length anyway.
    return plain if len(plain) > 2 * LONG else unicodedata.normalize("NFC", plain)


def one_line(value: str | None) -> str:
    """Make one line of a text."""
    return " ".join(tidy(value).split())


def with_point(text: str) -> str:
    """Return a number with a point where a lone comma can only be one: 3,2 is 3.2, and 3,200 is anybody's guess.

    Raises ValueError, with a sentence, for a number with other commas.
    """
    if len(text) > _LONGEST_NUMBER:
        return text
    if _LONE_COMMA.fullmatch(text):
        return text.replace(",", ".")
    if "," in text and _is_with_commas(text):
        raise ValueError(USE_A_POINT)
    return text


def _is_with_commas(text: str) -> bool:
    """Tell whether a text is digits with commas and points between them, after one sign at most."""
    separated = _DIGITS | {",", "."}
    number = set(text if text[0] in separated else text[1:])
    return bool(number & _DIGITS) and number <= separated


class Line(StringField):
    """One line of text; empty when nothing was typed."""

    def __init__(self, label: str, *, most: int = TITLE, needed: str = "", **more: Any) -> None:
        """Limit its length."""
        self.needed = needed
        too_long = Length(max=most, message=f"Use at most {most:,} characters.")
        checks = [*more.pop("validators", ()), too_long]
        super().__init__(label, checks, filters=[one_line], **more)
        _mark_needed(self)

    def pre_validate(self, form: Any) -> None:
        """Ask for it when it is needed."""
        _ask(self)


class Text(TextAreaField):
    """A long text; empty when nothing was typed."""

    def __init__(
        self, label: str, *, most: int = LONG, rows: int = 4, needed: str = "", **more: Any
    ) -> None:
        """Limit its length."""
        self.needed = needed
        too_long = Length(max=most, message=f"Use at most {most:,} characters.")
        checks = [*more.pop("validators", ()), too_long]
        words = {"render_kw": {"rows": rows}} | more
        super().__init__(label, checks, filters=[tidy], **words)
        _mark_needed(self)

    def pre_validate(self, form: Any) -> None:
        """Ask for it when it is needed."""
        _ask(self)


class Day(DateField):
    """A date, or nothing."""

    data: Any

    def __init__(
        self, label: str, *, needed: str = "", validators: Sequence[Any] = (), **more: Any
    ) -> None:
        """Accept an empty one, unless it is needed."""
        self.needed = needed
        empty = [] if needed else [Optional(strip_whitespace=True)]
        super().__init__(label, validators=[*empty, *validators], **more)
        _mark_needed(self)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say how a date is written when it is none."""
        typed = [value.strip() for value in valuelist if value.strip()]
        self.data = None
        try:
            if typed:
                super().process_formdata(typed[:1])
        except ValueError:
            raise ValueError("Enter a date, for example 2026-12-04.") from None

    def pre_validate(self, form: Any) -> None:
        """Refuse years that can only be a slip."""
        check_year(self.data)
        _ask(self)


class Moment(DateTimeLocalField):
    """A date with a time of day, or nothing. It has no zone: the label says which is meant."""

    def __init__(self, label: str, **more: Any) -> None:
        """Accept an empty one."""
        super().__init__(label, [Optional(strip_whitespace=True)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say how a moment is written when it is none."""
        try:
            super().process_formdata([value.strip() for value in valuelist])
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
        super().__init__(label, [Optional(strip_whitespace=True)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say what is expected when it is no whole number."""
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            self.data = None
            raise ValueError(self.sentence)
        self.data = int(text)

    def pre_validate(self, form: Any) -> None:
        """Keep it within its bounds."""
        if self.data is not None and not self.least <= self.data <= self.most:
            raise ValidationError(self.sentence)


class Exact(DecimalField):
    """A number with a point and few decimals, kept exactly as typed; or nothing."""

    sentence = "Enter a number."
    decimals = 2
    most = Decimal(1)

    def __init__(self, label: str, **more: Any) -> None:
        """Accept an empty one."""
        super().__init__(label, [Optional(strip_whitespace=True)], places=None, **more)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say what is expected when it is no number."""
        self.data = None
        text = with_point(valuelist[0].strip()) if valuelist else ""
        if not text:
            return
        whole, point, rest = text.partition(".")
        if not (
            text.isascii() and (whole + rest).isdecimal() and whole and bool(rest) == bool(point)
        ):
            self.data = None
            raise ValueError(self.sentence)
        self.data = Decimal(text)

    def pre_validate(self, form: Any) -> None:
        """Keep it within its bounds, and small enough to be meant."""
        value: Decimal | None = self.data
        if value is None:
            return
        if value > self.most:
            raise ValidationError(self.sentence)
        if int(value.as_tuple().exponent) < -self.decimals:
            raise ValidationError(f"Use at most {self.decimals} decimals.")


class Days(Exact):
    """An amount of work in days, or nothing."""

    sentence = f"Enter a number of days from 0 to {_MOST_DAYS:,}, for example 12.5."
    most = Decimal(_MOST_DAYS)


class Choice(RadioField):
    """One of a few answers, or nothing.

    `undecided` names the choice that takes an answer back; pages offer it only where there is an answer. None: the
    field has a default, and there is nothing to take back.
    """

    def __init__(
        self,
        label: str,
        choices: Sequence[tuple[str, str]],
        *,
        undecided: str | None = "Not decided yet",
        **more: Any,
    ) -> None:
        """Offer the answers, and to take one back."""
        offered = [SelectChoice(value, text) for value, text in choices]
        taken_back = [] if undecided is None else [SelectChoice("", undecided)]
        super().__init__(
            label,
            [*more.pop("validators", ()), Optional(strip_whitespace=True)],
            choices=[*offered, *taken_back],
            coerce=more.pop("coerce", text_or_none),
            invalid_value_message="Choose one of the answers.",
            invalid_choice_message="Choose one of the answers.",
            **more,
        )


class YesOrNo(Choice):
    """Yes (True), no (False), or not decided (nothing)."""

    def __init__(self, label: str, **more: Any) -> None:
        """Offer the answers."""
        super().__init__(label, (("yes", "Yes"), ("no", "No")), coerce=truth_or_none, **more)

    def process_data(self, value: Any) -> None:
        """Show a stored truth value."""
        self.data = truth_or_none(value)


class Listed(SelectField):
    """Something chosen from a list that depends on the project (its id), or nothing. `offer` fills the list."""

    sentence = "Choose from the list."
    empty = NOTHING

    def __init__(self, label: str, *, needed: str = "", **more: Any) -> None:
        """Start without choices."""
        self.needed = needed
        super().__init__(
            label,
            choices=[self.empty],
            coerce=id_or_none,
            invalid_value_message=self.sentence,
            invalid_choice_message=self.sentence,
            **more,
        )
        _mark_needed(self)

    def pre_validate(self, form: Any) -> None:
        """Refuse what is not on the list; ask for it when it is needed."""
        _ask(self)
        super().pre_validate(form)


class Somebody(Listed):
    """A person of the company, or nobody."""

    sentence = "Choose a person from the list."
    empty = NOBODY


class WebAddress(StringField):
    """An https address, or nothing."""

    sentence = "Enter an address that starts with https://."

    def __init__(self, label: str, **more: Any) -> None:
        """Limit its length."""
        too_long = Length(max=2000, message="Use an address of at most 2,000 characters.")
        super().__init__(label, [too_long], filters=[tidy], **more)

    def pre_validate(self, form: Any) -> None:
        """Refuse what a browser would not open safely."""
        if self.data and not is_web_address(self.data):
            raise ValidationError(self.sentence)


class Known(HiddenField):
    """The id of the row that is edited; empty for a new one."""

    def __init__(self, **more: Any) -> None:
        """Accept anything: what is not a row of this project counts as new."""
        super().__init__("Row", filters=[row_id], **more)


class FixedRows(FieldList):
    """A list whose rows are given: none can be added or taken away."""

    fixed = True


def rows_of(row: Any, label: str, *, description: str = "", fixed: bool = False) -> Any:
    """Return a list of rows with at most so many entries that a page can show them."""
    too_many = Length(max=ROWS, message=f"Use at most {ROWS} rows.")
    kind = FixedRows if fixed else FieldList
    return kind(FormField(row), label, [too_many], description=description, max_entries=ROWS + 1)


def complain(field: Any, sentence: str) -> bool:
    """Put a sentence on a field; always False, so that a check can end with it."""
    field.errors = [*field.errors, sentence]
    return False


def is_web_address(text: str) -> bool:
    """Tell whether a text is an https address without spaces and without a password in it."""
    if any(character.isspace() or not character.isprintable() for character in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def row_id(value: object) -> int | None:
    """Return the id in a hidden field, or nothing."""
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def id_or_none(value: object) -> int | None:
    """Read a choice of a person, a unit or a project."""
    return None if value in (None, "", "None") else int(str(value))


def text_or_none(value: object) -> str | None:
    """Read one of a few answers; nothing chosen is nothing."""
    return None if value in (None, "", "None") else str(value)


def truth_or_none(value: object) -> bool | None:
    """Read yes or no; nothing chosen is nothing."""
    known = {"yes": True, "True": True, "no": False, "False": False, "": None, "None": None}
    return known[str(value)] if str(value) in known else _no_answer()


def _no_answer() -> bool | None:
    raise ValueError("This is none of the answers.")


def check_year(value: date | datetime | None) -> None:
    """Raise for a year outside of what can be meant."""
    if value is not None and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValidationError(f"Enter a date between {_FIRST_YEAR} and {_LAST_YEAR}.")


def _mark_needed(field: Any) -> None:
    if field.needed:
        field.flags.required = True


def _ask(field: Any) -> None:
    if field.needed and field.data in (None, "") and not field.process_errors:
        raise ValidationError(field.needed)
