"""What the language means, a row for each sentence of it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from okrgate.gates.engine import judge_twice
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Signoff, Waiver
from okrgate.gates.verdict import Facts
from tests.unit.gates.small import TEXT, TODAY, with_condition

NOTHING: dict[str, Any] = {}
ROWS: list[dict[str, Any]] = [
    {"name": "A", "whole": 1, "flag": True},
    {"name": "B", "whole": 5, "flag": False},
    {"name": "C", "whole": 9},
    {"whole": 9, "flag": True},
]

COMPARISONS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("at the limit", "{fact: p.whole, gte: 3}", {"p.whole": 3}, True),
    ("below the limit", "{fact: p.whole, gte: 3}", {"p.whole": 2}, False),
    ("a missing value meets nothing", "{fact: p.whole, gte: 3}", NOTHING, False),
    ("nor under not", "{not: {fact: p.whole, gte: 3}}", NOTHING, False),
    ("not turns the comparison round", "{not: {fact: p.whole, gte: 3}}", {"p.whole": 2}, True),
    ("nor does it differ", "{fact: p.kind, ne: a}", NOTHING, False),
    ("nor is it outside", "{fact: p.kind, not_in: [a]}", NOTHING, False),
    ("nothing is either or", "{any: [{fact: p.whole, lt: 3}, {fact: p.whole, gte: 3}]}", NOTHING, False),
    ("only absence is true of it", "{fact: p.kind, is_set: false}", NOTHING, True),
    ("absence under not", "{not: {fact: p.kind, is_set: true}}", NOTHING, True),
    ("an empty text is not filled in", "{fact: p.text, is_set: true}", {"p.text": "  "}, False),
    ("one cent more", "{fact: p.money, gt: $limit}", {"p.money": Decimal("50000.01")}, True),
    ("exactly the limit", "{fact: p.money, gt: $limit}", {"p.money": Decimal("50000.00")}, False),
    ("half a number", "{fact: p.number, lt: 0.3}", {"p.number": Decimal("0.299999")}, True),
    ("a float that is a decimal", "{fact: p.number, eq: 0.1}", {"p.number": 0.1}, True),
    ("fact against fact", "{fact: p.number, ne: {fact: p.second}}", {"p.number": 1, "p.second": 2}, True),
    ("the same value in other digits", "{fact: p.number, ne: {fact: p.second}}", {"p.number": 1, "p.second": Decimal("1.0")}, False),
    ("fact against nothing", "{fact: p.number, ne: {fact: p.second}}", {"p.number": 1}, False),
    ("two people", "{fact: p.user, ne: {fact: p.owner}}", {"p.user": "ana", "p.owner": "bo"}, True),
    ("one person twice", "{fact: p.user, ne: {fact: p.owner}}", {"p.user": "ana", "p.owner": "ana"}, False),
    ("letters composed in two ways are one", "{fact: p.text, eq: \"é\"}", {"p.text": "e\u0301"}, True),
    ("five days ahead", "{fact: p.day, gte: {today_plus_days: 5}}", {"p.day": date(2027, 1, 15)}, True),
    ("four days ahead", "{fact: p.day, gte: {today_plus_days: 5}}", {"p.day": date(2027, 1, 14)}, False),
    ("end after start", "{fact: p.end, gt: {fact: p.day}}", {"p.day": TODAY, "p.end": TODAY}, False),
    ("a false flag", "{fact: p.flag, eq: false}", {"p.flag": False}, True),
    ("a value of the list", "{fact: p.kind, in: [a, b]}", {"p.kind": "b"}, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "values", "met"),
    [row[1:] for row in COMPARISONS],
    ids=[row[0] for row in COMPARISONS],
)
def test_comparisons(written: str, values: dict[str, Any], met: bool) -> None:
    verdict = judge_twice(with_condition(written), "go", Facts(values), today=TODAY)

    assert verdict.allowed is met


LISTS: list[tuple[str, str, list[dict[str, Any]] | None, bool, tuple[str, ...]]] = [
    ("every item", "{each: {in: rows, must: {fact: whole, gte: 1}, at_least: 4}}", ROWS, True, ()),
    ("too few items", "{each: {in: rows, must: {fact: whole, gte: 1}, at_least: 5}}", ROWS, False, ()),
    ("items at fault are named", "{each: {in: rows, must: {fact: whole, lt: 6}, at_least: 1}}", ROWS, False, ("C", "Row 4")),
    ("an empty list", "{each: {in: rows, must: {fact: whole, lt: 6}, at_least: 0}}", [], True, ()),
    ("a list nobody gathered", "{each: {in: rows, must: {fact: whole, lt: 6}, at_least: 0}}", None, False, ()),
    ("an unknown where counts against", "{each: {in: rows, where: {fact: flag, eq: true}, must: {fact: whole, lt: 6}, at_least: 1}}", ROWS, False, ("C", "Row 4")),
    ("provably outside where", "{each: {in: rows, where: {fact: flag, eq: true}, must: {fact: whole, lt: 3}, at_least: 1}}", ROWS[:2], True, ()),
    ("an unknown where does not fill at_least", "{each: {in: rows, where: {fact: flag, eq: true}, must: {fact: whole, lt: 10}, at_least: 1}}", ROWS[2:3], False, ()),
    ("count at least counts the sure", "{count: {of: rows, where: {fact: flag, eq: true}, gte: 3}}", ROWS, False, ()),
    ("count at most counts the doubtful", "{count: {of: rows, where: {fact: flag, eq: true}, lte: 2}}", ROWS, False, ("A", "C", "Row 4")),
    ("count at most", "{count: {of: rows, where: {fact: flag, eq: true}, lte: 3}}", ROWS, True, ()),
    ("count without where", "{count: {of: rows, gte: 4, lte: 4}}", ROWS, True, ()),
    ("not of each needs one that provably fails", "{not: {each: {in: rows, must: {fact: flag, eq: true}, at_least: 1}}}", ROWS[2:], False, ()),
    ("one provably fails", "{not: {each: {in: rows, must: {fact: flag, eq: true}, at_least: 1}}}", ROWS, True, ()),
    ("not of each of an empty list", "{not: {each: {in: rows, must: {fact: flag, eq: true}, at_least: 1}}}", [], False, ()),
    ("not of count", "{not: {count: {of: rows, gte: 1}}}", [], True, ()),
    ("a fact of the project inside a list", "{each: {in: rows, must: {fact: owner, ne: {fact: p.lead}}, at_least: 1}}", [{"name": "A", "owner": "bo"}], True, ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "rows", "met", "items"), [row[1:] for row in LISTS], ids=[row[0] for row in LISTS]
)
def test_lists(
    written: str, rows: list[dict[str, Any]] | None, met: bool, items: tuple[str, ...]
) -> None:
    known = Facts({"p.lead": "ana"}, {} if rows is None else {"rows": rows})

    finding = judge_twice(with_condition(written), "go", known, today=TODAY).findings[0]

    assert (finding.status == "met", finding.items) == (met, items)


QUORUM = "{signoff: {role: [md, vp], quorum: 2, exclude: [p.user]}}"
ONE = "{signoff: {role: md, quorum: 1, exclude: [p.user]}}"
NO_OBJECTION = "{signoff: {role: [md, vp], decision: rejected, at_most: 0}}"
USER = {"p.user": "ana"}

SIGNOFFS: list[tuple[str, str, tuple[Signoff, ...], dict[str, Any], bool]] = [
    ("two people", QUORUM, (Signoff("md", "bo"), Signoff("vp", "cy")), USER, True),
    ("one person in two roles", QUORUM, (Signoff("md", "bo"), Signoff("vp", "bo")), USER, False),
    ("one person twice", QUORUM, (Signoff("md", "bo"), Signoff("md", "bo")), USER, False),
    ("the excluded one", ONE, (Signoff("md", "ana"),), USER, False),
    ("nobody knows who is excluded", ONE, (Signoff("md", "bo"),), NOTHING, False),
    ("a stale signature", ONE, (Signoff("md", "bo", stale=True),), USER, False),
    ("another role", ONE, (Signoff("vp", "bo"),), USER, False),
    ("another decision", ONE, (Signoff("md", "bo", "rejected"),), USER, False),
    ("a delegate counts for whom they stand in", ONE, (Signoff("md", "bo", on_behalf_of="cy"),), USER, True),
    ("an excluded delegate", ONE, (Signoff("md", "ana", on_behalf_of="cy"),), USER, False),
    ("a delegate of an excluded one", ONE, (Signoff("md", "bo", on_behalf_of="ana"),), USER, False),
    ("one hand for two", QUORUM, (Signoff("md", "bo"), Signoff("vp", "bo", on_behalf_of="cy")), USER, False),
    ("two delegates of one", QUORUM, (Signoff("md", "bo", on_behalf_of="cy"), Signoff("vp", "dee", on_behalf_of="cy")), USER, False),
    ("who never signs", ONE, (Signoff("md", "lea"),), {**USER, "p.lead": "lea"}, False),
    ("several who are excluded", "{signoff: {role: md, quorum: 1, exclude: [p.team]}}", (Signoff("md", "bo"),), {"p.team": ("ana", "bo")}, False),
    ("no objection", NO_OBJECTION, (Signoff("md", "bo"),), NOTHING, True),
    ("an objection", NO_OBJECTION, (Signoff("md", "bo", "rejected"),), NOTHING, False),
    ("a stale objection still counts", NO_OBJECTION, (Signoff("md", "bo", "rejected", stale=True),), NOTHING, False),
    ("until that person speaks again", NO_OBJECTION, (Signoff("md", "bo", "rejected", stale=True), Signoff("md", "bo")), NOTHING, True),
    ("another's word does not take it back", NO_OBJECTION, (Signoff("md", "bo", "rejected", stale=True), Signoff("md", "cy")), NOTHING, False),
    ("the lead may object", NO_OBJECTION, (Signoff("md", "lea", "rejected"),), {"p.lead": "lea"}, False),
    ("not of a quorum", "{not: {signoff: {role: md, quorum: 1}}}", (), NOTHING, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "signed", "values", "met"),
    [row[1:] for row in SIGNOFFS],
    ids=[row[0] for row in SIGNOFFS],
)
def test_signoffs(
    written: str, signed: tuple[Signoff, ...], values: dict[str, Any], met: bool
) -> None:
    verdict = judge_twice(
        with_condition(written), "go", Facts(values, signoffs=signed), today=TODAY
    )

    assert verdict.allowed is met


WHEN: list[tuple[str, dict[str, Any], str]] = [
    ("provably false sets it aside", {"p.whole": 1}, "na"),
    ("true applies it", {"p.whole": 5}, "missing"),
    ("unknown applies it", {}, "missing"),
    ("met", {"p.whole": 5, "p.flag": True}, "met"),
]


@pytest.mark.parametrize(
    ("values", "status"), [row[1:] for row in WHEN], ids=[row[0] for row in WHEN]
)
def test_a_requirement_is_set_aside_only_if_when_is_provably_false(
    values: dict[str, Any], status: str
) -> None:
    rulebook = with_condition("{fact: p.flag, eq: true}", more=", when: {fact: p.whole, gt: 3}")

    assert judge_twice(rulebook, "go", Facts(values), today=TODAY).findings[0].status == status


BLOCKING: list[tuple[str, str, tuple[Waiver, ...], str, bool]] = [
    ("hard blocks", "severity: hard", (), "missing", True),
    ("advisory does not", "severity: advisory", (), "missing", False),
    ("a trial does not", "severity: hard, mode: evaluate", (), "missing", False),
    ("soft blocks", "severity: soft, waiver: {by: [md]}", (), "missing", True),
    ("soft with a waiver does not", "severity: soft, waiver: {by: [md]}", (Waiver("r", "md", "m"),), "waived", False),
    ("a waiver in the wrong role", "severity: soft, waiver: {by: [md]}", (Waiver("r", "vp", "m"),), "missing", True),
    ("a waiver of something else", "severity: soft, waiver: {by: [md]}", (Waiver("s", "md", "m"),), "missing", True),
    ("hard is never waived", "severity: hard", (Waiver("r", "md", "m"),), "missing", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "waivers", "status", "blocks"),
    [row[1:] for row in BLOCKING],
    ids=[row[0] for row in BLOCKING],
)
def test_what_blocks(terms: str, waivers: tuple[Waiver, ...], status: str, blocks: bool) -> None:
    rulebook = load_rulebook(TEXT.replace("severity: hard", terms))

    verdict = judge_twice(rulebook, "go", Facts({}, waivers=waivers), today=TODAY)

    assert (verdict.findings[0].status, verdict.findings[0].blocks, verdict.allowed) == (
        status,
        blocks,
        not blocks,
    )


def test_a_requirement_that_is_off_is_not_judged() -> None:
    rulebook = load_rulebook(TEXT.replace("severity: hard", "severity: hard, mode: off"))

    assert judge_twice(rulebook, "go", Facts({}), today=TODAY).findings == ()


def test_a_finding_says_what_was_needed_and_what_there_is() -> None:
    rulebook = with_condition("{each: {in: rows, must: {fact: whole, gte: 3}, at_least: 1}}")

    verdict = judge_twice(
        rulebook, "go", Facts({}, {"rows": [{"name": "Sign-ups", "whole": 2}]}), today=TODAY
    )

    why = verdict.findings[0].why[0]
    assert (why.fact, why.label, why.needed, why.has) == (
        "rows.whole",
        "Sign-ups: whole",
        "at least 3",
        "2",
    )


def test_a_seat_counts_those_who_signed() -> None:
    verdict = judge_twice(
        with_condition(QUORUM), "go", Facts(USER, signoffs=(Signoff("md", "bo"),)), today=TODAY
    )

    seat = verdict.findings[0].seats[0]
    assert (seat.roles, seat.need, seat.have) == (("md", "vp"), 2, 1)
