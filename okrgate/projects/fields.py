"""Form fields about money: amounts in a currency, and rates between two."""

from decimal import Decimal
from typing import Any

from wtforms import StringField
from wtforms.validators import Optional, ValidationError

from okrgate.projects import money
from okrgate.web.fields import Exact

_MOST_RATE = 1_000_000
_RATE_DECIMALS = 10


class Rate(Exact):
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
