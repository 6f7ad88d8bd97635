"""Forms for metrics and their values."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectChoice
from wtforms.validators import InputRequired

from okrgate.metrics.fields import Value
from okrgate.metrics.service import CADENCES
from okrgate.web.fields import Day, Line, Somebody, Text


class _AnyMetricForm(FlaskForm):
    name = Line("Name", most=120, needed="Enter a name.")
    unit_of_measure = Line("Unit of measure", description="For example %, days or €.", most=40)
    cadence = RadioField(
        "How often is it measured?",
        choices=[SelectChoice(one, one.capitalize()) for one in CADENCES],
        validators=[InputRequired("Choose how often it is measured.")],
        invalid_choice_message="Choose how often it is measured.",
    )
    steward = Somebody("Steward", description="Who confirms that it can be reported.")
    source = Text("Where does it come from?", most=2000)


class ChangeMetricForm(_AnyMetricForm):
    """A metric that is in the registry already."""

    active = BooleanField(
        "It is in use",
        description="A metric that is no longer in use cannot be chosen for new projects. Its values stay.",
    )


class MetricForm(_AnyMetricForm):
    """A new metric."""

    direction = RadioField(
        "Which way is better?",
        description="This stays as it is: bands are agreed on it.",
        choices=[SelectChoice("up", "Higher is better"), SelectChoice("down", "Lower is better")],
        validators=[InputRequired("Choose which way is better.")],
        invalid_choice_message="Choose which way is better.",
    )


class ObservationForm(FlaskForm):
    """A value on a day."""

    on = Day("Day", needed="Enter the day.")
    value = Value("Value", needed="Enter the value.")
    note = Line("Note", most=500)


class CorrectionForm(FlaskForm):
    """A value that was wrong, and why."""

    on = Day("Day", needed="Enter the day.")
    value = Value("Value", needed="Enter the value.")
    reason = Text(
        "Why is it corrected?",
        description="It stands in the history, beside the value that was there before.",
        most=2000,
        needed="Say why it is corrected.",
    )
