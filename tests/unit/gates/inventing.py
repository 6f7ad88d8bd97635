"""Random gates over the words of any rulebook, quickly."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any as Anything

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
    opposite,
)
from okrgate.gates.model import Collection, Fact, Gate, Requirement, Rulebook, WaiverTerms
from okrgate.gates.values import fit_type
from tests.unit.gates.guessing import PLAIN


def invented(base: Rulebook, chance: random.Random) -> Rulebook:
    """Return a rulebook with other requirements in every gate."""
    inventor = Inventor(base, chance)
    gates = {name: Gate(name, gate.label, inventor.gate()) for name, gate in base.gates.items()}
    return replace(base, gates=gates, tests=(), sha256=f"invented-{chance.getrandbits(64)}")


@dataclass
class Inventor:
    """Invents requirements out of the facts, lists and roles of a rulebook."""

    rulebook: Rulebook
    chance: random.Random

    def __post_init__(self) -> None:
        """Sort its words by what they are good for."""
        one_each = [fact for fact in self.rulebook.facts.values() if not fact.many]
        # Few facts, so that they meet in one gate.
        self.facts = self.chance.sample(one_each, min(12, len(one_each)))
        self.users = [fact.name for fact in one_each if fact.type == "user"]
        self.lists = list(self.rulebook.collections.values())
        self.roles = list(self.rulebook.roles)

    def gate(self) -> tuple[Requirement, ...]:
        """Return one to five requirements."""
        return tuple(self._requirement(number) for number in range(self.chance.randint(1, 5)))

    def _requirement(self, number: int) -> Requirement:
        severity = self.chance.choice(("hard", "soft", "advisory"))
        return Requirement(
            id=f"r{number}",
            message="Say it",
            severity=severity,
            condition=self.condition(2),
            mode=self.chance.choice(("active", "active", "active", "evaluate", "off")),
            when=self.condition(1) if self.chance.random() < 0.4 else None,
            waiver=WaiverTerms((self.roles[0],), 10, 30) if severity == "soft" else None,
        )

    def condition(self, depth: int, item: Collection | None = None) -> Condition:
        """Return any condition, on an item of a list if one is given."""
        shape = self.chance.random() if depth else 1
        if shape < 0.5:
            parts = [self.condition(depth - 1, item) for _ in range(self.chance.randint(2, 4))]
            return All(tuple(parts)) if shape < 0.2 else Any(tuple(parts))
        if shape < 0.6:
            return opposite(self.condition(depth - 1, item))
        if item is not None or (shape := self.chance.random()) < 0.5 or not self.lists:
            return self._comparison(item)
        return self._list() if shape < 0.75 else self._signature()

    def _comparison(self, item: Collection | None) -> Condition:
        refs = [(fact, Ref(fact.name, fact.type)) for fact in self.facts]
        if item is not None:
            own = [(fact, Ref(fact.name, fact.type, of_item=True)) for fact in item.fields.values()]
            refs = own + refs[:2]
        fact, left = self.chance.choice(refs)
        others = [ref for one, ref in refs if one.type == fact.type and ref != left]
        makers: list[Callable[[], Condition]] = [
            lambda: IsSet(left, self.chance.random() < 0.5),
            lambda: Among(left, (self._constant(fact), self._constant(fact)), self._coin()),
            lambda: Compare(left, self._operator(fact), self._constant(fact)),
            lambda: Compare(left, self._operator(fact), self._constant(fact)),
        ]
        if others:
            makers.append(lambda: Compare(left, self._operator(fact), self.chance.choice(others)))
        if fact.type == "date":
            makers.append(
                lambda: Compare(left, self._operator(fact), Today(self.chance.randint(-3, 3)))
            )
        return self.chance.choice(makers)()

    def _coin(self) -> bool:
        return self.chance.random() < 0.5

    def _operator(self, fact: Fact) -> str:
        every = ("eq", "ne", "lt", "lte", "gt", "gte")
        return self.chance.choice(every if fact.type in ORDERED else every[:2])

    def _constant(self, fact: Fact) -> Anything:
        plain = [one for one in PLAIN.get(fact.type, fact.values) if one != " "]
        return fit_type(fact.type, self.chance.choice(plain))

    def _list(self) -> Condition:
        collection = self.chance.choice(self.lists)
        where = self.condition(1, collection) if self._coin() else None
        if self._coin():
            must = self.condition(1, collection)
            return Each(collection.name, must, where, self.chance.randint(0, 2))
        bounds = [(None, 0), (None, 2), (0, None), (1, None), (2, 3), (1, 1)]
        return Count(collection.name, where, *self.chance.choice(bounds))

    def _signature(self) -> Condition:
        roles = tuple(self.chance.sample(self.roles, min(2, self.chance.randint(1, 2))))
        exclude = tuple(self.chance.sample(self.users, self.chance.randint(0, 2)))
        decision = self.chance.choice(("approved", "approved", "rejected"))
        if self._coin():
            return SignoffCondition(roles, self.chance.randint(1, 3), None, decision, exclude)
        return SignoffCondition(roles, None, self.chance.randint(0, 2), decision, exclude)
