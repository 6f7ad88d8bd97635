"""The questions about scope and resources, dependencies and documents."""

from typing import Any

from wtforms import SelectField
from wtforms.validators import ValidationError

from okrgate import clock
from okrgate.projects import money
from okrgate.projects.fields import Amount, Rate
from okrgate.projects.sections import RowForm, SectionForm
from okrgate.web.fields import (
    Choice,
    Count,
    Day,
    Days,
    Known,
    Line,
    Listed,
    Somebody,
    Text,
    WebAddress,
    YesOrNo,
    complain,
    rows_of,
)

SIZES = (
    ("S", "S: days"),
    ("M", "M: weeks"),
    ("L", "L: a few months"),
    ("XL", "XL: longer, better split up"),
)


def _currency(value: object) -> str:
    """Read a choice of a currency; nothing chosen is the company's."""
    return str(value or money.company_currency())


class EffortForm(SectionForm):
    """How much work."""

    effort_days = Days(
        "How much work is it in all?",
        description="Days of work of one person, over all teams.",
        render_kw={"data-unit": "days", "inputmode": "decimal"},
    )
    size = Choice("About how large is it?", SIZES)
    includes = Text("What does that include?")
    excludes = Text("What does it not include?")


class TimeForm(SectionForm):
    """When."""

    start = Day("Planned start")
    end = Day("Planned end")

    def validate_end(self, field: Any) -> None:
        """It ends after it starts."""
        if field.data is not None and self.start.data is not None and field.data < self.start.data:
            raise ValidationError("It cannot end before it starts.")


class WhoForm(SectionForm):
    """Who is needed."""

    people = Count(
        "How many people work on it?",
        least=0,
        most=100_000,
        render_kw={"data-unit": "people", "inputmode": "numeric"},
    )
    skills = Text("Who, and with which skills?")


class MoneyForm(SectionForm):
    """How much money."""

    budget = Amount("Budget", currency="currency")
    currency = SelectField(
        "Currency",
        choices=[],
        coerce=_currency,
        default=money.company_currency,
        invalid_choice_message="Choose a currency from the list.",
    )
    rate = Rate(
        "Rate of exchange",
        description="Only for another currency: what one unit of it is worth in the company's. "
        "Without a dated rate no gate can compare the budget.",
        render_kw={"inputmode": "decimal"},
    )
    rate_on = Day("Date of that rate")
    other = Text("What else is needed?", rows=3, description="Licences, rooms, equipment.")

    def validate(self, extra_validators: Any = None) -> bool:
        """A rate has a date that is not in the future, and an amount stays within bounds when converted."""
        fine: bool = super().validate(extra_validators)
        if not fine or self.currency.data == money.company_currency():
            return fine
        if self.rate.data is not None and self.rate_on.data is None:
            fine = complain(self.rate_on, "Say of which day this rate is.")
        if self.rate.data is None and self.rate_on.data is not None:
            fine = complain(self.rate, "Enter the rate of that day.")
        if self.rate_on.data is not None and self.rate_on.data > clock.today():
            fine = complain(self.rate_on, "Enter a rate of today or before.")
        if (self.budget.data or 0) * (self.rate.data or 0) > money.MOST:
            fine = complain(self.rate, "Check the rate: the budget becomes too large with it.")
        return fine


class DependencyRow(RowForm):
    """Something that is needed."""

    called = "Dependency"

    id = Known()
    name = Line("What is needed?")
    unit = Listed("From which unit?")
    person = Somebody("From whom?")
    accepted = YesOrNo("Have they accepted?", undecided="Not known yet")
    needed_by = Day("Needed by")

    def validate_name(self, field: Any) -> None:
        """Say what it is once anything else is said."""
        others = (self.unit.data, self.person.data, self.accepted.data, self.needed_by.data)
        if not field.data and any(other is not None for other in others):
            raise ValidationError("Say what is needed.")


class DependenciesForm(SectionForm):
    """What is needed from others."""

    dependencies = rows_of(
        DependencyRow,
        "Dependencies",
        description="What others must do or give before this can work.",
    )


class DocumentRow(RowForm):
    """One document."""

    called = "Document"

    id = Known()
    name = Line("Name")
    url = WebAddress("Address", description="Starts with https://.")

    def validate_name(self, field: Any) -> None:
        """An address has a name."""
        if not field.data and self.url.data:
            raise ValidationError("Give the document a name.")

    def validate_url(self, field: Any) -> None:
        """A name has an address."""
        if self.name.data and not field.data:
            raise ValidationError("Enter the document's address.")


class DocumentsForm(SectionForm):
    """Documents that are kept elsewhere."""

    documents = rows_of(
        DocumentRow,
        "Documents",
        description="Link what you keep elsewhere: designs, sheets, notes.",
    )
