"""Forms for objectives, key results and check-ins."""

from flask_wtf import FlaskForm
from wtforms import DateField, DecimalField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange


def chosen(value: object) -> int | None:
    """Read a select that may be empty."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


_TITLE = [InputRequired("Enter a title."), Length(max=200, message="Use at most 200 characters.")]
_NUMBER = [
    InputRequired("Enter a number."),
    NumberRange(
        -9_000_000_000, 9_000_000_000, "Enter a number between -9,000,000,000 and 9,000,000,000."
    ),
]


class PeriodForm(FlaskForm):
    """A new period."""

    label = StringField(
        "Name",
        description="For example Q1 2027.",
        validators=[
            InputRequired("Enter a name."),
            Length(max=60, message="Use at most 60 characters."),
        ],
    )
    starts_on = DateField("First day", validators=[InputRequired("Enter the first day.")])
    ends_on = DateField("Last day", validators=[InputRequired("Enter the last day.")])


class ObjectiveForm(FlaskForm):
    """A new objective with its first key result."""

    title = StringField(
        "Objective", description="What will be better at the end of the period?", validators=_TITLE
    )
    unit = SelectField("Unit", coerce=chosen, validators=[InputRequired("Choose a unit.")])
    period = SelectField("Period", coerce=chosen, validators=[InputRequired("Choose a period.")])
    key_result = StringField("Key result", description="How will you see it?", validators=_TITLE)
    measure = StringField(
        "Unit of measure", validators=[Length(max=40, message="Use at most 40 characters.")]
    )
    baseline = DecimalField("From (today's value)", places=None, validators=_NUMBER)
    target = DecimalField("To (the target)", places=None, validators=_NUMBER)


class CheckInForm(FlaskForm):
    """A key result's value now."""

    value = DecimalField("Value now", places=None, validators=_NUMBER)
    note = TextAreaField(
        "Note", validators=[Length(max=2000, message="Use at most 2,000 characters.")]
    )
