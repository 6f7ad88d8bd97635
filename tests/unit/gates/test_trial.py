"""A requirement on trial says from when it is meant to bind; nothing turns on that day."""

from datetime import date

from okrgate.gates.engine import judge
from okrgate.gates.language import load_rulebook, read_rulebook
from okrgate.gates.revising import Put, revise
from okrgate.gates.verdict import Facts, Finding
from okrgate.rulebooks.wording import in_words
from okrgate.workshop import meaning
from tests.factories import SHIPPED

TEXT = SHIPPED.read_text("utf-8")
PATH = ("gates", "plan_complete", "requirements", "report-there")
PLANNED = revise(TEXT, [Put((*PATH, "binds_from"), date(2027, 3, 1))])


def test_the_day_is_told_and_decides_nothing() -> None:
    rulebook = load_rulebook(PLANNED)
    facts = Facts({})

    for day in (date(2027, 2, 1), date(2027, 4, 1)):
        verdict = judge(rulebook, "ask_approval", facts, today=day)
        finding = next(one for one in verdict.findings if one.id == "report-there")
        assert (finding.status, finding.blocks) == ("missing", False)
        assert finding.binds_from == "2027-03-01"
        assert Finding.from_json(finding.to_json()) == finding
    told = finding.to_json()
    del told["binds_from"]
    assert Finding.from_json(told).binds_from == "", "as it was stored before there was such a day"


def test_only_a_trial_has_such_a_day() -> None:
    binding = revise(PLANNED, [Put((*PATH, "mode"), "active")])
    wrong = revise(TEXT, [Put((*PATH, "binds_from"), "soon")])

    assert any("on trial" in one.sentence for one in read_rulebook(binding)[1])
    assert any("binds_from has to be a date" in one.sentence for one in read_rulebook(wrong)[1])


def test_it_stands_in_the_rules_in_words() -> None:
    rules = [
        rule
        for step in in_words(load_rulebook(PLANNED)).steps
        for move in step.moves
        if move.gate
        for rule in move.gate.rules
        if rule.id == "report-there"
    ]

    assert [(one.on_trial, one.binds_from) for one in rules] == [(True, date(2027, 3, 1))]


def test_its_change_is_told() -> None:
    changes = meaning.compare(TEXT, PLANNED).changes

    assert [one.direction for one in changes] == ["other"]
    assert "is on trial and planned to bind from 1 Mar 2027" in changes[0].sentence
