"""What an administrator types: a text of rules and why it changes."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from okrgate.rulebooks.drafts import LONGEST
from okrgate.web.fields import Text

_NOTE = 1_000


def as_file(value: str | None) -> str:
    """Return a text as files hold it: browsers send other line ends."""
    plain = (value or "").replace("\r\n", "\n").replace("\r", "\n")
    return plain if not plain or plain.endswith("\n") else plain + "\n"


class RulesForm(FlaskForm):
    """The text and its note; `seen` marks the draft that the page began with."""

    based_on = IntegerField(widget=HiddenInput())
    seen = HiddenField(default="")
    text = TextAreaField(
        "The rules",
        filters=[as_file],
        render_kw={"rows": 26, "spellcheck": "false", "wrap": "off"},
    )
    note = Text(
        "What changes, and why?",
        most=_NOTE,
        rows=2,
        description="Everybody who works by these rules can read it. Needed to publish.",
    )

    def validate_based_on(self, field: Any) -> None:
        """Refuse a form that was not ours."""
        if field.data is None or not 0 <= field.data < 1_000_000:
            raise ValidationError("Open the editor again: this form does not say where it began.")

    def validate_text(self, field: Any) -> None:
        """Keep the text in bounds before anybody looks at it."""
        if not (field.data or "").strip():
            raise ValidationError("The text is empty. Start again from the version that binds.")
        if len(field.data.encode()) > LONGEST:
            raise ValidationError("A rulebook has at most 256 KB.")


class BackForm(FlaskForm):
    """Why an older version comes back."""

    based_on = IntegerField(widget=HiddenInput())
    note = Text(
        "Why?",
        most=_NOTE,
        rows=2,
        needed="Say why this version comes back.",
        description="Everybody who works by these rules can read it.",
    )

    validate_based_on = RulesForm.validate_based_on
