"""The questions about who does what, and whose project it is."""

from typing import Any

from wtforms import BooleanField
from wtforms.validators import ValidationError

from okrgate.projects.commitment_forms import check_no_twice
from okrgate.projects.sections import RowForm, SectionForm
from okrgate.web.fields import (
    Choice,
    Known,
    Line,
    Listed,
    Somebody,
    complain,
    rows_of,
)

WHOLE = "Whole project"
LETTERS = (
    ("R", "Responsible: does the work"),
    ("A", "Accountable: answers for it"),
    ("C", "Consulted: is asked before"),
    ("I", "Informed: is told after"),
)


def activity_of(text: str) -> str:
    """Return an activity as it is stored: the whole project is empty."""
    return "" if text.casefold() == WHOLE.casefold() else text


class RaciRowForm(RowForm):
    """One person's part in one activity."""

    called = "Part"

    id = Known()
    activity = Line("Activity", description=f"Left empty: {WHOLE.lower()}.")
    person = Somebody("Person")
    letter = Choice("Part", LETTERS, undecided="Not said")

    def validate_person(self, field: Any) -> None:
        """A part is somebody's."""
        if field.data is None and (self.letter.data or activity_of(self.activity.data)):
            raise ValidationError("Choose the person.")

    def validate(self, *arguments: Any, **more: Any) -> bool:
        """Somebody named has a part."""
        fine: bool = super().validate(*arguments, **more)
        if self.person.data is not None and not self.letter.data and not self.letter.errors:
            fine = complain(self.letter, "Choose what part this person has.")
        return fine


class RaciForm(SectionForm):
    """Who is responsible, accountable, consulted, informed."""

    parts = rows_of(
        RaciRowForm,
        "Who has which part?",
        description="One row for each person and part. Each activity needs one who is accountable "
        "and somebody who is responsible.",
    )

    def validate_parts(self, field: Any) -> None:
        """Give each part once."""
        said = [
            (
                activity_of(entry.form.activity.data).casefold(),
                entry.form.person.data,
                entry.form.letter.data,
            )
            for entry in field
            if entry.form.person.data is not None
        ]
        if len(said) != len(set(said)):
            raise ValidationError("A person has the same part twice in one activity. Keep one.")


class HomeForm(SectionForm):
    """Where it belongs, and who may read it."""

    home_unit = Listed(
        "Unit",
        description="The one unit it belongs to. Whoever decides for this unit decides on the project.",
    )
    confidential = BooleanField(
        "Confidential", description="Only those involved and auditors can read it."
    )


class PartsForm(SectionForm):
    """The people behind it."""

    lead = Somebody("Lead", description="Runs the project and keeps it up to date.")
    sponsor = Somebody("Sponsor", description="Stands up for it in management.")
    benefits_owner = Somebody(
        "Benefits owner", description="Sees to it that the value arrives after the work is done."
    )


class CoEditorRow(RowForm):
    """Somebody who may edit."""

    called = "Co-editor"

    person = Somebody("Person")


class CoEditorsForm(SectionForm):
    """Who may edit what the submitter may."""

    co_editors = rows_of(
        CoEditorRow,
        "Co-editors",
        description="They may edit what the submitter may, and never sign for this project.",
    )

    def validate_co_editors(self, field: Any) -> None:
        """Name each person once."""
        chosen = [entry.form.person for entry in field]
        check_no_twice(chosen, "A person is in the list twice. Keep one of them.")
