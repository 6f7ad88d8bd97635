"""From the rules to the form: a condition, as plain data, becomes the parts that an administrator can change."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from okrgate.gates.model import Collection, Fact
from okrgate.gates.reading_conditions import COMPARISONS, DECISIONS, Names
from okrgate.gates.rendering import Plain
from okrgate.workshop.rows.conditions_parts import (
    FACT,
    TODAY,
    VALUE,
    Group,
    Items,
    Kept,
    Line,
    Part,
    Seats,
    as_group,
)

_OPERATORS = (*COMPARISONS, "in", "not_in", "is_set")


def fact_of(name: str, names: Names, item: Collection | None) -> Fact | None:
    """Return the field of the list's items, or the fact of the project, that a name stands for."""
    if item is not None and name in item.fields:
        return item.fields[name]
    return names.facts.get(name)


def parts_of(plain: Plain, names: Names) -> Group:
    """Return a condition as the group that a form begins with; nothing at all is an empty group."""
    if plain is None:
        return Group()
    return as_group(_part(plain, names, None))


def _part(plain: Plain, names: Names, item: Collection | None) -> Part:
    """Return the part that says what this says, or one that only keeps it."""
    found = _read(plain, names, item) if isinstance(plain, dict) else None
    return Kept(plain) if found is None else found


def _read(plain: Mapping[str, Any], names: Names, item: Collection | None) -> Part | None:
    if "fact" in plain:
        return _line(plain, names, item)
    if len(plain) != 1:
        return None
    shape, inside = next(iter(plain.items()))
    if shape in {"all", "any"} and isinstance(inside, list):
        return Group(shape, tuple(_part(one, names, item) for one in inside))
    if shape == "not":
        return _negated(_part(inside, names, item))
    if item is None and isinstance(inside, dict):
        if shape in {"each", "count"}:
            return _items(shape, inside, names)
        if shape == "signoff":
            return _seats(inside)
    return None


def _negated(part: Part) -> Part:
    """Return a group that fails where the part holds."""
    if isinstance(part, Group) and part.how in {"all", "any"}:
        return Group("some_not" if part.how == "all" else "none", part.parts)
    return Group("none", (part,))


def _line(plain: Mapping[str, Any], names: Names, item: Collection | None) -> Line | None:
    said = [key for key in plain if key != "fact"]
    name = plain["fact"]
    if not isinstance(name, str) or len(said) != 1 or said[0] not in _OPERATORS:
        return None
    fact, op, right = fact_of(name, names, item), said[0], plain[said[0]]
    if op == "is_set":
        return Line(name, "set" if right else "unset") if isinstance(right, bool) else None
    if op in {"in", "not_in"}:
        return _among(name, fact, op, right)
    if isinstance(right, dict):
        return _beside(name, op, right)
    if isinstance(right, list):
        return None
    return _beside_value(name, fact, op, right)


def _among(name: str, fact: Fact | None, op: str, right: object) -> Line | None:
    if not isinstance(right, list) or any(isinstance(one, list | dict) for one in right):
        return None
    values = tuple(spelled(one) for one in right)
    if has_choices(fact):
        return Line(name, op, chosen=values)
    if any("\n" in one or one != one.strip() or not one for one in values):
        return None
    return Line(name, op, typed="\n".join(values))


def _beside(name: str, op: str, right: Mapping[str, Any]) -> Line | None:
    if len(right) != 1:
        return None
    kind, value = next(iter(right.items()))
    if kind == "fact" and isinstance(value, str):
        return Line(name, op, FACT + value)
    if kind == "today_plus_days" and isinstance(value, int | str) and not isinstance(value, bool):
        return Line(name, op, TODAY, str(value))
    return None


def _beside_value(name: str, fact: Fact | None, op: str, right: Any) -> Line | None:
    if isinstance(right, str) and right.startswith("$"):
        return Line(name, op, right)
    if fact is not None and fact.type == "enum" and op in {"eq", "ne"}:
        return Line(name, "in" if op == "eq" else "not_in", chosen=(spelled(right),))
    if fact is not None and fact.type == "boolean" and isinstance(right, bool):
        return Line(name, op, spelled(right))
    if isinstance(right, str) and right != " ".join(right.split()):
        # One line of a form would lose spaces that this value has.
        return None
    return Line(name, op, VALUE, spelled(right))


def _items(shape: str, inside: Mapping[str, Any], names: Names) -> Items | None:
    """Return the part for a list; bounds may be numbers or named numbers."""
    known = {"each": {"in", "must", "where", "at_least"}, "count": {"of", "where", "gte", "lte"}}
    name = inside.get("in" if shape == "each" else "of")
    bounds = [inside.get(key) for key in ("at_least", "gte", "lte")]
    if (
        not isinstance(name, str)
        or not set(inside) <= known[shape]
        or not all(map(_is_bound, bounds))
    ):
        return None
    item = names.collections.get(name)
    if item is None:
        # Nobody knows the list, so nobody knows what its items could be asked.
        return None
    return Items(
        shape,
        name,
        where=_inside(inside, "where", names, item),
        must=_inside(inside, "must", names, item),
        least=_bound(inside.get("at_least" if shape == "each" else "gte")),
        most=_bound(inside.get("lte")),
    )


def _inside(plain: Mapping[str, Any], key: str, names: Names, item: Collection) -> Group:
    return as_group(_part(plain[key], names, item)) if key in plain else Group()


def _seats(inside: Mapping[str, Any]) -> Seats | None:
    if not set(inside) <= {"role", "quorum", "at_most", "decision", "exclude"}:
        return None
    roles, exclude = inside.get("role"), inside.get("exclude", [])
    roles = [roles] if isinstance(roles, str) else roles
    decision = inside.get("decision", "approved")
    bounds = [key for key in ("quorum", "at_most") if key in inside]
    if not (_words(roles) and _words(exclude)) or decision not in DECISIONS or len(bounds) != 1:
        return None
    if inside[bounds[0]] is None or not _is_bound(inside[bounds[0]]):
        return None
    return Seats(tuple(roles or ()), bounds[0], _bound(inside[bounds[0]]), decision, tuple(exclude))


def _words(plain: object) -> bool:
    return isinstance(plain, list) and all(isinstance(one, str) and one for one in plain)


def _is_bound(plain: object) -> bool:
    if plain is None or (isinstance(plain, int) and not isinstance(plain, bool)):
        return True
    return isinstance(plain, str) and plain.startswith("$")


def _bound(plain: object) -> str:
    return "" if plain is None else str(plain)


def has_choices(fact: Fact | None) -> bool:
    """Tell whether the values of a fact are a short list to choose from."""
    return fact is not None and fact.type in {"enum", "boolean"}


def spelled(value: bool | int | Decimal | date | str | None) -> str:
    """Return a plain value as somebody types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
