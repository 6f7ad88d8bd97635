"""What is asked of somebody who comments."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from okrgate.web.fields import Somebody, Text, id_or_none

_HOW = 'Write @ and a name to tell somebody: @ada, @ada.novak or @"Ada Novak". Addresses of web pages become links.'


class EditForm(FlaskForm):
    """The text alone."""

    text = Text("Comment", needed="Write your comment first.", description=_HOW, rows=4)


class CommentForm(FlaskForm):
    """A new comment: its text, whom to tell, what it is about, and whether it is private."""

    key = HiddenField()
    text = Text("Your comment", needed="Write your comment first.", description=_HOW, rows=4)
    tell = SelectMultipleField(
        "Tell",
        coerce=id_or_none,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        invalid_value_message="Choose people from the list.",
        invalid_choice_message="Choose people from the list.",
        description="They get a mail, whether they follow the project or not.",
    )
    other = Somebody("And somebody else")
    section = SelectField("About")
    private = BooleanField(
        "Private",
        description="Only those involved and auditors can read it. Its text is not put into mails.",
    )

    def told(self) -> tuple[int, ...]:
        """Return everybody who was chosen."""
        chosen: list[Any] = [*(self.tell.data or ()), self.other.data]
        return tuple(dict.fromkeys(one for one in chosen if one is not None))
