"""Small mistakes that somebody could make in a requirement, each in words: what its tests should notice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from okrgate.gates.conditions import (
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
    SomeFails,
    Today,
    Value,
)
from okrgate.gates.explaining import COMPARED, COMPARED_DAYS, spoken
from okrgate.gates.model import Collection, Fact, Requirement, Rulebook
from okrgate.gates.values import Unfit, fit

_STEPS: dict[str, Decimal | int] = {"integer": 1, "money": Decimal("0.01"), "number": 1}
_LOOSE = {"gte": "gt", "gt": "gte", "lte": "lt", "lt": "lte"}
_TURNED = {"eq": "ne", "ne": "eq"}

Found = Iterator[tuple[Condition, str]]


@dataclass(frozen=True)
class Mutation:
    """A requirement as it would be after a small mistake (None: taken away), and what the mistake is, after "if"."""

    changed: Requirement | None
    words: str


def mutations(rulebook: Rulebook, one: Requirement) -> Iterator[Mutation]:
    """Yield the small mistakes worth trying, that it is not asked at all first."""
    yield Mutation(None, "this were not asked at all")
    yield from _of_terms(one)
    if one.when is not None:
        yield Mutation(replace(one, when=None), "this were always asked")
        for condition, words in _changed(rulebook, one.when, None):
            yield Mutation(replace(one, when=condition), f"{words}, to be asked this")
    for condition, words in _changed(rulebook, one.condition, None):
        yield Mutation(replace(one, condition=condition), words)


def _of_terms(one: Requirement) -> Iterator[Mutation]:
    if one.severity != "advisory":
        words = "this were only advice"
        yield Mutation(replace(one, severity="advisory", waiver=None), words)
    if one.severity == "soft":
        words = "nobody could set this aside"
        yield Mutation(replace(one, severity="hard", waiver=None), words)
    if one.mode == "evaluate" and one.severity != "advisory":
        yield Mutation(replace(one, mode="active"), "this were binding and not on trial")


def _changed(rulebook: Rulebook, condition: Condition, item: Collection | None) -> Found:
    match condition:
        case All() | Any():
            return _group(rulebook, condition, item)
        case Compare():
            return _compared(rulebook, condition, item)
        case Among():
            return _among(rulebook, condition, item)
        case IsSet():
            return _is_set(rulebook, condition, item)
        case Each():
            return _each(rulebook, condition)
        case SomeFails(each):
            return ((SomeFails(one), words) for one, words in _each(rulebook, each))
        case Count():
            return _count(rulebook, condition)
        case SignoffCondition():
            return _signoff(rulebook, condition)


def _group(rulebook: Rulebook, group: All | Any, item: Collection | None) -> Found:
    if len(group.parts) > 1:
        if isinstance(group, All):
            words = f"one of these were enough: {_both(rulebook, group.parts, item)}"
            yield Any(group.parts), words
        how = "were not asked" if isinstance(group, All) else "were no longer enough"
        yield from _without(rulebook, group, item, how)
    yield from _inside(rulebook, group, item)


def _is_set(rulebook: Rulebook, leaf: IsSet, item: Collection | None) -> Found:
    yield replace(leaf, wanted=not leaf.wanted), f"{said(rulebook, leaf, item)} were turned round"


def _without(rulebook: Rulebook, group: All | Any, item: Collection | None, how: str) -> Found:
    for at, part in enumerate(group.parts):
        others = (*group.parts[:at], *group.parts[at + 1 :])
        yield replace(group, parts=others), f"{said(rulebook, part, item)} {how}"


def _inside(rulebook: Rulebook, group: All | Any, item: Collection | None) -> Found:
    for at, part in enumerate(group.parts):
        for changed, words in _changed(rulebook, part, item):
            yield replace(group, parts=(*group.parts[:at], changed, *group.parts[at + 1 :])), words


def _compared(rulebook: Rulebook, leaf: Compare, item: Collection | None) -> Found:
    fact = _fact(rulebook, leaf.left, item)
    changed = [replace(leaf, right=right) for right in _beside(fact, leaf.right)]
    # Of whole steps, one further is the same as turning "at least" into "above".
    if leaf.op in _LOOSE and (fact.type == "number" or isinstance(leaf.right, Ref)):
        changed.append(replace(leaf, op=_LOOSE[leaf.op]))
    if leaf.op in _TURNED and len(changed) == 0:
        changed.append(replace(leaf, op=_TURNED[leaf.op]))
    for one in changed:
        yield one, f"{said(rulebook, leaf, item)} said “{needed(rulebook, one, item)}”"


def _beside(fact: Fact, right: Value | Ref | Today) -> Iterator[Value | Today]:
    if isinstance(right, Today):
        yield from (Today(right.plus_days - 1), Today(right.plus_days + 1))
        return
    if isinstance(right, Ref | bool | str):
        return
    values: tuple[Value, ...] = ()
    if isinstance(right, date):
        values = (right - timedelta(days=1), right + timedelta(days=1))
    elif fact.type in _STEPS:
        values = (right - _STEPS[fact.type], right + _STEPS[fact.type])
    for value in values:
        try:
            fit(fact, value)
        except Unfit:
            continue
        yield value


def _among(rulebook: Rulebook, leaf: Among, item: Collection | None) -> Found:
    fact = _fact(rulebook, leaf.left, item)
    for value in leaf.values if len(leaf.values) > 1 else ():
        others = tuple(one for one in leaf.values if one != value)
        words = f"{said(rulebook, leaf, item)} left out “{spoken(fact, value)}”"
        yield replace(leaf, values=others), words


def _each(rulebook: Rulebook, leaf: Each) -> Iterator[tuple[Each, str]]:
    collection = rulebook.collections[leaf.collection]
    if leaf.at_least:
        words = _fewer(collection.label, leaf.at_least)
        yield replace(leaf, at_least=leaf.at_least - 1), words
    if leaf.where is not None:
        words = f"every “{collection.label}” counted, not only where {said(rulebook, leaf.where, collection)}"
        yield replace(leaf, where=None), words
        for changed, words in _changed(rulebook, leaf.where, collection):
            yield replace(leaf, where=changed), words
    for changed, words in _changed(rulebook, leaf.must, collection):
        yield replace(leaf, must=changed), words


def _count(rulebook: Rulebook, leaf: Count) -> Found:
    collection = rulebook.collections[leaf.collection]
    if leaf.gte:
        words = _fewer(collection.label, leaf.gte)
        yield replace(leaf, gte=leaf.gte - 1), words
    if leaf.lte is not None:
        words = (
            f"of the list “{collection.label}” {leaf.lte + 1} were let pass, not at most {leaf.lte}"
        )
        yield replace(leaf, lte=leaf.lte + 1), words
    if leaf.where is not None:
        words = f"every “{collection.label}” counted, not only where {said(rulebook, leaf.where, collection)}"
        yield replace(leaf, where=None), words
        for changed, words in _changed(rulebook, leaf.where, collection):
            yield replace(leaf, where=changed), words


def _fewer(label: str, least: int) -> str:
    if least == 1:
        return f"the list “{label}” might be empty"
    return f"of the list “{label}” at least {least - 1} were enough, not {least}"


def _signoff(rulebook: Rulebook, leaf: SignoffCondition) -> Found:
    roles = _roles(rulebook, leaf.roles)
    if leaf.quorum is not None and leaf.quorum > 1:
        words = f"{leaf.quorum - 1} of {roles} were enough, not {leaf.quorum}"
        yield replace(leaf, quorum=leaf.quorum - 1), words
    if leaf.at_most is not None:
        words = f"{leaf.at_most + 1} of {roles} might object, not {leaf.at_most or 'nobody'}"
        yield replace(leaf, at_most=leaf.at_most + 1), words
    for name in leaf.exclude:
        others = tuple(one for one in leaf.exclude if one != name)
        words = f"{rulebook.facts[name].label} counted among {roles}, too"
        yield replace(leaf, exclude=others), words
    for role in leaf.roles if len(leaf.roles) > 1 else ():
        fewer = tuple(one for one in leaf.roles if one != role)
        words = f"{rulebook.roles[role].label} no longer counted"
        yield replace(leaf, roles=fewer), words


def said(rulebook: Rulebook, condition: Condition, item: Collection | None) -> str:
    """Return what a part of a condition asks, in quotes."""
    match condition:
        case Compare() | Among() | IsSet():
            fact = _fact(rulebook, condition.left, item)
            return f"“{fact.label}: {needed(rulebook, condition, item)}”"
        case All(parts) | Any(parts):
            return _both(rulebook, parts, item, " and " if isinstance(condition, All) else " or ")
        case SomeFails(each):
            return f"“not every {rulebook.collections[each.collection].label}”"
        case Each() | Count():
            return f"“{rulebook.collections[condition.collection].label}”"
        case SignoffCondition():
            return f"the sign-off of {_roles(rulebook, condition.roles)}"


def needed(rulebook: Rulebook, leaf: Compare | Among | IsSet, item: Collection | None) -> str:
    """Return what a comparison wants: "at least 2 people"."""
    fact = _fact(rulebook, leaf.left, item)
    if isinstance(leaf, IsSet):
        return "filled in" if leaf.wanted else "not filled in"
    if isinstance(leaf, Among):
        listed = ", ".join(spoken(fact, one) for one in leaf.values)
        return listed if leaf.inside else f"none of {listed}"
    words = (COMPARED_DAYS if fact.type == "date" else COMPARED)[leaf.op]
    if isinstance(leaf.right, Ref):
        return words + _fact(rulebook, leaf.right, item).label
    if isinstance(leaf.right, Today):
        days = leaf.right.plus_days
        when = f"{abs(days)} days {'from now' if days > 0 else 'ago'}" if days else "today"
        return words + when
    return words + spoken(fact, leaf.right)


def _both(
    rulebook: Rulebook, parts: tuple[Condition, ...], item: Collection | None, word: str = ", "
) -> str:
    return word.join(said(rulebook, part, item) for part in parts)


def _fact(rulebook: Rulebook, ref: Ref, item: Collection | None) -> Fact:
    return item.fields[ref.name] if ref.of_item and item is not None else rulebook.facts[ref.name]


def _roles(rulebook: Rulebook, ids: tuple[str, ...]) -> str:
    return " or ".join(rulebook.roles[one].label for one in ids)
