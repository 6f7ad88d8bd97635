"""What an administrator is asked to put a stage between two others."""

from typing import Any

from wtforms import BooleanField, HiddenField
from wtforms.validators import ValidationError

from okrgate.web.fields import Choice, Count, Line, Text
from okrgate.workshop.rows.process_forms import DraftPart, Pick, Ticked
from okrgate.workshop.rows.process_rows import Process, words
from okrgate.workshop.rows.process_words import SCOPES
from okrgate.workshop.rows.stage_adding import NEW_ROLE, Wanted, side_moves

_HELP = 2000
_DAYS = 3660
_PEOPLE = 20
_SIGNER = (NEW_ROLE, "Whoever signs here")


class AddStageForm(DraftPart):
    """The stage, who signs there, how it goes on, who is told, and the other ways out."""

    at = HiddenField()
    label = Line(
        "What is the stage called?",
        needed="Say what people call this stage.",
        description="For example: Legal review.",
    )
    help = Text("What is it for?", most=_HELP, rows=2)
    days = Count("How many days should it take at most?", least=1, most=_DAYS)
    into_label = Line("What does the button say that leads there?", needed="Say what it says.")
    signed_by = Pick("Who signs off before it goes on?")
    role_label = Line("What is the new role called?", description="For example: Legal counsel.")
    role_scope = Choice(
        "Where has the new role to be held, to count for a project?",
        [(key, f"{said[:1].upper()}{said[1:]}") for key, said in SCOPES.items()],
        undecided=None,
        default="company",
    )
    quorum = Count("How many people have to sign?", least=1, most=_PEOPLE, default=1)
    objections = BooleanField("An objection of theirs keeps it from going on", default=True)
    how = Choice(
        "How does it go on?",
        [
            ("itself", "By itself, as soon as it is signed off"),
            ("somebody", "Somebody moves it on"),
        ],
        undecided=None,
        default="itself",
    )
    onward_by = Ticked("Who may move it on?")
    onward_label = Line("What is that move called?", needed="Say what people call it.")
    told_in = Ticked("Who gets a mail when a project comes in?")
    told_on = Ticked("Who gets a mail when it goes on?")
    sent_back = BooleanField(
        "",
        default=True,
        description="Sign-offs given before stay valid unless what they cover is changed.",
    )
    also = Ticked("What can be done from here as well?")

    def offer(self, process: Process, at: str) -> None:
        """Fill the lists, for a stage on one move."""
        roles = process.choices("role")
        self.signed_by.choices = [
            ("", "Nobody signs here"),
            (NEW_ROLE, "A new role, named below"),
            *roles,
        ]
        for field in (self.onward_by, self.told_in, self.told_on):
            field.choices = [_SIGNER, *roles]
        self.also.choices = [
            (one.id, f"{one.label} ({one.words[:1].lower()}{one.words[1:]})")
            for one in side_moves(process, at)
        ]
        first = next(iter(words(process.forward[at].get("from"))), "")
        back = process.label("stage", first)
        self.sent_back.label.text = f"It can be sent back to {back}, with a reason"

    def validate_role_label(self, field: Any) -> None:
        """A new role needs a name."""
        if self.signed_by.data == NEW_ROLE and not field.data:
            raise ValidationError("Say what people call the new role.")

    def validate_onward_by(self, field: Any) -> None:
        """Somebody has to be able to move it on, if it does not go by itself."""
        if self.how.data == "somebody" and not field.data:
            raise ValidationError("Choose who may move it on.")
        if self.how.data == "somebody" and field.data == [NEW_ROLE] and not self.signed_by.data:
            raise ValidationError("Nobody signs here: choose another role.")

    def validate_how(self, field: Any) -> None:
        """What goes by itself waits for somebody's sign-off."""
        if field.data == "itself" and not self.signed_by.data:
            raise ValidationError(
                "Nobody signs here, so nothing would hold it: choose who moves it on."
            )

    def wanted(self, process: Process, name: str) -> Wanted:
        """Return what is to be added."""
        return Wanted(
            id=name,
            label=self.label.data,
            at=self.at.data,
            help=self.help.data,
            days=self.days.data,
            into_label=self.into_label.data,
            onward_label=self.onward_label.data,
            onward_by=tuple(self.onward_by.data) if self.how.data == "somebody" else (),
            signed_by=self.signed_by.data,
            role_label=self.role_label.data,
            role_scope=self.role_scope.data,
            quorum=self.quorum.data or 1,
            objections_stop=self.objections.data,
            sent_back=self.sent_back.data,
            told_in=tuple(self.told_in.data),
            told_on=tuple(self.told_on.data),
            also=tuple(self.also.data),
        )
