"""The questions about problem, value and solution."""

from typing import Any

from wtforms.validators import DataRequired, ValidationError

from okrgate import clock
from okrgate.projects.fields import Amount
from okrgate.projects.sections import RowForm, SectionForm
from okrgate.web.fields import (
    Choice,
    Count,
    Day,
    Known,
    Line,
    Text,
    WebAddress,
    rows_of,
)

KINDS = (
    ("interview", "Interview"),
    ("observation", "Observation"),
    ("survey", "Survey"),
    ("usage_data", "Usage data"),
    ("support", "Support requests"),
    ("focus_group", "Focus group"),
    ("other", "Something else"),
)
_A_YEAR = "What it is worth in a year, if you can tell."


class ProblemForm(SectionForm):
    """What is wrong, for whom, since when."""

    title = Line(
        "Title",
        validators=[DataRequired("Enter a title.")],
        description="Short, and clear to somebody from another team.",
    )
    problem = Text(
        "What is the problem or challenge?",
        rows=8,
        description="What happens today, and why that is bad. Leave the solution for later.",
    )
    affected = Text("Who is affected?", rows=3, description="Which people, and about how many.")
    since = Text("Since when, and how often?", rows=2)


class ValueForm(SectionForm):
    """Value is stated four times, each on its own."""

    users = Text("Value to users", description="What gets better for those who use it.")
    users_amount = Amount("Value to users in money", description=_A_YEAR)
    customers = Text("Value to customers", description="What gets better for those who pay.")
    customers_amount = Amount("Value to customers in money", description=_A_YEAR)
    business = Text("Value to the business", description="Revenue, cost, risk, standing.")
    business_amount = Amount("Value to the business in money", description=_A_YEAR)
    platform = Text(
        "Value to the platform",
        description="What becomes easier, safer or cheaper to build and run.",
    )
    platform_amount = Amount("Value to the platform in money", description=_A_YEAR)


class DiscoveryRow(RowForm):
    """Something learnt."""

    called = "Finding"

    id = Known()
    kind = Choice("How did you find out?", KINDS, undecided="Not said")
    who = Line("Who was asked or observed?", description="A group, a role, a customer.")
    on = Day("When?")
    finding = Text("What did you find?", rows=3)
    link = WebAddress("Link to notes or data")

    def validate_finding(self, field: Any) -> None:
        """Ask for the finding once anything else is said."""
        others = (self.kind.data, self.who.data, self.on.data, self.link.data)
        if not field.data and any(others):
            raise ValidationError("Say what you found.")

    def validate_on(self, field: Any) -> None:
        """A finding lies in the past."""
        if field.data is not None and field.data > clock.today():
            raise ValidationError("Enter the day it took place; this one is still to come.")


class DiscoveryForm(SectionForm):
    """What users, customers and the business said before value was put on it."""

    entries = rows_of(
        DiscoveryRow,
        "Discovery",
        description="Talk to those who have the problem before you say what solving it is worth.",
    )


class ReachForm(SectionForm):
    """How much, for how many, how soon."""

    amount = Amount(
        "Value in total, in a year",
        description="Your best estimate over all four kinds. It need not be their sum.",
    )
    reach = Count(
        "How many people does it reach?",
        least=0,
        most=10_000_000_000,
        render_kw={"data-unit": "people", "inputmode": "numeric"},
    )
    first_value_by = Day(
        "When does the first of them get something out of it?",
        description="The date of the first useful part, not of the whole.",
    )


class SolutionForm(SectionForm):
    """A suggestion, and what else there is."""

    solution = Text(
        "What do you suggest?", rows=8, description="The beginnings of a solution are enough."
    )
    alternatives = Text(
        "What else did you consider?",
        description="Also what happens if nothing is done, and why you prefer your suggestion.",
    )
