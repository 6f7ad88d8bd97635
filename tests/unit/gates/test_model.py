"""What a rulebook knows about its own way: the path ahead, what a signature covers, the seats."""

from okrgate.gates.language import load_rulebook
from okrgate.gates.vocabulary import (
    APPLICATION_COLLECTIONS,
    APPLICATION_FACTS,
    SECTIONS,
    section_of,
)

WAY = """\
okrgate: 1
ruleset: {id: way, title: Way}
roles:
  lead: {label: Lead, kind: project, fact: project.lead}
  md: {label: MD, kind: org, scope: company}
questions:
  security_class: {stage: one, section: scope, type: enum, values: [low, high], label: Security class}
stages:
  one: {label: One, initial: true, sections: {problem: {edit: [lead]}}}
  two: {label: Two}
  held: {label: Held, holding: true}
  done: {label: Done, terminal: true, outcome: done}
  dropped: {label: Dropped, terminal: true, outcome: dropped}
transitions:
  drop: {from: [one, two], to: dropped, by: [lead], reason: required}
  first: {from: one, to: two, by: [lead], gate: first}
  second: {from: two, to: done, by: [md], gate: second}
  hold: {from: two, to: held, by: [lead], kind: park, asks: [date]}
  resume: {from: held, to: previous, by: [lead], kind: resume}
gates:
  first:
    label: First
    requirements:
      - {id: stated, message: m, severity: hard, if: {fact: problem.length, gte: 80}}
      - {id: not-late, message: m, severity: advisory, if: {fact: stage.days, lte: 9}}
      - {id: classed, message: m, severity: hard, if: {fact: answers.security_class, is_set: true}}
  second:
    label: Second
    requirements:
      - {id: confirmed, message: m, severity: hard, if: {each: {in: metrics, at_least: 1, must: {fact: confirmed, eq: true}}}}
      - {id: signed, message: m, severity: hard, if: {any: [{signoff: {role: md, quorum: 1, exclude: [project.lead]}}, {not: {signoff: {role: md, at_most: 1}}}]}}
"""
BOOK = load_rulebook(WAY)


def test_the_way_forward_goes_through_gates_and_not_to_the_bin() -> None:
    assert [one.id for one in BOOK.forward_path("one")] == ["first", "second"]
    assert BOOK.initial.id == "one"
    assert [one.id for one in BOOK.transitions_from("two")] == ["drop", "second", "hold"]
    assert [one.id for one in BOOK.gates_of("two")] == ["second"]


def test_a_signature_covers_what_its_gate_and_those_before_it_read_and_nothing_that_moves_by_itself() -> (
    None
):
    assert BOOK.material_of("first") == {"problem.length", "answers.security_class"}
    assert BOOK.material_of("second") == {
        "problem.length",
        "answers.security_class",
        "metrics",
        "project.lead",
    }


def test_the_seats_of_a_requirement() -> None:
    seats = BOOK.signoff_conditions(BOOK.gates["second"].requirements[1])

    assert [(one.roles, one.quorum, one.exclude) for one in seats] == [
        (("md",), 1, ("project.lead",)),
        (("md",), 2, ()),
    ]


def test_a_finding_links_to_the_section_that_sets_its_fact() -> None:
    assert [one.fix for one in BOOK.gates["first"].requirements] == ["problem", "people", "scope"]
    assert BOOK.gates["second"].requirements[0].fix == "measurement"


def test_reasons_and_questions_are_asked() -> None:
    assert BOOK.transitions["drop"].asks == ("reason",)
    assert BOOK.transitions["hold"].asks == ("date",)
    assert BOOK.facts["answers.security_class"].values == ("low", "high")


def test_every_fact_and_list_of_the_application_has_a_section() -> None:
    for name in (*APPLICATION_FACTS, *APPLICATION_COLLECTIONS):
        assert section_of(name) in SECTIONS, name
