"""What an administrator types of one row of a process. Each form says what it shows of an entry and what it makes of it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from okrgate.gates.vocabulary import APPLICATION_FACTS, SECTIONS
from okrgate.web.fields import Choice, Count, Line, Text
from okrgate.workshop.rows.process_changes import Entry, place_words
from okrgate.workshop.rows.process_names import is_id
from okrgate.workshop.rows.process_rows import (
    FORWARD,
    PREVIOUS,
    Process,
    asks_of,
    kind_of,
    text,
    whole_number,
    words,
)
from okrgate.workshop.rows.process_words import (
    ASKS,
    EFFECTS,
    KINDS,
    PLACES,
    SCOPES,
    TYPES,
    place_of,
)

_DAYS = 3660
_MAIL = 1000
_HELP = 2000
_ON_LIST = "Choose from the list."
Choices = Sequence[tuple[str, str]]


class Ticked(SelectMultipleField):  # type: ignore[misc]
    """Any of a few things, as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: str, **more: Any) -> None:
        """Start without choices; a form that is never asked answers nothing."""
        super().__init__(label, choices=[], validate_choice=False, default=[], **more)

    def pre_validate(self, form: Any) -> None:
        """Refuse what was not offered."""
        offered = {value for value, *_ in self.choices}
        if any(one not in offered for one in self.data or []):
            raise ValidationError(_ON_LIST)


class Pick(SelectField):  # type: ignore[misc]
    """One thing from a list."""

    data: Any

    def __init__(self, label: str, *, needed: str = "", **more: Any) -> None:
        """Start without choices."""
        self.needed = needed
        super().__init__(label, choices=[], validate_choice=False, **more)
        if needed:
            self.flags.required = True

    def pre_validate(self, form: Any) -> None:
        """Refuse what was not offered, and nothing where something is needed."""
        self.data = self.data or ""
        if self.needed and not self.data:
            raise ValidationError(self.needed)
        if self.data not in {value for value, *_ in self.choices}:
            raise ValidationError(_ON_LIST)


def offer(field: Any, choices: Choices, present: Sequence[str] = ()) -> None:
    """Fill a list; what the draft has and nobody knows stays on it, so that saving takes nothing away by stealth."""
    known = {value for value, _label in choices}
    unknown = [(one, f"{one} (unknown)") for one in present if one and one not in known]
    field.choices = [*choices, *unknown]


class DraftPart(FlaskForm):  # type: ignore[misc]
    """A form that changes a part of a draft: it says which draft it saw."""

    seen = HiddenField()


class RowForm(DraftPart):
    """One row: its label, and the id by which the file names it."""

    called: ClassVar[str] = "row"

    label = Line("Label", needed="Say what people call it.")
    id = Line("Name in the file", most=60)

    def validate_id(self, field: Any) -> None:
        """Keep ids as the language wants them; an empty one is made from the label."""
        if field.data and not is_id(field.data):
            raise ValidationError(
                "Use small letters, digits and _ only, beginning with a letter; or leave it empty."
            )

    def offer(self, process: Process, entry: Mapping[str, Any]) -> None:
        """Fill the lists."""

    def show(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the form shows of an entry."""
        return {"label": text(entry.get("label"))}

    def wanted(self) -> Entry:
        """Return what the entry is to say."""
        return {"label": self.label.data}


class StageForm(RowForm):
    """A stage, but for the sections that are open in it."""

    called = "stage"

    label = Line("What is this stage called?", needed="Say what people call this stage.")
    help = Text("What is it for?", most=_HELP, rows=2)
    place = Choice(
        "Where in the process is it?",
        [(key or "way", label) for key, label in PLACES.items()],
        undecided=None,
        default="way",
    )
    outcome = Line(
        "How did a project end that gets here?",
        most=60,
        description="Only for an end, in a word or two: delivered, declined.",
    )
    sla_days = Count("It should take at most", least=1, most=_DAYS)
    remind_days = Count(
        "Remind after",
        least=1,
        most=_DAYS,
        description="Whoever has to sign here; left empty, a day before it is due.",
    )
    escalate_to = Ticked("When a sign-off here is late, a mail goes to")
    on_enter = Ticked("What happens when a project comes in?")

    def offer(self, process: Process, entry: Mapping[str, Any]) -> None:
        """Fill the lists."""
        offer(self.escalate_to, process.choices("role"), words(entry.get("escalate_to")))
        offer(self.on_enter, list(EFFECTS.items()), words(entry.get("on_enter")))

    def show(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the form shows of a stage."""
        return {
            "label": text(entry.get("label")),
            "help": text(entry.get("help")),
            "place": place_of(entry) or "way",
            "outcome": text(entry.get("outcome")),
            "sla_days": whole_number(entry.get("sla_days")),
            "remind_days": whole_number(entry.get("remind_days")),
            "escalate_to": words(entry.get("escalate_to")),
            "on_enter": words(entry.get("on_enter")),
        }

    def validate_remind_days(self, field: Any) -> None:
        """A reminder comes before the day that it reminds of."""
        if field.data is not None and field.data >= (self.sla_days.data or 0):
            raise ValidationError("Remind before it should be done: it needs fewer days.")

    def validate_outcome(self, field: Any) -> None:
        """An end says how it ended, nothing else does."""
        if self.place.data == "terminal" and not field.data:
            raise ValidationError("Say how a project ended that gets here: delivered, declined.")
        if self.place.data != "terminal" and field.data:
            raise ValidationError("Only an end has an outcome: leave it empty.")

    def wanted(self) -> Entry:
        """Return what the stage is to say."""
        place = "" if self.place.data == "way" else self.place.data
        return {
            "label": self.label.data,
            "help": self.help.data,
            **place_words(place),
            "outcome": self.outcome.data,
            "sla_days": self.sla_days.data,
            "remind_days": self.remind_days.data,
            "escalate_to": self.escalate_to.data,
            "on_enter": self.on_enter.data,
        }


class MoveForm(RowForm):
    """A move from some stages to one."""

    called = "move"

    label = Line("What does the button say?", needed="Say what people call this move.")
    sources = Ticked("From")
    to = Pick("To", needed="Choose where it leads.")
    how = Choice(
        "Who takes it?",
        [("somebody", "Somebody"), ("itself", "It goes by itself, as soon as its gate is open")],
        undecided=None,
        default="somebody",
    )
    by = Ticked("Who may take it?")
    gate = Pick("Gate")
    kind = Pick("What sort of move is it?")
    asks = Ticked("What is whoever takes it asked?")
    voids = BooleanField("Sign-offs given before are void afterwards")
    notify = Ticked("Who gets a mail?")
    mail = Text(
        "What does the mail say besides?",
        most=_MAIL,
        rows=3,
        description="A sentence or two of your own: what to do now, whom to ask.",
    )

    def offer(self, process: Process, entry: Mapping[str, Any]) -> None:
        """Fill the lists."""
        roles, stages = process.choices("role"), process.choices("stage")
        ends = {name for name, one in process.named("stage").items() if one.get("terminal") is True}
        starts = [(name, label) for name, label in stages if name not in ends]
        offer(self.sources, starts, words(entry.get("from")))
        places = [("", "Choose from the list"), *stages, (PREVIOUS, "Where it was before")]
        offer(self.to, places, [text(entry.get("to"))])
        offer(self.by, roles, words(entry.get("by")))
        offer(self.notify, roles, words(entry.get("notify")))
        offer(
            self.gate,
            [("", "No gate: it is always open"), *process.choices("gate")],
            [text(entry.get("gate"))],
        )
        offer(self.kind, list(KINDS.items()), [kind_of(entry)])
        offer(self.asks, list(ASKS.items()), asks_of(entry))

    def show(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the form shows of a move."""
        return {
            "label": text(entry.get("label")),
            "sources": words(entry.get("from")),
            "to": text(entry.get("to")),
            "how": "itself" if entry.get("auto") is True else "somebody",
            "by": words(entry.get("by")),
            "gate": text(entry.get("gate")),
            "kind": kind_of(entry),
            "asks": asks_of(entry),
            "voids": entry.get("voids_signoffs") is True,
            "notify": words(entry.get("notify")),
            "mail": text(entry.get("mail")),
        }

    def validate_sources(self, field: Any) -> None:
        """Every move starts somewhere."""
        if not field.data:
            raise ValidationError("Choose at least one stage from which it can be taken.")
        if self.to.data in field.data:
            raise ValidationError("It cannot lead from a stage to itself.")

    def validate_by(self, field: Any) -> None:
        """Somebody has to be able to take it, if it does not go by itself."""
        if self.how.data != "itself" and not field.data:
            raise ValidationError("Choose at least one role that may take it.")

    def validate_gate(self, field: Any) -> None:
        """What goes by itself waits for a gate."""
        if self.how.data == "itself" and not field.data:
            raise ValidationError("A move that goes by itself needs a gate that opens.")

    def wanted(self) -> Entry:
        """Return what the move is to say."""
        by_itself = self.how.data == "itself"
        sources = self.sources.data
        return {
            "label": self.label.data,
            "from": sources[0] if len(sources) == 1 else sources,
            "to": self.to.data,
            "by": self.by.data,
            "gate": self.gate.data,
            "kind": "" if self.kind.data == FORWARD else self.kind.data,
            "asks": self.asks.data,
            "auto": by_itself,
            "voids_signoffs": self.voids.data,
            "notify": self.notify.data,
            "mail": self.mail.data,
        }


class RoleForm(RowForm):
    """Who may do something."""

    called = "role"

    label = Line("What is this role called?", needed="Say what people call this role.")
    kind = Choice(
        "How does somebody get it?",
        [
            ("org", "It is given to people in a unit, under Admin"),
            ("project", "Each project names its own person"),
        ],
        undecided=None,
        default="org",
    )
    scope = Choice(
        "Where has it to be held, to count for a project?",
        [(key, f"{said[:1].upper()}{said[1:]}") for key, said in SCOPES.items()],
        undecided=None,
        default="home",
    )
    fact = Pick("Which person of the project?")

    def offer(self, process: Process, entry: Mapping[str, Any]) -> None:
        """Fill the lists."""
        choices = [("", "Choose from the list"), *people_facts()]
        offer(self.fact, choices, [text(entry.get("fact"))])

    def show(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the form shows of a role."""
        return {
            "label": text(entry.get("label")),
            "kind": "project" if entry.get("kind") == "project" else "org",
            "scope": text(entry.get("scope")) or "home",
            "fact": text(entry.get("fact")),
        }

    def validate_fact(self, field: Any) -> None:
        """A role that a project names has to say where."""
        if self.kind.data == "project" and not field.data:
            raise ValidationError("Choose which person of the project has this role.")

    def wanted(self) -> Entry:
        """Return what the role is to say."""
        is_named = self.kind.data == "project"
        scope = "" if self.scope.data == "home" else self.scope.data
        return {
            "label": self.label.data,
            "kind": self.kind.data,
            "fact": self.fact.data if is_named else "",
            "scope": "" if is_named else scope,
        }


class QuestionForm(RowForm):
    """Something more that this company asks."""

    called = "question"

    label = Line("What is the question?", needed="Write the question.")
    type = Pick("What sort of answer?", needed="Choose what sort of answer it has.")
    values = Text(
        "The answers to choose from",
        most=_HELP,
        rows=4,
        description="One a line: letters, digits, spaces, _ and - only.",
    )
    help = Text("Help for whoever answers", most=_HELP, rows=2)
    stage = Pick("In which stage is it asked?", needed="Choose a stage.")
    section = Pick("In which part of the form?", needed="Choose a part of the form.")
    roles = Ticked("Who answers it there?")
    must = BooleanField("A project goes on from there only when it is answered")

    def offer(self, process: Process, entry: Mapping[str, Any]) -> None:
        """Fill the lists."""
        first = ("", "Choose from the list")
        offer(self.type, [first, *TYPES.items()], [text(entry.get("type"))])
        offer(self.stage, [first, *process.choices("stage")], [text(entry.get("stage"))])
        offer(self.section, [first, *SECTIONS.items()], [text(entry.get("section"))])
        offer(self.roles, process.choices("role"))

    def show(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the form shows of a question."""
        return {
            "label": text(entry.get("label")),
            "type": text(entry.get("type")),
            "values": "\n".join(words(entry.get("values"))),
            "help": text(entry.get("help")),
            "stage": text(entry.get("stage")),
            "section": text(entry.get("section")),
        }

    def lines(self) -> list[str]:
        """Return the answers to choose from."""
        lines = (line.strip() for line in (self.values.data or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def validate_values(self, field: Any) -> None:
        """A list to choose from needs something on it; nothing else has one."""
        if self.type.data == "enum" and not self.lines():
            raise ValidationError("Write at least one answer to choose from.")
        if self.type.data != "enum" and self.lines():
            raise ValidationError("Only “One of a list” has answers to choose from.")

    def wanted(self) -> Entry:
        """Return what the question is to say."""
        return {
            "stage": self.stage.data,
            "section": self.section.data,
            "type": self.type.data,
            "values": self.lines(),
            "label": self.label.data,
            "help": self.help.data,
        }


class SigningForm(DraftPart):
    """Whose people never sign."""

    never = Ticked("Who never signs?")


def people_facts() -> list[tuple[str, str]]:
    """Return (fact, label) of everything in a project that names people."""
    return [(name, one.label) for name, one in APPLICATION_FACTS.items() if one.type == "user"]


FORMS: Mapping[str, type[RowForm]] = {
    "stage": StageForm,
    "move": MoveForm,
    "role": RoleForm,
    "question": QuestionForm,
}
