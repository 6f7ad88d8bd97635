"""Forms of the crossing: begin, move, decide, set aside."""

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from okrgate.metrics.fields import Value
from okrgate.projects.sections import RowForm
from okrgate.stages.reaching import AT_LEAST, BOUNDS
from okrgate.web.fields import Line, Listed, Somebody, Text

_LONG = Length(max=4000, message="Use at most 4,000 characters.")


def whole_or_none(value: object) -> int | None:
    """Read the value of a select that may be empty."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


class StartForm(FlaskForm):
    """What a new project needs: everything else comes page by page."""

    key = HiddenField()
    title = Line(
        "What is the idea?",
        description="A short title that others will recognise. You can change it later.",
        validators=[DataRequired("Enter a title.")],
    )
    home_unit = SelectField(
        "Which unit does it belong to?",
        description="Its managers and reviewers will see and decide on it.",
        coerce=whole_or_none,
        validators=[DataRequired("Choose the unit it belongs to.")],
    )
    rulebook = SelectField("Process", coerce=whole_or_none)


NO_REASON = SelectChoice("", "Choose a reason")


class AgainFields:
    """Why a project is declined, in short, and what brings it back by itself besides a day."""

    code = SelectField("For which reason?", choices=[NO_REASON], default="")
    key_result = Listed(
        "Or when a key result comes to a value?",
        description="It then comes back by itself, as it does on a day.",
    )
    bound = SelectField(
        "It", choices=[SelectChoice(one, said) for one, said in BOUNDS], default=AT_LEAST
    )
    value = Value("This value")


class MoveForm(AgainFields, FlaskForm):
    """What a move asks for. The view keeps only the fields that the transition names."""

    key = HiddenField()
    version = HiddenField()
    reason = TextAreaField(
        "Why?", description="Everybody concerned will read this.", validators=[_LONG]
    )
    revisit = StringField(
        "When should this be looked at again?",
        description="A date, or something that has to happen first.",
        validators=[Length(max=300, message="Use at most 300 characters.")],
    )
    date = DateField("Until when?", validators=[Optional(strip_whitespace=True)])
    condition = StringField(
        "What has to happen first?",
        validators=[Length(max=300, message="Use at most 300 characters.")],
    )


class ChangeForm(FlaskForm):
    """Why what was signed should change. The page's own fields stand above it."""

    key = HiddenField()
    why = Text("Why does it have to change?", rows=3)
    effect = Text(
        "What follows from it?",
        rows=3,
        description="For the result, the people, the time, the money.",
    )


class ChangeDecisionForm(FlaskForm):
    """Somebody's word on a change."""

    decision = RadioField(
        "Your decision",
        choices=[
            SelectChoice("yes", "Agree: the new values hold"),
            SelectChoice("no", "Decline: what was signed holds"),
        ],
        validators=[InputRequired("Choose a decision.")],
    )
    reason = Text("Why?", rows=3, description="Needed if you decline.")


class ConditionForm(RowForm):
    """One condition of an approval."""

    called = "Condition"

    text = StringField(
        "Condition", validators=[Length(max=500, message="Use at most 500 characters.")]
    )
    owner = SelectField("Who sees to it", coerce=whole_or_none, validators=[Optional()])
    due = DateField("By when", validators=[Optional(strip_whitespace=True)])


class DecisionForm(AgainFields, FlaskForm):
    """A person's decision on a gate."""

    key = HiddenField()
    digest = HiddenField()
    in_name_of = HiddenField()
    decision = RadioField(
        "Your decision", validators=[InputRequired("Choose a decision.")], choices=[]
    )
    reason = TextAreaField(
        "Why?",
        description="Needed unless you simply approve. The submitter, the lead and earlier signers will read it.",
        validators=[_LONG],
    )
    conditions = FieldList(
        FormField(ConditionForm), label="Conditions", min_entries=1, max_entries=20
    )
    revisit = StringField(
        "When should it be looked at again?",
        description="What has to happen first, in words for people to read.",
        validators=[Length(max=300, message="Use at most 300 characters.")],
    )
    date = DateField(
        "Until when?",
        validators=[Optional(strip_whitespace=True)],
    )


class TogetherForm(FlaskForm):
    """One decision on many projects."""

    key = HiddenField()
    reason = TextAreaField(
        "Why?",
        description="One reason for all of them. The submitters, the leads and earlier signers will read it.",
        validators=[_LONG],
    )
    move = RadioField("Where do they go?", validate_choice=False, choices=[])
    revisit = StringField(
        "When should they be looked at again?",
        description="What has to happen first, in words for people to read.",
        validators=[Length(max=300, message="Use at most 300 characters.")],
    )
    date = DateField("Until when?", validators=[Optional(strip_whitespace=True)])


class WithdrawForm(FlaskForm):
    """Why a decision is taken back, if its owner cares to say."""

    reason = TextAreaField(
        "Why?", description="Those who heard of your decision will read this.", validators=[_LONG]
    )


class WaiveForm(FlaskForm):
    """Why a soft requirement is set aside."""

    reason = TextAreaField(
        "Why may this project go on without it?", validators=[InputRequired("Say why."), _LONG]
    )


class ViewForm(FlaskForm):
    """A saved view of the list: its name, and for whom it is."""

    name = Line(
        "Name of the view",
        most=40,
        needed="Enter a name for this view.",
        description="It becomes a tab above the list.",
    )
    start = BooleanField("Open the list with this view")
    shared = BooleanField("Show it to everybody")
    replace = BooleanField("Replace my view of this name")


class HandOverForm(FlaskForm):
    """Who takes a part on, and what they should know."""

    version = HiddenField()
    to = Somebody("Who takes it on?")
    note = Text(
        "What should they know?",
        rows=3,
        description="Both of you get it by mail, and it stays in the project's history.",
    )


class CoEditorForm(FlaskForm):
    """Somebody who writes along."""

    co_editor = Somebody("Who writes along?")
