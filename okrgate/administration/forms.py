"""The company's settings as a form."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectChoice, SelectField
from wtforms.widgets import HiddenInput

from okrgate.projects import money
from okrgate.web.fields import Line, Text


class SettingsForm(FlaskForm):
    """Name, zone, currency and the texts that people read."""

    version = IntegerField(widget=HiddenInput())
    name = Line(
        "Name of the company",
        description="Shown on the sign-in page and at the foot of every page.",
        most=120,
    )
    timezone = SelectField(
        "Time zone",
        description="Says when a day begins and ends: what is due today, what is overdue.",
        validate_choice=False,
    )
    currency = SelectField(
        "Currency",
        description="The currency of new amounts, and the one in which rules compare.",
        validate_choice=False,
    )
    sure = BooleanField("Yes, change the currency although projects are open")
    welcome = Text(
        "Welcome on the sign-in page",
        description="A few lines for whoever comes in, for example what this is for.",
        most=2_000,
    )
    help_contact = Line(
        "Whom to ask for help",
        description="Shown where somebody is stuck, for example: Process office, room 4.12, gates@example.com.",
        most=300,
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        """Offer the zones and currencies; what is in force stays choosable."""
        super().__init__(*args, **more)
        self.timezone.choices = [SelectChoice(name, name) for name in _zones()]
        kept = {money.company_currency(), *money.CURRENCIES}
        self.currency.choices = [SelectChoice(code, code) for code in sorted(kept)]


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if name[0].isupper()))
