"""Form fields that no input can break: numbers, days and texts, read exactly and refused in whole sentences."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import DateField, DecimalField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

MOST = 9_000_000_000
DECIMALS = 6
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_LONGEST_NUMBER = 40
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


def tidy(text: str | None) -> str:
    """Take away what no text needs: space around it, zero bytes, other line ends."""
    plain = (text or "").replace("\x00", "").replace("\r\n", "\n").strip()
    return unicodedata.normalize("NFC", plain)


def one_line(text: str | None) -> str:
    """Make one line of a text."""
    return " ".join(tidy(text).split())


def number_or_none(text: str | None) -> int | None:
    """Read an id out of an address or a select; nothing for anything else."""
    given = text or ""
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None


def exactly(text: str) -> Decimal | None:
    """Read a number as people write it, in one spelling: 3.0 is 3. None when it is none."""
    text = text.strip().replace("\u2212", "-")
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    return Decimal(int(value)) if value == int(value) else value.normalize()


class Value(DecimalField):
    """A metric's value with at most six decimals. `needed` is said when it is empty; else it may be."""

    def __init__(
        self,
        label: str,
        *,
        needed: str = "",
        least: int = -MOST,
        most: int = MOST,
        decimals: int = DECIMALS,
        **more: Any,
    ) -> None:
        """Set the bounds."""
        self.needed, self.least, self.most, self.finest = needed, least, most, decimals
        kind = "number" if decimals else "whole number"
        self.sentence = f"Enter a {kind} between {least:,} and {most:,}, for example 12.5."
        if not decimals:
            self.sentence = f"Enter a {kind} between {least:,} and {most:,}."
        super().__init__(
            label,
            [] if needed else [Optional(strip_whitespace=True)],
            places=None,
            **more,
        )
        if needed:
            self.flags.required = True

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say what is expected when it is no number."""
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        value = exactly(text)
        if value is None or not self.least <= value <= self.most:
            raise ValueError(self.sentence)
        if int(value.as_tuple().exponent) < -self.finest:
            few = f"Use at most {self.finest} decimals."
            raise ValueError(few if self.finest else self.sentence)
        self.data = value

    def pre_validate(self, form: Any) -> None:
        """Ask for it when it is needed."""
        if self.needed and self.data is None and not self.process_errors:
            raise ValidationError(self.needed)


class Day(DateField):
    """A date that must be given."""

    def __init__(self, label: str, *, needed: str, **more: Any) -> None:
        """Keep the sentence for an empty one."""
        self.needed = needed
        super().__init__(label, **more)
        self.flags.required = True

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; say how a date is written when it is none."""
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            self.data = date.fromisoformat(text)
        except ValueError:
            raise ValueError("Enter a date, for example 2026-12-04.") from None
        if not _FIRST_YEAR <= self.data.year <= _LAST_YEAR:
            self.data = None
            raise ValueError(f"Enter a date between {_FIRST_YEAR} and {_LAST_YEAR}.")

    def pre_validate(self, form: Any) -> None:
        """Ask for it."""
        if self.data is None and not self.process_errors:
            raise ValidationError(self.needed)


class Line(StringField):
    """One line of text. `needed` is said when it is empty; else it may be."""

    def __init__(self, label: str, *, most: int, needed: str = "", **more: Any) -> None:
        """Limit its length."""
        self.needed = needed
        too_long = Length(max=most, message=f"Use at most {most:,} characters.")
        super().__init__(label, [too_long], filters=[one_line], **more)
        if needed:
            self.flags.required = True

    def pre_validate(self, form: Any) -> None:
        """Ask for it when it is needed."""
        if self.needed and not self.data:
            raise ValidationError(self.needed)


class Words(TextAreaField):
    """A text of some lines. `needed` is said when it is empty; else it may be."""

    def __init__(self, label: str, *, most: int, needed: str = "", **more: Any) -> None:
        """Limit its length."""
        self.needed = needed
        too_long = Length(max=most, message=f"Use at most {most:,} characters.")
        super().__init__(label, [too_long], filters=[tidy], **more)
        if needed:
            self.flags.required = True

    def pre_validate(self, form: Any) -> None:
        """Ask for it when it is needed."""
        if self.needed and not self.data:
            raise ValidationError(self.needed)


class Chosen(SelectField):
    """An id out of a list. `needed` is said when nothing was chosen; else that is an answer."""

    def __init__(self, label: str, *, needed: str = "", **more: Any) -> None:
        """Start without choices; the view fills them."""
        self.needed = needed
        super().__init__(label, choices=[], coerce=_id, **more)
        if needed:
            self.flags.required = True

    def pre_validate(self, form: Any) -> None:
        """Refuse what is not on the list."""
        offered = {value for value, *_ in self.iter_choices()}
        typed = str(self.raw_data[0]) if self.raw_data else ""
        if typed.strip() and self.data is None:
            raise ValidationError("Choose from the list.")
        if self.data is None:
            if self.needed:
                raise ValidationError(self.needed)
            return
        if str(self.data) not in {str(one) for one in offered}:
            raise ValidationError("Choose from the list.")


def _id(value: object) -> int | None:
    return None if value is None else number_or_none(str(value))
