"""Ask the engine: items and sign-offs first, then the requirements with what those came to."""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date
from typing import Protocol, Self

from okrgate.gates.compiler import (
    GROUP,
    CompiledGate,
    ItemGroup,
    ListRules,
    Number,
    Property,
    Recipe,
    RequirementPlan,
    SignRules,
    follows,
    scaled,
)
from okrgate.gates.conditions import Count, Each, Ref, SignoffCondition, SomeFails, leaves
from okrgate.gates.model import Signoff
from okrgate.gates.outcome import Outcome
from okrgate.gates.reference import Case
from okrgate.gates.typed import Row, TypedFacts, item_name
from okrgate.gates.values import NUMBERS
from okrgate.gates.verdict import EngineDisagreement

_NOTHING: Row = {}
_Fired = dict[str, set[str]]


class Questions(Protocol):
    """One state of the engine, opened for one verdict."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None: ...

    def tell(self, identity: str, key: str, properties: Mapping[str, Number]) -> None:
        """Assert one fact."""

    def fired(self) -> Iterable[tuple[str, str]]:
        """Return (rule, fact) for all that fired since the last call."""


def ask(compiled: CompiledGate, case: Case, questions: Questions) -> list[Outcome]:
    """Return what the engine makes of each requirement. Raises EngineDisagreement if it contradicts itself."""
    with questions:
        told = _tell_items(compiled, case.facts, questions) + _tell_signoffs(
            compiled, case, questions
        )
        seen = _fired(questions) if told else {}
        lists = {one.number: _counted(compiled, one, case, seen) for one in compiled.lists.values()}
        signs = {
            one.number: _people(one, case.facts.signoffs, seen) for one in compiled.signs.values()
        }
        for plan in compiled.requirements:
            questions.tell(plan.key, plan.key, _properties_of(plan, case.facts, lists, signs))
        answers = _fired(questions)
    return [
        _outcome(compiled, plan, case, answers.get(plan.key, set()), lists)
        for plan in compiled.requirements
    ]


def _fired(questions: Questions) -> _Fired:
    found: _Fired = {}
    for rule, fact in questions.fired():
        found.setdefault(fact, set()).add(rule)
    return found


# The first pass


def _tell_items(compiled: CompiledGate, facts: TypedFacts, questions: Questions) -> int:
    told = 0
    for group in compiled.items:
        for at, row in enumerate(facts.collections.get(group.collection, ())):
            questions.tell(
                f"{group.key}_{at}", group.key, _properties(group.properties, facts, row)
            )
            told += 1
    return told


def _tell_signoffs(compiled: CompiledGate, case: Case, questions: Questions) -> int:
    if not compiled.signs:
        return 0
    slots = [_excluded(exclude, case) for exclude in compiled.excludes]
    groups = (len(compiled.signs) - 1) // GROUP + 1
    for at, one in enumerate(case.facts.signoffs):
        hands = {one.by, one.on_behalf_of or one.by}
        said: dict[str, Number] = {"ro": one.role, "de": one.decision, "st": int(one.stale)}
        for slot, (barred, excluded, known) in enumerate(slots):
            if barred is not None:
                said[f"b{slot}"] = int(bool(hands & barred))
            if excluded is not None:
                said[f"x{slot}"] = int(bool(hands & excluded))
            said[f"e{slot}"] = int(bool(hands & known))
        for group in range(groups):
            questions.tell(f"g{group}_{at}", f"g{group}", said)
    return len(case.facts.signoffs)


def _excluded(
    exclude: Iterable[str], case: Case
) -> tuple[Set[str] | None, Set[str] | None, Set[str]]:
    """Return whose approval and whose objection cannot count (None: nobody can tell), and who is known of those.

    The plain judge works this out by itself: what one of them gets wrong, the other does not repeat.
    """
    named = [case.facts.people(fact) for fact in exclude]
    known = {person for people in named for person in people or ()}
    if None in named:
        return None, None, known
    never = {
        person for fact in case.rulebook.never_sign for person in case.facts.people(fact) or ()
    }
    return known | never, known, known


def _distinct(signoffs: Iterable[Signoff]) -> int:
    """Count people; whoever signs for somebody is one with them."""
    leads_to: dict[str, str] = {}

    def one_of(person: str) -> str:
        while leads_to.setdefault(person, person) != person:
            person = leads_to[person]
        return person

    for one in signoffs:
        leads_to[one_of(one.by)] = one_of(one.on_behalf_of or one.by)
    return len({one_of(person) for person in leads_to})


def _counted(
    compiled: CompiledGate, one: ListRules, case: Case, seen: Mapping[str, Set[str]]
) -> dict[str, list[int]] | None:
    """Return which items are surely inside, maybe inside, maybe inside and at fault, surely failing; by place."""
    rows = case.facts.collections.get(one.collection)
    if rows is None:
        return None
    group = compiled.items[one.group]
    sure, maybe, faults, fails = [], [], [], []
    for at in range(len(rows)):
        fired = seen.get(f"{group.key}_{at}", set())
        _agree(group, fired)
        inside = one.inside is None or follows(one.inside, fired)
        outside = one.outside is not None and follows(one.outside, fired)
        if inside and outside:
            raise EngineDisagreement(
                "The rule engine contradicts itself, so this gate stays closed."
            )
        if inside:
            sure.append(at)
            if one.fails is not None and follows(one.fails, fired):
                fails.append(at)
        if not outside:
            maybe.append(at)
            if one.must is not None and not follows(one.must, fired):
                faults.append(at)
    return {"sure": sure, "maybe": maybe, "faults": faults, "fails": fails}


def _agree(group: ItemGroup, fired: Set[str]) -> None:
    for whole, _, check in group.checks:
        _same(whole, check, fired)


def _same(whole: Recipe, check: Recipe, fired: Set[str]) -> None:
    """Raise unless a condition's rule says the same as the rules for its single comparisons."""
    if follows(whole, fired) != follows(check, fired):
        raise EngineDisagreement("The rule engine contradicts itself, so this gate stays closed.")


def _people(one: SignRules, signoffs: tuple[Signoff, ...], seen: Mapping[str, Set[str]]) -> int:
    group = f"g{one.number // GROUP}"

    def that(rule: str) -> list[Signoff]:
        return [said for at, said in enumerate(signoffs) if rule in seen.get(f"{group}_{at}", ())]

    if one.leaf.quorum is not None:
        return _distinct(that(one.sure))
    spoke = {said.on_behalf_of or said.by for said in that(one.spoke)}
    objecting = that(one.said)
    people = {said.on_behalf_of or said.by for said in objecting if not said.stale}
    people |= {said.on_behalf_of or said.by for said in objecting if said.stale} - spoke
    return len(people)


# The second pass


def _properties_of(
    plan: RequirementPlan,
    facts: TypedFacts,
    lists: Mapping[int, Mapping[str, list[int]] | None],
    signs: Mapping[int, int],
) -> dict[str, Number]:
    found = _properties(plan.properties, facts, _NOTHING)
    for (number, what), name in plan.list_counts.items():
        counted = lists[number]
        if counted is not None:
            found[name] = len(counted[what])
    for (number, _), name in plan.sign_counts.items():
        found[name] = signs[number]
    return found


def _properties(names: Mapping[Property, str], facts: TypedFacts, row: Row) -> dict[str, Number]:
    found: dict[str, Number] = {}
    for wanted, name in names.items():
        value = _WORKED_OUT[wanted.kind](wanted, facts, row)
        if value is not None:
            found[name] = value
    return found


def _read(ref: Ref, facts: TypedFacts, row: Row) -> object:
    return row.get(ref.name) if ref.of_item else facts.values.get(ref.name)


def _value(wanted: Property, facts: TypedFacts, row: Row) -> Number | None:
    value = _read(wanted.left, facts, row)
    return None if value is None else scaled(wanted.left.type, value)


def _presence(wanted: Property, facts: TypedFacts, row: Row) -> Number:
    return int(_read(wanted.left, facts, row) is not None)


def _difference(wanted: Property, facts: TypedFacts, row: Row) -> Number | None:
    left = _read(wanted.left, facts, row)
    right = _read(wanted.right, facts, row) if wanted.right is not None else None
    if left is None or right is None:
        return None
    first, second = scaled(wanted.left.type, left), scaled(wanted.left.type, right)
    if (
        isinstance(first, int)
        and isinstance(second, int)
        and wanted.left.type in {*NUMBERS, "date"}
    ):
        return first - second
    return int(first != second)


def _days(wanted: Property, facts: TypedFacts, row: Row) -> Number | None:
    value = _read(wanted.left, facts, row)
    return (value - facts.today).days if isinstance(value, date) else None


_WORKED_OUT: Mapping[str, Callable[[Property, TypedFacts, Row], Number | None]] = {
    "value": _value,
    "set": _presence,
    "difference": _difference,
    "days": _days,
}


def _outcome(
    compiled: CompiledGate,
    plan: RequirementPlan,
    case: Case,
    fired: Set[str],
    lists: Mapping[int, Mapping[str, list[int]] | None],
) -> Outcome:
    for whole, check in plan.checks:
        _same(whole, check, fired)
    requirement = plan.requirement
    if plan.aside is not None and follows(plan.aside, fired):
        return Outcome(requirement.id, aside=True, met=False)
    met = follows(plan.met, fired)
    faults: dict[str, None] = {}
    for leaf in () if met else leaves(requirement.condition):
        if isinstance(leaf, Each | Count) and plan.leaf_rules[leaf] not in fired:
            faults.update(dict.fromkeys(_faults(compiled.lists[leaf], case, lists)))
    return Outcome(requirement.id, aside=False, met=met, faults=tuple(faults))


def _faults(
    one: ListRules, case: Case, lists: Mapping[int, Mapping[str, list[int]] | None]
) -> list[str]:
    counted = lists[one.number]
    if counted is None or isinstance(one.leaf, SomeFails | SignoffCondition):
        return []
    rows = case.facts.collections[one.collection]
    collection = case.rulebook.collections[one.collection]
    places = counted["faults"]
    if isinstance(one.leaf, Count):
        too_many = one.leaf.lte is not None and len(counted["maybe"]) > one.leaf.lte
        places = counted["maybe"] if too_many and one.leaf.where is not None else []
    return [item_name(collection, rows[at], at) for at in places]
