"""The numbers of a draft that people change often: named ones, days, and the terms on which a requirement is set aside."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from okrgate.gates.model import Rulebook
from okrgate.gates.places import Path
from okrgate.gates.reading_gates import spoken
from okrgate.gates.revising import Change, Put, Remove
from okrgate.gates.vocabulary import APPLICATION_FACTS
from okrgate.web.fields import with_point
from okrgate.workshop.rows.process_names import id_from, walk
from okrgate.workshop.rows.process_rows import Process, group, listed, text

_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_LONGEST = 200
_DAYS = 3660
_CHARACTERS = 1000


@dataclass(frozen=True)
class Number:
    """One number: where it stands, what it is called, what it says now, and what it said in the rules that bind.

    `least` and `most` are the bounds of a whole number; a named number has none. `name`: its id, if it is a named one.
    """

    path: Path
    label: str
    value: Any
    unit: str = ""
    used: tuple[str, ...] = ()
    was: str = ""
    least: int | None = None
    most: int = 0
    name: str = ""

    @property
    def field(self) -> str:
        """Return the name of its field in the form."""
        return ".".join(str(step) for step in self.path)

    @property
    def shown(self) -> str:
        """Return it as somebody would type it."""
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        if isinstance(self.value, date):
            return self.value.isoformat()
        return "" if self.value is None else str(self.value)

    @property
    def is_reference(self) -> bool:
        """Tell whether it is not a number of its own but a named one."""
        return isinstance(self.value, str) and self.value.startswith("$")


@dataclass(frozen=True)
class Line:
    """Numbers that belong to one thing: a stage, or a requirement."""

    label: str
    note: str
    numbers: tuple[Number, ...]


@dataclass(frozen=True)
class Numbers:
    """All of them, as a page shows them."""

    named: tuple[Number, ...]
    stages: tuple[Line, ...]
    waivers: tuple[Line, ...]

    def __iter__(self) -> Iterator[Number]:
        """Yield every number of the page, in its order."""
        yield from self.named
        for line in (*self.stages, *self.waivers):
            yield from line.numbers

    @property
    def labels(self) -> dict[str, str]:
        """Return what each field is called, as far from its place as in a list of what is wrong."""
        found = {one.field: one.label for one in self.named}
        for line in (*self.stages, *self.waivers):
            for one in line.numbers:
                found[one.field] = f"{line.label}, {one.label[:1].lower()}{one.label[1:]}"
        return found


def read(process: Process, binding: Rulebook) -> Numbers:
    """Return the numbers of a draft, beside those of the rules that bind."""
    return Numbers(
        named=tuple(_named(process, binding)),
        stages=tuple(_days(process, binding)),
        waivers=tuple(_waivers(process, binding)),
    )


def changed(numbers: Numbers, typed: Mapping[str, str]) -> tuple[list[Change], dict[str, str]]:
    """Return the changes that what was typed comes to, and a sentence for each field that is wrong."""
    changes: list[Change] = []
    wrong: dict[str, str] = {}
    for one in numbers:
        said = typed.get(one.field, one.shown).strip()
        if said == one.shown or one.is_reference:
            continue
        try:
            changes.append(_change(one, said))
        except ValueError as problem:
            wrong[one.field] = str(problem)
    return changes, wrong


def added(process: Process, label: str, said: str) -> tuple[list[Change], dict[str, str]]:
    """Return the changes that add a named number, or what is wrong with what was typed of it."""
    label, said = " ".join(label.split()), said.strip()
    if not label and not said:
        return [], {}
    wrong = {}
    if not label or len(label) > _LONGEST:
        wrong["new_label"] = "Say in a few words what the new number is."
    try:
        value = _typed_anew(said)
    except ValueError as problem:
        wrong["new_value"] = str(problem)
    if wrong:
        return [], wrong
    return [Put(("params", id_from(label, group(process.whole.get("params")))), value)], {}


def removed(numbers: Numbers, name: str) -> tuple[list[Change], str]:
    """Return the changes that take a named number out, or the sentence that says who still needs it."""
    one = next((one for one in numbers.named if one.name == name), None)
    if one is None:
        return [], "This number is not there any more."
    if one.used:
        return [], f"“{one.label}” is still used: {'; '.join(one.used)}. Change that first."
    return [Remove(one.path)], ""


def _change(one: Number, said: str) -> Change:
    if one.least is not None:
        return Put(one.path, _whole(one, said)) if said else Remove(one.path)
    return Put(one.path, _as_before(one.value, said))


def _whole(one: Number, said: str) -> int:
    sentence = f"Enter a whole number from {one.least} to {one.most:,}."
    if not (said.isascii() and said.isdecimal() and len(said) < 8):
        raise ValueError(sentence)
    number = int(said)
    if not (one.least or 0) <= number <= one.most:
        raise ValueError(sentence)
    return number


def _as_before(value: Any, said: str) -> Any:
    """Read what was typed as what stood there: a number stays a number, a day a day."""
    if isinstance(value, bool):
        if said.lower() not in ("yes", "no"):
            raise ValueError("Enter yes or no.")
        return said.lower() == "yes"
    if isinstance(value, date):
        return _day(said)
    if isinstance(value, int | Decimal):
        return _number(said)
    if not said or len(said) > _LONGEST:
        raise ValueError(f"Enter a text of at most {_LONGEST} characters.")
    return said


def _typed_anew(said: str) -> Any:
    if said.count("-") == 2:
        return _day(said)
    return _number(said)


def _number(said: str) -> int | Decimal:
    plain = with_point(said)
    if not _NUMBER.fullmatch(plain):
        raise ValueError("Enter a number, for example 30000 or 12.5.")
    return Decimal(plain) if "." in plain else int(plain)


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValueError("Enter a date, for example 2026-12-04.") from None


def _named(process: Process, binding: Rulebook) -> Iterator[Number]:
    for name, value in group(process.whole.get("params")).items():
        if isinstance(value, list | dict) or value is None:
            continue
        before = binding.params.get(name)
        used, unit = _uses(process, name)
        yield Number(
            path=("params", name),
            label=words_of(name),
            value=value,
            unit=unit,
            used=tuple(used),
            was="" if before is None or before == value else spoken(before),
            name=name,
        )


def _uses(process: Process, name: str) -> tuple[list[str], str]:
    """Return where a named number is used, in words, and its unit, as far as the facts it is compared with have one."""
    found: dict[str, None] = {}
    unit = ""
    for path, value in walk(process.whole, ()):
        if not isinstance(value, str) or not _speaks_of(value, name):
            continue
        said = _where(process, path)
        if said:
            found[said] = None
        unit = unit or _unit(process, path)
    return list(found), unit


def _speaks_of(value: str, name: str) -> bool:
    return value.split(" ")[0] == f"${name}" or f"{{{name}}}" in value


def _where(process: Process, path: Path) -> str:
    if path[0] == "gates" and len(path) > 3:
        requirements = listed((process.one("gate", str(path[1])) or {}).get("requirements"))
        message = text(group(requirements[int(path[3])]).get("message"))
        return f"{process.filled(message)} ({process.label('gate', str(path[1]))})"
    if path[0] == "invariants":
        one = group(listed(process.whole.get("invariants"))[int(path[1])])
        return f"Promise: {process.filled(text(one.get('label')) or text(one.get('id')))}"
    return "The file's own tests" if path[0] in ("tests", "fixtures") else ""


def _unit(process: Process, path: Path) -> str:
    if path[-1] == "today_plus_days":
        return "days"
    if path[-1] == "reason_min":
        return "characters"
    place: Any = process.whole
    for step in path[:-1]:
        place = place[step]
    fact = APPLICATION_FACTS.get(text(group(place).get("fact")))
    if fact is None:
        return ""
    return "money" if fact.type == "money" else fact.unit


def _days(process: Process, binding: Rulebook) -> Iterator[Line]:
    for name, stage in process.named("stage").items():
        if stage.get("terminal") is True:
            continue
        before = binding.stages.get(name)
        numbers = tuple(
            Number(
                path=("stages", name, key),
                label=label,
                value=stage.get(key),
                unit="working days",
                was=_was(getattr(before, key, None), stage.get(key)),
                least=1,
                most=_DAYS,
            )
            for key, label in (("sla_days", "At most"), ("remind_days", "Remind after"))
        )
        yield Line(process.label("stage", name), "", numbers)


def _waivers(process: Process, binding: Rulebook) -> Iterator[Line]:
    before = {one.id: one.waiver for gate in binding.gates.values() for one in gate.requirements}
    for gate, place, one in process.requirements():
        terms = group(one.get("waiver"))
        if not terms:
            continue
        old = before.get(text(one.get("id")))
        numbers = tuple(
            Number(
                path=("gates", gate, "requirements", place, "waiver", key),
                label=label,
                value=terms.get(key),
                unit=unit,
                was=_was(getattr(old, key, None), terms.get(key)),
                least=least,
                most=most,
            )
            for key, label, unit, least, most in (
                ("reason_min", "Reason of at least", "characters", 0, _CHARACTERS),
                ("expires_days", "Holds for", "days", 1, _DAYS),
            )
        )
        message = process.filled(text(one.get("message")))
        yield Line(message, process.label("gate", gate), numbers)


def _was(before: Any, now: Any) -> str:
    return "" if before is None or before == now or isinstance(now, str) else f"{before:,}"


def words_of(name: str) -> str:
    """Return an id as words, beginning with a capital."""
    said = name.replace("_", " ").replace("-", " ")
    return f"{said[:1].upper()}{said[1:]}"
