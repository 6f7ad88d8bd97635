"""From when on a text counts, what becomes of projects under way, and what administrators say to it."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField
from wtforms.widgets import HiddenInput

from okrgate.web.fields import Choice, Count, Day, Text
from okrgate.workshop.forms import BackForm, RulesForm
from okrgate.workshop.publishing.models import KEEP, MIGRATE
from okrgate.workshop.publishing.policy import MOST

_WORDS = 1_000


class _Terms:
    """The day and the projects under way, beside a text."""

    takes_effect = Day(
        "From which day?",
        description="Leave it empty for “at once”. Everything is checked again when the day comes.",
    )
    in_flight = Choice(
        "Projects that are under way",
        [
            (KEEP, "Keep the rules they were started under"),
            (MIGRATE, "Move to the new rules, one after the other"),
        ],
        undecided=None,
        description="Moving asks for a new sign-off only where what it covers, or its gate, has changed.",
    )


class PublishForm(_Terms, RulesForm):
    """A text that is to be published, and how."""


class RollBackForm(_Terms, BackForm):
    """An older version that is to come back, and how."""


class ReviewForm(FlaskForm):
    """Why the rules change; `seen` marks the draft that the page shows."""

    seen = HiddenField(default="")
    note = Text(
        "What changes, and why?",
        most=_WORDS,
        rows=3,
        description="Everybody who works by these rules can read it. Needed to publish.",
    )


class DecisionForm(FlaskForm):
    """What an administrator says to a proposal; `digest` names the text that they read."""

    digest = HiddenField()
    words = Text(
        "Your words",
        most=_WORDS,
        rows=2,
        description="Everybody who is asked can read them. Needed to refuse.",
    )


class PolicyForm(FlaskForm):
    """How many approvals rules need; `version` is what the page showed."""

    version = IntegerField(widget=HiddenInput())
    approvals = Count(
        "How many approvals does a new text need?",
        least=0,
        most=MOST,
        description=f"From 0 to {MOST}. Never more are asked for than there are people to give them.",
    )
    author_approves = BooleanField("The author's own approval counts")
    one_more = BooleanField(
        "One more when a hard requirement is loosened, or when that is not clear"
    )
