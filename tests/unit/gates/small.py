"""A small rulebook whose gate a test replaces, and random conditions and facts for it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any as Anything

from hypothesis import strategies as st

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
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import (
    Collection,
    Fact,
    Gate,
    Requirement,
    Rulebook,
    Signoff,
    Waiver,
    WaiverTerms,
)
from okrgate.gates.values import fit_type
from okrgate.gates.verdict import Facts

TODAY = date(2027, 1, 10)
TEXT = """\
okrgate: 1
vocabulary: own
ruleset: {id: small, title: Small}
params: {limit: 50000.00, some: 2}
roles:
  md: {label: Managing Director, kind: org}
  vp: {label: Vice President, kind: org}
  lead: {label: Lead, kind: project, fact: p.lead}
signing: {never: [p.lead]}
facts:
  p.flag: {type: boolean}
  p.whole: {type: integer}
  p.other: {type: integer}
  p.money: {type: money}
  p.number: {type: number}
  p.second: {type: number}
  p.day: {type: date}
  p.end: {type: date}
  p.text: {type: string}
  p.kind: {type: enum, values: [a, b, c]}
  p.user: {type: user}
  p.owner: {type: user}
  p.lead: {type: user}
  p.team: {type: user, many: true}
collections:
  rows:
    label: Row
    name_field: name
    fields:
      name: {type: string}
      flag: {type: boolean}
      whole: {type: integer}
      number: {type: number}
      other: {type: number}
      day: {type: date}
      owner: {type: user}
stages:
  start: {label: Start, initial: true}
  end: {label: End, terminal: true, outcome: done}
transitions:
  go: {from: start, to: end, by: [lead], gate: g}
gates:
  g:
    label: Gate
    requirements:
      - {id: r, message: Say it, severity: hard, if: {fact: p.flag, eq: true}}
"""
SMALL = load_rulebook(TEXT)
_numbers = count()


def with_condition(written: str, *, more: str = "") -> Rulebook:
    """Return the small rulebook with one condition, written as in a file."""
    return load_rulebook(TEXT.replace("if: {fact: p.flag, eq: true}", f"if: {written}{more}"))


def with_gate(*requirements: Requirement) -> Rulebook:
    """Return the small rulebook with other requirements."""
    gate = Gate("g", "Gate", requirements)
    return replace(SMALL, gates={"g": gate}, sha256=f"small-{next(_numbers)}")


WORDS = [
    "a",
    "b",
    "é",
    "e\u0301",
    "x" * 200,
    '"\\',
    "1",
    "0",
    "{}",
    "null",
    "日本",
    "🍾",
    "$s",
    "< >",
]
PEOPLE = ["ana", "bo", "cy", "dee"]
EDGE = 2**53 - 1


def value_of(fact: Fact) -> st.SearchStrategy[Anything]:
    """Return values that a fact takes, those at its limits among them."""
    if fact.many:
        return st.lists(st.sampled_from(PEOPLE), max_size=3).map(tuple)
    table: dict[str, st.SearchStrategy[Anything]] = {
        "boolean": st.booleans(),
        "integer": st.sampled_from([EDGE, -EDGE, 0, -1]) | st.integers(-4, 4),
        "money": st.sampled_from(
            [Decimal("0.01"), 0, 1, Decimal("-1.50"), Decimal("90071992547409.91")]
        ),
        "number": st.sampled_from(
            [Decimal("0.000001"), 0, 1, 0.5, Decimal("-0.3"), Decimal("9007199254.740991")]
        ),
        "date": st.integers(-6, 6).map(lambda days: TODAY + timedelta(days=days)),
        "string": st.sampled_from(WORDS),
        "user": st.sampled_from(PEOPLE),
        "enum": st.sampled_from(fact.values or ("a",)),
    }
    return table[fact.type]


def _facts_of(item: Collection | None) -> list[tuple[Fact, Ref]]:
    known = [(fact, Ref(fact.name, fact.type)) for fact in SMALL.facts.values() if not fact.many]
    if item is None:
        return known
    return known[:3] + [
        (fact, Ref(fact.name, fact.type, of_item=True)) for fact in item.fields.values()
    ]


@st.composite
def comparisons(draw: st.DrawFn, item: Collection | None) -> Condition:
    """Return one comparison."""
    fact, left = draw(st.sampled_from(_facts_of(item)))
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return IsSet(left, draw(st.booleans()))
    constants: st.SearchStrategy[Anything] = value_of(fact).map(
        lambda value: fit_type(fact.type, value)
    )
    if shape == 1:
        return Among(
            left,
            tuple(draw(st.lists(constants, min_size=1, max_size=3, unique=True))),
            draw(st.booleans()),
        )
    ordered = fact.type in ORDERED
    op = draw(st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"] if ordered else ["eq", "ne"]))
    others = [ref for one, ref in _facts_of(item) if one.type == fact.type and ref != left]
    if shape < 5 and others:
        return Compare(left, op, draw(st.sampled_from(others)))
    if shape < 7 and fact.type == "date":
        return Compare(left, op, Today(draw(st.integers(-4, 4))))
    return Compare(left, op, draw(constants))


@st.composite
def lists(draw: st.DrawFn) -> Condition:
    """Return a condition on the items of the list."""
    rows = SMALL.collections["rows"]
    where = draw(st.none() | conditions(rows, depth=1))
    if draw(st.booleans()):
        return Each("rows", draw(conditions(rows, depth=1)), where, draw(st.integers(0, 2)))
    gte, lte = draw(st.sampled_from([(None, 0), (None, 2), (0, None), (1, None), (2, 3), (1, 1)]))
    return Count("rows", where, gte, lte)


@st.composite
def signatures(draw: st.DrawFn) -> Condition:
    """Return a condition on sign-offs."""
    roles = tuple(
        draw(st.lists(st.sampled_from(["md", "vp"]), min_size=1, max_size=2, unique=True))
    )
    exclude = tuple(
        draw(st.lists(st.sampled_from(["p.user", "p.owner", "p.team"]), max_size=2, unique=True))
    )
    decision = draw(st.sampled_from(["approved", "rejected"]))
    if draw(st.booleans()):
        return SignoffCondition(roles, draw(st.integers(1, 3)), None, decision, exclude)
    return SignoffCondition(roles, None, draw(st.integers(0, 2)), decision, exclude)


@st.composite
def conditions(draw: st.DrawFn, item: Collection | None = None, depth: int = 2) -> Condition:
    """Return any condition."""
    shape = draw(st.integers(0, 9)) if depth else 9
    if shape < 6:
        parts = tuple(draw(st.lists(conditions(item, depth - 1), min_size=2, max_size=3)))
        return All(parts) if shape < 3 else Any(parts)
    if shape == 6:
        return opposite(draw(conditions(item, depth - 1)))
    if item is not None:
        return draw(comparisons(item))
    return draw(st.one_of(comparisons(None), comparisons(None), lists(), signatures()))


@st.composite
def gates(draw: st.DrawFn) -> Rulebook:
    """Return the small rulebook with a random gate."""
    requirements = []
    for number in range(draw(st.integers(1, 4))):
        severity = draw(st.sampled_from(["hard", "soft", "advisory"]))
        requirements.append(
            Requirement(
                id=f"r{number}",
                message="Say it",
                severity=severity,
                condition=draw(conditions()),
                mode=draw(st.sampled_from(["active", "active", "evaluate", "off"])),
                when=draw(st.none() | conditions(depth=1)),
                waiver=WaiverTerms(("md",), 10, 30) if severity == "soft" else None,
            )
        )
    return with_gate(*requirements)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Return facts that fit, many of them not filled in."""
    values = {name: draw(st.none() | value_of(fact)) for name, fact in SMALL.facts.items()}
    fields = {
        name: st.none() | value_of(fact) for name, fact in SMALL.collections["rows"].fields.items()
    }
    rows = draw(st.none() | st.lists(st.fixed_dictionaries(fields), max_size=4))
    signoffs = st.builds(
        Signoff,
        role=st.sampled_from(["md", "vp", "elsewhere"]),
        by=st.sampled_from(PEOPLE),
        decision=st.sampled_from(["approved", "approved", "rejected"]),
        stale=st.booleans(),
        on_behalf_of=st.none() | st.sampled_from(PEOPLE),
    )
    waivers = st.builds(
        Waiver, st.sampled_from(["r0", "r1"]), st.sampled_from(["md", "vp"]), st.just("ana")
    )
    return Facts(
        values={name: value for name, value in values.items() if value is not None},
        collections={} if rows is None else {"rows": rows},
        signoffs=tuple(draw(st.lists(signoffs, max_size=4))),
        waivers=tuple(draw(st.lists(waivers, max_size=2))),
    )
