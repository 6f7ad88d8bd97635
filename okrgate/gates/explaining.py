"""Put into words what a requirement still wants, and what there is instead."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

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
)
from okrgate.gates.model import Collection, Fact, Rulebook
from okrgate.gates.typed import Row, TypedFacts, item_name
from okrgate.gates.verdict import Why

MAX_REASONS = 40
COMPARED = {
    "eq": "",
    "ne": "not ",
    "lt": "below ",
    "lte": "at most ",
    "gt": "above ",
    "gte": "at least ",
}
COMPARED_DAYS = {
    "eq": "",
    "ne": "not ",
    "lt": "before ",
    "lte": "by ",
    "gt": "after ",
    "gte": "not before ",
}
_DECISIONS = {"approved": "approvals", "rejected": "objections"}


class Asked(Protocol):
    """Something that can be asked about a project's facts, to put reasons into words."""

    rulebook: Rulebook
    facts: TypedFacts

    def holds(self, condition: Condition, row: Row = ...) -> bool: ...
    def signers(self, one: SignoffCondition) -> int: ...
    def objectors(self, one: SignoffCondition) -> int: ...
    def rows(self, collection: str) -> tuple[Row, ...] | None: ...
    def not_outside(self, where: Condition | None, rows: Iterable[Row]) -> list[int]: ...


def reasons(case: Asked, condition: Condition) -> tuple[Why, ...]:
    """Return why a condition is not met, a reason for each comparison that is not provably true."""
    found: dict[Why, None] = {}
    for leaf in leaves(condition):
        if not case.holds(leaf):
            found.update(dict.fromkeys(asked_by(case, leaf)))
    return tuple(found)[:MAX_REASONS]


def asked_by(case: Asked, leaf: Leaf) -> list[Why]:
    """Return what one part of a condition needs and what there is; of a list that is fine, nothing."""
    if isinstance(leaf, Compare | Among | IsSet):
        return [_comparison(case, leaf, {}, None, "")]
    if isinstance(leaf, Each):
        return _each(case, leaf)
    if isinstance(leaf, SomeFails):
        collection = case.rulebook.collections[leaf.each.collection]
        return [
            Why(
                collection.name,
                collection.label,
                "at least one that falls short",
                "none that certainly does",
            )
        ]
    if isinstance(leaf, Count):
        return [_count(case, leaf)]
    return [_signoff(case, leaf)]


def _comparison(
    case: Asked, leaf: Compare | Among | IsSet, row: Row, item: Collection | None, called: str
) -> Why:
    fact = _fact(case.rulebook, leaf.left, item)
    value = row.get(leaf.left.name) if leaf.left.of_item else case.facts.values.get(leaf.left.name)
    label = f"{called}: {fact.label}" if called else fact.label
    name = f"{item.name}.{fact.name}" if item is not None and leaf.left.of_item else fact.name
    has = None if value is None else spoken(fact, value)
    return Why(name, label, _needed(case, leaf, fact, row, item), has)


def _needed(
    case: Asked, leaf: Compare | Among | IsSet, fact: Fact, row: Row, item: Collection | None
) -> str:
    if isinstance(leaf, IsSet):
        return "an answer" if leaf.wanted else "no answer"
    if isinstance(leaf, Among):
        listed = _either([spoken(fact, value) for value in leaf.values])
        return listed if leaf.inside else f"none of: {listed}"
    words = COMPARED_DAYS if fact.type == "date" else COMPARED
    return words[leaf.op] + _right(case, leaf, fact, row, item)


def _right(case: Asked, leaf: Compare, fact: Fact, row: Row, item: Collection | None) -> str:
    right = leaf.right
    if isinstance(right, Today):
        return spoken(fact, case.facts.today + timedelta(days=right.plus_days))
    if not isinstance(right, Ref):
        return spoken(fact, right)
    other = _fact(case.rulebook, right, item)
    value = row.get(right.name) if right.of_item else case.facts.values.get(right.name)
    said = "not filled in" if value is None else spoken(other, value)
    return f"{other.label} ({said})"


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _fact(rulebook: Rulebook, ref: Ref, item: Collection | None) -> Fact:
    return item.fields[ref.name] if ref.of_item and item is not None else rulebook.facts[ref.name]


def spoken(fact: Fact, value: object) -> str:
    """Return a value as a sentence says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, int | Decimal):
        said = (
            f"{value:,.2f}"
            if fact.type == "money"
            else f"{value:,f}"
            if isinstance(value, Decimal)
            else f"{value:,d}"
        )
        return f"{said} {fact.unit}" if fact.unit else said
    return str(value)


def _each(case: Asked, leaf: Each) -> list[Why]:
    collection = case.rulebook.collections[leaf.collection]
    rows = case.rows(leaf.collection)
    if rows is None:
        return [Why(collection.name, collection.label, "an answer", None)]
    found = []
    sure = sum(1 for row in rows if leaf.where is None or case.holds(leaf.where, row))
    if sure < leaf.at_least:
        found.append(Why(collection.name, collection.label, f"at least {leaf.at_least}", str(sure)))
    for at in case.not_outside(leaf.where, rows):
        row = rows[at]
        if case.holds(leaf.must, row):
            continue
        called = item_name(collection, row, at)
        found += [
            _comparison(case, one, row, collection, called)
            for one in _inner(leaf.must)
            if not case.holds(one, row)
        ]
    return found


def _inner(condition: Condition) -> list[Compare | Among | IsSet]:
    if isinstance(condition, All | Any):
        return [one for part in condition.parts for one in _inner(part)]
    return [condition] if isinstance(condition, Compare | Among | IsSet) else []


def _count(case: Asked, leaf: Count) -> Why:
    collection = case.rulebook.collections[leaf.collection]
    rows = case.rows(leaf.collection)
    bounds = [f"at least {leaf.gte}"] if leaf.gte is not None else []
    bounds += [f"at most {leaf.lte}"] if leaf.lte is not None else []
    needed = " and ".join(bounds)
    if rows is None:
        return Why(collection.name, collection.label, needed, None)
    sure = sum(1 for row in rows if leaf.where is None or case.holds(leaf.where, row))
    maybe = len(case.not_outside(leaf.where, rows))
    return Why(
        collection.name,
        collection.label,
        needed,
        str(sure) if sure == maybe else f"{sure} to {maybe}",
    )


def _signoff(case: Asked, leaf: SignoffCondition) -> Why:
    label = " or ".join(case.rulebook.roles[role].label for role in leaf.roles)
    decision = _DECISIONS.get(leaf.decision, leaf.decision)
    if leaf.quorum is None:
        said = case.objectors(leaf)
        return Why(
            "signoffs",
            label,
            f"at most {leaf.at_most} {decision}" if leaf.at_most else f"no {decision}",
            str(said),
        )
    unknown = [
        case.rulebook.facts[name].label for name in leaf.exclude if case.facts.people(name) is None
    ]
    people = "person" if leaf.quorum == 1 else "different people"
    needed = f"{decision} by {leaf.quorum} {people}"
    if unknown:
        return Why(
            "signoffs",
            label,
            f"{needed}, and {', '.join(unknown)} filled in",
            str(case.signers(leaf)),
        )
    return Why("signoffs", label, needed, str(case.signers(leaf)))
