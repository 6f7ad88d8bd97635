"""From the form back to the rules: the parts of a condition become plain data, or say what is wrong with them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from okrgate.gates.conditions import ORDERED
from okrgate.gates.model import Collection, Fact
from okrgate.gates.reading_conditions import COMPARISONS, DECISIONS, Names
from okrgate.gates.rendering import Plain
from okrgate.gates.tree import MAX_DEPTH
from okrgate.gates.values import NUMBERS, Unfit, fit_type
from okrgate.web.fields import with_point
from okrgate.workshop.rows.conditions_parts import (
    FACT,
    MARKS,
    ROOT,
    TODAY,
    VALUE,
    Group,
    Items,
    Kept,
    Line,
    Part,
    Path,
    Seats,
)
from okrgate.workshop.rows.conditions_reading import fact_of, has_choices

Faults = dict[Path, str]
_NUMBER = re.compile(r"[-+]?[0-9]{1,20}(\.[0-9]{1,9})?\Z", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,6}\Z", re.ASCII)
_MOST_COUNT, _MOST_PEOPLE, _MOST_DAYS = 1000, 100, 36_500
# A requirement's condition stands in five levels of the file already.
_LEVELS = MAX_DEPTH - 5
_NOTHING_SAID = "Say what it is compared with."
_ASKED_OF = {
    "integer": "a whole number, like 20",
    "money": "an amount, like 50000.00",
    "number": "a number, like 2.5",
    "date": "a date, like 2027-01-31",
}


class _Wrong(Exception):
    """One sentence about one part."""


@dataclass
class Writer:
    """Writes parts as plain data; what is wrong is noted by path, and gives None."""

    names: Names
    faults: Faults = field(default_factory=dict)

    def write(self, part: Part, path: Path = ROOT, item: Collection | None = None) -> Plain:
        """Return a part as the rules hold it."""
        try:
            return self._written(part, path, item)
        except _Wrong as wrong:
            self.faults[path] = str(wrong)
            return None

    def _written(self, part: Part, path: Path, item: Collection | None) -> Plain:
        match part:
            case Kept():
                return part.plain
            case Group():
                return self._group(part, path, item)
            case Line():
                return self._line(part, item)
            case Items():
                return self._items(part, path)
            case Seats():
                return self._seats(part)

    def _group(self, group: Group, path: Path, item: Collection | None) -> Plain:
        if not group.parts:
            raise _Wrong("Add a condition here, or take this group out.")
        parts = [
            self.write(one, (*path, str(index)), item) for index, one in enumerate(group.parts)
        ]
        if group.how in {"none", "some_not"}:
            word = "any" if group.how == "none" else "all"
            return {"not": parts[0] if len(parts) == 1 else {word: parts}}
        return parts[0] if len(parts) == 1 else {group.how: parts}

    # comparisons

    def _line(self, line: Line, item: Collection | None) -> Plain:
        if not line.fact:
            raise _Wrong("Choose what this is about.")
        fact = fact_of(line.fact, self.names, item)
        if fact is None:
            raise _Wrong(f"Nobody knows “{line.fact}”: choose something else.")
        if line.op in {"set", "unset"}:
            return {"fact": line.fact, "is_set": line.op == "set"}
        if fact.many:
            raise _Wrong("Several people stand here: only ask whether it is filled in.")
        if line.op in {"in", "not_in"}:
            return self._among(fact, line)
        if line.op not in COMPARISONS or (line.op not in {"eq", "ne"} and fact.type not in ORDERED):
            raise _Wrong("Choose how it is compared.")
        return {"fact": line.fact, line.op: self._other_side(fact, line, item)}

    def _among(self, fact: Fact, line: Line) -> Plain:
        """Return one or several values to choose from; a single one is simply equal."""
        values = self._several(fact, line)
        if has_choices(fact) and len(values) == 1:
            return {"fact": line.fact, "eq" if line.op == "in" else "ne": values[0]}
        return {"fact": line.fact, line.op: values}

    def _several(self, fact: Fact, line: Line) -> list[Plain]:
        typed = line.chosen if has_choices(fact) else line.typed.splitlines()
        values = [one.strip() for one in typed if one.strip()]
        if not values:
            raise _Wrong(
                "Tick at least one value."
                if has_choices(fact)
                else "Say which values, each on a line of its own."
            )
        return [self._value(fact, one) for one in dict.fromkeys(values)]

    def _other_side(self, fact: Fact, line: Line, item: Collection | None) -> Plain:
        if line.against.startswith(FACT):
            return {"fact": self._other_fact(fact, line, item)}
        if line.against == TODAY:
            if fact.type != "date":
                raise _Wrong("Only a date is compared with today.")
            return {"today_plus_days": self._days(line.typed)}
        typed = line.typed.strip() if line.against == VALUE else line.against
        if not typed:
            raise _Wrong(_NOTHING_SAID)
        return self._value(fact, typed)

    def _other_fact(self, fact: Fact, line: Line, item: Collection | None) -> str:
        name = line.against.removeprefix(FACT)
        other = fact_of(name, self.names, item)
        if other is None or other.many or other.type != fact.type:
            raise _Wrong("Choose something of the same kind to compare it with.")
        if name == line.fact:
            raise _Wrong("It is compared with itself: choose something else.")
        return name

    def _days(self, typed: str) -> Plain:
        return self._bound(typed or "0", "how many days", -_MOST_DAYS, _MOST_DAYS)

    def _value(self, fact: Fact, typed: str) -> Plain:
        if typed.startswith("$"):
            return self._named(fact, typed)
        value = _plain(fact, typed)
        try:
            found = fit_type(fact.type, value)
        except Unfit as problem:
            asked = _ASKED_OF.get(fact.type)
            sentence = f"Enter {asked}." if asked else f"{fact.label or fact.name} {problem}."
            raise _Wrong(sentence) from None
        if fact.type == "enum" and found not in fact.values:
            raise _Wrong(f"“{typed}” is none of the values: {', '.join(fact.values)}.")
        return value

    def _named(self, fact: Fact, typed: str) -> str:
        """Return the name of a number of the file, if it fits the fact."""
        value = self.names.params.get(typed[1:])
        if value is None:
            raise _Wrong(f"There is no number called “{typed[1:]}” in these rules.")
        try:
            found = fit_type(fact.type, value)
        except Unfit:
            found = None
        if found is None or (fact.type == "enum" and found not in fact.values):
            raise _Wrong(f"“{typed[1:]}” does not fit {fact.label or fact.name}.")
        return typed

    # lists and sign-offs

    def _items(self, part: Items, path: Path) -> Plain:
        item = self.names.collections.get(part.of)
        if item is None:
            raise _Wrong("Choose a list.")
        where = self.write(part.where, (*path, MARKS["where"]), item) if part.where.parts else None
        found: dict[str, Plain] = {"in" if part.shape == "each" else "of": part.of}
        if where is not None:
            found["where"] = where
        if part.shape == "each":
            found["must"] = self.write(part.must, (*path, MARKS["must"]), item)
            found |= self._bounds({"at_least": part.least})
        else:
            found |= self._bounds({"gte": part.least, "lte": part.most})
            self._check_count(found)
        return {part.shape: found}

    def _bounds(self, typed: dict[str, str]) -> dict[str, Plain]:
        return {
            key: self._bound(value, "how many", 0, _MOST_COUNT)
            for key, value in typed.items()
            if value.strip()
        }

    def _check_count(self, found: dict[str, Plain]) -> None:
        if "gte" not in found and "lte" not in found:
            raise _Wrong("Say how many there are at least, or at most.")
        least, most = (self._number(found.get(key)) for key in ("gte", "lte"))
        if least is not None and most is not None and least > most:
            raise _Wrong("It can never be at least more than it is at most.")

    def _seats(self, part: Seats) -> Plain:
        roles = [one for one in dict.fromkeys(part.roles) if one in self.names.roles]
        if not roles or len(roles) < len(set(part.roles)):
            raise _Wrong("Tick who signs: only roles of these rules can.")
        if part.bound not in {"quorum", "at_most"} or part.decision not in DECISIONS:
            raise _Wrong("Choose how many people, and what they say.")
        low = 1 if part.bound == "quorum" else 0
        number = self._bound(part.number, "how many people", low, _MOST_PEOPLE)
        found: dict[str, Plain] = {"role": roles[0] if len(roles) == 1 else roles}
        if part.decision != "approved":
            found["decision"] = part.decision
        found[part.bound] = number
        if part.exclude:
            found["exclude"] = self._excluded(part)
        return {"signoff": found}

    def _excluded(self, part: Seats) -> list[str]:
        for name in part.exclude:
            if name not in self.names.facts or self.names.facts[name].type != "user":
                raise _Wrong(f"“{name}” names nobody who could be left out.")
        return list(dict.fromkeys(part.exclude))

    def _bound(self, typed: str, what: str, low: int, high: int) -> Plain:
        """Return a whole number, or the name of one."""
        typed = typed.strip()
        value = self._number(typed) if typed.startswith("$") else None
        if value is None and _WHOLE.match(typed):
            value = int(typed)
        if value is None or not low <= value <= high:
            raise _Wrong(f"Say {what}: a whole number from {low:,} to {high:,}.")
        return typed if typed.startswith("$") else value

    def _number(self, bound: Plain) -> int | None:
        """Return the number that a bound is, or that it names."""
        if isinstance(bound, str):
            bound = self.names.params.get(bound[1:])
        return bound if isinstance(bound, int) and not isinstance(bound, bool) else None


def _plain(fact: Fact, typed: str) -> bool | int | Decimal | date | str:
    """Return what was typed as a value of the fact's kind; as a text where it is none."""
    make = _MAKERS.get(fact.type)
    if make is None:
        return typed
    try:
        return make(typed)
    except ValueError:
        return typed


def _number(typed: str) -> int | Decimal:
    plain = with_point(typed)
    if not _NUMBER.match(plain):
        raise ValueError
    return Decimal(plain) if "." in plain else int(plain)


def _boolean(typed: str) -> bool:
    if typed not in {"true", "false"}:
        raise ValueError
    return typed == "true"


_MAKERS: dict[str, Callable[[str], bool | int | Decimal | date]] = {
    **dict.fromkeys(NUMBERS, _number),
    "boolean": _boolean,
    "date": date.fromisoformat,
}


def is_too_deep(plain: Plain, levels: int = _LEVELS) -> bool:
    """Tell whether a condition of a requirement is nested deeper than a rules file may be."""
    if not isinstance(plain, dict | list):
        return False
    inside = plain.values() if isinstance(plain, dict) else plain
    return levels == 0 or any(is_too_deep(one, levels - 1) for one in inside)


def plain_of(group: Group, names: Names) -> tuple[Plain, Faults]:
    """Return a condition as the rules hold it, None for one without any part, and what is wrong by path."""
    if not group.parts:
        return None, {}
    writer = Writer(names)
    found = writer.write(group)
    return found, writer.faults
