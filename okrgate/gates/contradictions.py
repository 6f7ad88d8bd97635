"""Find conditions that can never be met, where plain intervals and lists of values show it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
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
    Today,
    Value,
)
from okrgate.gates.model import Collection, Fact

Bound = int | Decimal


@dataclass
class _Range:
    """What is left for one fact: bounds (and whether they are shut out), values, presence."""

    low: Bound | None = None
    low_open: bool = False
    high: Bound | None = None
    high_open: bool = False
    values: set[Value] | None = None
    without: set[Value] = field(default_factory=set)
    present: bool | None = None
    clash: bool = False

    def empty(self, whole: bool) -> bool:
        if self.clash:
            return True
        if self.values is not None and not (self.values - self.without):
            return True
        if self.low is None or self.high is None:
            return False
        low, high = self.low, self.high
        if whole:
            low = low + 1 if self.low_open and low == int(low) else low
            high = high - 1 if self.high_open and high == int(high) else high
            return low > high
        return low > high or (low == high and (self.low_open or self.high_open))


def contradictory(
    conditions: Iterable[Condition],
    facts: Mapping[str, Fact],
    collections: Mapping[str, Collection],
) -> Iterator[str]:
    """Yield why these conditions can never all be provably true; nothing if no simple reason is seen."""
    parts = [part for condition in conditions for part in _conjuncts(condition)]
    ranges: dict[tuple[str, bool, str], _Range] = {}
    for part in parts:
        if isinstance(part, Any):
            yield from _alternatives(part, parts, facts, collections)
        elif isinstance(part, Compare | Among | IsSet):
            _narrow(ranges, part)
        elif isinstance(part, Each | Count):
            yield from _list_reasons(part, facts, collections)
            _narrow_count(ranges, part)
    for (name, of_item, kind), found in ranges.items():
        if not of_item and name in facts:
            _add_limits(found, facts[name])
        if found.empty(whole=kind in {"integer", "date", "count"}):
            yield f"no value of {name} is left"


def _alternatives(
    part: Any,
    parts: Sequence[Condition],
    facts: Mapping[str, Fact],
    collections: Mapping[str, Collection],
) -> Iterator[str]:
    others = [one for one in parts if isinstance(one, Compare | Among | IsSet)]
    if all(
        any(True for _ in contradictory([*others, one], facts, collections)) for one in part.parts
    ):
        yield "none of its alternatives can be met"


def _list_reasons(
    part: Each | Count, facts: Mapping[str, Fact], collections: Mapping[str, Collection]
) -> Iterator[str]:
    known = collections.get(part.collection)
    fields = dict(known.fields) if known else {}
    inside = {**facts, **fields}
    if isinstance(part, Count):
        if part.where is not None and part.gte:
            yield from contradictory([part.where], inside, {})
    elif part.at_least:
        wanted = [part.must] if part.where is None else [part.where, part.must]
        yield from contradictory(wanted, inside, {})


def _conjuncts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All):
        for part in condition.parts:
            yield from _conjuncts(part)
    else:
        yield condition


def _narrow_count(ranges: dict[tuple[str, bool, str], _Range], part: Each | Count) -> None:
    if part.where is not None:
        return
    found = ranges.setdefault((f"the number of {part.collection}", False, "count"), _Range(low=0))
    if isinstance(part, Each):
        _raise_low(found, part.at_least, shut=False)
        return
    if part.gte is not None:
        _raise_low(found, part.gte, shut=False)
    if part.lte is not None:
        _lower_high(found, part.lte, shut=False)


def _narrow(ranges: dict[tuple[str, bool, str], _Range], part: Compare | Among | IsSet) -> None:
    left = part.left
    found = ranges.setdefault((left.name, left.of_item, left.type), _Range())
    wanted = part.wanted if isinstance(part, IsSet) else True
    found.clash = found.clash or (found.present is not None and found.present != wanted)
    found.present = wanted
    if isinstance(part, Among):
        _among(found, part)
    elif isinstance(part, Compare) and not isinstance(part.right, Ref | Today):
        _compare(found, part.op, part.right)


def _among(found: _Range, part: Among) -> None:
    if part.inside:
        found.values = set(part.values) if found.values is None else found.values & set(part.values)
    else:
        found.without |= set(part.values)


def _compare(found: _Range, op: str, value: Value) -> None:
    if op == "eq":
        found.values = {value} if found.values is None else found.values & {value}
    elif op == "ne":
        found.without.add(value)
    bound = _bound(value)
    if bound is None or op == "ne":
        return
    if op in {"eq", "gt", "gte"}:
        _raise_low(found, bound, shut=op == "gt")
    if op in {"eq", "lt", "lte"}:
        _lower_high(found, bound, shut=op == "lt")


def _bound(value: Value) -> Bound | None:
    if isinstance(value, bool | str):
        return None
    return value.toordinal() if isinstance(value, date) else value


def _raise_low(found: _Range, value: Bound, *, shut: bool) -> None:
    if found.low is None or (value, shut) > (found.low, found.low_open):
        found.low, found.low_open = value, shut


def _lower_high(found: _Range, value: Bound, *, shut: bool) -> None:
    if found.high is None or (-value, shut) > (-found.high, found.high_open):
        found.high, found.high_open = value, shut


def _add_limits(found: _Range, fact: Fact) -> None:
    """Take the fact's own min, max and values into account, unless it only has to be absent."""
    if found.present is False:
        return
    if fact.min is not None and (low := _bound(fact.min)) is not None:
        _raise_low(found, low, shut=False)
    if fact.max is not None and (high := _bound(fact.max)) is not None:
        _lower_high(found, high, shut=False)
    if fact.type == "enum":
        found.values = set(fact.values) if found.values is None else found.values & set(fact.values)
    if fact.type == "boolean":
        found.values = {True, False} if found.values is None else found.values & {True, False}
