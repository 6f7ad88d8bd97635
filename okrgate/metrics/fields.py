"""The field for a metric's value: numbers, read exactly."""

import re
from decimal import Decimal
from typing import Any

from wtforms import DecimalField
from wtforms.validators import Optional, ValidationError

from okrgate.web.fields import with_point

MOST = 9_000_000_000
DECIMALS = 6
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_WITH_UNIT = re.compile(r"([+\-\u2212]?[0-9.,]+)\s*([^0-9.,\s].*)", re.DOTALL)
_LONGEST_NUMBER = 40
_LONGEST_TEXT = 100


def exactly(text: str) -> Decimal | None:
    """Read a number as people write it, in one spelling: 3.0 is 3. None when it is none."""
    text = text.strip().replace("\u2212", "-")
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    return Decimal(int(value)) if value == int(value) else value.normalize()


class Value(DecimalField):
    """A metric's value with at most six decimals. `needed` is said when it is empty; else it may be."""

    _behind: re.Match[str] | None = None

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
        self.data, self._behind = None, None
        text = valuelist[0].strip() if valuelist else ""
        if text:
            self._behind = _WITH_UNIT.fullmatch(text[:_LONGEST_TEXT])
            self.data = self._read(text)

    def in_unit(self, *units: str | None) -> None:
        """Take a number with one of these units behind it too, as people write it. Done before it is validated."""
        known = {(one or "").strip().casefold() for one in units}
        if self._behind is None or self._behind[2].strip().casefold() not in known:
            return
        self.process_errors = []
        try:
            self.data = self._read(self._behind[1])
        except ValueError as problem:
            self.process_errors = [str(problem)]

    def _read(self, text: str) -> Decimal:
        value = exactly(with_point(text))
        if value is None or not self.least <= value <= self.most:
            raise ValueError(self.sentence)
        if int(value.as_tuple().exponent) < -self.finest:
            few = f"Use at most {self.finest} decimals."
            raise ValueError(few if self.finest else self.sentence)
        return value

    def pre_validate(self, form: Any) -> None:
        """Ask for it when it is needed."""
        if self.needed and self.data is None and not self.process_errors:
            raise ValidationError(self.needed)
