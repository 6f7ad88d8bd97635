"""Tells of two conditions which one asks for more, as far as their shape says it."""

from collections.abc import Iterable
from dataclasses import replace
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
    SignoffCondition,
    SomeFails,
    Today,
)
from okrgate.gates.model import Requirement, WaiverTerms

SAME, STRICTER, LOOSER, OTHER = "same", "stricter", "looser", "other"
_TURNED = {STRICTER: LOOSER, LOOSER: STRICTER}
_WEIGHTS = {"hard": 3, "soft": 2, "advisory": 1}
_UPWARDS, _DOWNWARDS = ("gte", "gt"), ("lte", "lt")


def together(directions: Iterable[str]) -> str:
    """Return what several changes of one thing come to: stricter and looser at once is neither."""
    found = set(directions) - {SAME}
    if not found:
        return SAME
    return found.pop() if len(found) == 1 else OTHER


def turned(direction: str) -> str:
    """Return the other direction: who is asked less often is asked less."""
    return _TURNED.get(direction, direction)


def of_requirement(before: Requirement, after: Requirement) -> str:
    """Return whether a requirement asks for more, for less, or for something else than before."""
    return together(
        (
            by_size(weight(before), weight(after)),
            of_conditions(before.condition, after.condition),
            _of_when(before.when, after.when),
            of_waivers(before.waiver, after.waiver) if before.severity == after.severity else SAME,
        )
    )


def weight(one: Requirement) -> int:
    """Return how much a requirement weighs: 0 not judged, 1 only shown, 2 may be set aside, 3 must be met."""
    if one.mode == "off":
        return 0
    return 1 if one.mode == "evaluate" else _WEIGHTS.get(one.severity, 1)


def of_waivers(before: WaiverTerms | None, after: WaiverTerms | None) -> str:
    """Return whether it became harder to set a requirement aside."""
    if before is None or after is None:
        return SAME
    return together(
        (
            by_parts(before.by, after.by, more=LOOSER),
            by_size(before.reason_min, after.reason_min),
            by_size(after.expires_days, before.expires_days),
        )
    )


def by_size(before: object, after: object) -> str:
    """Return the direction of a number that asks for more the larger it is."""
    if before == after:
        return SAME
    if isinstance(before, int | Decimal) and isinstance(after, int | Decimal):
        return STRICTER if after > before else LOOSER
    if isinstance(before, date) and isinstance(after, date):
        return STRICTER if after > before else LOOSER
    return OTHER


def by_parts(before: Iterable[object], after: Iterable[object], *, more: str) -> str:
    """Return the direction of a set: `more` if it only grew, the other way if it only shrank."""
    old, new = set(before), set(after)
    if old == new:
        return SAME
    if old < new:
        return more
    return turned(more) if new < old else OTHER


def _of_when(before: Condition | None, after: Condition | None) -> str:
    if before is None or after is None:
        if before is after:
            return SAME
        return LOOSER if before is None else STRICTER
    return turned(of_conditions(before, after))


def of_conditions(before: Condition, after: Condition) -> str:
    """Return whether a condition is harder to meet than another one; OTHER where its shape does not tell."""
    if before == after:
        return SAME
    if isinstance(before, All) or isinstance(after, All):
        return _of_parts(_parts(before, All), _parts(after, All), more=STRICTER)
    if isinstance(before, Any) or isinstance(after, Any):
        return _of_parts(_parts(before, Any), _parts(after, Any), more=LOOSER)
    return _of_leaves(before, after)


def _parts(one: Condition, kind: type[All] | type[Any]) -> list[Condition]:
    return list(one.parts) if isinstance(one, kind) else [one]


def _of_parts(before: list[Condition], after: list[Condition], *, more: str) -> str:
    for one in list(before):
        if one in after:
            before.remove(one)
            after.remove(one)
    if not before or not after:
        if not before and not after:
            return SAME
        return more if not before else turned(more)
    if len(before) != len(after):
        return OTHER
    return together(of_conditions(old, new) for old, new in zip(before, after, strict=True))


def _of_leaves(before: Condition, after: Condition) -> str:
    match before, after:
        case Compare(), Compare():
            return _of_comparisons(before, after)
        case Among(), Among() if (before.left, before.inside) == (after.left, after.inside):
            return by_parts(before.values, after.values, more=LOOSER if after.inside else STRICTER)
        case IsSet(), Compare() | Among() if before.wanted and before.left == after.left:
            return STRICTER
        case Compare() | Among(), IsSet() if after.wanted and before.left == after.left:
            return LOOSER
        case Each(), Each() if before.collection == after.collection:
            return _of_lists(before, after)
        case SomeFails(), SomeFails():
            return turned(_of_leaves(before.each, after.each))
        case Count(), Count() if replace(before, gte=None, lte=None) == replace(
            after, gte=None, lte=None
        ):
            return _of_counts(before, after)
        case SignoffCondition(), SignoffCondition() if before.decision == after.decision:
            return _of_signoffs(before, after)
    return OTHER


def _of_comparisons(before: Compare, after: Compare) -> str:
    if before.left != after.left:
        return OTHER
    ways = next((way for way in (_UPWARDS, _DOWNWARDS) if before.op in way and after.op in way), ())
    if not ways:
        return OTHER
    size = by_size(_size(before.right), _size(after.right))
    if size == OTHER:
        return OTHER
    larger = size if ways is _UPWARDS else turned(size)
    edge = by_size(ways.index(before.op), ways.index(after.op))
    return larger if larger != SAME else edge


def _size(value: object) -> object:
    return value.plus_days if isinstance(value, Today) else value


def _of_lists(before: Each, after: Each) -> str:
    return together(
        (
            of_conditions(before.must, after.must),
            _of_when(before.where, after.where),
            by_size(before.at_least, after.at_least),
        )
    )


def _of_counts(before: Count, after: Count) -> str:
    least = _of_limit(before.gte, after.gte)
    most = _of_limit(before.lte, after.lte)
    if before.lte is not None and after.lte is not None:
        most = turned(most)
    return together((least, most))


def _of_limit(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        if before == after:
            return SAME
        return STRICTER if before is None else LOOSER
    return by_size(before, after)


def _of_signoffs(before: SignoffCondition, after: SignoffCondition) -> str:
    if before.quorum is not None and after.quorum is not None:
        return together(
            (
                by_size(before.quorum, after.quorum),
                by_parts(before.roles, after.roles, more=LOOSER),
                by_parts(before.exclude, after.exclude, more=STRICTER),
            )
        )
    if before.at_most is not None and after.at_most is not None:
        return together(
            (
                turned(by_size(before.at_most, after.at_most)),
                by_parts(before.roles, after.roles, more=STRICTER),
                by_parts(before.exclude, after.exclude, more=LOOSER),
            )
        )
    return OTHER
