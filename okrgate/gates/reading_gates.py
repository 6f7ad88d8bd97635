"""Read gates, their requirements, and the promises a rulebook makes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from okrgate.gates.conditions import (
    Condition,
    Count,
    Each,
    SignoffCondition,
    SomeFails,
    Value,
    leaves,
    size,
)
from okrgate.gates.model import (
    Gate,
    Invariant,
    Requirement,
    Stage,
    Transition,
    WaiverTerms,
)
from okrgate.gates.reading import Reader
from okrgate.gates.reading_conditions import ConditionReader, Names
from okrgate.gates.tree import Node
from okrgate.gates.vocabulary import MODES, SECTIONS, SEVERITIES, SIGNING, STRICT, section_of

MAX_REQUIREMENTS = 60
MAX_CONDITIONS = 40
_PLACE = re.compile(r"\{([^{}]*)\}")
_KEYS = ("help", "mode", "binds_from", "after", "when", "waiver", "fix")


def read_gates(
    reader: Reader, node: Node | None, names: Names, conditions: ConditionReader
) -> dict[str, Gate]:
    """Return the gates; a requirement's id is used once in the whole file."""
    found: dict[str, Gate] = {}
    seen: dict[str, int] = {}
    for name, _, place in reader.named(node, "gates"):
        parts = reader.fields(
            place, name, required=("label", "requirements"), optional=("material", "signing")
        )
        nodes = reader.items(parts.get("requirements"), "requirements")
        if "requirements" in parts and not nodes:
            reader.error(
                parts["requirements"],
                f"the gate {name} has no requirement: take it off its transitions instead",
            )
        if len(nodes) > MAX_REQUIREMENTS:
            reader.error(
                parts["requirements"], f"a gate has at most {MAX_REQUIREMENTS} requirements"
            )
        wanted = []
        for one in nodes[:MAX_REQUIREMENTS]:
            requirement = _requirement(reader, one, names, conditions, seen)
            if requirement is not None:
                wanted.append(requirement)
        _check_order(reader, nodes, wanted)
        material = None
        if "material" in parts:
            known = (*names.facts, *names.collections)
            material = reader.known(parts["material"], "material", "fact or list", known)
        label = reader.text(parts.get("label"), "label", default=name)
        strict = _is_strict(reader, name, parts.get("signing"), wanted)
        found[name] = Gate(name, label, tuple(wanted), material, strict)
    return found


def _check_order(reader: Reader, nodes: list[Node], wanted: list[Requirement]) -> None:
    """Note steps that cannot be taken: `after` what is not in this gate, or each after the other."""
    by_id = {one.id: one for one in wanted}
    places = {node.line: node for node in nodes}
    for one in wanted:
        node = places[one.line]
        for name in one.after:
            reader.is_known(node, name, "requirement of this gate", by_id)
        if one.after and not _signs(one):
            reader.warn(node, f"nobody signs for {one.id}, so after changes nothing")
        if one.id in _before(one, by_id):
            reader.error(node, f"{one.id} comes after itself")


def _before(one: Requirement, by_id: Mapping[str, Requirement]) -> set[str]:
    """Return everything that has to come before a requirement."""
    found: set[str] = set()
    further = list(one.after)
    while further:
        name = further.pop()
        if name not in found:
            found.add(name)
            further += by_id[name].after if name in by_id else ()
    return found


def _signs(one: Requirement) -> bool:
    return any(isinstance(leaf, SignoffCondition) and leaf.quorum for leaf in leaves(one.condition))


def _is_strict(reader: Reader, gate: str, node: Node | None, wanted: list[Requirement]) -> bool:
    """Tell whether each decision at a gate asks for a second factor; one where nobody signs asks nobody."""
    if reader.choice(node, "signing", SIGNING, default=SIGNING[0]) != STRICT:
        return False
    if node is not None and not any(
        isinstance(leaf, SignoffCondition) for one in wanted for leaf in leaves(one.condition)
    ):
        reader.warn(
            node, f"the gate {gate} asks for no sign-off, so signing: strict changes nothing"
        )
    return True


def _requirement(
    reader: Reader, node: Node, names: Names, conditions: ConditionReader, seen: dict[str, int]
) -> Requirement | None:
    parts = reader.fields(
        node, "a requirement", required=("id", "message", "severity", "if"), optional=_KEYS
    )
    name = reader.text(parts.get("id"), "id")
    if not name or not reader.is_id(parts["id"], name):
        name = ""
    elif name in seen:
        reader.error(
            parts["id"], f"the requirement {name} is written twice (first on line {seen[name]})"
        )
    else:
        seen[name] = node.line
    condition = conditions.read(parts["if"]) if "if" in parts else None
    when = conditions.read(parts["when"]) if "when" in parts else None
    severity = reader.choice(parts.get("severity"), "severity", SEVERITIES, default="hard")
    waiver = _waiver(reader, node, parts, severity, names, conditions)
    message = _filled(reader, parts.get("message"), "message", names.params, conditions)
    helped = _filled(reader, parts.get("help"), "help", names.params, conditions)
    mode = reader.choice(parts.get("mode"), "mode", MODES, default="active")
    binds_from = reader.day(parts.get("binds_from"), "binds_from")
    if "binds_from" in parts and mode != "evaluate":
        reader.error(
            parts["binds_from"], "binds_from is for a requirement on trial (mode: evaluate)"
        )
    fix = reader.text(parts.get("fix"), "fix") or None
    if fix is not None and not reader.is_known(parts["fix"], fix, "section", SECTIONS):
        fix = None
    total = sum(size(one) for one in (condition, when) if one is not None)
    if total > MAX_CONDITIONS:
        reader.error(
            node, f"a requirement has at most {MAX_CONDITIONS} comparisons, this one has {total}"
        )
        return None
    if not name or condition is None or ("when" in parts and when is None):
        return None
    return Requirement(
        id=name,
        message=message,
        severity=severity,
        condition=condition,
        help=helped,
        mode=mode,
        when=when,
        waiver=waiver,
        binds_from=binds_from,
        after=tuple(word for word, _ in reader.words(parts.get("after"), "after", single=True)),
        fix=fix or default_fix(condition, names.answered_in),
        line=node.line,
    )


def default_fix(condition: Condition, answered_in: Mapping[str, str]) -> str | None:
    """Return the section where the first fact or list of a condition is filled in."""
    for leaf in leaves(condition):
        if isinstance(leaf, SignoffCondition):
            continue
        if isinstance(leaf, Each | SomeFails | Count):
            each = leaf.each if isinstance(leaf, SomeFails) else leaf
            section = section_of(each.collection, _fields(each))
        else:
            section = answered_in.get(leaf.left.name) or section_of(leaf.left.name)
        if section is not None:
            return section
    return None


def _fields(leaf: Each | Count) -> Iterable[str]:
    inside = [leaf.must] if isinstance(leaf, Each) else ([leaf.where] if leaf.where else [])
    for condition in inside:
        for one in leaves(condition):
            if (
                not isinstance(one, Each | SomeFails | Count | SignoffCondition)
                and one.left.of_item
            ):
                yield one.left.name


def _waiver(
    reader: Reader,
    node: Node,
    parts: Mapping[str, Node],
    severity: str,
    names: Names,
    conditions: ConditionReader,
) -> WaiverTerms | None:
    if "waiver" not in parts:
        if severity == "soft":
            reader.error(node, "a soft requirement needs waiver: who may set it aside")
        return None
    if severity != "soft":
        reader.error(
            parts["waiver"], f"only a soft requirement has a waiver; this one is {severity}"
        )
    inside = reader.fields(
        parts["waiver"], "waiver", required=("by",), optional=("reason_min", "expires_days")
    )
    by = reader.known(inside.get("by"), "by", "role", names.roles)
    if "by" in inside and isinstance(inside["by"].value, list) and not inside["by"].value:
        reader.error(inside["by"], "nobody may waive this: name a role")
    reason_min = conditions.number(inside.get("reason_min"), "reason_min", low=0, high=1000)
    expires = conditions.number(inside.get("expires_days"), "expires_days", low=1, high=3660)
    return WaiverTerms(
        by, 20 if reason_min is None else reason_min, 30 if expires is None else expires
    )


def _filled(
    reader: Reader,
    node: Node | None,
    what: str,
    params: Mapping[str, Value],
    conditions: ConditionReader,
) -> str:
    """Return a text with each {param} replaced by its value."""
    text = reader.text(node, what)

    def value(found: "re.Match[str]") -> str:
        name = found[1]
        if node is not None and reader.is_known(node, name, "parameter", params):
            conditions.used_params.add(name)
            return spoken(params[name])
        return found[0]

    return _PLACE.sub(value, text)


def spoken(value: Value) -> str:
    """Return a value as a sentence says it: 50,000.00."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,d}"
    return value.isoformat() if isinstance(value, date) else value


def warn_unused(
    reader: Reader,
    node: Node | None,
    gates: Mapping[str, Gate],
    transitions: Mapping[str, Transition],
) -> None:
    """Note gates that stand on no transition."""
    used = {one.gate for one in transitions.values()}
    for name, key, _ in Reader().named(node, "gates"):
        if name in gates and name not in used:
            reader.warn(key, f"the gate {name} is not used by any transition")


def read_invariants(
    reader: Reader,
    node: Node | None,
    params: Mapping[str, Value],
    conditions: ConditionReader,
    stages: Mapping[str, Stage],
    transitions: Mapping[str, Transition],
) -> tuple[Invariant, ...]:
    """Return the promises of a file. Whether they are kept is not decided here."""
    found: list[Invariant] = []
    for place in reader.items(node, "invariants"):
        parts = reader.fields(
            place,
            "an invariant",
            required=("id",),
            optional=("never_reach", "unless", "always", "at", "label", "help"),
        )
        name = reader.text(parts.get("id"), "id")
        if name and reader.is_id(parts["id"], name) and any(one.id == name for one in found):
            reader.error(parts["id"], f"the invariant {name} is written twice")
        given = {key for key in parts if key not in {"id", "label", "help"}}
        if given == {"never_reach", "unless"}:
            one = _never(reader, name, place, parts, conditions, stages)
        elif given == {"always", "at"}:
            one = _always(reader, name, place, parts, conditions, transitions)
        else:
            reader.error(place, "an invariant says either never_reach and unless, or always and at")
            one = None
        if one is not None:
            label = _filled(reader, parts.get("label"), "label", params, conditions)
            found.append(replace(one, label=label))
    return tuple(found)


def _never(
    reader: Reader,
    name: str,
    place: Node,
    parts: Mapping[str, Node],
    conditions: ConditionReader,
    stages: Mapping[str, Stage],
) -> Invariant | None:
    stage = reader.text(parts["never_reach"], "never_reach")
    known = bool(stage) and reader.is_known(parts["never_reach"], stage, "stage", stages)
    condition = conditions.read(parts["unless"])
    if not name or not known or condition is None:
        return None
    return Invariant(name, condition, never_reach=stage, line=place.line)


def _always(
    reader: Reader,
    name: str,
    place: Node,
    parts: Mapping[str, Node],
    conditions: ConditionReader,
    transitions: Mapping[str, Transition],
) -> Invariant | None:
    transition = reader.text(parts["at"], "at")
    known = bool(transition) and reader.is_known(parts["at"], transition, "transition", transitions)
    condition = conditions.read(parts["always"])
    if not name or not known or condition is None:
        return None
    return Invariant(name, condition, at=transition, line=place.line)
