"""What an administrator types of a gate, and of one requirement beside its conditions."""

import re
from collections.abc import Mapping
from typing import Any

from wtforms import BooleanField
from wtforms.validators import ValidationError

from okrgate.gates.reading_conditions import Names
from okrgate.gates.vocabulary import SECTIONS
from okrgate.web.fields import Choice, Line, Text
from okrgate.workshop.rows.gate_messages import numbers_named
from okrgate.workshop.rows.gate_rows import DEFAULT_DAYS, DEFAULT_REASON
from okrgate.workshop.rows.process_forms import Choices, DraftPart, Pick, Ticked, offer
from okrgate.workshop.rows.process_rows import Process, group, text, words

_LONGEST = 2_000
_ID = re.compile(r"[a-z][a-z0-9_-]{0,59}\Z", re.ASCII)
_HARD, _SOFT = "hard", "soft"
_ON, _TRIAL, _OFF = "active", "evaluate", "off"
_STRICT = [
    (_HARD, "Must be met: nothing goes on without it"),
    (_SOFT, "Should be met: some people may set it aside, with a reason"),
    ("advisory", "Advice: shown, but stops nobody"),
]
_MODES = [
    (_ON, "In force"),
    (_TRIAL, "On trial: shown and counted, but stops nobody"),
    (_OFF, "Switched off: not asked at all"),
]


class RequirementForm(DraftPart):
    """One requirement, but for its two conditions."""

    message = Text(
        "What do people read while it is missing?",
        rows=2,
        most=_LONGEST,
        needed="Say in a sentence what is missing.",
    )
    help = Text("What helps them meet it?", rows=2, most=_LONGEST)
    severity = Choice("How strict is it?", _STRICT, undecided=None, default=_HARD)
    mode = Choice("Is it in force?", _MODES, undecided=None, default=_ON)
    waiver_by = Ticked("Who may set it aside?")
    reason_min = Line("Shortest reason", default=str(DEFAULT_REASON))
    expires_days = Line("Holds for", default=str(DEFAULT_DAYS))
    after = Ticked("Which of these have to be there first?")
    fix = Pick("Which part of the form does it lead to?")
    id = Line("Name in the file", most=60)

    def offer(
        self, process: Process, names: Names, before: Mapping[str, Any], signed: Choices
    ) -> None:
        """Fill the lists, and learn the names that what is typed may use. `signed`: the gate's others that ask for signatures."""
        self._names = names
        offer(self.after, signed, words(before.get("after")))
        present = words(group(before.get("waiver")).get("by"))
        offer(self.waiver_by, process.choices("role"), present)
        nothing = ("", "Where what it asks about is filled in")
        offer(self.fix, [nothing, *SECTIONS.items()], [text(before.get("fix"))])

    def validate_message(self, field: Any) -> None:
        """Know every number in braces."""
        for name in numbers_named(field.data or ""):
            if name not in self._names.params:
                raise ValidationError(f"There is no number called “{name}” in these rules.")

    validate_help = validate_message

    def validate_waiver_by(self, field: Any) -> None:
        """A requirement that can be set aside needs somebody who may."""
        if self.severity.data == _SOFT and not field.data:
            raise ValidationError("Tick who may set it aside.")

    def validate_reason_min(self, field: Any) -> None:
        """Keep the length of a reason in bounds."""
        self._check_number(field, 0, 1_000)

    def validate_expires_days(self, field: Any) -> None:
        """Keep the days in bounds."""
        self._check_number(field, 1, 3_660)

    def validate_id(self, field: Any) -> None:
        """Keep ids as the language wants them; an empty one is made from the message."""
        if field.data and not _ID.match(field.data):
            raise ValidationError(
                "Use small letters, digits, - and _ only, beginning with a letter; or leave it empty."
            )

    def _check_number(self, field: Any, low: int, high: int) -> None:
        if self.severity.data != _SOFT:
            return
        value = number_of(field.data)
        said = self._names.params.get(value[1:]) if isinstance(value, str) else value
        if not isinstance(said, int) or isinstance(said, bool) or not low <= said <= high:
            raise ValidationError(f"Enter a whole number from {low:,} to {high:,}.")

    def wanted(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the requirement is to say, None for what it is not to say."""
        return {
            "message": self.message.data,
            "help": self.help.data or None,
            "severity": self.severity.data or _HARD,
            "mode": None if self.mode.data in {None, _ON} else self.mode.data,
            "waiver": self._waiver(group(before.get("waiver"))),
            "fix": self.fix.data or None,
            "after": self._after(before.get("after")),
        }

    def _after(self, before: Any) -> Any:
        """Return what comes first, as it was written when that says the same."""
        wanted = _in_order(words(before), self.after.data or [])
        return before if wanted == words(before) else wanted or None

    def _waiver(self, before: Mapping[str, Any]) -> dict[str, Any] | None:
        if self.severity.data != _SOFT:
            return None
        found: dict[str, Any] = {"by": _in_order(words(before.get("by")), self.waiver_by.data)}
        for key, field, default in (
            ("reason_min", self.reason_min, DEFAULT_REASON),
            ("expires_days", self.expires_days, DEFAULT_DAYS),
        ):
            value = number_of(field.data)
            if key in before or value != default:
                found[key] = value
        return found


def _in_order(before: list[str], wanted: list[str]) -> list[str]:
    """Return what is ticked, as it stood before where it did."""
    return [one for one in dict.fromkeys([*before, *wanted]) if one in wanted]


def number_of(typed: str | None) -> int | str | None:
    """Return a whole number, or the name of one as the rules write it; None for anything else."""
    plain = (typed or "").strip()
    if plain.startswith("$"):
        return plain
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 7 else None


def shown(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a requirement."""
    waiver = group(said.get("waiver"))
    return {
        "message": text(said.get("message")),
        "help": text(said.get("help")),
        "severity": text(said.get("severity")) or _HARD,
        "mode": text(said.get("mode")) or _ON,
        "waiver_by": words(waiver.get("by")),
        "reason_min": str(waiver.get("reason_min", DEFAULT_REASON)),
        "expires_days": str(waiver.get("expires_days", DEFAULT_DAYS)),
        "fix": text(said.get("fix")),
        "after": words(said.get("after")),
    }


class GateForm(DraftPart):
    """A gate: what it is called, and what a sign-off at it covers."""

    label = Line("What is this gate called?", needed="Say what people call this gate.")
    covers = Choice(
        "When does a sign-off at this gate become void?",
        [
            ("read", "When anything changes that this gate, or one before it, asks about"),
            ("these", "Only when one of these changes:"),
        ],
        undecided=None,
        default="read",
    )
    material = Ticked("What a sign-off covers")
    strict = BooleanField(
        "Whoever decides at this gate confirms each decision with a second factor",
        description="A passkey, or a code of an authenticator app. Who has none yet cannot sign here.",
    )

    def validate_material(self, field: Any) -> None:
        """A list of its own names something."""
        if self.covers.data == "these" and not field.data:
            raise ValidationError("Tick what a sign-off covers, or choose the first answer.")

    def wanted_material(self, before: list[str]) -> list[str] | None:
        """Return the list of its own, None if it has none."""
        return _in_order(before, self.material.data) if self.covers.data == "these" else None


class NewGateForm(DraftPart):
    """A new gate and the move it stands on."""

    label = Line("What is this gate called?", needed="Say what people call this gate.")
    move = Pick("Which move does it stand on?")
