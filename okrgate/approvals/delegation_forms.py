"""Who stands in, from when until when, and for what; and who may arrange it."""

from datetime import timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectChoice, SelectField

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals.delegations import MOST_DAYS, Wanted
from okrgate.projects import money
from okrgate.projects.choosing import offer_people, offer_units
from okrgate.projects.fields import Amount
from okrgate.web.fields import Day, Line, Listed, Somebody

_TWO_WEEKS = timedelta(days=13)


class StandInForm(FlaskForm):  # type: ignore[misc]
    """A delegation. `sure` is asked for only when something speaks against it."""

    stand_in = Somebody("Who stands in?", needed="Choose a person.")
    starts_on = Day("First day", needed="Enter the first day.")
    ends_on = Day(
        "Last day",
        needed="Enter the last day.",
        description=f"At most {MOST_DAYS} days at once.",
    )
    unit_id = Listed("Only for projects of", description="That unit and all below it. Empty: all.")
    amount = Amount(
        "Only up to a budget of",
        description="A project without a known budget is not covered then. Empty: any.",
    )
    role = SelectField(
        "Only as",
        default="",
        coerce=lambda value: value or "",
        choices=[],
        invalid_choice_message="Choose one of the roles.",
    )
    note = Line("What should they know?", most=300)
    sure = BooleanField("Name them all the same")

    def offer(self, *more: Any) -> None:
        """Fill the lists; fields of other forms that choose people may be filled along."""
        offer_people([self.stand_in, *more], chosen=[])
        offer_units([self.unit_id], chosen=[])
        roles = directory.role_choices()
        self.role.choices = [
            SelectChoice("", "All my roles"),
            *(SelectChoice(value, label) for value, label in roles),
        ]

    @classmethod
    def blank(cls, stand_in: int | None) -> "StandInForm":
        """Return one for two weeks from today on, with whoever stood in the last time. Its lists are still to be filled."""
        today = clock.today()
        return cls(formdata=None, stand_in=stand_in, starts_on=today, ends_on=today + _TWO_WEEKS)

    def wanted(self) -> Wanted:
        """Return what was filled in, once it is valid."""
        return Wanted(
            stand_in_id=self.stand_in.data or 0,
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            unit_id=self.unit_id.data,
            amount_minor=money.minor_or_none(self.amount.data, money.company_currency()),
            roles=(self.role.data,) if self.role.data else (),
            note=self.note.data or "",
        )


class AssistantForm(FlaskForm):  # type: ignore[misc]
    """Somebody who may arrange it for me."""

    assistant = Somebody("Who may arrange it for you?", needed="Choose a person.")


def put_errors(form: Any, fields: dict[str, str], sentence: str) -> None:
    """Show a refusal beside the fields it names, else above all."""
    placed = False
    for name, said in fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, said]
            placed = True
    if not placed:
        form.form_errors.append(sentence)
