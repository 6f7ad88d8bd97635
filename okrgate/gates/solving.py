"""Ask z3 whether any project at all can meet some conditions and fail others.

What a condition means here is what the plain judge makes of it: *provably true*. A fact is a pair (filled in, value),
so a value that is not filled in meets nothing, also under `not`. Values are whole numbers as the engine compares them
(cents, millionths, days); words and people are numbers, too. A list is a few kinds of items, each any number of times.
Sign-offs are so many signatures as the conditions speak of together: what is shown is shown for that many.

z3 is imported here alone, and this module only by a process that checks a file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any as Term

import z3

from okrgate.gates.compiler import Number, scaled
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
    leaves,
    opposite,
)
from okrgate.gates.model import Fact, Rulebook
from okrgate.gates.typed import MAX_ITEMS
from okrgate.gates.values import LIMIT, TEXTS

MOST_SIGNATURES = 12
MOST_KINDS = 24
MOST_PEOPLE = MOST_SIGNATURES + 1  # so that all who sign can be left out, and one more
_CENTURY = 36525


class TooLarge(Exception):
    """More sign-offs or lists at once than are worth a question."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A fact of the project, or a field of one kind of item. `people` only where it holds several."""

    fact: Fact
    present: Term
    value: Term
    people: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """Items of a list that are all alike, `times` of them."""

    name: str
    times: Term
    fields: dict[str, Slot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: whether it is known at all, and its items."""

    known: Term
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature, if it is there."""

    name: str
    there: Term
    role: Term
    decision: Term
    stale: Term
    by: Term
    behalf: Term

    def hands(self) -> tuple[Term, Term]:
        """Return who signed, and for whom."""
        return self.by, self.behalf


class World:
    """Any project: the unknowns behind its facts, lists and signatures, and what limits them."""

    def __init__(
        self, rulebook: Rulebook, conditions: Iterable[Condition], *, sure: bool = False
    ) -> None:
        """Make room for these conditions. `sure`: facts that okrgate always fills in are filled in.

        `work` counts what was built so far.
        Raises TooLarge.
        """
        self.rulebook = rulebook
        self.sure = sure
        self.limits: list[Term] = []
        self.words: dict[str, int] = {}
        self.codes: dict[str, int] = {}
        self.facts: dict[str, Slot] = {}
        self.work = 0
        self._known: dict[tuple[Condition, str], Term] = {}
        self._inside: dict[tuple[str, tuple[str, ...]], Term] = {}
        self.lists: dict[str, Listed] = {}
        self.today = z3.Int("today")
        self.limits += [self.today > _CENTURY, self.today < date.max.toordinal() - _CENTURY]
        every = {leaf for condition in conditions for leaf in leaves(condition)}
        self._kinds = _kinds_needed(every)
        needed = sum(
            one.quorum if one.quorum is not None else (one.at_most or 0) + 1
            for one in every
            if isinstance(one, SignoffCondition)
        )
        if needed > MOST_SIGNATURES or any(each > MOST_KINDS for each in self._kinds.values()):
            raise TooLarge
        self.signatures = tuple(self._signature(number) for number in range(needed))

    def word(self, text: str) -> int:
        """Return the number that stands for a text."""
        return self.words.setdefault(text, len(self.words))

    def code(self, name: str) -> int:
        """Return the number that stands for a role or a decision."""
        return self.codes.setdefault(name, len(self.codes))

    def constant(self, value: Number) -> int:
        """Return a constant of the file as a number."""
        return self.word(value) if isinstance(value, str) else value

    def fact(self, name: str) -> Slot:
        """Return a fact of the project."""
        if name not in self.facts:
            self.facts[name] = self._slot(f"fact {name}", self.rulebook.facts[name])
        return self.facts[name]

    def _field(self, collection: str, kind: Kind, name: str) -> Slot:
        if name not in kind.fields:
            known = self.rulebook.collections[collection].fields[name]
            kind.fields[name] = self._slot(f"{kind.name} {name}", known)
        return kind.fields[name]

    def _slot(self, name: str, fact: Fact) -> Slot:
        present, value = z3.Bool(f"{name}?"), z3.Int(name)
        people = tuple(z3.Int(f"{name} {at}") for at in range(MOST_PEOPLE)) if fact.many else ()
        slot = Slot(fact, present, value, people)
        if self.sure and fact.always:
            self.limits.append(present)
        self.limits += [z3.Implies(present, limit) for limit in self._domain(fact, value)]
        self.limits += [one >= 0 for one in people]
        return slot

    def _domain(self, fact: Fact, value: Term) -> Iterator[Term]:
        if fact.type == "enum":
            yield z3.Or([value == self.word(one) for one in fact.values])
        elif fact.type in TEXTS:
            yield value >= 0
        elif fact.type == "boolean":
            yield z3.And(value >= 0, value <= 1)
        elif fact.type == "date":
            yield z3.And(value >= 1, value <= date.max.toordinal())
        else:
            yield z3.And(value > -LIMIT, value < LIMIT)
        if fact.min is not None:
            yield value >= self.constant(scaled(fact.type, fact.min))
        if fact.max is not None:
            yield value <= self.constant(scaled(fact.type, fact.max))

    def listed(self, name: str) -> Listed:
        """Return a list of the project."""
        if name not in self.lists:
            kinds = tuple(
                Kind(f"{name} {number}", z3.Int(f"{name} {number} times"))
                for number in range(self._kinds[name])
            )
            self.limits += [kind.times >= 0 for kind in kinds]
            self.limits.append(z3.Sum([kind.times for kind in kinds]) <= MAX_ITEMS)
            self.lists[name] = Listed(z3.Bool(f"{name} known"), kinds)
        return self.lists[name]

    def _signature(self, number: int) -> Signed:
        name = f"signature {number}"
        one = Signed(
            name,
            z3.Bool(name),
            z3.Int(f"{name} role"),
            z3.Int(f"{name} decision"),
            z3.Bool(f"{name} stale"),
            z3.Int(f"{name} by"),
            z3.Int(f"{name} for"),
        )
        self.limits += [part >= 0 for part in (one.role, one.decision, *one.hands())]
        return one

    # what conditions mean

    def holds(self, condition: Condition, item: tuple[str, Kind] | None = None) -> Term:
        """Return when a condition is provably true (of an item of a list, when one is given)."""
        key = (condition, item[1].name if item is not None else "")
        if key not in self._known:
            self.work += 4
            self._known[key] = self._holds(condition, item)
        return self._known[key]

    def _holds(self, condition: Condition, item: tuple[str, Kind] | None) -> Term:
        match condition:
            case All(parts):
                return z3.And([self.holds(part, item) for part in parts])
            case Any(parts):
                return z3.Or([self.holds(part, item) for part in parts])
            case Compare():
                return self._compares(condition, item)
            case Among(left, values, inside):
                slot = self._read(left, item)
                among = [slot.value == self.constant(scaled(left.type, one)) for one in values]
                return z3.And(slot.present, z3.Or(among) if inside else z3.Not(z3.Or(among)))
            case IsSet(left, wanted):
                slot = self._read(left, item)
                return slot.present if wanted else z3.Not(slot.present)
            case Each() | SomeFails() | Count():
                return self._holds_of_list(condition)
            case SignoffCondition():
                return self._is_signed(condition)

    def _read(self, ref: Ref, item: tuple[str, Kind] | None) -> Slot:
        if ref.of_item and item is not None:
            return self._field(*item, ref.name)
        return self.fact(ref.name)

    def _compares(self, one: Compare, item: tuple[str, Kind] | None) -> Term:
        left = self._read(one.left, item)
        compared = _OPERATORS[one.op]
        if isinstance(one.right, Ref):
            right = self._read(one.right, item)
            return z3.And(left.present, right.present, compared(left.value, right.value))
        if isinstance(one.right, Today):
            return z3.And(left.present, compared(left.value, self.today + one.right.plus_days))
        constant = self.constant(scaled(one.left.type, one.right))
        return z3.And(left.present, compared(left.value, constant))

    def _holds_of_list(self, leaf: Each | SomeFails | Count) -> Term:
        each = leaf.each if isinstance(leaf, SomeFails) else leaf
        listed = self.listed(each.collection)
        items = [(each.collection, kind) for kind in listed.kinds]

        def inside(item: tuple[str, Kind]) -> Term:
            return z3.BoolVal(True) if each.where is None else self.holds(each.where, item)

        def maybe(item: tuple[str, Kind]) -> Term:
            if each.where is None:
                return z3.BoolVal(True)
            return z3.Not(self.holds(opposite(each.where), item))

        def total(chosen: Callable[[tuple[str, Kind]], Term]) -> Term:
            return z3.Sum([z3.If(chosen(item), item[1].times, 0) for item in items])

        parts = [listed.known]
        if isinstance(leaf, SomeFails):
            fails = opposite(leaf.each.must)
            parts.append(
                z3.Or([z3.And(it[1].times > 0, inside(it), self.holds(fails, it)) for it in items])
            )
        elif isinstance(leaf, Each):
            parts.append(total(inside) >= leaf.at_least)
            parts += [
                z3.Implies(z3.And(it[1].times > 0, maybe(it)), self.holds(leaf.must, it))
                for it in items
            ]
        else:
            parts += [] if leaf.gte is None else [total(inside) >= leaf.gte]
            parts += [] if leaf.lte is None else [total(maybe) <= leaf.lte]
        return z3.And(parts)

    # sign-offs

    def _is_signed(self, one: SignoffCondition) -> Term:
        self.work += len(self.signatures) ** (2 if one.quorum in {None, 1} else 3)
        known = [self.fact(name).present for name in one.exclude]
        if one.quorum is not None:
            never = [name for name in self.rulebook.never_sign if name not in one.exclude]
            barred = [*one.exclude, *never]
            fitting = [
                z3.And(self._said(each, one), z3.Not(each.stale), z3.Not(self._is_in(each, barred)))
                for each in self.signatures
            ]
            # One is no more than somebody; to count further, one has to know who is who.
            enough = z3.Or(fitting) if one.quorum == 1 else self._people(fitting) >= one.quorum
            return z3.And([*known, enough])
        return self._objectors(one, z3.And(known) if known else z3.BoolVal(True)) <= (
            one.at_most or 0
        )

    def _said(self, each: Signed, one: SignoffCondition) -> Term:
        return z3.And(self._in_role(each, one), each.decision == self.code(one.decision))

    def _in_role(self, each: Signed, one: SignoffCondition) -> Term:
        return z3.And(each.there, z3.Or([each.role == self.code(role) for role in one.roles]))

    def _is_in(self, each: Signed, names: Sequence[str]) -> Term:
        """Return when one of the hands of a signature belongs to somebody in these facts."""
        key = (each.name, tuple(names))
        if key not in self._inside:
            self._inside[key] = self._is_among(each, names)
        return self._inside[key]

    def _is_among(self, each: Signed, names: Sequence[str]) -> Term:
        parts = []
        for slot in map(self.fact, names):
            people = slot.people or (slot.value,)
            same = [hand == person for hand in each.hands() for person in people]
            parts.append(z3.And(slot.present, z3.Or(same)))
        return z3.Or(parts)

    def _people(self, fitting: Sequence[Term]) -> Term:
        """Count the people behind signatures; hands that signed for each other are one."""
        linked = dict.fromkeys(combinations(range(len(fitting)), 2))
        for one, other in linked:
            linked[one, other] = z3.And(fitting[one], fitting[other], self._share(one, other))
        for way in range(len(fitting)):
            linked = {
                (one, other): direct
                if way in {one, other}
                else z3.Or(direct, z3.And(_pair(linked, one, way), _pair(linked, way, other)))
                for (one, other), direct in linked.items()
            }
        return _number(
            [
                z3.And(one, *(z3.Not(linked[before, at]) for before in range(at)))
                for at, one in enumerate(fitting)
            ]
        )

    def _share(self, one: int, other: int) -> Term:
        mine, theirs = self.signatures[one].hands(), self.signatures[other].hands()
        return z3.Or([hand == another for hand in mine for another in theirs])

    def _objectors(self, one: SignoffCondition, known: Term) -> Term:
        """Count those who may have said so: a stale word counts until its speaker speaks again."""
        outside = [z3.Not(self._is_in(each, one.exclude)) for each in self.signatures]
        spoke = [
            z3.And(known, self._in_role(each, one), z3.Not(each.stale), out)
            for each, out in zip(self.signatures, outside, strict=True)
        ]
        objects = []
        for each, out in zip(self.signatures, outside, strict=True):
            again = [
                z3.And(said, other.behalf == each.behalf)
                for said, other in zip(spoke, self.signatures, strict=True)
            ]
            still = z3.Or(z3.Not(each.stale), z3.Not(z3.Or(again)))
            objects.append(z3.And(self._said(each, one), out, still))
        return _number(
            [
                z3.And(
                    mine,
                    *(
                        z3.Not(z3.And(objects[at], self.signatures[at].behalf == each.behalf))
                        for at in range(place)
                    ),
                )
                for place, (mine, each) in enumerate(zip(objects, self.signatures, strict=True))
            ]
        )


_OPERATORS: Mapping[str, Callable[[Term, Term], Term]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
}


def _pair(linked: Mapping[tuple[int, int], Term], one: int, other: int) -> Term:
    return linked[min(one, other), max(one, other)]


def _number(conditions: Sequence[Term]) -> Term:
    return z3.Sum([z3.If(one, 1, 0) for one in conditions]) if conditions else z3.IntVal(0)


def _kinds_needed(every: Iterable[Condition]) -> dict[str, int]:
    """Return how many kinds of items each list needs, so that every condition finds its witness."""
    needed: dict[str, int] = {}
    for leaf in every:
        each = leaf.each if isinstance(leaf, SomeFails) else leaf
        if isinstance(each, Each | Count):
            both = isinstance(each, Count) and each.gte is not None and each.lte is not None
            needed[each.collection] = needed.get(each.collection, 1) + 1 + both
    return needed
