"""A condition in a form: every part has its fields, every change of shape is a button.

A field is called `<condition>.<path>.<field>`; a button `do` says `<verb>:<condition>:<path>`. Whatever was
typed comes along when the shape changes.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from okrgate.gates.rendering import Plain
from okrgate.workshop.rows.conditions_parts import (
    DEEPEST,
    MARKS,
    MOST,
    ROOT,
    VALUE,
    Group,
    Items,
    Kept,
    Line,
    Part,
    Path,
    Seats,
    as_group,
    changed,
    walk,
)

Sent = MultiDict[str, str]
HOWS = {
    "all": "All of these must hold",
    "any": "At least one of these must hold",
    "none": "None of these may hold",
    "some_not": "At least one of these must fail",
}
_LONGEST = 2_000
_LONGEST_KEPT = 50_000
NEW: Mapping[str, Part] = {
    "line": Line(),
    "group": Group("any", (Line(),)),
    "each": Items("each", must=Group("all", (Line(),)), least="1"),
    "count": Items("count", least="1"),
    "seats": Seats(),
}


def field_name(prefix: str, path: Path, what: str) -> str:
    """Return what a field of a part is called."""
    return f"{prefix}.{'-'.join(path)}.{what}"


def read(sent: Sent, prefix: str) -> Group:
    """Return the condition that a form sent; what makes no sense reads as empty."""
    return as_group(_read(sent, prefix, ROOT) or Group())


def _read(sent: Sent, prefix: str, path: Path) -> Part | None:
    kind = sent.get(field_name(prefix, path, "kind"), "")

    def said(what: str) -> str:
        typed = sent.get(field_name(prefix, path, what), "")[:_LONGEST]
        return typed.replace("\x00", "").replace("\r\n", "\n")

    def ticked(what: str) -> tuple[str, ...]:
        return tuple(one[:200] for one in sent.getlist(field_name(prefix, path, what))[:MOST])

    if kind == "line":
        return Line(
            said("fact"), said("op"), said("against") or VALUE, said("typed"), ticked("chosen")
        )
    if kind == "seats":
        return Seats(
            ticked("roles"), said("bound"), said("number"), said("decision"), ticked("exclude")
        )
    if kind == "kept":
        return _kept(sent.get(field_name(prefix, path, "plain"), ""))
    if len(path) > DEEPEST:
        return None
    if kind == "group":
        how = said("how")
        return Group(how if how in HOWS else "all", _parts(sent, prefix, path))
    if kind in {"each", "count"}:
        where, must = (_read(sent, prefix, (*path, MARKS[one])) for one in ("where", "must"))
        return Items(
            kind,
            said("of"),
            as_group(where or Group()),
            as_group(must or Group()),
            said("least"),
            said("most"),
        )
    return None


def _parts(sent: Sent, prefix: str, path: Path) -> tuple[Part, ...]:
    found = []
    for index in range(MOST):
        one = _read(sent, prefix, (*path, str(index)))
        if one is None:
            break
        found.append(one)
    return tuple(found)


def after(group: Group, verb: str, path: Path) -> Group:
    """Return the condition with another shape; an unknown verb changes nothing."""
    kind = verb.removeprefix("add-")
    if verb != kind and kind in NEW:
        if sum(1 for _ in walk(group)) >= MOST:
            return group
        return _at(group, path, lambda part: (_with(part, NEW[kind]),))
    if verb == "remove":
        return _at(group, path, lambda _part: ())
    if verb == "wrap":
        return _at(group, path, lambda part: (Group("any", (part,)),))
    if verb == "unwrap":
        return _at(group, path, _opened)
    return group


def _at(group: Group, path: Path, how: Any) -> Group:
    if path[:1] != ROOT:
        return group
    return as_group(*changed(group, path[1:], how))


def _with(part: Part, new: Part) -> Part:
    return replace(part, parts=(*part.parts, new)) if isinstance(part, Group) else part


def _opened(part: Part) -> tuple[Part, ...]:
    """Return what stands in a group, in its place; only what says the same without it."""
    if isinstance(part, Group) and part.how in {"all", "any"}:
        return part.parts
    return (part,)


# what no form can show travels as text


def packed(plain: Plain) -> str:
    """Return plain data as one line of text that `read` takes back."""
    return json.dumps(plain, default=_tagged)


def _tagged(value: object) -> dict[str, str]:
    kind = "decimal" if isinstance(value, Decimal) else "date"
    return {f"={kind}": str(value)}


def _kept(text: str) -> Kept | None:
    try:
        return Kept(json.loads(text[:_LONGEST_KEPT], object_hook=_untagged, parse_float=Decimal))
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _untagged(pairs: dict[str, Any]) -> Any:
    if len(pairs) == 1:
        kind, value = next(iter(pairs.items()))
        if kind == "=decimal":
            return Decimal(str(value))
        if kind == "=date":
            return date.fromisoformat(str(value))
    return pairs
