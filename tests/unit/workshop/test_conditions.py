"""The condition builder: what the rules say survives the form, and nothing typed is lost by a change of shape."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any as Anything

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from okrgate.gates.conditions import All, Among, Any, Compare, Condition, Count, Each, SomeFails
from okrgate.gates.model import Collection, Fact
from okrgate.gates.reading_conditions import Names
from okrgate.gates.revising import NoPlace, Put, outline, revise
from okrgate.workshop.rows import conditions_forms as forms
from okrgate.workshop.rows.conditions_parts import Group, Items, Kept, Line, Seats, walk
from okrgate.workshop.rows.conditions_reading import parts_of
from okrgate.workshop.rows.conditions_words import in_words, names_of, understood
from okrgate.workshop.rows.conditions_writing import is_too_deep, plain_of
from tests.factories import SHIPPED
from tests.unit.workshop.small_gates import GATES

WHOLE = outline(SHIPPED.read_text(encoding="utf-8"))
NAMES = names_of(WHOLE)
OTHERS = [
    *sorted((SHIPPED.parent / "examples").glob("*.yaml")),
    Path(__file__).parents[1] / "gates" / "portfolio.yaml",
]
CONSTANTS: dict[str, list[Anything]] = {
    "boolean": [True, False],
    "integer": [0, 7, "$problem_min"],
    "money": [0, Decimal("12.50"), "$big_budget"],
    "number": [3, Decimal("0.25")],
    "string": ["EMEA", "two words", "yes", "12", "null"],
    "user": ["u-1"],
}


def written(whole: Anything) -> Iterator[tuple[str, Anything]]:
    for gate in whole["gates"].values():
        for one in gate["requirements"]:
            for key in ("if", "when"):
                if key in one:
                    yield f"{one['id']} {key}", one[key]
    for one in whole.get("invariants", []):
        yield one["id"], one.get("unless", one.get("always"))


@st.composite
def comparisons(draw: st.DrawFn, item: Collection | None) -> Anything:
    facts = [one for one in NAMES.facts.values() if not one.many]
    if item is not None:
        facts = [*item.fields.values(), *facts[:3]]
    fact = draw(st.sampled_from(facts))
    op = draw(st.sampled_from(_operators(fact)))
    if op == "is_set":
        return {"fact": fact.name, op: draw(st.booleans())}
    if op in {"in", "not_in"}:
        values = draw(st.lists(_constants(fact), min_size=1, max_size=3, unique_by=repr))
        return {"fact": fact.name, op: values}
    others = [one.name for one in facts if one.type == fact.type and one.name != fact.name]
    sides: list[st.SearchStrategy[Anything]] = [_constants(fact)]
    if others:
        sides.append(st.sampled_from(others).map(lambda name: {"fact": name}))
    if fact.type == "date":
        sides.append(st.integers(-400, 400).map(lambda days: {"today_plus_days": days}))
    return {"fact": fact.name, op: draw(st.one_of(sides))}


def _operators(fact: Fact) -> list[str]:
    ordered = fact.type in {"integer", "money", "number", "date"}
    every = ["is_set", "eq", "ne", "in", "not_in"]
    return [*every, "lt", "lte", "gt", "gte"] if ordered else every


def _constants(fact: Fact) -> st.SearchStrategy[Anything]:
    if fact.type == "date":
        return st.dates()
    return st.sampled_from(list(fact.values) or CONSTANTS[fact.type])


@st.composite
def lists(draw: st.DrawFn) -> Anything:
    item = draw(st.sampled_from(list(NAMES.collections.values())))
    where = {"where": draw(conditions(item, 1))} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        least = draw(st.sampled_from([{}, {"at_least": 0}, {"at_least": 2}]))
        return {"each": {"in": item.name, "must": draw(conditions(item, 1))} | where | least}
    bounds = draw(st.sampled_from([{"gte": 1}, {"lte": 0}, {"gte": 1, "lte": 3}]))
    return {"count": {"of": item.name} | where | bounds}


@st.composite
def signoffs(draw: st.DrawFn) -> Anything:
    roles = draw(st.lists(st.sampled_from(list(NAMES.roles)), min_size=1, max_size=3, unique=True))
    users = [one.name for one in NAMES.facts.values() if one.type == "user"]
    exclude = draw(st.lists(st.sampled_from(users), max_size=2, unique=True))
    found: dict[str, Anything] = {"role": roles if draw(st.booleans()) else roles[0]}
    found |= draw(st.sampled_from([{"quorum": 1}, {"quorum": 3}, {"at_most": 0}]))
    found |= draw(st.sampled_from([{}, {"decision": "rejected"}, {"decision": "approved"}]))
    return {"signoff": found | ({"exclude": exclude} if exclude else {})}


def conditions(item: Collection | None, depth: int = 3) -> st.SearchStrategy[Anything]:
    leaf = comparisons(item) if item else st.one_of(comparisons(None), lists(), signoffs())
    if not depth:
        return leaf
    inner = st.deferred(lambda: conditions(item, depth - 1))
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        leaf,
        several.map(lambda parts: {"all": parts}),
        several.map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    )


def meaning(plain: Anything) -> Condition:
    found = understood(plain, NAMES)
    assert found is not None, plain
    return plainest(found)


def plainest(one: Condition) -> Condition:
    """Return a condition with one spelling for each meaning: among one value of a choice is equal to it."""
    match one:
        case All() | Any():
            return type(one)(tuple(map(plainest, one.parts)))
        case Among(left, (value,), inside) if left.type in {"enum", "boolean"}:
            return Compare(left, "eq" if inside else "ne", value)
        case Each():
            return replace(one, must=plainest(one.must), where=one.where and plainest(one.where))
        case SomeFails(each):
            found = plainest(each)
            assert isinstance(found, Each)
            return SomeFails(found)
        case Count():
            return replace(one, where=one.where and plainest(one.where))
        case _:
            return one


def sent(group: Group, prefix: str = "if") -> MultiDict[str, str]:
    """Return what a browser sends for a condition as the page shows it."""
    found: MultiDict[str, str] = MultiDict()
    for path, part in walk(group):
        values = vars(part) if not isinstance(part, Kept) else {"plain": forms.packed(part.plain)}
        kind = part.shape if isinstance(part, Items) else type(part).__name__.lower()
        found.add(forms.field_name(prefix, path, "kind"), kind)
        for name, value in values.items():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, str):
                    found.add(forms.field_name(prefix, path, name), one.replace("\n", "\r\n"))
    return found


def through(plain: Anything) -> Anything:
    """Return a condition after the page showed it and the form was sent back."""
    group = forms.read(sent(parts_of(plain, NAMES)), "if")
    found, faults = plain_of(group, NAMES)
    assert not faults, faults
    return found


@pytest.mark.parametrize(("name", "plain"), list(written(WHOLE)))
def test_every_shipped_condition_survives_the_form(name: str, plain: Anything) -> None:
    assert not any(isinstance(part, Kept) for _, part in walk(parts_of(plain, NAMES))), name
    assert meaning(through(plain)) == meaning(plain)
    assert through(through(plain)) == through(plain)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_every_condition_of_other_rules_survives_the_form(path: Path) -> None:
    whole = outline(path.read_text(encoding="utf-8"))
    names = names_of(whole)
    for name, plain in written(whole):
        found, faults = plain_of(forms.read(sent(parts_of(plain, names)), "if"), names)
        assert not faults, name
        before, after = understood(plain, names), understood(found, names)
        assert before is not None
        assert after is not None
        assert plainest(after) == plainest(before)


@given(conditions(None))
def test_any_condition_survives_the_form(plain: Anything) -> None:
    assert not any(isinstance(part, Kept) for _, part in walk(parts_of(plain, NAMES)))
    assert meaning(through(plain)) == meaning(plain)


ODD: list[Anything] = [
    {"maybe": 1},
    {"fact": "scope.budget"},
    {"fact": "scope.budget", "gte": 1, "lte": 2},
    {"fact": "scope.budget", "is_set": "yes"},
    {"fact": "project.domain", "eq": " two  spaces "},
    {"fact": "project.domain", "in": [" a ", Decimal("1.50"), None]},
    {"signoff": {"role": "nobody", "quorum": 1, "at_most": 1}},
    {"signoff": {"role": ["vice_president"], "quorum": True}},
    {"each": {"in": "ghosts", "must": {"fact": "x", "eq": 1}}},
    {"count": {"of": "raci", "gte": Decimal("1.5")}},
    {"each": {"in": "raci", "must": {"count": {"of": "raci", "gte": 1}}}},
    "a text",
    ["a list"],
    17,
]


@pytest.mark.parametrize("plain", ODD)
def test_what_the_form_cannot_show_stays_as_it_is(plain: Anything) -> None:
    assert any(isinstance(part, Kept) for _, part in walk(parts_of(plain, NAMES)))
    assert through(plain) == plain
    assert through({"all": [plain, {"fact": "scope.budget", "gte": 1}]})["all"][0] == plain
    assert in_words(plain, NAMES)


SHAPE = Group(
    "all",
    (
        Line("scope.budget", "gte", typed="abc"),
        Group("any", (Line("project.lead", "set"), Items("count", "raci", least="x"))),
        Seats(("vice_president",), number="two"),
    ),
)


@pytest.mark.parametrize("verb", ["add-line", "add-group", "add-each", "add-count", "add-seats"])
def test_adding_a_part_loses_nothing(verb: str) -> None:
    grown = forms.after(SHAPE, verb, ("r", "1"))
    assert isinstance(grown.parts[1], Group)
    assert grown.parts[1].parts[:-1] == SHAPE.parts[1].parts  # type: ignore[union-attr]
    assert grown.parts[0] == SHAPE.parts[0]
    assert forms.read(sent(grown), "if") == grown


def test_a_part_is_put_into_a_group_and_taken_out_again() -> None:
    wrapped = forms.after(SHAPE, "wrap", ("r", "0"))
    assert wrapped.parts[0] == Group("any", (SHAPE.parts[0],))
    assert forms.after(wrapped, "unwrap", ("r", "0")) == SHAPE
    assert forms.after(SHAPE, "remove", ("r", "1", "1")).parts[1] == Group(
        "any", (Line("project.lead", "set"),)
    )
    assert forms.after(SHAPE, "remove", ("r",)) == Group()


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("remove", ("r", "9")),
        ("remove", ("x", "0")),
        ("remove", ("r", "0", "0")),
        ("remove", ("r", "²")),
        ("remove", ()),
        ("explode", ("r",)),
        ("add-bomb", ("r",)),
        ("wrap", ("r", "1", "m")),
    ],
)
def test_a_button_that_makes_no_sense_changes_nothing(verb: str, path: tuple[str, ...]) -> None:
    assert forms.after(SHAPE, verb, path) == SHAPE


def test_a_form_cannot_grow_without_end() -> None:
    grown = SHAPE
    for _ in range(100):
        grown = forms.after(grown, "add-line", ("r",))
    assert sum(1 for _ in walk(grown)) <= 61
    deep = MultiDict({f"if.{'-'.join(['r', *['0'] * n])}.kind": "group" for n in range(300)})
    assert sum(1 for _ in walk(forms.read(deep, "if"))) < 12
    assert forms.read(MultiDict({"if.r.kind": "kept", "if.r.plain": "[" * 9999}), "if") == Group()


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Line(), "Choose what this is about."),
        (Line("no.such", "set"), "Nobody knows “no.such”: choose something else."),
        (Line("scope.budget", "gte"), "Say what it is compared with."),
        (Line("scope.budget", "gte", typed="1,000"), "Enter an amount, like 50000.00."),
        (Line("scope.budget", "gte", typed="1e9"), "Enter an amount, like 50000.00."),
        (Line("scope.people", "gte", typed="1.5"), "Enter a whole number, like 20."),
        (Line("scope.end", "gt", typed="tomorrow"), "Enter a date, like 2027-01-31."),
        (Line("project.home_unit", "gt", typed="a"), "Choose how it is compared."),
        (Line("project.priority", "in"), "Tick at least one value."),
        (
            Line("scope.end", "gt", "fact:scope.end"),
            "It is compared with itself: choose something else.",
        ),
        (
            Line("scope.end", "gt", "fact:scope.budget"),
            "Choose something of the same kind to compare it with.",
        ),
        (Line("scope.budget", "gt", "today", "3"), "Only a date is compared with today."),
        (
            Line("scope.end", "gt", "today", "soon"),
            "Say how many days: a whole number from -36,500 to 36,500.",
        ),
        (Line("scope.budget", "gt", "$no"), "There is no number called “no” in these rules."),
        (Line("scope.people", "gt", "$big_budget"), "“big_budget” does not fit People needed."),
        (Group(), "Add a condition here, or take this group out."),
        (Items("each", "ghosts"), "Choose a list."),
        (Items("count", "raci"), "Say how many there are at least, or at most."),
        (
            Items("count", "raci", least="3", most="1"),
            "It can never be at least more than it is at most.",
        ),
        (Seats(), "Tick who signs: only roles of these rules can."),
        (
            Seats(("vice_president",), number="0"),
            "Say how many people: a whole number from 1 to 100.",
        ),
        (
            Seats(("vice_president",), exclude=("scope.end",)),
            "“scope.end” names nobody who could be left out.",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_part(part: Anything, sentence: str) -> None:
    _, faults = plain_of(Group("all", (Line("project.lead", "set"), part)), NAMES)
    assert faults == {("r", "1"): sentence}


@pytest.mark.parametrize("levels", range(1, 6))
@pytest.mark.parametrize("negated", [False, True])
def test_what_is_too_deep_for_a_file_is_known_beforehand(levels: int, negated: bool) -> None:
    plain: Anything = {"fact": "scope.end", "gt": {"fact": "scope.start"}}
    for _ in range(levels):
        plain = {"any": [{"fact": "project.lead", "is_set": True}, plain]}
    plain = {"not": plain} if negated else plain
    path = ("gates", "filled", "requirements", "told", "if")
    try:
        revise(GATES, [Put(path, plain)])
        fits = True
    except NoPlace:
        fits = False
    assert is_too_deep(plain) is not fits


def test_names_can_be_read_from_a_draft_full_of_faults() -> None:
    names = names_of(
        {"roles": 7, "params": ["x"], "questions": {"q": {"type": "enum"}}, "stages": 1}
    )
    assert "scope.budget" in names.facts
    assert not names.roles
    assert isinstance(names, Names)
