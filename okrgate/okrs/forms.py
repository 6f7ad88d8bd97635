"""Forms for objectives, key results and check-ins."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice
from wtforms.validators import InputRequired

from okrgate.metrics.fields import Value
from okrgate.web.fields import Day, Line, Listed, Text

_KINDS = (
    ("quarter", "A quarter"),
    ("half", "A half"),
    ("year", "A year"),
    ("other", "Another length"),
)


class PeriodForm(FlaskForm):
    """A new period."""

    label = Line("Name", description="For example Q1 2027.", most=60, needed="Enter a name.")
    kind = RadioField(
        "Length",
        choices=[SelectChoice(value, label) for value, label in _KINDS],
        default="quarter",
        validators=[InputRequired("Choose a length.")],
        invalid_choice_message="Choose a length.",
    )
    starts_on = Day("First day", needed="Enter the first day.")
    ends_on = Day("Last day", needed="Enter the last day.")


class ObjectiveForm(FlaskForm):
    """An objective."""

    title = Line(
        "Objective",
        description="What will be better at the end of the period?",
        most=200,
        needed="Enter a title.",
    )
    unit = Listed("Unit", description="The company, a region or a team.", needed="Choose a unit.")
    period = Listed("Period", needed="Choose a period.")


class ChangeObjectiveForm(ObjectiveForm):
    """An objective that is there already; somebody else may take it over."""

    owner = Listed("Owner", description="Who checks in.", needed="Choose an owner.")


class GoalForm(FlaskForm):
    """From a baseline to a target."""

    key_result = Line(
        "Key result", description="How will you see it?", most=200, needed="Enter a title."
    )
    measure = Line("Unit of measure", description="For example %, days or €.", most=40)
    baseline = Value("From (today's value)", needed="Enter a number.")
    target = Value("To (the target)", needed="Enter a number.")

    def validate(self, extra_validators: Any = None) -> bool:
        """Take the unit behind a number too."""
        for field in (self.baseline, self.target):
            field.in_unit(self.measure.data)
        return bool(super().validate(extra_validators))


class KeyResultForm(GoalForm):
    """A key result of an objective that is there already."""

    weight = Value(
        "Weight",
        description="How much it counts beside the other key results of this objective, from 1 to 100.",
        needed="Enter a weight.",
        least=1,
        most=100,
        decimals=0,
        default=1,
    )


class NewObjectiveForm(ObjectiveForm, GoalForm):
    """A new objective with its first key result."""


class CheckInForm(FlaskForm):
    """A key result's value now."""

    value = Value("Value now", needed="Enter the value.")
    confidence = Value(
        "Confidence in %",
        description="How likely is it that the target will be reached in time? 0 is no chance, 100 is sure.",
        least=0,
        most=100,
        decimals=0,
    )
    note = Text("Note", most=2000)
