"""Read fixtures and embedded tests: the examples a rulebook brings along."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from okrgate.gates.conditions import Value
from okrgate.gates.model import (
    EmbeddedTest,
    Example,
    Expectation,
    Fact,
    Gate,
    Signoff,
    Transition,
    Waiver,
)
from okrgate.gates.reading import Reader
from okrgate.gates.reading_conditions import DECISIONS, Names
from okrgate.gates.tree import Node
from okrgate.gates.values import Unfit, fit

_BESIDE = re.compile(r"\$([A-Za-z_][\w-]{0,59})(?: ?([+-]) ?(\d{1,12}(?:\.\d{1,6})?))?")
MAX_ITEMS = 500
MAX_TESTS = 2000
_OWN = ("today", "signoffs", "waivers")
_EXPECT = ("allowed", "missing", "met", "waived", "na", "items")


class ExampleReader:
    """Reads projects as tests write them down."""

    def __init__(self, reader: Reader, names: Names, requirements: Mapping[str, object]) -> None:
        """Read for one file's names."""
        self._reader = reader
        self._names = names
        self._requirements = requirements

    def fixtures(self, node: Node | None) -> dict[str, Example]:
        """Return the named examples."""
        return {
            name: self._fixture(name, place)
            for name, _, place in self._reader.named(node, "fixtures")
        }

    def _fixture(self, name: str, node: Node) -> Example:
        known = (*_OWN, *self._names.collections)
        parts = self._reader.fields(node, name, required=("facts",), optional=known)
        values: dict[str, Value | tuple[str, ...]] = {}
        for fact, key, place in self._reader.named(parts.get("facts"), "facts", dotted=True):
            if self._reader.is_known(key, fact, "fact", self._names.facts):
                self._value(values, self._names.facts[fact], place)
        return self._example(name, parts, values)

    def changes(self, node: Node | None) -> Example:
        """Return what a test sets: facts by name, whole lists, sign-offs, waivers, the day."""
        if node is None:
            return Example("set", None, {}, {})
        known = (*_OWN, *self._names.collections, *self._names.facts)
        parts = self._reader.fields(node, "set", optional=known)
        values: dict[str, Value | tuple[str, ...]] = {}
        for name, place in parts.items():
            if name in self._names.facts and name not in self._names.collections:
                self._value(values, self._names.facts[name], place)
        return self._example("set", parts, values)

    def _example(
        self, name: str, parts: Mapping[str, Node], values: dict[str, Value | tuple[str, ...]]
    ) -> Example:
        return Example(
            id=name,
            today=self._reader.day(parts.get("today"), "today"),
            values=values,
            collections={
                one: self._rows(one, parts[one]) for one in self._names.collections if one in parts
            },
            signoffs=self._signoffs(parts["signoffs"]) if "signoffs" in parts else None,
            waivers=self._waivers(parts["waivers"]) if "waivers" in parts else None,
        )

    def _value(self, values: dict[str, Any], fact: Fact, node: Node) -> None:
        given = self._from_params(node) if self._is_param(node) else _plain(node)
        if given is None and self._is_param(node):
            return
        try:
            found = fit(fact, given)
        except Unfit as problem:
            self._reader.error(node, f"{fact.name} {problem}")
            return
        if found is not None:
            values[fact.name] = found

    @staticmethod
    def _is_param(node: Node) -> bool:
        return isinstance(node.value, str) and node.value.startswith("$")

    def _from_params(self, node: Node) -> Value | None:
        """Return a parameter's value, or a number a little beside it: `$limit`, `$limit + 0.01`, `$limit - 1`.

        So a test of a limit still says what it says when the limit changes.
        """
        written = _BESIDE.fullmatch(str(node.value))
        if written is None:
            self._reader.error(node, "write $name, $name + 0.01 or $name - 1")
            return None
        name, sign, by = written.groups()
        if not self._reader.is_known(node, name, "parameter", self._names.params):
            return None
        value = self._names.params[name]
        if not sign:
            return value
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._reader.error(node, f"{name} is no number, so nothing can be added to it")
            return None
        found = value + Decimal(by) if sign == "+" else value - Decimal(by)
        return int(found) if found == found.to_integral_value() else found

    def _rows(self, name: str, node: Node) -> tuple[Mapping[str, Value], ...]:
        collection = self._names.collections[name]
        nodes = self._reader.items(node, name)
        if len(nodes) > MAX_ITEMS:
            self._reader.error(node, f"{name} has at most {MAX_ITEMS} items")
        rows = []
        for one in nodes[:MAX_ITEMS]:
            row: dict[str, Value] = {}
            for field, place in self._reader.fields(
                one, f"an item of {name}", optional=tuple(collection.fields)
            ).items():
                self._value(row, collection.fields[field], place)
            rows.append(row)
        return tuple(rows)

    def _signoffs(self, node: Node) -> tuple[Signoff, ...]:
        found = []
        for one in self._reader.items(node, "signoffs"):
            parts = self._reader.fields(
                one,
                "a sign-off",
                required=("role", "by"),
                optional=("decision", "stale", "on_behalf_of"),
            )
            role, by = (
                self._reader.text(parts.get("role"), "role"),
                self._reader.text(parts.get("by"), "by"),
            )
            if (
                role
                and by
                and self._reader.is_known(parts["role"], role, "role", self._names.roles)
            ):
                decision = self._reader.choice(
                    parts.get("decision"), "decision", DECISIONS, default="approved"
                )
                stale = self._reader.flag(parts.get("stale"), "stale")
                behalf = self._reader.text(parts.get("on_behalf_of"), "on_behalf_of") or None
                found.append(Signoff(role, by, decision, stale, behalf))
        return tuple(found)

    def _waivers(self, node: Node) -> tuple[Waiver, ...]:
        found = []
        for one in self._reader.items(node, "waivers"):
            parts = self._reader.fields(one, "a waiver", required=("requirement", "role", "by"))
            requirement = self._reader.text(parts.get("requirement"), "requirement")
            role, by = (
                self._reader.text(parts.get("role"), "role"),
                self._reader.text(parts.get("by"), "by"),
            )
            if not (requirement and role and by):
                continue
            known = self._reader.is_known(
                parts["requirement"], requirement, "requirement", self._requirements
            )
            if self._reader.is_known(parts["role"], role, "role", self._names.roles) and known:
                found.append(Waiver(requirement, role, by))
        return tuple(found)


def _plain(node: Node) -> object:
    if isinstance(node.value, list):
        return [one.value for one in node.value]
    return node.value


def read_tests(
    reader: Reader,
    node: Node | None,
    examples: ExampleReader,
    fixtures: Mapping[str, Example],
    transitions: Mapping[str, Transition],
    gates: Mapping[str, Gate],
    names: Names,
) -> tuple[EmbeddedTest, ...]:
    """Return the embedded tests of a file."""
    found: list[EmbeddedTest] = []
    seen: dict[str, int] = {}
    nodes = reader.items(node, "tests")
    if node is not None and len(nodes) > MAX_TESTS:
        reader.error(node, f"a file has at most {MAX_TESTS} tests")
    for place in nodes[:MAX_TESTS]:
        parts = reader.fields(
            place,
            "a test",
            required=("name", "transition", "fixture", "expect"),
            optional=("set", "unset"),
        )
        name = reader.text(parts.get("name"), "name")
        if name and name in seen:
            reader.error(
                parts["name"], f"the test {name[:80]} is written twice (first on line {seen[name]})"
            )
        seen.setdefault(name, place.line)
        transition, fixture = (
            reader.text(parts.get("transition"), "transition"),
            reader.text(parts.get("fixture"), "fixture"),
        )
        good = bool(transition) and reader.is_known(
            parts["transition"], transition, "transition", transitions
        )
        good = (
            bool(fixture)
            and reader.is_known(parts["fixture"], fixture, "fixture", fixtures)
            and good
        )
        gate = gates.get(transitions[transition].gate or "") if transition in transitions else None
        expect = _expectation(reader, parts.get("expect"), gate)
        changes = examples.changes(parts.get("set"))
        unset = reader.known(
            parts.get("unset"), "unset", "fact", (*names.facts, *names.collections)
        )
        if name and good:
            found.append(
                EmbeddedTest(
                    name, transition, fixture, changes, unset, expect, place.line, place.column
                )
            )
    return tuple(found)


def _expectation(reader: Reader, node: Node | None, gate: Gate | None) -> Expectation:
    if node is None:
        return Expectation()
    parts = reader.fields(node, "expect", optional=_EXPECT)
    if isinstance(node.value, dict) and not parts:
        reader.error(node, f"expect says at least one of {', '.join(_EXPECT)}")
    known = {one.id for one in gate.requirements} if gate else set[str]()
    kind = (
        f"requirement of the gate {gate.id}"
        if gate
        else "requirement: this transition has no gate, so"
    )
    lists = {
        what: frozenset(reader.known(parts.get(what), what, kind, known))
        for what in ("missing", "met", "waived", "na")
    }
    items = {}
    for name, key, place in reader.named(parts.get("items"), "items"):
        if reader.is_known(key, name, kind, known):
            items[name] = tuple(str(one.value) for one in reader.items(place, name))
    return Expectation(
        allowed=reader.flag(parts["allowed"], "allowed") if "allowed" in parts else None,
        missing=lists["missing"] if "missing" in parts else None,
        met=lists["met"],
        waived=lists["waived"],
        na=lists["na"],
        items=items,
    )
