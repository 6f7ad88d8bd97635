"""What a requirement may ask: conditions as plain values, with every name resolved and every limit filled in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

Value = bool | int | Decimal | date | str

ORDERED = frozenset({"integer", "money", "number", "date"})
OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "gte", "gte": "lt", "gt": "lte", "lte": "gt"}


@dataclass(frozen=True, slots=True)
class Ref:
    """A fact of the project, or (`of_item`) a field of the list item being looked at."""

    name: str
    type: str
    of_item: bool = False


@dataclass(frozen=True, slots=True)
class Today:
    """Today, some days later (or earlier, when negative)."""

    plus_days: int


@dataclass(frozen=True, slots=True)
class Compare:
    """A fact against a constant, another fact, or a day counted from today."""

    left: Ref
    op: str
    right: Value | Ref | Today


@dataclass(frozen=True, slots=True)
class Among:
    """A fact is (or, `inside=False`, is not) one of some values."""

    left: Ref
    values: tuple[Value, ...]
    inside: bool


@dataclass(frozen=True, slots=True)
class IsSet:
    """A fact is filled in, or not."""

    left: Ref
    wanted: bool


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Each:
    """Every item not provably outside `where` meets `must`, and at least so many are provably inside."""

    collection: str
    must: "Condition"
    where: "Condition | None" = None
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class SomeFails:
    """`not` of `each`: some item is provably inside `where` and provably fails `must`."""

    each: Each


@dataclass(frozen=True, slots=True)
class Count:
    """How many items lie in `where`; items in doubt count against the project."""

    collection: str
    where: "Condition | None" = None
    gte: int | None = None
    lte: int | None = None


@dataclass(frozen=True, slots=True)
class SignoffCondition:
    """Distinct people who signed in one of these roles: at least `quorum`, or at most `at_most`."""

    roles: tuple[str, ...]
    quorum: int | None = None
    at_most: int | None = None
    decision: str = "approved"
    exclude: tuple[str, ...] = ()


Condition = Compare | Among | IsSet | All | Any | Each | SomeFails | Count | SignoffCondition
Leaf = Compare | Among | IsSet | Each | SomeFails | Count | SignoffCondition


def opposite(condition: Condition) -> Condition:
    """Return the condition that is provably true exactly when this one is provably false."""
    match condition:
        case All(parts):
            return Any(tuple(opposite(part) for part in parts))
        case Any(parts):
            return All(tuple(opposite(part) for part in parts))
        case Compare():
            return replace(condition, op=OPPOSITE[condition.op])
        case Among():
            return replace(condition, inside=not condition.inside)
        case IsSet():
            return replace(condition, wanted=not condition.wanted)
        case Each():
            return SomeFails(condition)
        case SomeFails(each):
            return each
        case Count():
            return _opposite_count(condition)
        case SignoffCondition():
            return _opposite_signoff(condition)


def _opposite_count(count: Count) -> Condition:
    parts: list[Condition] = []
    if count.gte is not None:
        parts.append(replace(count, gte=None, lte=count.gte - 1))
    if count.lte is not None:
        parts.append(replace(count, gte=count.lte + 1, lte=None))
    return parts[0] if len(parts) == 1 else Any(tuple(parts))


def _opposite_signoff(signoff: SignoffCondition) -> Condition:
    if signoff.quorum is not None:
        return replace(signoff, quorum=None, at_most=signoff.quorum - 1)
    return replace(signoff, quorum=(signoff.at_most or 0) + 1, at_most=None)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the comparisons, lists and sign-offs that a condition is made of (lists are not entered)."""
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition


def inner(leaf: Leaf) -> tuple[Condition, ...]:
    """Return the conditions on items inside a list leaf; none for other leaves."""
    each = leaf.each if isinstance(leaf, SomeFails) else leaf
    if isinstance(each, Each):
        return (each.must,) if each.where is None else (each.where, each.must)
    if isinstance(each, Count) and each.where is not None:
        return (each.where,)
    return ()


def size(condition: Condition) -> int:
    """Count the comparisons in a condition, items' ones included: what the budget limits."""
    total = 0
    for leaf in leaves(condition):
        total += len(leaf.values) if isinstance(leaf, Among) else 1
        total += sum(size(part) for part in inner(leaf))
    return total


def reads(condition: Condition) -> frozenset[str]:
    """Return every fact and collection a condition looks at, people excluded from signing included."""
    found: set[str] = set()
    for leaf in leaves(condition):
        each = leaf.each if isinstance(leaf, SomeFails) else leaf
        if isinstance(each, Each | Count):
            found.add(each.collection)
        elif isinstance(each, SignoffCondition):
            found.update(each.exclude)
        else:
            found.update(ref.name for ref in refs(each) if not ref.of_item)
        for part in inner(leaf):
            found |= reads(part)
    return frozenset(found)


def refs(leaf: Compare | Among | IsSet) -> tuple[Ref, ...]:
    """Return the facts or fields that one comparison reads."""
    if isinstance(leaf, Compare) and isinstance(leaf.right, Ref):
        return (leaf.left, leaf.right)
    return (leaf.left,)
