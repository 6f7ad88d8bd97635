"""Random facts for any gate of any rulebook, quickly: most of them near what the gate asks for, some of them hostile."""

import operator
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any as Anything

from okrgate.gates.checks import facts_of
from okrgate.gates.conditions import (
    Among,
    Compare,
    Condition,
    IsSet,
    Ref,
    SignoffCondition,
    SomeFails,
    Today,
    inner,
    leaves,
)
from okrgate.gates.model import Collection, Fact, Gate, Rulebook, Signoff, Waiver
from okrgate.gates.values import Unfit, fit_type
from okrgate.gates.verdict import Facts

TODAY = date(2027, 1, 10)
EDGE = 2**53 - 1
STEPS: Mapping[str, Anything] = {
    "integer": 1,
    "money": Decimal("0.01"),
    "number": Decimal("0.000001"),
    "date": timedelta(days=1),
}
PLAIN: Mapping[str, list[Anything]] = {
    "boolean": [True, False],
    "integer": [-1, 0, 1, 2, 3, 5, 80, EDGE, -EDGE],
    "money": [0, Decimal("0.01"), Decimal("-1.50"), Decimal("90071992547409.91"), 50000, 0.1],
    "number": [0, 1, 0.5, Decimal("0.000001"), Decimal("-0.3"), Decimal("9007199254.740991")],
    "date": [TODAY + timedelta(days=days) for days in (-400, -1, 0, 1, 30)] + [date.max],
    "string": ["a", "b", "é", "e\u0301", "x" * 200, '"\\', "{}", "null", "日本", "$s", "0", " "],
    "user": ["ana", "bo", "cy", "dee"],
}
HOSTILE: list[Anything] = [
    float("nan"),
    float("inf"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("1e400"),
    Decimal("0.0000001"),
    10**400,
    -(2**53),
    3.7,
    True,
    "",
    "3",
    "NaN",
    "x" * 201,
    "x" * 65_636,
    "a\0b",
    "\ud800",
    b"a",
    [],
    ["ana", 1],
    {"$gt": 1},
    datetime(2027, 1, 1, 12, 0),  # noqa: DTZ001
    date.min,
    object(),
]


@dataclass
class Guesser:
    """Guesses facts for one gate of one rulebook."""

    rulebook: Rulebook
    gate: Gate
    chance: random.Random
    near: dict[tuple[str, str], list[Anything]] = field(default_factory=dict)
    roles: list[str] = field(default_factory=lambda: ["elsewhere"])
    decisions: list[str] = field(default_factory=lambda: ["approved", "rejected"])
    people: list[str] = field(default_factory=lambda: list(PLAIN["user"]))
    known: list[Facts] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Learn what the gate compares with, and which facts its own tests know."""
        for requirement in self.gate.requirements:
            for condition in (requirement.condition, requirement.when):
                if condition is not None:
                    self._learn(condition, "")
        moves = {one.id for one in self.rulebook.transitions.values() if one.gate == self.gate.id}
        for test in self.rulebook.tests:
            if test.transition in moves:
                self.known.append(facts_of(test, self.rulebook.fixtures[test.fixture]))
        self.people += sorted({one for facts in self.known for one in self._people_in(facts)})
        self.reads = sorted(self.rulebook.gate_reads(self.gate.id))

    def _learn(self, condition: Condition, collection: str) -> None:
        for leaf in leaves(condition):
            if isinstance(leaf, Compare | Among | IsSet):
                self._learn_values(leaf, collection)
            elif isinstance(leaf, SignoffCondition):
                self.roles += leaf.roles
                self.decisions.append(leaf.decision)
            else:
                each = leaf.each if isinstance(leaf, SomeFails) else leaf
                for part in inner(leaf):
                    self._learn(part, each.collection)

    def _learn_values(self, leaf: Compare | Among | IsSet, collection: str) -> None:
        found = list(leaf.values) if isinstance(leaf, Among) else []
        if isinstance(leaf, Compare) and not isinstance(leaf.right, Ref):
            middle: Anything = leaf.right
            if isinstance(middle, Today):
                middle = TODAY + timedelta(days=middle.plus_days)
            found += _around(leaf.left.type, middle)
        where = collection if leaf.left.of_item else ""
        self.near.setdefault((where, leaf.left.name), []).extend(found)

    def _people_in(self, facts: Facts) -> Iterator[str]:
        yield from (one.by for one in facts.signoffs)
        for name, value in facts.values.items():
            if self.rulebook.facts[name].type == "user":
                yield from value if isinstance(value, tuple) else (str(value),)

    def facts(self) -> Facts:
        """Return facts that fit: those of an example a little changed, or all of them made up."""
        if self.known and self.chance.random() < 0.6:
            found = self.chance.choice(self.known)
            for _ in range(self.chance.choice((0, 1, 1, 2, 4))):
                found = self.chance.choice(self._changes)(self, found)
            return found
        gap = self.chance.choice((0.0, 0.1, 0.4))
        made = Facts({}, {})
        for name in self.reads:
            if self.chance.random() >= gap:
                made = self._with(made, name)
        return self._change_waivers(self._change_signoffs(made))

    def hostile(self, facts: Facts) -> Facts:
        """Return the same facts with one thing in them that no form would send."""
        return self.chance.choice(self._attacks)(self, facts)

    def _with(self, facts: Facts, name: str) -> Facts:
        collection = self.rulebook.collections.get(name)
        if collection is not None:
            rows = [self._row(collection) for _ in range(self.chance.choice((0, 1, 1, 2, 3)))]
            return replace(facts, collections={**facts.collections, name: rows})
        value = self._value(self.rulebook.facts[name], "")
        return replace(facts, values={**facts.values, name: value})

    def _row(self, collection: Collection) -> dict[str, object]:
        gap = self.chance.choice((0.0, 0.0, 0.3))
        return {
            name: self._value(fact, collection.name)
            for name, fact in collection.fields.items()
            if self.chance.random() >= gap
        }

    def _value(self, fact: Fact, collection: str) -> Anything:
        if fact.many:
            return tuple(self.chance.sample(self.people, self.chance.randint(0, 3)))
        if fact.type == "user":
            return self.chance.choice(self.people)
        near = self.near.get((collection, fact.name))
        if near and self.chance.random() < 0.7:
            return self._within(fact, self.chance.choice(near))
        plain = fact.values if fact.type == "enum" else PLAIN[fact.type]
        return self._within(fact, self.chance.choice(plain))

    def _within(self, fact: Fact, value: Anything) -> Anything:
        if fact.min is not None and value < fact.min:
            return fact.min
        return fact.max if fact.max is not None and value > fact.max else value

    def _change_value(self, facts: Facts) -> Facts:
        return self._with(facts, self.chance.choice(self.reads)) if self.reads else facts

    def _take_away(self, facts: Facts) -> Facts:
        names = [*facts.values, *facts.collections]
        away = self.chance.choice(names) if names else ""
        return replace(
            facts,
            values={name: value for name, value in facts.values.items() if name != away},
            collections={name: rows for name, rows in facts.collections.items() if name != away},
        )

    def _change_signoffs(self, facts: Facts) -> Facts:
        made = tuple(
            Signoff(
                self.chance.choice(self.roles),
                self.chance.choice(self.people),
                self.chance.choice(self.decisions),
                self.chance.random() < 0.2,
                self.chance.choice(self.people) if self.chance.random() < 0.2 else None,
            )
            for _ in range(self.chance.choice((0, 1, 2, 2, 5)))
        )
        kept = facts.signoffs if self.chance.random() < 0.5 else ()
        return replace(facts, signoffs=kept + made)

    def _change_waivers(self, facts: Facts) -> Facts:
        terms = [one for one in self.gate.requirements if one.waiver is not None]
        if not terms:
            return facts
        requirement = self.chance.choice(terms)
        assert requirement.waiver is not None
        role = self.chance.choice((*requirement.waiver.by, "elsewhere"))
        return replace(
            facts,
            waivers=(*facts.waivers, Waiver(requirement.id, role, self.chance.choice(self.people))),
        )

    def _spoil_value(self, facts: Facts) -> Facts:
        names = [name for name in self.reads if name in self.rulebook.facts] or ["nothing.known"]
        spoiled = {self.chance.choice(names): self.chance.choice(HOSTILE)}
        return replace(facts, values={**facts.values, **spoiled})

    def _spoil_rows(self, facts: Facts) -> Facts:
        names = [name for name in self.reads if name in self.rulebook.collections]
        if not names:
            return replace(facts, collections={"nothing": []})
        collection = self.rulebook.collections[self.chance.choice(names)]
        bad = self.chance.choice(HOSTILE)
        field = self.chance.choice([*collection.fields, "nothing"])
        rows: Anything = [self._row(collection), {**self._row(collection), field: bad}]
        if self.chance.random() < 0.2:
            rows = self.chance.choice(([bad], bad, [self._row(collection)] * 2001))
        return replace(facts, collections={**facts.collections, collection.name: rows})

    def _spoil_signoff(self, facts: Facts) -> Facts:
        part = self.chance.choice(("role", "by", "decision", "stale", "on_behalf_of"))
        good = Signoff(self.chance.choice(self.roles), self.chance.choice(self.people))
        bad: Anything = {part: self.chance.choice(HOSTILE)}
        return replace(facts, signoffs=(*facts.signoffs, replace(good, **bad)))

    def _spoil_waiver(self, facts: Facts) -> Facts:
        part = self.chance.choice(("requirement", "role", "by"))
        bad: Anything = {part: self.chance.choice((None, "", 3, "nobody", ["md"]))}
        good = Waiver(self.gate.requirements[0].id, self.roles[-1], "ana")
        return replace(facts, waivers=(*facts.waivers, replace(good, **bad)))

    _changes: tuple[Callable[["Guesser", Facts], Facts], ...] = (
        _change_value,
        _change_value,
        _take_away,
        _change_signoffs,
        _change_waivers,
    )
    _attacks: tuple[Callable[["Guesser", Facts], Facts], ...] = (
        _spoil_value,
        _spoil_value,
        _spoil_rows,
        _spoil_signoff,
        _spoil_waiver,
    )


def _around(kind: str, value: Anything) -> list[Anything]:
    """Return a value and its neighbours, as far as they fit their type."""
    step, found = STEPS.get(kind), [value]
    for act in () if step is None else (operator.sub, operator.add):
        try:
            found.append(fit_type(kind, act(value, step)))
        except (Unfit, OverflowError):
            continue
    return found
