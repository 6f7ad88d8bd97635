"""Facts written as JSON, in the shape of a fixture: for the command line and for receipts."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from okrgate.gates.model import Fact, Rulebook, Signoff, Waiver
from okrgate.gates.typed import type_facts
from okrgate.gates.values import NUMBERS
from okrgate.gates.verdict import Facts, GateUnjudgeable

MAX_BYTES = 4 * 1024 * 1024
_OWN = ("facts", "signoffs", "waivers", "today", "name")


def read_facts(rulebook: Rulebook, text: str) -> tuple[Facts, date | None]:
    """Return the facts of a JSON text and its own `today`, if it has one. Raises GateUnjudgeable."""
    if len(text) > MAX_BYTES:
        raise GateUnjudgeable("The facts are larger than 4 MB.")
    try:
        said = json.loads(
            text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as problem:
        raise GateUnjudgeable(f"The facts are not JSON: {problem}.") from None
    return facts_from_json(rulebook, said)


def facts_from_json(
    rulebook: Rulebook, said: object, *, text_numbers: bool = False
) -> tuple[Facts, date | None]:
    """Return facts in the shape of a fixture; every one is checked against its type. Raises GateUnjudgeable.

    `text_numbers`: numbers may be written as texts ("50000.00"), as receipts keep them.
    """
    if not isinstance(said, Mapping):
        raise GateUnjudgeable("The facts have to be a group of keys.")
    for key in said:
        if key not in _OWN and key not in rulebook.collections:
            raise GateUnjudgeable(f"The rules do not know the list {str(key)[:80]}.")
    values = said.get("facts", {})
    if not isinstance(values, Mapping):
        raise GateUnjudgeable("facts has to be a group of keys.")
    facts = Facts(
        values={
            name: _value(rulebook.facts.get(name), value, text_numbers)
            for name, value in values.items()
        },
        collections={
            name: _rows(rulebook, name, said[name], text_numbers)
            for name in rulebook.collections
            if name in said
        },
        signoffs=tuple(_signoff(rulebook, one) for one in _listed(said, "signoffs")),
        waivers=tuple(_waiver(one) for one in _listed(said, "waivers")),
    )
    today = said.get("today")
    day = _day("today", today) if today is not None else None
    type_facts(rulebook, facts, day or date.min)
    return facts, day


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is written twice")
    return found


def _value(fact: Fact | None, value: object, text_numbers: bool) -> object:
    if fact is None or not isinstance(value, str):
        return value
    if fact.type == "date" and value:
        return _day(fact.name, value)
    if text_numbers and fact.type in NUMBERS:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        return int(number) if fact.type == "integer" and number == int(number) else number
    return value


def _day(name: str, value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise GateUnjudgeable(
            f"{name} has to be a date like 2027-01-31, not {str(value)[:40]}."
        ) from None


def _rows(rulebook: Rulebook, name: str, rows: Any, text_numbers: bool) -> Any:
    if not isinstance(rows, list | tuple):
        raise GateUnjudgeable(f"{name} has to be a list.")
    fields = rulebook.collections[name].fields
    return [
        {key: _value(fields.get(key), value, text_numbers) for key, value in row.items()}
        if isinstance(row, Mapping)
        else row
        for row in rows
    ]


def _listed(said: Mapping[str, Any], what: str) -> list[Mapping[str, Any]]:
    rows = said.get(what) or []
    if not isinstance(rows, list | tuple) or not all(isinstance(one, Mapping) for one in rows):
        raise GateUnjudgeable(f"{what} has to be a list of groups.")
    return list(rows)


def _signoff(rulebook: Rulebook, one: Mapping[str, Any]) -> Signoff:
    unknown = set(one) - {"role", "by", "decision", "stale", "on_behalf_of"}
    if unknown:
        raise GateUnjudgeable(f"A sign-off has no {min(unknown)}.")
    if one.get("role") not in rulebook.roles:
        raise GateUnjudgeable(f"The rules do not know the role {str(one.get('role'))[:80]}.")
    return Signoff(
        role=one["role"],
        by=one.get("by", ""),
        decision=one.get("decision", "approved"),
        stale=one.get("stale", False),
        on_behalf_of=one.get("on_behalf_of"),
    )


def _waiver(one: Mapping[str, Any]) -> Waiver:
    unknown = set(one) - {"requirement", "role", "by"}
    if unknown:
        raise GateUnjudgeable(f"A waiver has no {min(unknown)}.")
    return Waiver(one.get("requirement", ""), one.get("role", ""), one.get("by", ""))


def facts_as_json(
    rulebook: Rulebook, facts: Facts, today: date, names: frozenset[str]
) -> dict[str, Any]:
    """Return what `facts_from_json` reads, of these facts and lists only; numbers as texts, exactly."""
    return {
        "today": today.isoformat(),
        "facts": {name: _told(one) for name, one in facts.values.items() if name in names},
        **{
            name: [{key: _told(one) for key, one in row.items()} for row in rows]
            for name, rows in facts.collections.items()
            if name in names and name in rulebook.collections
        },
        "signoffs": [_signed(one) for one in facts.signoffs],
        "waivers": [
            {"requirement": one.requirement, "role": one.role, "by": one.by}
            for one in facts.waivers
        ],
    }


def _told(value: object) -> object:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, tuple | list):
        return list(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _signed(one: Signoff) -> dict[str, Any]:
    told: dict[str, Any] = {"role": one.role, "by": one.by, "decision": one.decision}
    if one.stale:
        told["stale"] = True
    if one.on_behalf_of is not None:
        told["on_behalf_of"] = one.on_behalf_of
    return told
