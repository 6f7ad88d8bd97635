"""The questions about what was learned, and the text for leadership."""

from typing import Any

from wtforms import FieldList, FormField
from wtforms.validators import Length, ValidationError

from okrgate import clock
from okrgate.projects.sections import RowForm, SectionForm
from okrgate.summaries.wording import JUDGEMENTS, REPEATS
from okrgate.web.fields import ROWS, Choice, Day, Known, Line, Somebody, Text


class RetrospectiveForm(SectionForm):
    """What is said when looking back."""

    told: Any = None

    held_on = Day("On which day was the retrospective held?")
    attendees = Text("Who took part?", rows=2)
    judgement = Choice(
        "Was it a success?",
        JUDGEMENTS,
        description="Judge by the results and the statements above, against what was promised.",
    )
    repeat = Choice("Would you do something like it again?", REPEATS)
    why = Text("Why did it work, or why not?")
    learned = Text("What have we learned?")
    differently = Text("What would we do differently?")

    def validate_held_on(self, field: Any) -> None:
        """Look back only on what has been."""
        if field.data is not None and field.data > clock.today():
            raise ValidationError("Enter the day it took place; this one is still to come.")


class LessonRow(RowForm):
    """One lesson."""

    called = "Lesson"

    id = Known()
    lesson = Line("What will be done differently?", most=500)
    owner = Somebody("Who sees to it?")

    def validate_lesson(self, field: Any) -> None:
        """A lesson with an owner has words."""
        if not field.data and self.owner.data is not None:
            raise ValidationError("Say what will be done differently.")


class LessonsForm(SectionForm):
    """The lessons."""

    lessons = FieldList(
        FormField(LessonRow), "Lessons", [Length(max=ROWS, message=f"Use at most {ROWS} rows.")]
    )


class SummaryForm(SectionForm):
    """The text for leadership."""

    text = Text(
        "Summary for leadership",
        rows=14,
        description="The first text is a proposal built from the data. Say what happened and what it means; "
        "a change after the work began is not yet proof that the work caused it.",
    )
