"""A rules file is refused with line and column, everything at once, before it does harm."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from okrgate.gates.checks import check_rulebook
from okrgate.gates.language import RulebookError, load_rulebook, read_rulebook
from tests.unit.gates.small import TEXT


def _line(text: str, part: str) -> tuple[int, int]:
    """Return where a part of a text begins."""
    before = text[: text.index(part)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


IF = "if: {fact: p.flag, eq: true}"
R = "{id: r, message: Say it, severity: hard, "
END = "  end: {label: End, terminal: true, outcome: done}"
GO = "go: {from: start, to: end, by: [lead], gate: g}"

# name, what is replaced, by what, where the error stands, part of the sentence
WRONG: list[tuple[str, str, str, str, str]] = [
    ("an unknown fact", IF, "if: {fact: p.falg, eq: true}", "p.falg", "unknown fact p.falg; did you mean p.flag?"),
    ("a wrong type", IF, "if: {fact: p.whole, gte: abc}", "abc", "p.whole has to be a number"),
    ("a boolean for a number", IF, "if: {fact: p.whole, gte: true}", "true}}", "p.whole has to be a number"),
    ("half an integer", IF, "if: {fact: p.whole, gte: 1.5}", "1.5", "whole number"),
    ("a tenth of a cent", IF, "if: {fact: p.money, gte: 1.005}", "1.005", "at most 2 decimals"),
    ("a misspelt enum value", IF, "if: {fact: p.kind, eq: aa}", "aa}", "p.kind is never aa"),
    ("an order on an enum", IF, "if: {fact: p.kind, gte: a}", "a}}", "it has no order"),
    ("an order on people", IF, "if: {fact: p.user, lt: {fact: p.owner}}", "{fact: p.owner", "it has no order"),
    ("facts of two types", IF, "if: {fact: p.whole, gt: {fact: p.money}}", "p.money}", "p.money is a money"),
    ("an unknown parameter", IF, "if: {fact: p.whole, gte: $sme}", "$sme", "unknown parameter sme; did you mean some?"),
    ("a parameter of a wrong type", IF, "if: {fact: p.whole, gte: $limit}", "$limit", "whole number"),
    ("today for a number", IF, "if: {fact: p.whole, gte: {today_plus_days: 1}}", "{today_plus", "only dates"),
    ("an unknown operator", IF, "if: {fact: p.whole, get: 1}", "get", "unknown key get"),
    ("no operator", IF, "if: {fact: p.whole}", "{fact: p.whole}", "needs one of"),
    ("two operators", IF, "if: {fact: p.whole, gte: 1, lte: 2}", "{fact: p.whole, gte", "has 2 comparisons"),
    ("an unknown condition", IF, "if: {al: []}", "al: [", "unknown condition al"),
    ("an empty all", IF, "if: {all: []}", "[]", "at least one"),
    ("an unknown list", IF, "if: {count: {of: row, gte: 1}}", "row, gte", "unknown list row; did you mean rows?"),
    ("an unknown field", IF, "if: {each: {in: rows, at_least: 1, must: {fact: whol, gte: 1}}}", "whol,", "unknown field whol of rows"),
    ("a sign-off inside a list", IF, "if: {each: {in: rows, at_least: 1, must: {signoff: {role: md, quorum: 1}}}}", "{signoff", "cannot stand inside"),
    ("an unknown role", IF, "if: {signoff: {role: mb, quorum: 1}}", "mb,", "unknown role mb"),
    ("quorum and at_most", IF, "if: {signoff: {role: md, quorum: 1, at_most: 1}}", "{role: md", "either quorum or at_most"),
    ("an exclusion that is no person", IF, "if: {signoff: {role: md, quorum: 1, exclude: [p.text]}}", "p.text]", "not a person"),
    ("a list of people compared", IF, "if: {fact: p.team, eq: ana}", "p.team, eq", "several people"),
    ("an unknown key", "severity: hard", "severity: hard, sverity: soft", "sverity", "unknown key sverity in a requirement; did you mean severity?"),
    ("a missing key", "message: Say it, ", "", "{id: r", "a requirement needs message"),
    ("a soft one without a waiver", "severity: hard", "severity: soft", "{id: r", "needs waiver"),
    ("a hard one with a waiver", "severity: hard", "severity: hard, waiver: {by: [md]}", "{by: [md]", "only a soft requirement has a waiver"),
    ("an unknown parameter in a message", "Say it", "'Say {it}'", "'Say {it}'", "unknown parameter it"),
    ("an unknown section", "severity: hard", "severity: hard, fix: problm", "problm", "unknown section problm; did you mean problem?"),
    ("editors who sign", "{never: [p.lead]}", "{never: [p.lead], editors: allow}", "allow}", "never signs it"),
    ("an unknown gate", "gate: g}", "gate: h}", "h}", "unknown gate h"),
    ("an unknown stage", "to: end,", "to: ned,", "ned,", "unknown stage ned; did you mean end?"),
    ("two initial stages", END, END + "\n  two: {label: Two, initial: true}", "start: {label", "exactly one stage is the initial one"),
    ("an unreachable stage", END, END + "\n  lost: {label: Lost, terminal: true, outcome: x}", "lost", "the stage lost is never reached"),
    ("a dead end", "terminal: true, outcome: done", "help: none", "end: {label", "dead end"),
    ("leaving an end", GO, GO + "\n  back: {from: end, to: start, by: [lead]}", "end, to: start", "which is an end"),
    ("an unknown effect", "terminal: true,", "terminal: true, on_enter: [dance],", "dance", "unknown effect dance"),
    ("an unknown kind", "gate: g}", "gate: g, kind: forwards}", "forwards", "kind has to be one of"),
    ("nobody may take it", "by: [lead], ", "", "{from: start", "it needs by"),
    ("a role of an unknown fact", "fact: p.lead}", "fact: p.leda}", "p.leda", "unknown fact p.leda"),
    ("a version of the future", "okrgate: 1", "okrgate: 2", "2\n", "language version 1"),
    ("a duplicate key", "params: {", "params: {some: 1, ", "some: 2", "some is written twice"),
    ("an anchor", "{limit: 50000.00", "{limit: &a 50000.00", "&a", "anchors are not allowed"),
    ("a tag", "{limit: 50000.00", "{limit: !!float 50000.00", "!!float", "tags are not allowed"),
    ("a number in powers of ten", "50000.00", "5e4", "5e4", "plain decimal number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "at", "sentence"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, at: str, sentence: str) -> None:
    text = TEXT.replace(old, new, 1)

    _, problems = read_rulebook(text)

    errors = [one for one in problems if one.severity == "error" and sentence in one.sentence]
    where = text.index(new) if new and at in new else 0
    line, column = _line(text, text[text.index(at, where) :])
    assert [(one.line, one.column) for one in errors] == [(line, column)], [
        str(one) for one in problems
    ]


def test_everything_is_said_at_once() -> None:
    text = (
        TEXT.replace("p.flag, eq", "p.falg, eq")
        .replace("gate: g}", "gate: h}")
        .replace("by: [lead]", "by: [laed]")
    )

    with pytest.raises(RulebookError) as caught:
        load_rulebook(text)

    assert [one.sentence for one in caught.value.problems if one.severity == "error"] == [
        "unknown role laed; did you mean lead?",
        "unknown gate h",
        "unknown fact p.falg; did you mean p.flag?",
    ]


def test_an_automatic_circle_is_refused() -> None:
    text = TEXT.replace(
        GO,
        GO
        + "\n  on: {from: start, to: mid, auto: true, gate: g}\n  off: {from: mid, to: start, auto: true, gate: g}",
    ).replace(END, END + "\n  mid: {label: Mid}")

    _, problems = read_rulebook(text)

    assert any("go round in a circle: start, mid" in one.sentence for one in problems)


WARNINGS: list[tuple[str, str, str, str]] = [
    ("each without at_least", IF, "if: {each: {in: rows, must: {fact: whole, gte: 1}}}", "each without at_least"),
    ("a gate nobody passes", "gates:\n", "gates:\n  idle: {label: I, requirements: [{id: i, message: m, severity: hard, if: {fact: p.flag, eq: true}}]}\n", "idle is not used"),
    ("a way without a gate", ", gate: g}", "}", "a way to the end meets no gate"),
    ("no test shows it", "severity: hard", "severity: hard", "no test shows r met or missing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "sentence"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS]
)
def test_what_is_doubtful_is_warned_of(old: str, new: str, sentence: str) -> None:
    problems = check_rulebook(TEXT.replace(old, new, 1))

    assert not [one for one in problems if one.severity == "error"]
    assert any(sentence in one.sentence for one in problems), [str(one) for one in problems]


def test_a_failing_test_of_the_file_is_an_error_at_its_place() -> None:
    text = (
        TEXT
        + "fixtures: {f: {facts: {}}}\ntests:\n  - {name: t, transition: go, fixture: f, expect: {allowed: true}}\n"
    )

    errors = [one for one in check_rulebook(text) if one.severity == "error"]

    assert [(one.line, one.column) for one in errors] == [(text.count("\n"), 5)]
    assert "expected to be allowed, but it is blocked by r" in errors[0].sentence


BOMBS: dict[str, Callable[[], str]] = {
    "too large": lambda: "a: " + "x" * 300_000,
    "too deep": lambda: "[" * 100_000,
    "aliases": lambda: "a: &a [x]\n" + "\n".join(f"b{at}: [*a, *a]" for at in range(1000)),
    "too many values": lambda: "a: [" + "1," * 120_000 + "]",
    "tags": lambda: "\n".join(f"k{at}: !x 1" for at in range(20_000)),
    "duplicates": lambda: "\n".join("a: 1" for _ in range(40_000)),
    "unknown keys": lambda: "\n".join(f"key{at}: 1" for at in range(7_000)),
    "a long number": lambda: "a: " + "9" * 200_000,
    "question marks": lambda: "? " * 100_000,
    "null characters": lambda: "\0" * 1000,
    "half a character": lambda: "a: \ud800",
    "two documents": lambda: "a: 1\n---\nb: 2\n",
    "nothing": lambda: "",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_quickly_with_a_place(name: str) -> None:
    text = BOMBS[name]()
    start = perf_counter()

    with pytest.raises(RulebookError) as caught:
        load_rulebook(text)

    assert perf_counter() - start < 10
    assert 0 < len(caught.value.problems) <= 16_000
    assert all(one.line >= 1 and one.column >= 1 for one in caught.value.problems)


@pytest.mark.parametrize("cut", range(0, len(TEXT), 97))
def test_a_file_cut_short_is_refused_or_read_but_never_breaks_the_reader(cut: int) -> None:
    rulebook, problems = read_rulebook(TEXT[:cut])

    assert rulebook is not None or any(one.severity == "error" for one in problems)


@pytest.mark.parametrize(
    "junk", ["null", "[]", "{}", "1", "'x'", "[{}]", "{a: []}", "2027-01-01", "[[]]", "true"]
)
@pytest.mark.parametrize(
    "key",
    ["ruleset", "params", "roles", "signing", "facts", "collections", "stages", "transitions", "gates", "questions", "invariants", "fixtures", "tests", "vocabulary", "okrgate"],
)  # fmt: skip
def test_any_shape_anywhere_is_answered_with_problems(key: str, junk: str) -> None:
    lines = TEXT.splitlines()
    kept: list[str] = []
    skipping = False
    for line in lines:
        if line and not line.startswith(" "):
            skipping = line.split(":")[0] == key
        if not skipping:
            kept.append(line)

    rulebook, problems = read_rulebook("\n".join([*kept, f"{key}: {junk}", ""]))

    assert (rulebook is None) == any(one.severity == "error" for one in problems)


def test_the_shipped_rules_are_sound() -> None:
    for file in sorted((Path(__file__).parents[3] / "rules").glob("*.yaml")):
        assert not [
            str(one)
            for one in check_rulebook(file.read_text(encoding="utf-8"))
            if one.severity == "error"
        ]
