"""Each kind of change has its sentence, its direction, and a project that shows it."""

from functools import cache

import pytest

from okrgate.gates.conditions import Condition
from okrgate.gates.differing import LOOSER, OTHER, STRICTER, Change, Meaning, differ
from okrgate.gates.differing_strength import SAME, of_conditions
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from okrgate.rulebooks import wording
from okrgate.workshop import meaning
from tests.factories import SHIPPED

TEXT = SHIPPED.read_text(encoding="utf-8")
SMALL = """\
okrgate: 1
vocabulary: own
ruleset: {id: small, title: Small}
params: {least: 10}
roles:
  boss: {label: Boss, kind: org}
  chief: {label: Chief, kind: org}
  lead: {label: Lead, kind: project, fact: p.lead}
signing: {never: [p.lead]}
facts:
  p.flag: {type: boolean, label: Flag}
  p.whole: {type: integer, label: Whole}
  p.lead: {type: user, label: Lead}
stages:
  begun: {label: Begun, initial: true, sections: {problem: {edit: [lead]}}}
  later: {label: Later, sla_days: 5}
  done: {label: Done, terminal: true, outcome: done}
transitions:
  go: {label: Go on, from: begun, to: later, by: [lead], gate: first}
  end: {label: End, from: later, to: done, by: [lead], gate: second, notify: [boss]}
  back: {label: Send back, from: later, to: begun, by: [boss], kind: return, asks: [reason]}
gates:
  first:
    label: First
    requirements:
      - {id: flagged, message: Raise the flag, severity: hard, if: {fact: p.flag, eq: true}}
      - {id: enough, message: "Bring {least}", severity: hard, if: {fact: p.whole, gte: $least}}
  second:
    label: Second
    requirements:
      - {id: agreed, message: The boss agrees, severity: hard, if: {signoff: {role: boss, quorum: 1}}}
fixtures:
  f: {today: 2027-01-10, facts: {p.flag: true, p.whole: 50, p.lead: u-lea}, signoffs: [{role: boss, by: u-bo}]}
tests:
  - {name: first, transition: go, fixture: f, expect: {allowed: true}}
  - {name: last, transition: end, fixture: f, expect: {allowed: true}}
"""


@cache
def loaded(text: str) -> Rulebook:
    return load_rulebook(text)


def changes(old: str, new: str, text: str = SMALL) -> tuple[Change, ...]:
    assert old in text
    return told(text, text.replace(old, new)).changes


def told(before: str, after: str) -> Meaning:
    return differ(loaded(before), loaded(after), say=wording.said)


def test_the_same_rules_differ_in_nothing() -> None:
    assert told(SMALL, "# a comment\n" + SMALL).changes == ()


def test_a_limit_shows_the_project_a_cent_above_it() -> None:
    (one,) = changes("big_budget: 50000.00", "big_budget: 30000.00", TEXT)
    assert (one.kind, one.direction) == ("number", STRICTER)
    assert one.sentence == "Big budget: 50,000.00 → 30,000.00"
    assert one.examples == (
        "a project with Budget 30,000.01 and one approval of the Managing Director no longer passes “Approve”",
    )


def test_a_higher_limit_is_looser() -> None:
    (one,) = changes("big_budget: 50000.00", "big_budget: 90000.00", TEXT)
    assert one.direction == LOOSER
    assert "one approval of the Managing Director now passes" in one.examples[0]


@pytest.mark.parametrize(
    ("old", "new", "direction", "sentence", "example"),
    [
        ("least: 10", "least: 12", STRICTER, "Least: 10 → 12",
         "a project with Whole 11 no longer passes “Go on”"),
        ("eq: true}}\n", "eq: false}}\n", OTHER, "“Raise the flag” asks now: Flag is no; before: Flag is yes.",
         "a project with Flag no now passes “Go on”"),
        ("flag, severity: hard", "flag, severity: advisory", LOOSER,
         "“Raise the flag” is only advice now; before, it had to be met.",
         "a project with Flag no now passes “Go on”"),
        ("flag, severity: hard", "flag, severity: hard, mode: evaluate", LOOSER,
         "“Raise the flag” is on trial now; before, it had to be met.", "now passes “Go on”"),
        ("flag, severity: hard", "flag, severity: hard, when: {fact: p.whole, gt: 20}", LOOSER,
         "“Raise the flag” is asked only if Whole is above 20 now; before, always.",
         "now passes “Go on”"),
        ("quorum: 1", "quorum: 2", STRICTER,
         "“The boss agrees” asks now: Boss: sign-off by 2 different people; before: Boss: sign-off by one person.",
         "a project with one approval of the Boss no longer passes “End”"),
        ("role: boss, quorum", "role: [boss, chief], quorum", LOOSER,
         "“The boss agrees” asks now: Boss or Chief: sign-off by one person; before: Boss: sign-off by one person.",
         "a project with one approval of the Chief now passes “End”"),
        ("role: boss, quorum", "role: chief, quorum", OTHER,
         "“The boss agrees” asks now: Chief: sign-off by one person; before: Boss: sign-off by one person.",
         "a project with one approval of the Boss no longer passes “End”"),
        ("never: [p.lead]", "never: []", LOOSER, "Lead may sign, unless the gate itself says otherwise.",
         "a project with one approval of the Boss, who is its Lead now passes “End”"),
        ("message: Raise the flag", "message: Up with it", OTHER, "“Raise the flag” is worded “Up with it”.", ""),
        ("      - {id: flagged, message: Raise the flag, severity: hard, if: {fact: p.flag, eq: true}}\n", "",
         LOOSER, "“Raise the flag” is no longer asked.", "a project with Flag no now passes “Go on”"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_asked(
    old: str, new: str, direction: str, sentence: str, example: str
) -> None:
    (one,) = (
        each for each in changes(old, new) if each.kind in {"number", "requirement", "signing"}
    )
    assert (one.direction, one.sentence) == (direction, sentence)
    assert example in " | ".join(one.examples)
    assert bool(one.examples) == bool(example)


def test_a_new_requirement_is_stricter() -> None:
    new = "      - {id: more, message: More of it, severity: hard, if: {fact: p.whole, gte: 60}}\n  second:"
    (one,) = (each for each in changes("  second:", new) if each.kind == "requirement")
    assert (one.direction, one.where) == (STRICTER, "First")
    assert one.sentence == "New: “More of it”. It must be met."
    assert one.examples == ("a project with Whole 50 no longer passes “Go on”",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("later: {label: Later,", "later: {label: After,", ("stage", OTHER, "The stage Later is called After.")),
        ("sla_days: 5", "sla_days: 9", ("stage", OTHER, "Later, working days it should take at most: 5 → 9.")),
        ("edit: [lead]", "edit: [lead, boss]", ("stage", OTHER, "Begun, who fills in “Problem”: Lead → Lead, Boss.")),
        ("by: [lead], gate: second", "by: [lead, boss], gate: second", ("move", LOOSER, "“End”: who may do it: Lead → Lead, Boss.")),
        (", gate: first}", "}", ("move", LOOSER, "“Go on”: needs no gate any more; before “First”.")),
        ("asks: [reason]", "asks: []", ("move", LOOSER, "“Send back”: asks for reason → nobody.")),
        ("kind: return, ", "kind: return, voids_signoffs: true, ", ("move", STRICTER, "“Send back”: voids the sign-offs given before.")),
        (", notify: [boss]", ", notify: [boss], mail: Call us", ("move", OTHER, "“End”: its mail says besides: Call us.")),
        (", notify: [boss]", "", ("move", OTHER, "“End”: who is told: Boss → nobody.")),
        ("{label: Boss, kind: org}", "{label: Boss, kind: org, scope: company}", ("role", LOOSER, "Boss: counts if held in any unit; before in the project's unit or above.")),
        ("chief: {label: Chief, kind: org}", "head: {label: Head, kind: org}", ("role", OTHER, "New role: Head.")),
        ("label: Second\n", "label: Second\n    material: [p.flag]\n", ("material", LOOSER, "A sign-off at Second stays valid when Whole changes.")),
        ("fixtures:", "invariants: [{id: flag-first, always: {fact: p.flag, eq: true}, at: go}]\nfixtures:", ("promise", STRICTER, "New promise about the whole process: flag-first.")),
        ("  - {name: last, transition: end, fixture: f, expect: {allowed: true}}\n", "", ("tests", OTHER, "The file's own tests: 1 gone.")),
        ("title: Small", "title: Large", ("process", OTHER, "The title: Small → Large.")),
    ],
)  # fmt: skip
def test_a_change_around_the_gates(old: str, new: str, expected: tuple[str, str, str]) -> None:
    found = [(one.kind, one.direction, one.sentence) for one in changes(old, new)]
    assert expected in found


@pytest.mark.parametrize(
    ("old", "new", "kind", "direction", "example"),
    [
        ("{in: raci, at_least: 1,", "{in: raci, at_least: 2,", "requirement", STRICTER,
         "one entry under RACI line (Accountable: 1, Responsible: 1) no longer passes"),
        ("in: [later, no]}", "in: [no]}", "requirement", LOOSER, "Fits the teams “later”"),
        ("if: {fact: scope.end, gt:", "if: {fact: scope.end, gte:", "requirement", LOOSER,
         "Planned end 1 Feb 2027 and Planned start 1 Feb 2027 now passes"),
        ("{today_plus_days: 0}", "{today_plus_days: 5}", "requirement", LOOSER, "Kick-off held on 15 Jan 2027 now passes"),
        ("mode: evaluate, fix: measurement", "fix: measurement", "requirement", STRICTER,
         "(Report attached: no) no longer passes"),
        ("values: [open, internal, secret]", "values: [open, internal]", "question", OTHER, ""),
        ("reason_min: 20, expires_days: 90", "reason_min: 40, expires_days: 30", "requirement", STRICTER, ""),
    ],
)  # fmt: skip
def test_the_shipped_rules_changed_in_one_place(
    old: str, new: str, kind: str, direction: str, example: str
) -> None:
    found = next(one for one in changes(old, new, TEXT) if one.kind == kind)
    assert found.direction == direction
    assert example in " | ".join(found.examples)


def test_a_change_that_shows_nowhere_is_told_apart() -> None:
    """The submitter never signs anyway, so leaving them out once more changes no verdict."""
    found = changes("quorum: 1, exclude: [project.submitter]}", "quorum: 1}", TEXT)
    (one,) = (each for each in found if each.kind == "requirement")
    assert (one.direction, one.examples) == (LOOSER, ())
    assert meaning.is_without_example(one)


def test_going_back_turns_every_direction_round() -> None:
    there, back = told(SMALL, SMALL.replace("10}", "12}")), told(SMALL.replace("10}", "12}"), SMALL)
    assert (there.count(STRICTER), back.count(LOOSER), back.loosens) == (1, 1, True)


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ("{fact: p.whole, gte: 5}", "{fact: p.whole, gt: 5}", STRICTER),
        ("{fact: p.whole, lte: 5}", "{fact: p.whole, lte: 4}", STRICTER),
        ("{fact: p.whole, lte: 5}", "{fact: p.whole, gte: 5}", OTHER),
        ("{fact: p.whole, in: [1, 2]}", "{fact: p.whole, in: [1]}", STRICTER),
        ("{fact: p.whole, is_set: true}", "{fact: p.whole, gte: 5}", STRICTER),
        ("{fact: p.whole, gte: 5}", "{all: [{fact: p.whole, gte: 5}, {fact: p.flag, eq: true}]}", STRICTER),
        ("{fact: p.whole, gte: 5}", "{any: [{fact: p.whole, gte: 5}, {fact: p.flag, eq: true}]}", LOOSER),
        ("{signoff: {role: boss, quorum: 1}}", "{signoff: {role: boss, quorum: 1, exclude: [p.lead]}}", STRICTER),
        ("{signoff: {role: boss, decision: rejected, at_most: 1}}", "{signoff: {role: boss, decision: rejected, at_most: 0}}", STRICTER),
        ("{fact: p.whole, gte: 5}", "{fact: p.whole, gte: 5}", SAME),
    ],
)  # fmt: skip
def test_the_shape_says_which_condition_asks_for_more(old: str, new: str, direction: str) -> None:
    turned = {STRICTER: LOOSER, LOOSER: STRICTER}
    assert of_conditions(_condition(old), _condition(new)) == direction
    assert of_conditions(_condition(new), _condition(old)) == turned.get(direction, direction)


def _condition(text: str) -> Condition:
    rulebook = loaded(SMALL.replace("{fact: p.flag, eq: true}}\n", f"{text}}}\n"))
    return rulebook.gates["first"].requirements[0].condition


COUNTED = SMALL.replace("params: {least: 10}", "params: {least: 10, chiefs: 2}").replace(
    "{role: boss, quorum: 1}", "{role: boss, quorum: 2}"
)


def test_fewer_signatures_are_not_hidden_behind_a_number_of_the_same_size() -> None:
    after = COUNTED.replace("chiefs: 2", "chiefs: 1").replace("quorum: 2", "quorum: 1")
    found = told(COUNTED, after).changes
    assert {(one.kind, one.direction) for one in found} >= {("requirement", LOOSER)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{fact: p.whole, gte: $least}", "{fact: p.day, lte: 9999-12-31}"),
        (
            "{fact: p.flag, eq: true}",
            "{each: {in: rows, at_least: 1, must: {any: [{fact: size, gte: 1}, {fact: p.whole, gte: 1}]}}}",
        ),
    ],
)
def test_odd_conditions_are_told_like_others(old: str, new: str) -> None:
    text = SMALL.replace(
        "  p.lead: {type: user, label: Lead}\n",
        "  p.lead: {type: user, label: Lead}\n  p.day: {type: date, label: Day}\n"
        "collections:\n  rows: {label: Rows, name_field: name, fields: {name: {type: string, label: Name}, size: {type: integer, label: Size}}}\n",
    )
    (one,) = [one for one in changes(old, new, text) if one.kind == "requirement"]
    assert one.sentence
