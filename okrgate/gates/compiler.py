"""From a gate to durable_rules definitions, in the subset that is safe.

Every rule has one pattern, begins with a discriminator, and has constants on its right side. Rules say "met" or
"provably does not apply", never "violated": an engine that stays silent means missing. What a rule compares is
worked out before: fact against fact becomes a difference, a day becomes its distance from today, lists and
sign-offs become counts. A property that is absent makes its comparison untrue.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any as Json

from okrgate.gates.conditions import (
    All,
    Among,
    Any,
    Compare,
    Condition,
    Count,
    Each,
    IsSet,
    Leaf,
    Ref,
    SignoffCondition,
    SomeFails,
    Today,
    leaves,
    opposite,
)
from okrgate.gates.model import Gate, Requirement
from okrgate.gates.values import DECIMALS

SENTINEL = "ready"
GROUP = 30
# The engine refuses a pattern with more than 15 groups in it: larger conditions become several rules.
MAX_GROUPS = 10
_OPS = {"ne": "$neq", "lt": "$lt", "lte": "$lte", "gt": "$gt", "gte": "$gte"}

Number = int | str

_FACTOR: Mapping[str, int] = {kind: 10**places for kind, places in DECIMALS.items()}


@dataclass(frozen=True, slots=True)
class Property:
    """What a fact given to the engine carries under a short name.

    `kind`: value, set (1 or 0), difference (of two facts), days (from today).
    """

    kind: str
    left: Ref
    right: Ref | None = None


# A condition over names of rules: one rule, or (True: all, False: any) of several.
Recipe = str | tuple[bool, tuple["Recipe", ...]]


@dataclass(frozen=True, slots=True)
class ListRules:
    """The rules that look at the items of one list for one leaf; None where there is no `where`."""

    number: int
    leaf: Each | SomeFails | Count
    group: int
    collection: str
    must: Recipe | None
    fails: Recipe | None
    inside: Recipe | None
    outside: Recipe | None


@dataclass(slots=True)
class ItemGroup:
    """Items of one list are asserted once for all these rules."""

    key: str
    collection: str
    properties: dict[Property, str] = field(default_factory=dict)
    checks: list[tuple[Recipe, Condition, Recipe]] = field(default_factory=list)
    leaf_rules: dict[Leaf, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignRules:
    """The rules that look at sign-offs for one leaf, and whom its exclusions concern."""

    number: int
    leaf: SignoffCondition
    sure: str
    said: str
    spoke: str
    slot: int


@dataclass(slots=True)
class RequirementPlan:
    """What one requirement's fact carries, and which rules speak for it."""

    requirement: Requirement
    key: str
    met: Recipe = ""
    aside: Recipe | None = None
    checks: list[tuple[Recipe, Recipe]] = field(default_factory=list)
    properties: dict[Property, str] = field(default_factory=dict)
    list_counts: dict[tuple[int, str], str] = field(default_factory=dict)
    sign_counts: dict[tuple[int, str], str] = field(default_factory=dict)
    leaf_rules: dict[Leaf, str] = field(default_factory=dict)


@dataclass(slots=True)
class CompiledGate:
    """A gate as definitions for the engine, and how to ask it."""

    gate: Gate
    definitions: dict[str, Json] = field(default_factory=dict)
    requirements: list[RequirementPlan] = field(default_factory=list)
    items: list[ItemGroup] = field(default_factory=list)
    lists: dict[Leaf, ListRules] = field(default_factory=dict)
    signs: dict[SignoffCondition, SignRules] = field(default_factory=dict)
    excludes: list[tuple[str, ...]] = field(default_factory=list)


def compile_gate(gate: Gate) -> CompiledGate:
    """Return the definitions for one gate. Requirements whose mode is off are left out."""
    compiled = CompiledGate(gate)
    compiled.definitions[SENTINEL] = _rule({"k": SENTINEL})
    for number, requirement in enumerate(one for one in gate.requirements if one.mode != "off"):
        _compile_requirement(compiled, requirement, number)
    return compiled


def scaled(kind: str, value: object) -> Number:
    """Return a typed value as the engine compares it: whole numbers, days, cents, millionths, or text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value * _FACTOR[kind]
    if isinstance(value, Decimal):
        return int(value.scaleb(DECIMALS[kind]))
    if isinstance(value, date):
        return value.toordinal()
    return str(value)


def _rule(*parts: Json) -> Json:
    return {"all": [{"m": parts[0] if len(parts) == 1 else {"$and": list(parts)}}]}


def _compile_requirement(compiled: CompiledGate, requirement: Requirement, number: int) -> None:
    plan = RequirementPlan(requirement, f"r{number}")
    compiled.requirements.append(plan)

    def express(leaf: Leaf) -> Json:
        return _requirement_leaf(compiled, plan, leaf)

    writer = _Writer(compiled.definitions, plan.key, express, plan.leaf_rules)
    plan.met, check = writer.write(f"m{number}", requirement.condition)
    plan.checks.append((plan.met, check))
    if requirement.when is not None:
        plan.aside, check = writer.write(f"a{number}", opposite(requirement.when))
        plan.checks.append((plan.aside, check))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the rules of one discriminator: whole conditions, and each comparison on its own."""

    definitions: dict[str, Json]
    key: str
    express: Callable[[Leaf], Json]
    leaf_rules: dict[Leaf, str]

    def write(self, name: str, condition: Condition) -> tuple[Recipe, Recipe]:
        """Return how the whole is read from its rules, and how it follows from single comparisons."""
        whole = self._whole(name, condition)
        for leaf in leaves(condition):
            self._single(leaf)
        return whole, _recipe(condition, self.leaf_rules)

    def _single(self, leaf: Leaf) -> str:
        if leaf not in self.leaf_rules:
            rule = self.leaf_rules[leaf] = f"l{self.key}_{len(self.leaf_rules)}"
            self.definitions[rule] = _rule({"k": self.key}, self.express(leaf))
        return self.leaf_rules[leaf]

    def _whole(self, name: str, condition: Condition) -> Recipe:
        written = expression(condition, self.express)
        if isinstance(condition, All | Any) and _groups(written) > MAX_GROUPS:
            parts = tuple(
                self._whole(f"{name}_{at}", part)
                if isinstance(part, All | Any)
                else self._single(part)
                for at, part in enumerate(condition.parts)
            )
            return isinstance(condition, All), parts
        self.definitions[name] = _rule({"k": self.key}, written)
        return name


def _groups(written: Json) -> int:
    inside = written.get("$and") or written.get("$or")
    return 1 + sum(map(_groups, inside)) if inside else 0


def _recipe(condition: Condition, leaf_rules: Mapping[Leaf, str]) -> Recipe:
    if isinstance(condition, All | Any):
        return isinstance(condition, All), tuple(
            _recipe(part, leaf_rules) for part in condition.parts
        )
    return leaf_rules[condition]


def follows(recipe: Recipe, fired: Container[str]) -> bool:
    """Tell what the rules for single comparisons make of a whole condition."""
    if isinstance(recipe, str):
        return recipe in fired
    every, parts = recipe
    return (
        all(follows(part, fired) for part in parts)
        if every
        else any(follows(part, fired) for part in parts)
    )


def expression(condition: Condition, express: Callable[[Leaf], Json]) -> Json:
    """Return a condition as the engine writes it."""
    if isinstance(condition, All | Any):
        operator = "$and" if isinstance(condition, All) else "$or"
        return {operator: [expression(part, express) for part in condition.parts]}
    return express(condition)


def _requirement_leaf(compiled: CompiledGate, plan: RequirementPlan, leaf: Leaf) -> Json:
    if isinstance(leaf, Compare | Among | IsSet):
        return _comparison(leaf, plan.properties)
    if isinstance(leaf, SignoffCondition):
        number = _compile_signs(compiled, leaf)
        name = plan.sign_counts.setdefault((number, "people"), f"s{len(plan.sign_counts)}")
        return (
            {"$gte": {name: leaf.quorum}}
            if leaf.quorum is not None
            else {"$lte": {name: leaf.at_most}}
        )
    number = _compile_list(compiled, leaf)

    def counted(what: str) -> str:
        return plan.list_counts.setdefault((number, what), f"n{len(plan.list_counts)}")

    if isinstance(leaf, SomeFails):
        return {"$gte": {counted("fails"): 1}}
    if isinstance(leaf, Each):
        return _both([{counted("faults"): 0}, {"$gte": {counted("sure"): leaf.at_least}}])
    bounds: list[Json] = []
    if leaf.gte is not None:
        bounds.append({"$gte": {counted("sure"): leaf.gte}})
    if leaf.lte is not None:
        bounds.append({"$lte": {counted("maybe"): leaf.lte}})
    return _both(bounds)


def _both(parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _either(parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {"$or": parts}


def _comparison(leaf: Compare | Among | IsSet, names: dict[Property, str]) -> Json:
    def name(kind: str, right: Ref | None = None) -> str:
        return names.setdefault(Property(kind, leaf.left, right), f"p{len(names)}")

    if isinstance(leaf, IsSet):
        return {name("set"): int(leaf.wanted)}
    if isinstance(leaf, Among):
        values = dict.fromkeys(scaled(leaf.left.type, value) for value in leaf.values)
        if leaf.inside:
            return _either([{name("value"): value} for value in values])
        return _both([{"$neq": {name("value"): value}} for value in values])
    if isinstance(leaf.right, Ref):
        return _compared(leaf.op, name("difference", leaf.right), 0)
    if isinstance(leaf.right, Today):
        return _compared(leaf.op, name("days"), leaf.right.plus_days)
    return _compared(leaf.op, name("value"), scaled(leaf.left.type, leaf.right))


def _compared(op: str, name: str, value: Number) -> Json:
    return {name: value} if op == "eq" else {_OPS[op]: {name: value}}


# Items of lists: one fact an item, for up to GROUP conditions at once.


def _compile_list(compiled: CompiledGate, leaf: Each | SomeFails | Count) -> int:
    known = compiled.lists.get(leaf)
    if known is not None:
        return known.number
    each = leaf.each if isinstance(leaf, SomeFails) else leaf
    place = _group(compiled, each.collection)
    group = compiled.items[place]
    must = fails = inside = outside = None
    if isinstance(leaf, Each):
        must = _item_rule(compiled, group, leaf.must)
    elif isinstance(leaf, SomeFails):
        fails = _item_rule(compiled, group, opposite(leaf.each.must))
    if each.where is not None:
        inside = _item_rule(compiled, group, each.where)
        outside = _item_rule(compiled, group, opposite(each.where))
    number = len(compiled.lists)
    compiled.lists[leaf] = ListRules(
        number, leaf, place, each.collection, must, fails, inside, outside
    )
    return number


def _group(compiled: CompiledGate, collection: str) -> int:
    for place, group in enumerate(compiled.items):
        if group.collection == collection and len(group.checks) < GROUP:
            return place
    compiled.items.append(ItemGroup(f"i{len(compiled.items)}", collection))
    return len(compiled.items) - 1


def _item_rule(compiled: CompiledGate, group: ItemGroup, condition: Condition) -> Recipe:
    for known, one, _ in group.checks:
        if one == condition:
            return known

    def express(leaf: Leaf) -> Json:
        if not isinstance(leaf, Compare | Among | IsSet):
            raise TypeError("an item holds no lists and no sign-offs")
        return _comparison(leaf, group.properties)

    writer = _Writer(compiled.definitions, group.key, express, group.leaf_rules)
    whole, check = writer.write(f"w{group.key}_{len(group.checks)}", condition)
    group.checks.append((whole, condition, check))
    return whole


# Sign-offs: one fact a sign-off; who is excluded is worked out before.


def _compile_signs(compiled: CompiledGate, leaf: SignoffCondition) -> int:
    known = compiled.signs.get(leaf)
    if known is not None:
        return known.number
    if leaf.exclude not in compiled.excludes:
        compiled.excludes.append(leaf.exclude)
    slot = compiled.excludes.index(leaf.exclude)
    number = len(compiled.signs)
    head = {"k": f"g{number // GROUP}"}
    role = _either([{"ro": one} for one in leaf.roles])
    rules = SignRules(number, leaf, f"y{number}", f"z{number}", f"q{number}", slot)
    decision = {"de": leaf.decision}
    if leaf.quorum is not None:
        compiled.definitions[rules.sure] = _rule(head, role, decision, {"st": 0}, {f"b{slot}": 0})
    else:
        compiled.definitions[rules.said] = _rule(head, role, decision, {f"e{slot}": 0})
        compiled.definitions[rules.spoke] = _rule(head, role, {"st": 0}, {f"x{slot}": 0})
    compiled.signs[leaf] = rules
    return number
