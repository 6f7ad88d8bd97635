"""The questions about kick-off, work and wrap-up."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, FieldList, FormField
from wtforms.validators import DataRequired, Length, ValidationError

from okrgate import clock
from okrgate.projects.sections import RowForm, SectionForm
from okrgate.web.fields import (
    ROWS,
    Choice,
    Count,
    Day,
    Days,
    Known,
    Line,
    Moment,
    Somebody,
    Text,
    YesOrNo,
)

STATUSES = (("on_track", "On track"), ("at_risk", "At risk"), ("off_track", "Off track"))
FOCUS = (("yes", "Yes"), ("doubtful", "Doubtful"), ("no", "No"))
RATINGS = tuple(
    (str(number), text)
    for number, text in enumerate(
        ("1: badly", "2: rather badly", "3: fair", "4: well", "5: very well"), start=1
    )
)
_MOST = Length(max=ROWS, message=f"Use at most {ROWS} rows.")


def _not_in_future(_form: Any, field: Any) -> None:
    if field.data is not None and field.data > clock.today():
        raise ValidationError("Enter the day it took place; this one is still to come.")


def _need(field: Any, sentence: str) -> bool:
    """Put a sentence on a field; always False, so that a check can end with it."""
    field.errors = [*field.errors, sentence]
    return False


class SessionForm(SectionForm):
    """When and where, and what is expected."""

    invited = False

    starts = Moment("When does it start?")
    minutes = Count(
        "How long will it take?", least=5, most=1440, default=60, render_kw={"data-unit": "minutes"}
    )
    place = Line(
        "Where?",
        most=500,
        description="A room, or the link of the call. The people involved get an invitation when you save.",
    )
    timeline = Text("Timeline", description="The main dates everybody should know.")
    expectations = Text(
        "Expectations",
        description="What each party expects from the others, and what is not part of it.",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Keep an invitation that is out from dangling."""
        fine: bool = super().validate(extra_validators)
        if self.invited and self.starts.data is None and not self.starts.errors:
            fine = _need(
                self.starts,
                "The invitation is out. Enter the new date and time instead of taking it away.",
            )
        return fine


class AttendeeRow(RowForm):
    """Somebody at the kick-off."""

    called = "Attendee"

    id = Known()
    person = Somebody("Person")
    name = Line("Or a name from outside", most=120)
    attended = BooleanField("Was there")

    def validate_name(self, field: Any) -> None:
        """Take one or the other."""
        if field.data and self.person.data is not None:
            raise ValidationError("Choose a person or enter a name from outside, not both.")


class HeldForm(SectionForm):
    """Whether it took place, and who was there."""

    held_on = Day("On which day was the session held?", validators=[_not_in_future])
    attendees = FieldList(FormField(AttendeeRow), "Who was there?", [_MOST])


class TaskRow(RowForm):
    """One task."""

    called = "Task"

    id = Known()
    name = Line("Task")
    owner = Somebody("Owner")
    due = Day("Due")
    done = BooleanField("Done")

    def validate_name(self, field: Any) -> None:
        """A task with an owner or a date has a name."""
        if not field.data and (
            self.owner.data is not None or self.due.data is not None or self.done.data
        ):
            raise ValidationError("Say what the task is.")


class TasksForm(SectionForm):
    """The tasks."""

    tasks = FieldList(FormField(TaskRow), "Tasks", [_MOST])


class SprintRow(RowForm):
    """One sprint."""

    called = "Sprint"

    id = Known()
    name = Line("Sprint")
    start = Day("Start")
    end = Day("End")
    done = BooleanField("Done")

    def validate_name(self, field: Any) -> None:
        """A sprint with a date has a name."""
        if not field.data and (
            self.start.data is not None or self.end.data is not None or self.done.data
        ):
            raise ValidationError("Give the sprint a name.")

    def validate_end(self, field: Any) -> None:
        """A sprint ends after it starts."""
        if field.data is not None and self.start.data is not None and field.data < self.start.data:
            raise ValidationError("A sprint cannot end before it starts.")


class SprintsForm(SectionForm):
    """The sprints."""

    sprints = FieldList(FormField(SprintRow), "Sprints", [_MOST])


class UpdateForm(SectionForm):
    """A status update; left empty, none is posted."""

    status = Choice("How is it going?", STATUSES)
    note = Text("What happened, and what comes next?")
    focus = Choice("Are we still focusing on value?", FOCUS)
    why = Text("Why, or why not?", rows=3, description="Needed unless the answer is yes.")

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for the whole of an update once some of it was given."""
        fine: bool = super().validate(extra_validators)
        if not any((self.status.data, self.note.data, self.focus.data, self.why.data)):
            return fine
        if not self.status.data and not self.status.errors:
            fine = _need(self.status, "Say how it is going.")
        if not self.focus.data and not self.focus.errors:
            fine = _need(self.focus, "Say whether the work still focuses on value.")
        if self.focus.data in {"doubtful", "no"} and not self.why.data:
            fine = _need(self.why, "Say why the focus on value is in doubt or lost.")
        return fine


class BlockerRow(RowForm):
    """Something in the way."""

    called = "Blocker"

    id = Known()
    name = Line("What is in the way?")
    owner = Somebody("Who sees to it?")
    since = Day("Since", validators=[_not_in_future])
    due = Day("To be gone by")
    done = BooleanField("Gone")

    def validate_name(self, field: Any) -> None:
        """A blocker with anything else has a name."""
        others = (self.owner.data, self.since.data, self.due.data)
        if not field.data and (self.done.data or any(other is not None for other in others)):
            raise ValidationError("Say what is in the way.")


class BlockersForm(SectionForm):
    """The blockers."""

    blockers = FieldList(FormField(BlockerRow), "Blockers", [_MOST])


class IncrementRow(RowForm):
    """A part that is of use by itself."""

    called = "Increment"

    id = Known()
    value = Line("What is it worth, and to whom?", most=500)
    on = Day("Date")
    released = BooleanField("Released")

    def validate_value(self, field: Any) -> None:
        """An increment with a date says what it is good for."""
        if not field.data and (self.on.data is not None or self.released.data):
            raise ValidationError("Say what this increment is worth.")


class IncrementsForm(SectionForm):
    """The increments."""

    increments = FieldList(FormField(IncrementRow), "Increments", [_MOST])


class ResultForm(SectionForm):
    """How the work ended."""

    finished = YesOrNo(
        "Is the work finished?", description="“No” says that it ended before it was finished."
    )
    actual_effort_days = Days(
        "How much work was it?", render_kw={"data-unit": "days", "inputmode": "decimal"}
    )
    what_happened = Text(
        "What happened?", rows=6, description="What was delivered, what was left out, and why."
    )


class StakeholderRow(RowForm):
    """Somebody to ask."""

    called = "Stakeholder"

    person = Somebody("Person")


class StakeholdersForm(SectionForm):
    """Whom to ask how it went."""

    lead_id: int | None = None
    answered: dict[int, str] = {}

    stakeholders = FieldList(
        FormField(StakeholderRow),
        "Whom do we ask how it went?",
        [_MOST],
        description="Each of them gets a short form by mail as soon as you save.",
    )
    missing_reason = Text(
        "If some do not answer: why is that acceptable?",
        rows=3,
        description="Needed where the rules let the project go on without all the statements.",
    )

    def validate_stakeholders(self, field: Any) -> None:
        """Keep the lead out and answers in."""
        listed = {entry.form.person.data for entry in field}
        if self.lead_id is not None and self.lead_id in listed:
            raise ValidationError(
                "The lead runs the project and is not asked. Choose somebody else."
            )
        missing = [name for person, name in self.answered.items() if person not in listed]
        if missing:
            raise ValidationError(f"{missing[0]} has answered already and stays on the list.")


class StatementForm(FlaskForm):
    """How it went, in a stakeholder's words."""

    rating = Choice("How did it go?", RATINGS, validators=[DataRequired("Choose from 1 to 5.")])
    went_well = Text("What went well?")
    went_badly = Text("What did not go well?")
    again = YesOrNo("Would you do it again?")
