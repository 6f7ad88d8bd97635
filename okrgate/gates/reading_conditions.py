"""Read conditions: resolve every name, check every type, fill in every parameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from okrgate.gates.conditions import (
    ORDERED,
    All,
    Among,
    Any,
    Compare,
    Condition,
    Count,
    Each,
    IsSet,
    Ref,
    SignoffCondition,
    Today,
    Value,
    opposite,
)
from okrgate.gates.model import Collection, Fact, Role
from okrgate.gates.problems import did_you_mean
from okrgate.gates.reading import Reader
from okrgate.gates.tree import Node, entries
from okrgate.gates.values import Unfit, fit_type

COMPARISONS = ("eq", "ne", "lt", "lte", "gt", "gte")
DECISIONS = ("approved", "approved_with_conditions", "returned", "held", "declined", "rejected")
_OPERATORS = (*COMPARISONS, "in", "not_in", "is_set")
_SHAPES = ("fact", "all", "any", "not", "each", "count", "signoff")
_MANY = 1000


@dataclass
class Names:
    """All that a condition may name."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    collections: Mapping[str, Collection] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    answered_in: Mapping[str, str] = field(default_factory=dict)


class ConditionReader:
    """Turns a tree into a condition; what is wrong is noted in the reader and gives None."""

    def __init__(self, reader: Reader, names: Names) -> None:
        """Read for one file's names."""
        self._reader = reader
        self._names = names
        self.used_params: set[str] = set()

    def read(self, node: Node, item: Collection | None = None) -> Condition | None:
        """Return the condition written here; `item` is the list whose items it is about."""
        if not isinstance(node.value, dict) or not node.value:
            self._reader.error(
                node, f"a condition has to be a group like {{fact: …, gte: …}}, not {node.kind}"
            )
            return None
        shapes = [shape for shape in _SHAPES if shape in node.value]
        if len(shapes) != 1:
            self._not_a_condition(node, shapes)
            return None
        shape = shapes[0]
        if shape == "fact":
            return self._comparison(node, item)
        self._reader.fields(node, "a condition", optional=(shape,))
        inside = entries(node)[shape].value
        if shape in {"all", "any"}:
            return self._group(shape, inside, item)
        if shape == "not":
            part = self.read(inside, item)
            return None if part is None else opposite(part)
        if item is not None:
            self._reader.error(
                node, f"{shape} cannot stand inside a condition on the items of a list"
            )
            return None
        if shape == "each":
            return self._each(inside)
        return self._count(inside) if shape == "count" else self._signoff(inside)

    def _not_a_condition(self, node: Node, shapes: Sequence[str]) -> None:
        if shapes:
            self._reader.error(
                node, f"one condition is either {' or '.join(shapes)}: put them under all or any"
            )
            return
        first = next(iter(entries(node).values())).key
        word = str(first.value)
        hint = did_you_mean(word, _SHAPES)
        self._reader.error(
            first, f"unknown condition {word[:60]}: one of {', '.join(_SHAPES)}{hint}"
        )

    def _group(self, shape: str, node: Node, item: Collection | None) -> Condition | None:
        nodes = self._reader.items(node, shape)
        if isinstance(node.value, list) and not nodes:
            self._reader.error(node, f"{shape} needs at least one condition")
        parts = [self.read(part, item) for part in nodes]
        good = tuple(part for part in parts if part is not None)
        if not good or len(good) < len(parts):
            return None
        if len(good) == 1:
            return good[0]
        return All(good) if shape == "all" else Any(good)

    # comparisons

    def _comparison(self, node: Node, item: Collection | None) -> Condition | None:
        parts = self._reader.fields(node, "a comparison", required=("fact",), optional=_OPERATORS)
        said = [name for name in parts if name != "fact"]
        found = self._fact(parts["fact"], item) if "fact" in parts else None
        if len(said) != 1:
            words = "needs one of" if not said else f"has {len(said)} comparisons, give it one of"
            self._reader.error(node, f"this condition {words} {', '.join(_OPERATORS)}")
            return None
        if found is None:
            return None
        fact, left = found
        operator, right = said[0], parts[said[0]]
        if operator == "is_set":
            if not isinstance(right.value, bool):
                self._reader.error(right, f"is_set has to be true or false, not {right.kind}")
                return None
            return IsSet(left, right.value)
        if fact.many:
            self._reader.error(
                parts["fact"],
                f"{fact.name} holds several people: ask only is_set, or name it in exclude",
            )
            return None
        if operator in {"in", "not_in"}:
            return self._among(fact, left, operator, right)
        return self._compare(fact, left, operator, right, item)

    def _fact(self, node: Node, item: Collection | None) -> tuple[Fact, Ref] | None:
        if not isinstance(node.value, str):
            self._reader.error(node, f"fact has to be the name of a fact, not {node.kind}")
            return None
        name = node.value
        if item is not None and name in item.fields:
            fact = item.fields[name]
            return fact, Ref(name, fact.type, of_item=True)
        if name in self._names.facts:
            fact = self._names.facts[name]
            return fact, Ref(name, fact.type)
        if item is not None and "." not in name:
            hint = did_you_mean(name, item.fields)
            self._reader.error(node, f"unknown field {name[:60]} of {item.name}{hint}")
        else:
            self._reader.error(
                node, f"unknown fact {name[:60]}{did_you_mean(name, self._names.facts)}"
            )
        return None

    def _compare(
        self, fact: Fact, left: Ref, operator: str, node: Node, item: Collection | None
    ) -> Condition | None:
        if operator not in {"eq", "ne"} and fact.type not in ORDERED:
            self._reader.error(
                node, f"{fact.name} is a {fact.type}: it has no order, so use eq, ne, in or not_in"
            )
            return None
        right: Value | Ref | Today | None
        if isinstance(node.value, dict):
            right = self._other_side(fact, left, node, item)
        else:
            right = self.constant(fact, node)
        return None if right is None else Compare(left, operator, right)

    def _other_side(
        self, fact: Fact, left: Ref, node: Node, item: Collection | None
    ) -> Ref | Today | None:
        parts = self._reader.fields(node, "the other side", optional=("fact", "today_plus_days"))
        if len(parts) != 1:
            self._reader.error(node, "the other side has to be {fact: …} or {today_plus_days: …}")
            return None
        if "fact" in parts:
            found = self._fact(parts["fact"], item)
            if found is None:
                return None
            if found[0].type != fact.type or found[0].many:
                other = "several people" if found[0].many else f"a {found[0].type}"
                self._reader.error(
                    parts["fact"], f"{fact.name} is a {fact.type} and {found[0].name} is {other}"
                )
                return None
            if found[1] == left:
                self._reader.error(parts["fact"], f"{fact.name} is compared with itself")
                return None
            return found[1]
        if fact.type != "date":
            self._reader.error(
                node, f"{fact.name} is a {fact.type}: only dates are compared with today"
            )
            return None
        days = self.number(parts["today_plus_days"], "today_plus_days", low=-36500, high=36500)
        return None if days is None else Today(days)

    def _among(self, fact: Fact, left: Ref, operator: str, node: Node) -> Condition | None:
        nodes = self._reader.items(node, operator)
        if isinstance(node.value, list) and not nodes:
            self._reader.error(node, f"{operator} needs at least one value")
        values = [self.constant(fact, one) for one in nodes]
        good = tuple(dict.fromkeys(value for value in values if value is not None))
        if not good or None in values:
            return None
        return Among(left, good, inside=operator == "in")

    def constant(self, fact: Fact, node: Node) -> Value | None:
        """Return a constant (or the value of a $param) that this fact may be compared with."""
        value = self.param(node) if self.is_param(node) else node.value
        if value is None:
            if not self.is_param(node):
                self._reader.error(
                    node, f"{fact.name} is compared with nothing: write a {fact.type}"
                )
            return None
        try:
            found = fit_type(fact.type, value)
        except Unfit as problem:
            self._reader.error(node, f"{fact.name} {problem}")
            return None
        if found is None:
            self._reader.error(node, f"{fact.name} is compared with an empty text: use is_set")
        elif fact.type == "enum" and found not in fact.values:
            hint = did_you_mean(str(found), fact.values)
            self._reader.error(
                node, f"{fact.name} is never {found}: one of {', '.join(fact.values)}{hint}"
            )
            return None
        return found

    def is_param(self, node: Node) -> bool:
        """Tell whether a value is written as $param."""
        return isinstance(node.value, str) and node.value.startswith("$")

    def param(self, node: Node) -> Value | None:
        """Return the value of a $param."""
        name = str(node.value)[1:]
        if self._reader.is_known(node, name, "parameter", self._names.params):
            self.used_params.add(name)
            return self._names.params[name]
        return None

    def number(
        self, node: Node | None, what: str, *, low: int = 0, high: int = _MANY
    ) -> int | None:
        """Return a whole number or the value of a $param that is one."""
        if node is None:
            return None
        if not self.is_param(node):
            return self._reader.whole(node, what, low=low, high=high)
        value = self.param(node)
        if value is None:
            return None
        if isinstance(value, bool | str | date):
            self._reader.error(node, f"{what} has to be a whole number")
            return None
        return self._reader.whole(Node(node.line, node.column, value), what, low=low, high=high)

    # lists and sign-offs

    def _each(self, node: Node) -> Condition | None:
        parts = self._reader.fields(
            node, "each", required=("in", "must"), optional=("where", "at_least")
        )
        collection = self._collection(parts.get("in"))
        at_least = (
            self.number(parts.get("at_least"), "at_least", low=0) if "at_least" in parts else 0
        )
        if "at_least" not in parts:
            self._reader.warn(
                node,
                "each without at_least is met by an empty list: write at_least: 1 (or 0 to say so)",
            )
        if collection is None or "must" not in parts:
            return None
        must = self.read(parts["must"], collection)
        where = self.read(parts["where"], collection) if "where" in parts else None
        if must is None or at_least is None or ("where" in parts and where is None):
            return None
        return Each(collection.name, must, where, at_least)

    def _count(self, node: Node) -> Condition | None:
        parts = self._reader.fields(
            node, "count", required=("of",), optional=("where", "gte", "lte")
        )
        collection = self._collection(parts.get("of"))
        gte, lte = self.number(parts.get("gte"), "gte"), self.number(parts.get("lte"), "lte")
        if "gte" not in parts and "lte" not in parts:
            self._reader.error(node, "count needs gte or lte")
            return None
        if gte is not None and lte is not None and gte > lte:
            self._reader.error(node, f"can never be met: at least {gte} and at most {lte}")
            return None
        where = self.read(parts["where"], collection) if "where" in parts and collection else None
        broken = ("gte" in parts and gte is None) or ("lte" in parts and lte is None)
        if collection is None or broken or ("where" in parts and where is None):
            return None
        return Count(collection.name, where, gte, lte)

    def _collection(self, node: Node | None) -> Collection | None:
        if node is None:
            return None
        if not isinstance(node.value, str):
            self._reader.error(node, f"a list is called by its name, not {node.kind}")
            return None
        if self._reader.is_known(node, node.value, "list", self._names.collections):
            return self._names.collections[node.value]
        return None

    def _signoff(self, node: Node) -> Condition | None:
        parts = self._reader.fields(
            node,
            "signoff",
            required=("role",),
            optional=("quorum", "at_most", "decision", "exclude"),
        )
        if not parts:
            return None
        roles = self._reader.known(
            parts.get("role"), "role", "role", self._names.roles, single=True
        )
        quorum = self.number(parts.get("quorum"), "quorum", low=1, high=100)
        at_most = self.number(parts.get("at_most"), "at_most", low=0, high=100)
        decision = self._reader.choice(
            parts.get("decision"), "decision", DECISIONS, default="approved"
        )
        exclude = tuple(
            name
            for name, place in self._reader.words(parts.get("exclude"), "exclude")
            if self._is_person(place, name)
        )
        if ("quorum" in parts) == ("at_most" in parts):
            self._reader.error(node, "signoff needs either quorum or at_most")
            return None
        if not roles or (quorum is None and at_most is None):
            return None
        return SignoffCondition(roles, quorum, at_most, decision, exclude)

    def _is_person(self, node: Node, name: str) -> bool:
        if not self._reader.is_known(node, name, "fact", self._names.facts):
            return False
        if self._names.facts[name].type != "user":
            self._reader.error(node, f"{name} is a {self._names.facts[name].type}, not a person")
            return False
        return True
