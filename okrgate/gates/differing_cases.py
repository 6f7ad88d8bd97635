"""Projects worth trying when a gate changed: those of the tests, at the edges of what the gate asks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from okrgate.gates.checks import facts_of
from okrgate.gates.conditions import (
    Among,
    Compare,
    Count,
    Each,
    IsSet,
    Leaf,
    Ref,
    SignoffCondition,
    SomeFails,
    Today,
    Value,
    inner,
    leaves,
)
from okrgate.gates.model import Fact, Requirement, Rulebook, Signoff, Waiver
from okrgate.gates.values import NUMBERS, Unfit, fit
from okrgate.gates.verdict import Facts

MOST_CASES = 1_500
_MOST_BASES = 8
_MOST_SIGNED = 16
_MOST_ROWS = 4
_NO_DAY = date(2000, 1, 1)
_STEPS: Mapping[str, Decimal | int] = {
    "money": Decimal("0.01"),
    "number": Decimal("0.01"),
    "integer": 1,
}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Case:
    """A project to be tried, and the day it is."""

    facts: Facts
    today: date


def cases(
    before: Rulebook, after: Rulebook, transition: str, changed: Sequence[Requirement]
) -> list[Case]:
    """Return projects at which the two rulebooks may say different things about a transition."""
    found: dict[tuple[str, date], Case] = {}
    for case in projects(before, after, transition, changed):
        if len(found) >= MOST_CASES:
            break
        found.setdefault((case.facts.digest(), case.today), case)
    return list(found.values())


def projects(
    before: Rulebook, after: Rulebook, transition: str, changed: Sequence[Requirement]
) -> Iterator[Case]:
    """Yield what `cases` returns, one after the other and without end; the same one may come twice."""
    asked = list(_leaves(changed))
    signed = _signed(before, after, transition, asked)
    for base in _bases(before, after, transition):
        for varied in _all_varied(base, after, before, changed):
            for waived in _waived(varied, changed):
                for signoffs in signed:
                    yield Case(replace(waived.facts, signoffs=signoffs), base.today)


def _leaves(changed: Iterable[Requirement]) -> Iterator[Leaf]:
    for one in changed:
        yield from leaves(one.condition)
        if one.when is not None:
            yield from leaves(one.when)


def _bases(before: Rulebook, after: Rulebook, transition: str) -> list[Case]:
    found: dict[tuple[str, date], Case] = {}
    for rulebook in (after, before):
        for test in rulebook.tests:
            if test.transition == transition:
                fixture = rulebook.fixtures[test.fixture]
                facts = facts_of(test, fixture).with_signoffs(())
                today = test.changes.today or fixture.today or _NO_DAY
                found.setdefault((facts.digest(), today), Case(facts, today))
    for rulebook in (after, before):
        for one in rulebook.fixtures.values():
            facts = Facts(one.values, one.collections, waivers=one.waivers or ())
            found.setdefault(
                (facts.digest(), one.today or _NO_DAY), Case(facts, one.today or _NO_DAY)
            )
    return list(found.values())[:_MOST_BASES] or [Case(Facts({}), _NO_DAY)]


def _all_varied(
    base: Case, after: Rulebook, before: Rulebook, changed: Sequence[Requirement]
) -> Iterator[Case]:
    """Yield a project with one thing changed at a time; where something is asked only sometimes, also with two."""
    yield from _varied(base, after, before, list(_leaves(changed)))
    for one in changed:
        if one.when is not None:
            outside = list(leaves(one.when))
            for varied in _varied(base, after, before, list(leaves(one.condition))):
                yield from _varied(varied, after, before, outside)


def _varied(base: Case, after: Rulebook, before: Rulebook, asked: list[Leaf]) -> Iterator[Case]:
    yield base
    for leaf in asked:
        each = leaf.each if isinstance(leaf, SomeFails) else leaf
        if isinstance(each, Each | Count):
            for rows in _lists(base, each, after, before):
                yield _with_rows(base, each.collection, rows)
        elif not isinstance(each, SignoffCondition):
            name = each.left.name
            fact = after.facts.get(name) or before.facts.get(name)
            if fact is not None:
                for value in _around(fact, each, base.facts.values, base.today):
                    yield _with(base, name, value)


def _with(base: Case, name: str, value: Value | None) -> Case:
    values = {key: one for key, one in base.facts.values.items() if key != name}
    if value is not None:
        values[name] = value
    return replace(base, facts=replace(base.facts, values=values))


def _with_rows(base: Case, name: str, rows: Sequence[Mapping[str, object]]) -> Case:
    collections = {**base.facts.collections, name: tuple(rows)}
    return replace(base, facts=replace(base.facts, collections=collections))


def _around(
    fact: Fact,
    leaf: Compare | Among | IsSet,
    others: Mapping[str, object],
    today: date,
) -> Iterator[Value | None]:
    """Yield the values at which one comparison turns, first of all those just beyond."""
    wanted: list[object] = []
    if isinstance(leaf, Compare):
        wanted = list(_edges(fact, leaf.right, others, today))
    elif isinstance(leaf, Among):
        wanted = list(leaf.values)
    if fact.type == "boolean":
        wanted += [True, False]
    wanted += fact.values
    for value in dict.fromkeys(wanted):
        try:
            found = fit(fact, value)
        except Unfit:
            continue
        if not isinstance(found, tuple):
            yield found
    yield None


def _edges(
    fact: Fact, right: Value | Ref | Today, others: Mapping[str, object], today: date
) -> Iterator[object]:
    middle: object = right
    if isinstance(right, Ref):
        middle = others.get(right.name)
    elif isinstance(right, Today):
        try:
            middle = today + timedelta(days=right.plus_days)
        except OverflowError:
            return
    if isinstance(middle, bool | str) or middle is None:
        yield middle
    elif isinstance(middle, date):
        if date.min < middle < date.max:
            yield from (middle + _DAY, middle, middle - _DAY)
        else:
            yield middle
    elif fact.type in NUMBERS and isinstance(middle, int | Decimal):
        step = _STEPS[fact.type]
        yield from (middle + step, middle, middle - step)


def _lists(
    base: Case, leaf: Each | Count, after: Rulebook, before: Rulebook
) -> Iterator[list[Mapping[str, object]]]:
    """Yield lists with none, one less and one more than asked for, and with an item at each edge."""
    collection = after.collections.get(leaf.collection) or before.collections.get(leaf.collection)
    if collection is None:
        return
    known: list[Mapping[str, object]] = list(base.facts.collections.get(leaf.collection) or ())
    first = dict(known[0]) if known else {}
    least = leaf.at_least if isinstance(leaf, Each) else max(leaf.gte or 0, leaf.lte or 0)
    yield []
    for count in (least - 1, least, least + 1):
        if 0 < count <= _MOST_ROWS:
            yield [
                {**first, collection.name_field: f"Item {place}"} for place in range(1, count + 1)
            ]
    for condition in inner(leaf):
        for part in leaves(condition):
            if isinstance(part, Compare | Among | IsSet):
                field = collection.fields.get(part.left.name)
                if field is None:
                    # A fact of the project, or a field that only the other text has.
                    continue
                for value in _around(field, part, first, base.today):
                    row = {**first, collection.name_field: "Item 1", field.name: value}
                    yield [{key: one for key, one in row.items() if one is not None}]


def _waived(base: Case, changed: Iterable[Requirement]) -> Iterator[Case]:
    yield base
    for one in changed:
        if one.severity == "soft" and one.waiver is not None:
            for role in one.waiver.by:
                waivers = (Waiver(one.id, role, "somebody"),)
                yield replace(base, facts=replace(base.facts, waivers=waivers))


def _signed(
    before: Rulebook, after: Rulebook, transition: str, asked: Iterable[Leaf]
) -> list[tuple[Signoff, ...]]:
    """Return sets of sign-offs: none, those of the tests, and such as the changed requirements turn on."""
    found: dict[tuple[Signoff, ...], None] = {}
    wanted = _asked_signoffs(asked)
    for one in wanted:
        found.update(dict.fromkeys(_enough(one)))
    roles = dict.fromkeys(role for one in wanted if one.quorum for role in one.roles)
    if len(roles) > 1:
        found[tuple(Signoff(role, f"{role} 0") for role in roles)] = None
    for one in wanted:
        found.update(dict.fromkeys(_left_out(one, before, after)))
    for rulebook in (after, before):
        for test in rulebook.tests:
            signoffs = test.changes.signoffs
            if test.transition == transition and signoffs is not None:
                found[signoffs] = None
    return [(), *(one for one in found if one)][:_MOST_SIGNED]


def _asked_signoffs(asked: Iterable[Leaf]) -> list[SignoffCondition]:
    return list(dict.fromkeys(one for one in asked if isinstance(one, SignoffCondition)))


def _enough(asked: SignoffCondition) -> Iterator[tuple[Signoff, ...]]:
    """Yield as many sign-offs as are asked for, one less and one more, from different people."""
    need = asked.quorum if asked.quorum is not None else (asked.at_most or 0)
    for role in asked.roles:
        for count in (need, need - 1, need + 1):
            if 0 < count <= _MOST_ROWS:
                yield tuple(
                    Signoff(role, f"{role} {place}", asked.decision) for place in range(count)
                )


def _left_out(
    asked: SignoffCondition, before: Rulebook, after: Rulebook
) -> Iterator[tuple[Signoff, ...]]:
    """Yield a sign-off by each of those whom the condition leaves out, as the fixtures name them.

    Where several have to sign, others have signed before: the one left out is the last that is needed.
    """
    role = asked.roles[0]
    others = tuple(
        Signoff(role, f"{role} {place}", asked.decision)
        for place in range(min((asked.quorum or 1) - 1, _MOST_ROWS))
    )
    for fact in dict.fromkeys([*asked.exclude, *before.never_sign, *after.never_sign]):
        for rulebook in (after, before):
            for fixture in rulebook.fixtures.values():
                person = fixture.values.get(fact)
                if isinstance(person, str):
                    yield (*others, Signoff(role, person, asked.decision))
