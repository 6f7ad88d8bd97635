"""Questions about any project, with their answers: proved, refuted by an example, or not decided."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from string import ascii_uppercase
from typing import Any as Term

import z3

from okrgate.gates.conditions import Any, Condition, opposite
from okrgate.gates.model import Requirement, Rulebook, Signoff
from okrgate.gates.solving import Signed, Slot, TooLarge, World
from okrgate.gates.values import DECIMALS
from okrgate.gates.verdict import Facts

# Steps of the solver, not seconds: the same file gets the same answer on every machine.
STEPS = 3_000_000
STEPS_TOGETHER = 12_000_000
STEPS_A_CHECK = 2_000
STEPS_A_TERM = 200
_PLAIN = 1_000_000
_DAYS = (date(2026, 1, 1).toordinal(), date(2035, 12, 31).toordinal())


@dataclass(frozen=True)
class Example:
    """A project as z3 found it: whatever is not here is of no matter."""

    facts: Facts
    today: date


@dataclass(frozen=True)
class Answer:
    """`possible`: whether there is such a project, None if that was not decided."""

    possible: bool | None
    example: Example | None = None


@dataclass
class Asker:
    """Asks about one rulebook until its steps are used up; from then on nothing is decided."""

    rulebook: Rulebook
    left: int = STEPS_TOGETHER
    undecided: int = 0

    def ask(
        self,
        hold: Sequence[Condition] = (),
        fail: Sequence[Condition] = (),
        *,
        sure: bool = False,
        show: bool = False,
    ) -> Answer:
        """Tell whether some project meets all of the first and none of the other conditions.

        `sure`: only projects in which everything that okrgate always fills in is filled in. `show`: with an example.
        """
        question = Question(self, [*hold, *fail], sure=sure)
        possible = question.possible(range(len(hold)), range(len(hold), len(hold) + len(fail)))
        return Answer(possible, question.example() if possible and show else None)


class Question:
    """Some conditions of one rulebook, any of which may be asked to hold or to fail together."""

    def __init__(self, asker: Asker, conditions: Sequence[Condition], *, sure: bool) -> None:
        """Put them before the solver."""
        self._asker = asker
        self._marks: list[Term] = []
        self._solver = z3.SimpleSolver()
        self._yes = [z3.Bool(f"yes {at}") for at in range(len(conditions))]
        self._no = [z3.Bool(f"no {at}") for at in range(len(conditions))]
        self._world: World | None = None
        if asker.left > 0:
            self._tell(conditions, sure=sure)

    def _tell(self, conditions: Sequence[Condition], *, sure: bool) -> None:
        try:
            world = World(self._asker.rulebook, conditions, sure=sure)
        except TooLarge:
            return
        for yes, no, one in zip(self._yes, self._no, conditions, strict=True):
            holds = world.holds(one)
            self._solver.add(z3.Implies(yes, holds), z3.Implies(no, z3.Not(holds)))
        self._solver.add(world.limits)
        self._asker.left -= world.work * STEPS_A_TERM
        self._world = world

    def possible(self, hold: Iterable[int], fail: Iterable[int] = ()) -> bool | None:
        """Tell whether some project meets the first (by their places) and fails the others; None if undecided."""
        self._marks = [*(self._yes[at] for at in hold), *(self._no[at] for at in fail)]
        found = self._check()
        if found == z3.unknown:
            self._asker.undecided += 1
            return None
        return bool(found == z3.sat)

    def fewest(self, hold: Sequence[int], fail: Sequence[int] = ()) -> list[int]:
        """Return the few of these conditions that rule it out already, after they did so together."""
        core = {str(one) for one in self._solver.unsat_core()}
        needed = [at for at in hold if str(self._yes[at]) in core]
        for at in tuple(needed):
            fewer = [other for other in needed if other != at]
            if self.possible(fewer, fail) is False:
                needed = fewer
        return needed

    def example(self) -> Example | None:
        """Return a project that was found possible, with as little out of the ordinary as there can be."""
        if self._world is None:
            return None
        model = self._solver.model()
        for wish in _wishes(self._world):
            self._solver.push()
            self._solver.add(wish)
            if self._check() == z3.sat:
                model = self._solver.model()
            else:
                self._solver.pop()
        return _example(self._world, model)

    def _check(self) -> Term:
        asker = self._asker
        if self._world is None or asker.left <= 0:
            return z3.unknown
        self._solver.set("rlimit", min(STEPS, asker.left))
        before = _used(self._solver)
        try:
            return self._solver.check(*self._marks)
        except z3.Z3Exception:
            return z3.unknown
        finally:
            asker.left -= max(_used(self._solver) - before, 0) + STEPS_A_CHECK


def _used(solver: Term) -> int:
    return next((int(value) for name, value in solver.statistics() if name == "rlimit count"), 0)


def stands(requirement: Requirement) -> Condition:
    """Return when a requirement does not block: it is met, or provably set aside."""
    if requirement.when is None:
        return requirement.condition
    return Any((requirement.condition, opposite(requirement.when)))


def _wishes(world: World) -> Iterator[Term]:
    """Yield what an example is asked for, one after the other, as long as it stays one."""
    first, last = _DAYS
    yield z3.And(world.today >= first, world.today <= last)
    for signed in reversed(world.signatures):
        yield z3.Not(signed.there)
    for signed in world.signatures:
        yield z3.And(z3.Not(signed.stale), signed.by == signed.behalf)
    for listed in world.lists.values():
        yield listed.known
        yield from (kind.times == 0 for kind in reversed(listed.kinds))
        yield from (kind.times <= 1 for kind in listed.kinds)
        for kind in listed.kinds:
            yield from map(_plain, kind.fields.values())
    for slot in world.facts.values():
        yield slot.present
        yield _plain(slot)
    people = [slot.value for slot in world.facts.values() if slot.fact.type == "user"]
    if len(people) > 1:
        yield z3.Distinct(people)


def _plain(slot: Slot) -> Term:
    kind = slot.fact.type
    if kind == "date":
        return z3.And(slot.value >= _DAYS[0], slot.value <= _DAYS[1])
    if kind in DECIMALS:
        scale = 10 ** DECIMALS[kind]
        return z3.And(slot.value >= 0, slot.value <= _PLAIN * scale)
    return slot.present


@dataclass(frozen=True)
class _Shown:
    """A model, read back as the values of a project."""

    world: World
    model: Term
    words: Mapping[int, str]
    codes: Mapping[int, str]

    def number(self, term: Term) -> int:
        return int(self.model.eval(term, model_completion=True).as_long())

    def true(self, term: Term) -> bool:
        return bool(z3.is_true(self.model.eval(term, model_completion=True)))

    def word(self, kind: str, number: int) -> str:
        letter = ascii_uppercase[number] if number < len(ascii_uppercase) else number
        return self.words.get(number, f"{kind} {letter}")

    def code(self, term: Term) -> str:
        return self.codes.get(self.number(term), "elsewhere")

    def value(self, slot: Slot) -> object:
        kind = slot.fact.type
        if slot.people:
            return tuple(sorted({self.word("person", self.number(one)) for one in slot.people}))
        number = self.number(slot.value)
        if kind == "boolean":
            return bool(number)
        if kind == "date":
            return date.fromordinal(number)
        if kind in DECIMALS:
            return Decimal(number).scaleb(-DECIMALS[kind]) if DECIMALS[kind] else number
        return self.word("person" if kind == "user" else "text", number)

    def values(self, slots: Mapping[str, Slot]) -> dict[str, object]:
        return {name: self.value(slot) for name, slot in slots.items() if self.true(slot.present)}

    def signoff(self, one: Signed) -> Signoff:
        by, behalf = (self.word("person", self.number(hand)) for hand in one.hands())
        return Signoff(
            self.code(one.role),
            by,
            self.code(one.decision),
            self.true(one.stale),
            None if by == behalf else behalf,
        )


def _example(world: World, model: Term) -> Example:
    words = {number: word for word, number in world.words.items()}
    codes = {number: name for name, number in world.codes.items()}
    shown = _Shown(world, model, words, codes)
    collections = {
        name: [
            row
            for kind in listed.kinds
            for row in [shown.values(kind.fields)] * shown.number(kind.times)
        ]
        for name, listed in world.lists.items()
        if shown.true(listed.known)
    }
    signoffs = [shown.signoff(one) for one in world.signatures if shown.true(one.there)]
    facts = Facts(shown.values(world.facts), collections, tuple(signoffs))
    return Example(facts, date.fromordinal(shown.number(world.today)))
