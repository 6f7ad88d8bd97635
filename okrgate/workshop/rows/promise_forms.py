"""What an administrator types of a promise, beside its condition."""

import re
from collections.abc import Mapping
from typing import Any

from wtforms.validators import ValidationError

from okrgate.gates.reading_conditions import Names
from okrgate.web.fields import Choice, Line, Text
from okrgate.workshop.rows.gate_messages import numbers_named
from okrgate.workshop.rows.process_forms import DraftPart, Pick, offer
from okrgate.workshop.rows.process_rows import Process, text
from okrgate.workshop.rows.promise_rows import ALWAYS, NEVER, kind_of

_ID = re.compile(r"[a-z][a-z0-9_-]{0,59}\Z", re.ASCII)
_LIST = ("", "Choose from the list")


class PromiseForm(DraftPart):
    """One promise, but for its condition."""

    kind = Choice(
        "What is promised?",
        [
            (NEVER, "Nothing reaches a stage unless …"),
            (ALWAYS, "Whoever passes a move meets …"),
        ],
        undecided=None,
        default=NEVER,
    )
    stage = Pick("Which stage is never reached?")
    move = Pick("Which move?")
    label = Text("What people read", rows=2, most=2_000, needed="Say the promise in a sentence.")
    id = Line("Name in the file", most=60)

    def offer(self, process: Process, names: Names, before: Mapping[str, Any]) -> None:
        """Fill the lists, and learn the numbers that the sentence may name."""
        self._names = names
        offer(self.stage, [_LIST, *process.choices("stage")], [text(before.get("never_reach"))])
        offer(self.move, [_LIST, *process.choices("move")], [text(before.get("at"))])

    def validate_kind(self, field: Any) -> None:
        """Ask for the stage or the move that it is about."""
        if not field.data:
            raise ValidationError("Choose what is promised.")

    def validate_stage(self, field: Any) -> None:
        """Ask for the stage."""
        if self.kind.data == NEVER and not field.data:
            raise ValidationError("Choose the stage.")

    def validate_move(self, field: Any) -> None:
        """Ask for the move."""
        if self.kind.data == ALWAYS and not field.data:
            raise ValidationError("Choose the move.")

    def validate_label(self, field: Any) -> None:
        """Know every number in braces."""
        for name in numbers_named(field.data or ""):
            if name not in self._names.params:
                raise ValidationError(f"There is no number called “{name}” in these rules.")

    def validate_id(self, field: Any) -> None:
        """Keep ids as the language wants them; an empty one is made from the sentence."""
        if field.data and not _ID.match(field.data):
            raise ValidationError(
                "Use small letters, digits, - and _ only, beginning with a letter; or leave it empty."
            )

    def wanted(self, name: str, condition: Any) -> dict[str, Any]:
        """Return what the promise is to say, None for what it is not to say."""
        is_never = self.kind.data == NEVER
        return {
            "id": name,
            "label": self.label.data or None,
            "never_reach": self.stage.data if is_never else None,
            "unless": condition if is_never else None,
            "at": None if is_never else self.move.data,
            "always": None if is_never else condition,
        }


def shown(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a promise."""
    return {
        "kind": kind_of(before),
        "stage": text(before.get("never_reach")),
        "move": text(before.get("at")),
        "label": text(before.get("label")),
    }
