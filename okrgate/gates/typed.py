"""Facts as a rulebook's types have them: what does not fit, or is not known, is refused here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from okrgate.gates.conditions import Value
from okrgate.gates.model import Collection, Rulebook, Signoff, Waiver
from okrgate.gates.values import Unfit, fit, fit_type
from okrgate.gates.verdict import Facts, GateUnjudgeable

MAX_ITEMS = 2000
MAX_SIGNATURES = 1000

Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class TypedFacts:
    """Facts that fit. What is not filled in is not here; a list that is not here is not known."""

    values: Mapping[str, Value | tuple[str, ...]]
    collections: Mapping[str, tuple[Row, ...]]
    signoffs: tuple[Signoff, ...]
    waivers: tuple[Waiver, ...]
    today: date

    def people(self, fact: str) -> tuple[str, ...] | None:
        """Return the people in a user fact, None if it is not filled in."""
        value = self.values.get(fact)
        if value is None:
            return None
        return value if isinstance(value, tuple) else (str(value),)


def type_facts(
    rulebook: Rulebook, facts: Facts, today: date, reads: frozenset[str] | None = None
) -> TypedFacts:
    """Return the facts that a gate reads (all, if `reads` is not given), typed. Raises GateUnjudgeable."""
    try:
        return _typed(rulebook, facts, today, reads)
    except GateUnjudgeable:
        raise
    except Exception as problem:
        raise GateUnjudgeable("The facts cannot be read, so this gate stays closed.") from problem


def _typed(
    rulebook: Rulebook, facts: Facts, today: date, reads: frozenset[str] | None
) -> TypedFacts:
    if not isinstance(today, date) or isinstance(today, datetime):
        raise GateUnjudgeable("Today has to be a date.")
    values: dict[str, Any] = {}
    for name, value in facts.values.items():
        fact = rulebook.facts.get(name)
        if fact is None:
            raise GateUnjudgeable(f"The rules do not know the fact {str(name)[:80]}.")
        if value is None or (reads is not None and name not in reads):
            continue
        try:
            found = fit(fact, value)
        except Unfit as problem:
            raise GateUnjudgeable(f"{name} {problem}.") from None
        if found is not None:
            values[name] = found
    collections: dict[str, tuple[Row, ...]] = {}
    for name, rows in facts.collections.items():
        collection = rulebook.collections.get(name)
        if collection is None:
            raise GateUnjudgeable(f"The rules do not know the list {str(name)[:80]}.")
        if rows is not None and (reads is None or name in reads):
            collections[name] = _rows(collection, rows)
    return TypedFacts(
        values, collections, _signoffs(facts.signoffs), _waivers(facts.waivers), today
    )


def _rows(collection: Collection, rows: Sequence[Mapping[str, object]]) -> tuple[Row, ...]:
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Sequence):
        raise GateUnjudgeable(f"{collection.name} has to be a list.")
    if len(rows) > MAX_ITEMS:
        raise GateUnjudgeable(f"{collection.name} has more than {MAX_ITEMS} items.")
    return tuple(_row(collection, row, index) for index, row in enumerate(rows, start=1))


def _row(collection: Collection, row: Mapping[str, object], index: int) -> Row:
    if not isinstance(row, Mapping):
        raise GateUnjudgeable(f"Item {index} of {collection.name} has to be a group of fields.")
    found: dict[str, Value] = {}
    for name, value in row.items():
        field = collection.fields.get(name)
        if field is None:
            raise GateUnjudgeable(
                f"The rules do not know the field {str(name)[:80]} of {collection.name}."
            )
        if value is None:
            continue
        try:
            fitting = fit(field, value)
        except Unfit as problem:
            raise GateUnjudgeable(f"{collection.name}, item {index}: {name} {problem}.") from None
        if fitting is not None:
            found[name] = fitting  # type: ignore[assignment]
    return found


def _signoffs(signoffs: tuple[Signoff, ...]) -> tuple[Signoff, ...]:
    if len(signoffs) > MAX_SIGNATURES:
        raise GateUnjudgeable(f"There are more than {MAX_SIGNATURES} sign-offs.")
    return tuple(_signoff(one) for one in signoffs)


def _signoff(one: Signoff) -> Signoff:
    role, by, decision = _word(one.role), _word(one.by), _word(one.decision)
    behalf = None if one.on_behalf_of is None else _word(one.on_behalf_of)
    nameless = one.on_behalf_of is not None and behalf is None
    if (
        role is None
        or by is None
        or decision is None
        or nameless
        or not isinstance(one.stale, bool)
    ):
        raise GateUnjudgeable(
            "A sign-off needs role, by, decision and stale, as words and true or false."
        )
    return Signoff(role, by, decision, one.stale, behalf)


def _word(value: object) -> str | None:
    try:
        found = fit_type("user", value)
    except Unfit:
        return None
    return None if found is None else str(found)


def _waivers(waivers: tuple[Waiver, ...]) -> tuple[Waiver, ...]:
    for one in waivers:
        if not all(isinstance(word, str) and word for word in (one.requirement, one.role, one.by)):
            raise GateUnjudgeable("A waiver needs requirement, role and by.")
    return tuple(waivers)


def item_name(collection: Collection, row: Row, index: int) -> str:
    """Return what an item is called: its name, or its place in the list (from 0) when it has none."""
    name = row.get(collection.name_field)
    return str(name) if name is not None else f"{collection.label} {index + 1}"
