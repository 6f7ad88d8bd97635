"""What an administrator says of a process as a whole."""

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import SelectField, TextAreaField
from wtforms.validators import ValidationError

from okrgate.rulebooks.drafts import LONGEST
from okrgate.web.fields import Choice, Line, Text
from okrgate.workshop.forms import as_file
from okrgate.workshop.rows.process_names import is_id

THIN, COPY, FILE = "thin", "copy", "file"
_TITLE, _KEY, _REASON = 200, 60, 1_000
# Pages stand at these addresses.
_RESERVED = frozenset({"proposals", "processes"})
_BAD_KEY = (
    "Small letters, digits and _ only, beginning with a letter, 60 at most: for example “vendors”."
)


class AddProcessForm(FlaskForm):
    """What a new process is called, and what it begins with."""

    title = Line(
        "What is it called?",
        most=_TITLE,
        needed="Give it a title: people choose by it.",
        description="As people see it where they start a project, for example: Vendor onboarding.",
    )
    key = Line(
        "Its key",
        most=_KEY,
        description="A short name for files and addresses; it never changes. Empty: made from the title.",
    )
    start = Choice(
        "What does it begin with?",
        [
            (THIN, "A thin process: one stage, one gate, the end"),
            (COPY, "A copy of another process"),
            (FILE, "A file of rules"),
        ],
        undecided=None,
    )
    copy_of = SelectField("Which process?", choices=[], validate_choice=False)
    file = FileField("Bring the file", render_kw={"accept": ".yaml,.yml,.txt"})
    text = TextAreaField(
        "Or paste its text",
        filters=[as_file],
        render_kw={"rows": 8, "spellcheck": "false", "wrap": "off"},
    )

    def validate_key(self, field: Any) -> None:
        """Refuse what cannot be an id of a rules file."""
        if field.data and (not is_id(field.data) or field.data in _RESERVED):
            raise ValidationError(_BAD_KEY)

    def validate_start(self, field: Any) -> None:
        """Ask for one of the three."""
        if not field.data:
            raise ValidationError("Choose what it begins with.")

    def validate_copy_of(self, field: Any) -> None:
        """Ask which one is copied."""
        if self.start.data == COPY and field.data not in {one for one, _ in field.choices}:
            raise ValidationError("Choose the process to copy.")

    def validate_text(self, field: Any) -> None:
        """Take the file's text where one was brought; ask for one of both."""
        if self.start.data != FILE:
            return
        content = self.file.data.read(LONGEST + 1) if self.file.data else b""
        if len(content) > LONGEST or len((field.data or "").encode()) > LONGEST:
            raise ValidationError("A rulebook has at most 256 KB.")
        if content:
            try:
                field.data = as_file(content.decode("utf-8"))
            except UnicodeDecodeError:
                raise ValidationError("This is no text file in UTF-8.") from None
        if not (field.data or "").strip():
            raise ValidationError("Bring a file, or paste its text.")


class ThrowAwayForm(FlaskForm):
    """That a process goes which nobody worked by yet."""


class RetireForm(FlaskForm):
    """Why no new project starts in a process any more, or why some do again."""

    reason = Text(
        "Why?",
        most=_REASON,
        rows=3,
        needed="Say why: every administrator is told.",
        description="Every administrator is told, and it stays in the record.",
    )
