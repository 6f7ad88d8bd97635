"""What is typed to plan a meeting and to keep notes."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import FieldList, FormField, HiddenField, SelectField, SelectMultipleField
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from okrgate.projects.sections import RowForm
from okrgate.web.fields import Count, Line, Moment, Somebody, Text


class InvitedForm(RowForm):
    """One person to invite."""

    called = "Person"

    person = Somebody("Person")


class Start(Moment):
    """A date with a time of day that is needed."""

    def pre_validate(self, form: Any) -> None:
        """Ask for it."""
        if self.data is None:
            raise StopValidation(*([] if self.errors else ["Say when it starts."]))
        super().pre_validate(form)


class Length(Count):
    """A number of minutes that is needed."""

    def pre_validate(self, form: Any) -> None:
        """Ask for it."""
        if self.data is None:
            raise StopValidation(*([] if self.errors else ["Say how long it takes."]))
        super().pre_validate(form)


class MeetingForm(FlaskForm):
    """When, where, about what, and with whom."""

    key = HiddenField()
    version = HiddenField()
    title = Line("What is it called?", needed="Give the meeting a name.")
    gates = SelectMultipleField(
        "Which gates is it about?",
        description="Projects that wait there for nothing but sign-offs can be put on its agenda.",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    starts = Start("When does it start?")
    zone = SelectField("Whose time is that?", description="Everybody else sees it in their own.")
    minutes = Length("How many minutes does it take?", least=5, most=600)
    place = Line("Where is it?", most=500, description="A room, or the link to a call.")
    chair = Somebody(
        "Who chairs it?",
        needed="Choose who chairs it.",
        description="The chair steps from project to project and ends the meeting.",
    )
    people = FieldList(
        FormField(InvitedForm), label="Who is invited besides?", min_entries=0, max_entries=100
    )

    def validate_gates(self, field: SelectMultipleField) -> None:
        """Ask for one."""
        if not field.data:
            raise ValidationError("Choose at least one gate.")


class ReasonForm(FlaskForm):
    """Why there is no meeting."""

    reason = Text(
        "Why is it called off?", most=2000, rows=3, description="Everybody invited reads it."
    )


class NotesForm(FlaskForm):
    """What was said about one project."""

    was = HiddenField()
    notes = Text(
        "Notes",
        rows=6,
        description="They stand in the minutes, for everybody who may read the project.",
    )


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all zones."""
    return tuple(sorted(name for name in available_timezones() if name[0].isupper()))
