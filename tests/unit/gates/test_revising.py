"""Changing a rules file in one place: only that changes, and it means what was asked."""

from datetime import date
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from okrgate.gates import revising
from okrgate.gates.outlining import same
from okrgate.gates.problems import RulebookError
from okrgate.gates.rendering import inline
from okrgate.gates.revising import (
    Add,
    Change,
    Move,
    NoPlace,
    Put,
    Remove,
    Rename,
    lines_of,
    outline,
    revise,
    try_to_outline,
    try_to_revise,
)
from okrgate.gates.tree import Node, read_tree
from tests.factories import SHIPPED

FILE = dedent(
    """\
    # The whole file.
    params:
      big: 50000.00   # euros
      # how long a problem has to be
      long: 80

    roles:
      lead: {label: Lead, kind: project}   # who leads
      vp:   {label: Vice President}

    gates:
      plan:
        label: Plan
        requirements:
          # the first one
          - {id: one, message: First, if: {fact: a, gte: $big}}
          - id: two
            message: |
              Second
              line
            severity: hard   # stays

          # the third one
          - {id: three, message: "Third: last"}
    empty:
    tail: [1, 2, 3]
    """
)


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that only one of two texts has."""
    old, new = before.splitlines(), after.splitlines()
    return [one for one in old if one not in new], [one for one in new if one not in old]


@pytest.mark.parametrize(
    ("change", "gone", "come"),
    [
        (
            Put(("params", "big"), Decimal("60000.00")),
            ["  big: 50000.00   # euros"],
            ["  big: 60000.00   # euros"],
        ),
        (Put(("params", "days"), 5), [], ["  days: 5"]),
        (
            Put(("roles", "lead", "label"), "Lead: you"),
            None,
            ['  lead: {label: "Lead: you", kind: project}   # who leads'],
        ),
        (
            Put(("roles", "vp", "scope"), "home"),
            None,
            ["  vp:   {label: Vice President, scope: home}"],
        ),
        (
            Put(("gates", "plan", "requirements", "two", "message"), "Short"),
            None,
            ["        message: Short"],
        ),
        (
            Put(("gates", "plan", "requirements", "two", "severity"), "soft"),
            None,
            ["        severity: soft   # stays"],
        ),
        (
            Put(("gates", "plan", "requirements", "one", "if", "gte"), 3),
            None,
            ["      - {id: one, message: First, if: {fact: a, gte: 3}}"],
        ),
        (Put(("empty", "x", "label"), "X"), ["empty:"], ["empty: {x: {label: X}}"]),
        (Put(("new", "thing"), True), [], ["new:", "  thing: true"]),
        (Put(("tail", 1), date(2027, 1, 2)), None, ["tail: [1, 2027-01-02, 3]"]),
        (Add(("tail",), 4), None, ["tail: [1, 2, 3, 4]"]),
        (Add(("tail",), "no", after=0), None, ['tail: [1, "no", 2, 3]']),
        (
            Add(("gates", "plan", "requirements"), {"id": "four"}, after="one"),
            [],
            ["      - {id: four}"],
        ),
        (Add(("roles",), {"label": "MD"}, key="md", after="lead"), [], ["  md: {label: MD}"]),
        (Remove(("params", "long")), ["  # how long a problem has to be", "  long: 80"], []),
        (
            Remove(("gates", "plan", "requirements", "three")),
            ["      # the third one", '      - {id: three, message: "Third: last"}'],
            [],
        ),
        (Remove(("tail", 0)), None, ["tail: [2, 3]"]),
        (Remove(("tail", 2)), None, ["tail: [1, 2]"]),
        (Remove(("roles", "lead", "label")), None, ["  lead: {kind: project}   # who leads"]),
        (Remove(("gates", "plan", "requirements", "two", "id")), None, ["      - message: |"]),
        (Rename(("params", "big"), "huge"), None, ["  huge: 50000.00   # euros"]),
    ],
    ids=lambda one: inline(list(map(str, one.path))) if isinstance(one, Change) else "",
)
def test_a_change_touches_its_own_place_only(
    change: Change, gone: list[str] | None, come: list[str]
) -> None:
    after = revise(FILE, [change])

    old, new = changed_lines(FILE, after)
    assert new == come
    assert gone is None or old == gone


def test_things_change_places_with_their_comments() -> None:
    after = revise(FILE, [Move(("gates", "plan", "requirements", "three"), -1)])

    rows = after[after.index("requirements") : after.index("empty")]
    assert rows.index("# the third one") < rows.index("id: three") < rows.index("id: two")
    assert sorted(after.splitlines()) == sorted(FILE.splitlines())
    assert revise(FILE, [Move(("tail", 0), 1)]).endswith("tail: [2, 1, 3]\n")
    assert revise(FILE, [Move(("tail", 0), -1)]) == FILE


def test_a_group_that_takes_the_place_of_another_keeps_what_stays() -> None:
    path = ("gates", "plan", "requirements", "two")
    value = {"id": "two", "message": "Second\nline\n", "severity": "hard", "fix": "scope"}

    after = revise(FILE, [Put(path, value)])

    assert "severity: hard   # stays\n        fix: scope\n" in after
    assert changed_lines(FILE, after) == ([], ["        fix: scope"])


def test_a_row_that_gets_too_wide_is_spread_over_lines() -> None:
    path = ("gates", "plan", "requirements", "one")
    after = revise(FILE, [Put((*path, "message"), "long " * 30)])

    assert "      # the first one\n      - id: one\n        message: " in after
    assert max(map(len, after.splitlines())) < 200


def test_a_new_gate_has_a_line_for_each_requirement() -> None:
    gate = {"label": "Security", "requirements": [{"id": "a", "message": "A"}]}
    after = revise(FILE, [Add(("gates",), gate, key="security", after="plan")])

    assert (
        "  security:\n    label: Security\n    requirements:\n      - {id: a, message: A}\n"
        in after
    )


def test_the_only_item_of_a_row_in_brackets_leaves_an_empty_one() -> None:
    assert revise("a: {b: [x]}\n", [Remove(("a", "b", 0))]) == "a: {b: []}\n"
    assert revise("a: {b: {c: 1}}\n", [Remove(("a", "b", "c"))]) == "a: {b: {}}\n"


def test_the_last_of_a_group_leaves_an_empty_one() -> None:
    after = revise(FILE, [Remove(("params", "big")), Remove(("params", "long"))])

    assert outline(after)["params"] == {}
    assert outline(revise(after, [Put(("params", "x"), 1)]))["params"] == {"x": 1}


@pytest.mark.parametrize(
    "change",
    [
        Put(("gates", "plan", "requirements", "none", "message"), "x"),
        Remove(("params", "none")),
        Remove(("tail", 9)),
        Add(("roles",), 1, key="vp"),
        Rename(("roles", "vp"), "lead"),
        Move(("none", "x"), 1),
        Put((), 1),
    ],
)
def test_a_path_that_is_not_there_is_refused(change: Change) -> None:
    with pytest.raises(NoPlace):
        revise(FILE, [change])
    assert try_to_revise((FILE, [change])).missing


def test_a_text_that_is_no_rules_file_is_refused_with_its_line() -> None:
    with pytest.raises(RulebookError):
        revise("a: [1", [Put(("b",), 1)])
    assert try_to_revise(("a: 1\nb: *x\n", [])).problems[0].line == 2
    assert try_to_outline("a: [1").problems
    assert try_to_outline(FILE).data["tail"] == [1, 2, 3]


def test_lines_are_told_by_path() -> None:
    paths = [("params", "long"), ("gates", "plan", "requirements", "two"), ("none",)]

    assert lines_of(FILE, paths) == [(5, 5), (17, 21), None]


WORDS = st.one_of(
    st.sampled_from(
        [
            "",
            "a",
            "yes",
            "null",
            "1",
            "2027-01-01",
            "a: b",
            "#x",
            "- x",
            "$big",
            "{",
            "é",
            "x #y",
            "a,b",
            "]",
            "~",
            "|",
            "'",
        ]
    ),
    st.text(max_size=8),
)
VALUES = st.recursive(
    st.one_of(
        WORDS,
        st.booleans(),
        st.none(),
        st.integers(-(10**9), 10**9),
        st.decimals(-1000, 1000, places=2),
        st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(WORDS.filter(lambda key: key != "<<"), inner, max_size=3),
    ),
    max_leaves=8,
)


def paths_in(data: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every path there is in plain data."""
    children = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [
        path for key, one in children for path in ((*before, key), *paths_in(one, (*before, key)))
    ]


@settings(max_examples=40)
@given(st.data())
def test_any_change_of_any_place_means_what_was_asked(data: st.DataObject) -> None:
    """`revise` compares what it made with plain data itself: here no change may be refused, and nothing be lost."""
    text = FILE
    for _ in range(3):
        path = data.draw(st.sampled_from(paths_in(outline(text))))
        ways: list[Change] = [
            Put(path, data.draw(VALUES)),
            Remove(path),
            Move(path, 1),
            Move(path, -1),
        ]
        change = data.draw(st.sampled_from(ways))
        earlier = text
        text = revise(text, [change])
        if isinstance(change, Put):
            found: Any = outline(text)
            for step in path:
                found = found[step]
            assert same(found, change.value)
        elif isinstance(change, Move):
            assert sorted(text) == sorted(earlier)  # nothing is lost, comments included


def test_every_row_of_the_shipped_file_can_be_changed() -> None:
    text = SHIPPED.read_text("utf-8")
    data = outline(text)
    changes = [
        Put(("gates", gate, "requirements", row["id"], "help"), "Why it is asked.")
        for gate, one in list(data["gates"].items())[:2]
        for row in one["requirements"][:2]
    ]

    after = revise(text, changes)

    assert [line for line in text.splitlines() if line.lstrip().startswith("#")] == [
        line for line in after.splitlines() if line.lstrip().startswith("#")
    ]
    assert after.count("help: Why it is asked.") == len(changes)


SMALL: list[Change] = [
    Put(("params", "big"), Decimal("60000.00")),
    Put(("gates", "plan", "label"), "The plan"),
    Remove(("gates", "plan", "requirements", 2)),
    Remove(("tail", 2)),
    Rename(("roles", "vp"), "second"),
    Remove(("tail", 0)),
    Put(("gates", "plan", "requirements", "two", "severity"), "soft"),
    Remove(("tail", 0)),
    Rename(("roles", "second"), "vice"),
    Put(("roles", "vice", "label"), "Vice"),
    Remove(("roles", "lead")),
]


@given(st.permutations(SMALL[:6]), st.integers(0, 5))
@settings(deadline=None, max_examples=10)
def test_many_small_changes_come_out_as_one_by_one(changes: list[Change], more: int) -> None:
    changes = [*changes, *SMALL[6 : 6 + more]]
    by_itself = FILE
    try:
        for change in changes:
            by_itself = revise(by_itself, [change])
    except NoPlace:
        with pytest.raises(NoPlace):
            revise(FILE, changes)
    else:
        assert revise(FILE, changes) == by_itself


def test_many_small_changes_are_read_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(text: str) -> Node:
        read.append(text)
        return read_tree(text)

    monkeypatch.setattr(revising, "read_tree", counted)
    revise(FILE, SMALL[:5])
    assert len(read) == 2
    read.clear()
    revise(FILE, SMALL[:8])
    assert len(read) == 3


def test_a_list_that_loses_every_row_at_once_is_an_empty_list() -> None:
    rows = "rows:\n" + "".join(f"  - {{id: r{number}}}\n" for number in range(5))
    changes: list[Change] = [Remove(("rows", number)) for number in reversed(range(5))]
    assert outline(revise(rows, changes)) == {"rows": []}
