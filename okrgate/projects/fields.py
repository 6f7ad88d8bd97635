"""Form fields whose complaints are whole sentences, shared by every section of the plan."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from wtforms import (
    DateField,
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

from okrgate.projects import money

TITLE = 200
LONG = 10_000
ROWS = 100
NOBODY = SelectChoice("", "Nobody yet")
NOTHING = SelectChoice("", "Choose from the list")
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_MOST_DAYS = 1_000_000
_MOST_RATE = 1_000_000
_RATE_DECIMALS = 10


def tidy(value: str | None) -> str:
    """Take away what no text needs: space around it, zero bytes, other line ends, other spellings of a letter."""
    plain = (value or "").replace("\x00", "").replace("\r\n", "\n").strip()
    return unicodedata.normalize("NFC", plain)


class Line(StringField):
    """One line of text; empty when nothing was typed."""

    def __init__(self, label: str, *, most: int = TITLE, **more: Any) -> None:
        """Limit its length."""
        too_long = Length(max=most, message=f"Use at most {most} characters.")
        super().__init__(
            label, [*more.pop("validators", ()), too_long], filters=[_one_line], **more
        )


class Text(TextAreaField):
    """A long text; empty when nothing was typed."""

    def __init__(self, label: str, *, rows: int = 4, **more: Any) -> None:
        """Limit its length."""
        too_long = Length(max=LONG, message=f"Use at most {LONG:,} characters.")
        checks = [*more.pop("validators", ()), too_long]
        super().__init__(label, checks, filters=[tidy], render_kw={"rows": rows}, **more)


class Day(DateField):
    """A date, or nothing."""

    def __init__(self, label: str, *, validators: Sequence[Any] = (), **more: Any) -> None:
        """Accept an empty one."""
        super().__init__(label, validators=[Optional(strip_whitespace=True), *validators], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say how a date is written when it is none."""
        try:
            super().process_formdata([value.strip() for value in valuelist])
        except ValueError:
            raise ValueError("Enter a date, for example 2026-12-04.") from None

    def pre_validate(self, form: Any) -> None:
        """Refuse years that can only be a slip."""
        value: date | None = self.data
        if value is not None and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
            raise ValidationError(f"Enter a date between {_FIRST_YEAR} and {_LAST_YEAR}.")


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


class _Exact(DecimalField):
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
        text = valuelist[0].strip() if valuelist else ""
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


class Days(_Exact):
    """An amount of work in days, or nothing."""

    sentence = f"Enter a number of days from 0 to {_MOST_DAYS:,}, for example 12.5."
    most = Decimal(_MOST_DAYS)


class Rate(_Exact):
    """A rate of exchange above zero, or nothing."""

    sentence = f"Enter a rate above 0 and up to {_MOST_RATE:,}, for example 0.9214."
    decimals = _RATE_DECIMALS
    most = Decimal(_MOST_RATE)

    def pre_validate(self, form: Any) -> None:
        """Refuse zero too."""
        if self.data is not None and self.data == 0:
            raise ValidationError(self.sentence)
        super().pre_validate(form)


class Amount(StringField):
    """An amount of money in major units (a Decimal), or nothing.

    It is in the currency of the form's field named `currency`, else in the company's.
    """

    def __init__(self, label: str, *, currency: str | None = None, **more: Any) -> None:
        """Accept an empty one; name the field that says the currency."""
        self.currency_field = currency
        self.mark = ""
        words = {"render_kw": {"inputmode": "decimal"}} | more
        super().__init__(label, [Optional(strip_whitespace=True)], **words)

    @property
    def currency_mark(self) -> str:
        """Return the currency to show before it; nothing when another field says which one."""
        return "" if self.currency_field else money.company_currency()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        return f"{self.data:f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say what is wrong with it."""
        text = valuelist[0].strip() if valuelist else ""
        self.data, self.mark = None, ""
        if text:
            typed = money.read(text)
            self.data, self.mark = typed.amount, typed.mark

    def pre_validate(self, form: Any) -> None:
        """Refuse another currency's sign and decimals that the currency does not have."""
        if self.data is None:
            return
        named = form[self.currency_field].data if self.currency_field else None
        currency = named or money.company_currency()
        try:
            money.check_mark(self.mark, currency)
            money.to_minor(self.data, currency)
        except money.BadAmount as problem:
            raise ValidationError(str(problem)) from None


class Choice(RadioField):
    """One of a few answers, or nothing."""

    def __init__(
        self,
        label: str,
        choices: Sequence[tuple[str, str]],
        *,
        undecided: str = "Not decided yet",
        **more: Any,
    ) -> None:
        """Offer the answers, and to take one back."""
        offered = [SelectChoice(value, text) for value, text in choices]
        super().__init__(
            label,
            [*more.pop("validators", ()), Optional(strip_whitespace=True)],
            choices=[*offered, SelectChoice("", undecided)],
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

    def __init__(self, label: str, **more: Any) -> None:
        """Start without choices."""
        super().__init__(
            label,
            choices=[self.empty],
            coerce=id_or_none,
            invalid_value_message=self.sentence,
            invalid_choice_message=self.sentence,
            **more,
        )


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


def _one_line(value: str | None) -> str:
    return " ".join(tidy(value).split())
