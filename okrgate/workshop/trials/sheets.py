"""The form of one gate's facts: what it shows for a project, and the facts that somebody typed into it.

Plain values in, plain values out, so that a process of its own can work on a text that nobody has run yet. What is
typed is a mapping of names to texts, as a browser sends it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from okrgate.gates.conditions import (
    Condition,
    SignoffCondition,
    inner,
    leaves,
    refs,
)
from okrgate.gates.model import Collection, Fact, Gate, Requirement, Rulebook, Signoff, Waiver
from okrgate.gates.reading_conditions import DECISIONS
from okrgate.gates.values import NUMBERS, Unfit, fit
from okrgate.gates.verdict import Facts

MOST_ROWS = 40
_YES_NO = (("true", "Yes"), ("false", "No"))
_TRUE, _FALSE = "true", "false"
SIGNOFFS, WAIVERS, DAY = "signoffs", "waivers", "day"
_LONGEST = 400

Typed = Mapping[str, str]


@dataclass(frozen=True)
class Box:
    """One field of the form: what is typed in it, and what is wrong with that."""

    name: str
    label: str
    kind: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    help: str = ""
    error: str = ""


@dataclass(frozen=True)
class Rows:
    """A list of the form; `unknown`: it is not filled in at all, which is not the same as empty."""

    name: str
    label: str
    row_label: str
    rows: tuple[tuple[Box, ...], ...]
    unknown: Box | None = None
    help: str = ""


@dataclass(frozen=True)
class Sheet:
    """What one move's gate reads, ready to be typed over."""

    boxes: tuple[Box, ...]
    lists: tuple[Rows, ...]
    day: Box
    people: tuple[str, ...]

    @property
    def errors(self) -> tuple[Box, ...]:
        """Return the fields whose text cannot be taken."""
        cells = (cell for one in self.lists for row in one.rows for cell in row)
        return tuple(one for one in (*self.boxes, *cells, self.day) if one.error)


@dataclass(frozen=True)
class Reads:
    """What one gate reads: its facts, its lists and their fields, who signs, what can be set aside."""

    facts: tuple[Fact, ...]
    lists: tuple[tuple[Collection, tuple[Fact, ...]], ...]
    signing: tuple[str, ...]
    waivable: tuple[Requirement, ...]


@dataclass
class _Reading:
    """What was typed, on its way to facts."""

    typed: Typed
    values: dict[str, Any] = field(default_factory=dict)
    people: dict[str, None] = field(default_factory=dict)


def reads_of(rulebook: Rulebook, gate: Gate) -> Reads:
    """Return what a gate reads, in the order in which it asks."""
    judged = [one for one in gate.requirements if one.mode != "off"]
    conditions = [part for one in judged for part in (one.condition, one.when) if part is not None]
    ordered = dict.fromkeys(name for one in conditions for name in _in_order(one))
    roles = [
        role
        for one in conditions
        for leaf in leaves(one)
        if isinstance(leaf, SignoffCondition)
        for role in leaf.roles
    ]
    # Who never signs decides nothing where nobody is asked to sign.
    facts = [*ordered, *(rulebook.never_sign if roles else ())]
    fields = {name: _fields(rulebook.collections[name], name, conditions) for name in facts if name in rulebook.collections}  # fmt: skip
    return Reads(
        facts=tuple(
            rulebook.facts[name] for name in dict.fromkeys(facts) if name in rulebook.facts
        ),
        lists=tuple((rulebook.collections[name], found) for name, found in fields.items()),
        signing=tuple(dict.fromkeys(roles)),
        waivable=tuple(one for one in judged if one.severity == "soft" and one.waiver is not None),
    )


def _in_order(condition: Condition) -> Iterator[str]:
    for leaf in leaves(condition):
        collection = getattr(getattr(leaf, "each", leaf), "collection", None)
        if collection is not None:
            yield collection
        elif isinstance(leaf, SignoffCondition):
            yield from leaf.exclude
        else:
            yield from (ref.name for ref in refs(leaf) if not ref.of_item)  # type: ignore[arg-type]
        for part in inner(leaf):
            yield from (name for name in _in_order(part) if name)


def _fields(collection: Collection, name: str, conditions: Iterable[Condition]) -> tuple[Fact, ...]:
    used = {collection.name_field}
    for condition in conditions:
        for leaf in leaves(condition):
            if getattr(getattr(leaf, "each", leaf), "collection", None) == name:
                used.update(ref for part in inner(leaf) for ref in _item_refs(part))
    return tuple(fact for key, fact in collection.fields.items() if key in used)


def _item_refs(condition: Condition) -> Iterator[str]:
    for leaf in leaves(condition):
        if hasattr(leaf, "left"):
            yield from (ref.name for ref in refs(leaf) if ref.of_item)  # type: ignore[arg-type]


def typed_from(reads: Reads, facts: Facts, today: date) -> dict[str, str]:
    """Return what stands in the form for these facts."""
    typed = {DAY: today.isoformat()}
    for fact in reads.facts:
        typed[f"fact-{fact.name}"] = as_typed(facts.values.get(fact.name))
    for collection, fields in reads.lists:
        name, rows = f"list-{collection.name}", facts.collections.get(collection.name)
        if rows is None:
            typed[f"{name}-unknown"] = "1"
        rows = (rows or ())[:MOST_ROWS]
        typed[f"{name}-rows"] = str(len(rows))
        for at, row in enumerate(rows):
            for one in fields:
                typed[f"{name}-{at}-{one.name}"] = as_typed(row.get(one.name))
    _signatures(typed, reads, facts)
    return typed


def _signatures(typed: dict[str, str], reads: Reads, facts: Facts) -> None:
    signoffs = facts.signoffs[:MOST_ROWS]
    typed[f"{SIGNOFFS}-rows"] = str(len(signoffs))
    for at, signoff in enumerate(signoffs):
        parts = ("role", "by", "decision", "stale", "on_behalf_of")
        typed |= {f"{SIGNOFFS}-{at}-{part}": as_typed(getattr(signoff, part)) for part in parts}
    ids = {one.id for one in reads.waivable}
    waivers = [one for one in facts.waivers if one.requirement in ids][:MOST_ROWS]
    typed[f"{WAIVERS}-rows"] = str(len(waivers))
    for at, waiver in enumerate(waivers):
        for part in ("requirement", "role", "by"):
            typed[f"{WAIVERS}-{at}-{part}"] = as_typed(getattr(waiver, part))


def as_typed(value: object) -> str:
    """Return a value as somebody would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(str(one) for one in value))
    return str(value)


def with_row_added(typed: Typed, name: str) -> dict[str, str]:
    """Return the form with one more row in a list."""
    count = _count(typed, name)
    changed = {**typed, f"{name}-rows": str(min(count + 1, MOST_ROWS))}
    changed.pop(f"{name}-unknown", None)
    return changed


def without_row(typed: Typed, name: str, place: int) -> dict[str, str]:
    """Return the form without one row of a list."""
    count = _count(typed, name)
    if not 0 <= place < count:
        return dict(typed)
    changed = {key: value for key, value in typed.items() if not key.startswith(f"{name}-{place}-")}
    for at in range(place + 1, count):
        start = f"{name}-{at}-"
        for key in [key for key in changed if key.startswith(start)]:
            changed[f"{name}-{at - 1}-{key[len(start) :]}"] = changed.pop(key)
    changed[f"{name}-rows"] = str(count - 1)
    return changed


def _count(typed: Typed, name: str) -> int:
    text = typed.get(f"{name}-rows", "")
    return min(int(text), MOST_ROWS) if text.isascii() and text.isdecimal() and len(text) < 4 else 0


def sheet_and_facts(rulebook: Rulebook, gate: Gate, typed: Typed) -> tuple[Sheet, Facts, date]:
    """Return the form as it was typed, with what cannot be taken named in it, and the facts that can."""
    reads, reading = reads_of(rulebook, gate), _Reading(typed)
    boxes = tuple(_box(reading, fact) for fact in reads.facts)
    collections: dict[str, list[dict[str, Any]]] = {}
    lists = tuple(
        _list(reading, collection, fields, collections) for collection, fields in reads.lists
    )
    signed, signoffs = _signed(reading, rulebook, reads)
    waived, waivers = _waived(reading, rulebook, reads)
    day, today = _day(typed)
    people = tuple(sorted(reading.people))
    shown = (
        *lists,
        *([signed] if reads.signing or signoffs else []),
        *([waived] if reads.waivable else []),
    )
    facts = Facts(reading.values, collections, tuple(signoffs), tuple(waivers))
    return Sheet(boxes, shown, day, people), facts, today


def _box(reading: _Reading, fact: Fact) -> Box:
    box, value = _cell(reading, f"fact-{fact.name}", fact)
    if value is not None:
        reading.values[fact.name] = value
    return box


def _cell(reading: _Reading, name: str, fact: Fact) -> tuple[Box, Any]:
    typed = reading.typed.get(name, "").strip()
    kind = "people" if fact.many else fact.type
    value, error = parsed(fact, typed)
    if fact.type == "user" and value is not None:
        reading.people.update(dict.fromkeys(value if isinstance(value, tuple) else (str(value),)))
    choices: tuple[tuple[str, str], ...] = ()
    if fact.type == "boolean":
        choices = _YES_NO
    elif fact.type == "enum":
        choices = tuple((one, one) for one in fact.values)
    return Box(
        name, fact.label or fact.name, kind, typed, choices, fact.unit, fact.help, error
    ), value


def parsed(fact: Fact, typed: str) -> tuple[Any, str]:
    """Return the value that a text means for a fact (None: not filled in), or what is wrong with it."""
    if not typed:
        return None, ""
    if len(typed) > _LONGEST:
        return None, f"Use at most {_LONGEST} characters."
    try:
        value = fit(fact, _meant(fact, typed))
    except Unfit as problem:
        return None, f"{str(problem)[:1].upper()}{str(problem)[1:]}."
    except ValueError as problem:
        return None, str(problem)
    return value, ""


def _meant(fact: Fact, typed: str) -> object:
    if fact.many:
        return tuple(one.strip() for one in typed.split(",") if one.strip())
    if fact.type == "boolean":
        if typed not in {_TRUE, _FALSE}:
            raise ValueError("Choose yes or no.")
        return typed == _TRUE
    if fact.type == "date":
        return as_day(typed)
    if fact.type in NUMBERS:
        return _number(typed)
    return typed


def _number(typed: str) -> int | Decimal:
    plain = typed.replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValueError("Enter a number, with a point for decimals: 1250.50.") from None
    if not number.is_finite() or len(plain) > 30 or abs(number.adjusted()) > 30:
        raise ValueError("Enter a plain number.")
    return int(number) if number == number.to_integral_value() else number


def as_day(typed: str) -> date:
    """Return the day that a text says. Raises ValueError with a sentence."""
    try:
        if len(typed) != 10:
            raise ValueError
        return date.fromisoformat(typed)
    except ValueError:
        raise ValueError("Enter a date, for example 2026-12-04.") from None


def _day(typed: Typed) -> tuple[Box, date]:
    text = typed.get(DAY, "").strip()
    label = "The day it is judged"
    try:
        return Box(DAY, label, "date", text), as_day(text)
    except ValueError as problem:
        return Box(DAY, label, "date", text, error=str(problem)), date(2000, 1, 1)


def _list(
    reading: _Reading,
    collection: Collection,
    fields: Sequence[Fact],
    collections: dict[str, list[dict[str, Any]]],
) -> Rows:
    name = f"list-{collection.name}"
    rows, values = [], []
    for at in range(_count(reading.typed, name)):
        cells, row = [], {}
        for one in fields:
            box, value = _cell(reading, f"{name}-{at}-{one.name}", one)
            cells.append(box)
            if value is not None:
                row[one.name] = value
        rows.append(tuple(cells))
        values.append(row)
    marked = bool(reading.typed.get(f"{name}-unknown")) and not rows
    if not marked:
        collections[collection.name] = values
    words = "Nothing is known of this list (it is not even empty)"
    unknown = Box(f"{name}-unknown", words, "checkbox", "1" if marked else "") if not rows else None
    return Rows(name, collection.label, collection.label, tuple(rows), unknown)


def _signed(reading: _Reading, rulebook: Rulebook, reads: Reads) -> tuple[Rows, list[Signoff]]:
    first = [one for one in reads.signing if one in rulebook.roles]
    roles = [*first, *(one for one in rulebook.roles if one not in first)]
    choices = tuple((one, rulebook.roles[one].label) for one in roles)
    said = tuple((one, _words(one)) for one in DECISIONS)
    rows, found = [], []
    for at in range(_count(reading.typed, SIGNOFFS)):
        cells = {
            "role": _choice(reading, SIGNOFFS, at, "role", "In the role", choices),
            "by": _person(reading, SIGNOFFS, at, "by", "Signed by"),
            "decision": _choice(reading, SIGNOFFS, at, "decision", "Decision", said),
            "on_behalf_of": _person(reading, SIGNOFFS, at, "on_behalf_of", "Standing in for", needed=False),
            "stale": _choice(reading, SIGNOFFS, at, "stale", "Changed since", _YES_NO, first=_FALSE),
        }  # fmt: skip
        rows.append(tuple(cells.values()))
        if not any(one.error for one in cells.values()):
            found.append(
                Signoff(
                    role=cells["role"].value,
                    by=cells["by"].value,
                    decision=cells["decision"].value,
                    stale=cells["stale"].value == _TRUE,
                    on_behalf_of=cells["on_behalf_of"].value or None,
                )
            )
    help_text = "A sign-off counts no more once something material changed since."
    return Rows(SIGNOFFS, "Sign-offs at this gate", "Sign-off", tuple(rows), help=help_text), found


def _waived(reading: _Reading, rulebook: Rulebook, reads: Reads) -> tuple[Rows, list[Waiver]]:
    asked = tuple((one.id, one.message) for one in reads.waivable)
    allowed = dict.fromkeys(role for one in reads.waivable if one.waiver for role in one.waiver.by)
    roles = [*allowed, *(one for one in rulebook.roles if one not in allowed)]
    choices = tuple((one, rulebook.roles[one].label) for one in roles)
    rows, found = [], []
    for at in range(_count(reading.typed, WAIVERS)):
        cells = (
            _choice(reading, WAIVERS, at, "requirement", "What is set aside", asked),
            _choice(reading, WAIVERS, at, "role", "In the role", choices),
            _person(reading, WAIVERS, at, "by", "Set aside by"),
        )
        rows.append(cells)
        if not any(one.error for one in cells):
            found.append(Waiver(cells[0].value, cells[1].value, cells[2].value))
    return Rows(WAIVERS, "Set aside", "Exception", tuple(rows)), found


def _choice(
    reading: _Reading,
    name: str,
    at: int,
    part: str,
    label: str,
    choices: tuple[tuple[str, str], ...],
    first: str = "",
) -> Box:
    key = f"{name}-{at}-{part}"
    typed = reading.typed.get(key, "") or first or (choices[0][0] if choices else "")
    error = "" if typed in dict(choices) else "Choose from the list."
    return Box(key, label, "choice", typed, choices, error=error)


def _person(
    reading: _Reading, name: str, at: int, part: str, label: str, *, needed: bool = True
) -> Box:
    key = f"{name}-{at}-{part}"
    typed = reading.typed.get(key, "").strip()
    fact = Fact(part, "user")
    value, error = parsed(fact, typed)
    if value is not None:
        reading.people[str(value)] = None
    elif needed and not error:
        error = "Say who: any name will do."
    return Box(key, label, "user", typed, error=error)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
