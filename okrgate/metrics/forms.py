"""Forms for metrics and their values."""

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DecimalField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange

from okrgate.metrics.service import CADENCES


def chosen(value: object) -> int | None:
    """Read a select that may be empty."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


class MetricForm(FlaskForm):
    """A metric of the registry."""

    name = StringField(
        "Name",
        validators=[
            InputRequired("Enter a name."),
            Length(max=120, message="Use at most 120 characters."),
        ],
    )
    unit_of_measure = StringField(
        "Unit of measure",
        description="For example %, days or €.",
        validators=[Length(max=40, message="Use at most 40 characters.")],
    )
    direction = RadioField(
        "Which way is better?",
        choices=[SelectChoice("up", "Higher is better"), SelectChoice("down", "Lower is better")],
        validators=[InputRequired("Choose which way is better.")],
    )
    cadence = RadioField(
        "How often is it measured?",
        choices=[SelectChoice(one, one.capitalize()) for one in CADENCES],
        validators=[InputRequired("Choose how often it is measured.")],
    )
    steward = SelectField(
        "Steward",
        description="Who confirms that it can be reported.",
        coerce=chosen,
        validate_choice=True,
    )
    source = TextAreaField(
        "Where does it come from?",
        validators=[Length(max=2000, message="Use at most 2,000 characters.")],
    )


class ObservationForm(FlaskForm):
    """A value on a day."""

    on = DateField("Day", validators=[InputRequired("Enter the day.")])
    value = DecimalField(
        "Value",
        places=None,
        validators=[
            InputRequired("Enter the value."),
            NumberRange(
                -9_000_000_000,
                9_000_000_000,
                "Enter a number between -9,000,000,000 and 9,000,000,000.",
            ),
        ],
    )
    note = StringField("Note", validators=[Length(max=500, message="Use at most 500 characters.")])
