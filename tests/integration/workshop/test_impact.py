"""What a draft would do is said by name before it binds anybody: nothing is hidden, nothing shown that may not be."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.gates.checks import in_child
from okrgate.gates.language import read_rulebook
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project, RulebookAnswer
from okrgate.projects.ticket_models import Problem, Value
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import facts, impact_facts, impact_judging
from okrgate.stages import impact as impacts
from okrgate.stages.facts import Snapshot
from okrgate.stages.impact_report import Impact
from okrgate.stages.sections import ALL, answers_of
from tests.counting import statements
from tests.factories import SHIPPED, Factory
from tests.integration.conftest import Arrive

EDIT = "/rules/okr_delivery/edit"
KEY = "okr_delivery"
TEXT = SHIPPED.read_text(encoding="utf-8")
ONE_GATE = """\
okrgate: 1
ruleset: {id: okr_delivery, title: Small}
roles:
  author: {label: Submitter, kind: project, fact: project.submitter}
  boss: {label: Boss, kind: org}
stages:
  begun: {label: Begun, initial: true, sections: {problem: {edit: [author]}}}
  later: {label: Later}
  done: {label: Done, terminal: true, outcome: done}
transitions:
  go: {label: Go on, from: begun, to: later, by: [author], gate: told}
  end: {label: End, from: later, to: done, by: [author], gate: agreed}
gates:
  told:
    label: Told
    requirements:
      - {id: long-enough, message: Tell the problem, severity: hard, if: {fact: problem.length, gte: 10}}
  agreed:
    label: Agreed
    requirements:
      - {id: days-passed, message: Wait a day, severity: hard, if: {fact: stage.days, gte: 0}}
"""
HARDER = ONE_GATE.replace("gte: 10", "gte: 30")
SOFTER = ONE_GATE.replace("gte: 10", "gte: 1")
SIGNED = ONE_GATE.replace(
    "      - {id: days-passed",
    "      - {id: boss-agrees, message: The boss agrees, severity: hard, if: {signoff: {role: boss, quorum: 1}}}\n"
    "      - {id: days-passed",
)


@pytest.fixture
def small(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(ONE_GATE, encoding="utf-8")
    factory.rulebook(path)
    # A process of its own judges alike and takes a second to begin: the pages below go the whole way.
    monkeypatch.setattr(impact_judging, "in_child", lambda work, given, _seconds: work(given))


def tells(project: Project, length: int) -> Project:
    with transaction() as session:
        session.add(Problem(project_id=project.id, problem="x" * length))
    return project


def of(text: str, **more: Any) -> Impact:
    return impacts.of(KEY, text, **({"reader": None} | more))


def test_who_is_blocked_and_who_is_free_is_said_by_name(small: None, factory: Factory) -> None:
    lee = factory.person("Lee")
    short, long = tells(factory.project("Short", lead=lee), 5), tells(factory.project("Long"), 50)
    middle = tells(factory.project("Middle", lead=lee), 20)

    harder, softer = of(HARDER), of(SOFTER)

    assert (harder.open, harder.closed) == ({"same": 2, "blocked": 1}, {})
    (blocked,) = harder.affected
    assert (blocked.reference, blocked.lead, blocked.stage) == (middle.reference, "Lee", "Begun")
    assert blocked.asked == ("Tell the problem",)
    assert [(one.reference, one.kind) for one in softer.affected] == [(short.reference, "freed")]
    assert softer.affected[0].dropped == ("Tell the problem",)
    assert long.reference not in {one.reference for one in (*harder.affected, *softer.affected)}
    assert [(one.stage, one.open) for one in harder.stages] == [
        ("Begun", {"same": 2, "blocked": 1})
    ]


def test_a_sign_off_that_is_needed_names_who_can_give_it(small: None, factory: Factory) -> None:
    unit = factory.unit()
    bea, sue = factory.person("Bea"), factory.person("Sue")
    factory.grant(bea, "boss", unit)
    factory.grant(sue, "boss", unit)
    factory.project("Wants a word", unit=unit, submitter=sue, stage="later")
    factory.project("Comes there some day", unit=unit, submitter=bea)
    factory.project("Has nobody", submitter=sue, stage="later")

    found = {one.title: one for one in of(SIGNED).affected}

    assert {title: one.kind for title, one in found.items()} == {
        "Wants a word": "blocked",
        "Comes there some day": "otherwise",
        "Has nobody": "blocked",
    }
    needed = {title: one.needed[0] for title, one in found.items()}
    assert (needed["Wants a word"].gate, needed["Wants a word"].roles) == ("Agreed", "Boss")
    assert needed["Wants a word"].holders == ("Bea",)
    assert needed["Comes there some day"].holders == ("Sue",)
    assert needed["Has nobody"].holders == ()


def test_closed_projects_are_told_apart(small: None, factory: Factory) -> None:
    over = tells(factory.project("Over", stage="done"), 20)
    with transaction() as session:
        session.get_one(Project, over.id).closed_at = clock.now()
    tells(factory.project("Under way", stage="later"), 20)

    found = of(HARDER)

    assert (found.open, found.closed) == ({"same": 1}, {"blocked": 1})
    assert [(one.reference, one.closed) for one in found.affected] == [(over.reference, True)]


def test_a_stage_that_is_gone_is_said(small: None, factory: Factory) -> None:
    factory.project("Stands there", stage="later")
    renamed = ONE_GATE.replace("later: {", "after: {").replace("later", "after")

    found = of(renamed)

    assert [(one.kind, one.stage) for one in found.affected] == [("stageless", "Later")]


def test_what_cannot_be_read_or_judged_is_listed(
    small: None, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tells(factory.project("In doubt"), 20)
    read: Callable[..., Any] = facts._own_values

    def broken(asked: Project) -> dict[str, Any]:
        return {**read(asked), "stage.days": "many"}

    monkeypatch.setattr(facts, "_own_values", broken)
    found = of(HARDER.replace("problem.length, gte: 30", "stage.days, gte: 3"))

    assert [(one.reference, one.kind) for one in found.affected] == [
        (project.reference, "unjudged")
    ]
    assert "stage.days" in found.affected[0].problem

    def unreadable(_: Project) -> dict[str, Any]:
        raise ValueError("what is stored here?")

    monkeypatch.setattr(facts, "_own_values", unreadable)
    found = of(HARDER)
    assert found.open == {"unjudged": 1}
    assert "cannot be read" in found.affected[0].problem


def test_a_child_that_ends_early_is_said(
    small: None, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    tells(factory.project(), 20)
    monkeypatch.setattr(impact_judging, "in_child", lambda *_: "it took too long")
    assert of(HARDER).problem == "The impact could not be worked out: it took too long."


def test_names_are_for_those_who_may_see_them(small: None, factory: Factory) -> None:
    ada = factory.person("Ada", admin=True)
    tells(factory.project("A secret"), 20)
    with transaction() as session:
        for project in session.scalars(select(Project)):
            project.confidential = True
    tells(factory.project("Only begun", draft=True), 20)
    tells(factory.project("Known to all"), 20)

    told = of(HARDER, reader=ada.id)

    assert [one.title for one in told.affected] == ["Known to all"]
    assert (told.open, told.hidden.count, told.hidden.groups) == ({"blocked": 1}, 2, None)
    page = factory.browser(ada).post(EDIT, data=typed(HARDER)).get_data(as_text=True)
    assert "Known to all" in page
    assert "2 projects are not counted here" in page
    assert "A secret" not in page
    assert "Only begun" not in page


def spends(project: Project, minor: int) -> Project:
    with transaction() as session:
        session.add(
            Value(
                project_id=project.id, total_minor=minor, business_minor=minor, total_currency="EUR"
            )
        )
    return project


def test_what_money_turns_on_is_named_for_those_involved(small: None, factory: Factory) -> None:
    ada, lee = factory.person("Ada", admin=True), factory.person("Lee", admin=True)
    for title in ("Secretly dear", "As dear"):
        spends(tells(factory.project(title, lead=lee), 20), 7321000)

    def asking(what: str, text: str = ONE_GATE) -> str:
        more = f"      - {{id: dear, message: Dear, severity: hard, if: {{fact: {what}}}}}\n"
        return text.replace("  agreed:\n    label", f"{more}  agreed:\n    label")

    def told(text: str, reader: Person | None) -> tuple[dict[str, int], list[tuple[str, int]], int]:
        found = of(text, reader=reader.id if reader else None)
        named = [(one.title, len(one.asked)) for one in found.affected]
        return dict(found.open), named, found.hidden.count

    dear = asking("value.amount, gte: 73210.01")
    assert told(dear, lee) == told(dear, None)
    assert told(dear, lee) == ({"blocked": 2}, [("As dear", 1), ("Secretly dear", 1)], 0)
    # However often the limit is moved, whoever may not read the money is told the same.
    for limit in ("0", "73210.00", "73210.01", "999999"):
        asked = of(asking(f"value.amount, gte: {limit}"), reader=ada.id)
        assert asked.sentences == of(dear, reader=ada.id).sentences
        assert (asked.open, asked.affected, asked.stages, asked.hidden.count) == ({}, (), (), 2)
    open_to_all = asking("stage.days, gte: 9")
    assert told(open_to_all, ada) == told(open_to_all, None)
    page = factory.browser(ada).post(EDIT, data=typed(dear)).get_data(as_text=True)
    assert "2 projects are not counted here" in page
    assert "Secretly dear" not in page


def test_an_old_question_of_money_is_not_told_to_others(
    small: None, factory: Factory, tmp_path: Path
) -> None:
    """Unchanged, it tells what the rules in force tell anyway; where it counts otherwise, nobody else is named."""
    ada = factory.person("Ada", admin=True)
    asked = "      - {id: dear, message: Dear, severity: hard, if: {fact: value.amount, gte: 9}}\n"
    binding = ONE_GATE.replace("  agreed:\n    label", f"{asked}  agreed:\n    label")
    path = tmp_path / "binding.yaml"
    path.write_text(binding, encoding="utf-8")
    factory.rulebook(path)
    spends(tells(factory.project("Dear"), 20), 7321000)

    def titles(text: str) -> list[str]:
        return [one.title for one in of(text, reader=ada.id).affected]

    assert titles(binding.replace("problem.length, gte: 10", "problem.length, gte: 30")) == ["Dear"]
    assert titles(binding.replace("value.amount, gte: 9", "value.amount, gte: 99999")) == []


def test_an_answer_that_the_rules_in_force_no_longer_ask_is_not_told_to_others(
    small: None, factory: Factory
) -> None:
    """An older version may have asked it as money; a draft calls it a number to learn it limit by limit."""
    ada, lee = factory.person("Ada", admin=True), factory.person("Lee", admin=True)
    project = tells(factory.project("Secretly dear", lead=lee), 20)
    with transaction() as session:
        session.add(RulebookAnswer(project_id=project.id, question="price", value="73210.00"))

    def asking(kind: str, limit: int) -> Impact:
        price = f"  price: {{stage: begun, section: problem, type: {kind}, label: Price}}\n"
        dear = f"      - {{id: dear, message: Dear, severity: hard, if: {{fact: answers.price, gte: {limit}}}}}\n"
        text = ONE_GATE.replace("gates:\n", f"questions:\n{price}gates:\n", 1)
        text = text.replace("  agreed:\n    label", f"{dear}  agreed:\n    label")
        return of(text, reader=ada.id)

    for kind in ("money", "number"):
        low, high = asking(kind, 73210), asking(kind, 73211)
        assert low.sentences == high.sentences
        assert (dict(low.open), low.affected, low.hidden.count) == ({}, (), 1)
        assert (dict(high.open), high.affected, high.hidden.count) == ({}, (), 1)


def test_the_answer_to_a_question_of_money_is_for_those_involved(
    small: None, factory: Factory
) -> None:
    project = factory.project("Dear")
    asked = "".join(
        f"  {kind}: {{stage: begun, section: problem, type: {kind}, label: Price}}\n"
        for kind in ("money", "number")
    )
    rulebook, problems = read_rulebook(ONE_GATE.replace("gates:\n", f"questions:\n{asked}gates:\n"))
    assert rulebook is not None, problems

    answers = answers_of(ALL["problem"], project, rulebook)

    assert {one.field: one.private for one in answers[-2:]} == {"q_money": True, "q_number": False}


def test_it_asks_no_more_for_more_projects(small: None, factory: Factory) -> None:
    def asked() -> int:
        db.session.expunge_all()
        with statements() as seen:
            of(HARDER, reader=1)
        return len(seen)

    tells(factory.project(), 20)
    few = asked()
    for _ in range(6):
        tells(factory.project(lead=factory.person(), unit=factory.unit()), 20)

    assert asked() <= few + 1  # the units, once there are any


def test_facts_of_many_are_those_of_each(arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive("in execution")
    projects = list(db.session.scalars(select(Project)))
    known = {
        one.rulebook_version_id: rulebooks.rulebook(one.rulebook_version_id) for one in projects
    }

    late: list[str] = []
    alone_with = impact_facts._snapshot

    def watched(project: Project, rulebook: Rulebook) -> Snapshot | None:
        with statements() as asked:
            found = alone_with(project, rulebook)
        late.extend(asked)
        return found

    monkeypatch.setattr(impact_facts, "_snapshot", watched)
    together = impact_facts.with_facts_of(projects, known, lambda _, snapshot: snapshot)

    assert late == []  # all was read ahead, sign-offs included
    for project, found in zip(projects, together, strict=True):
        alone = facts.gather(project, known[project.rulebook_version_id])
        assert found is not None
        for part in ("values", "collections", "content", "around", "waivers", "signed", "settled"):
            assert getattr(found, part) == getattr(alone, part), part


def typed(text: str, **more: str) -> dict[str, str]:
    return {"based_on": "1", "text": text, "note": "Because.", "act": "impact"} | more


@pytest.fixture
def ada(small: None, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(impact_judging, "in_child", in_child)
    return factory.browser(factory.person("Ada", admin=True))


def test_the_editor_shows_the_impact_and_keeps_what_was_typed(
    ada: FlaskClient, factory: Factory
) -> None:
    for _ in range(2):
        tells(factory.project("In the middle"), 20)
    answer = ada.post(EDIT, data=typed(HARDER))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "2 open projects under the new text" in page
    assert "2 newly blocked, 0 unchanged" in page
    assert "gte: 30" in page
    assert "Because." in page
    assert "Show older projects" not in page


def test_many_are_shown_page_by_page(
    ada: FlaskClient, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impacts, "PAGE", 1)
    first = tells(factory.project("The first"), 20)
    second = tells(factory.project("The second"), 20)
    found = of(HARDER, most=1)
    assert ([one.project_id for one in found.affected], found.older) == ([second.id], second.id)
    page = ada.post(EDIT, data=typed(HARDER, before=str(second.id), act="")).get_data(as_text=True)
    assert first.reference in page
    assert second.reference not in page
    for wrong in ("-1", "0", "x", "9" * 30):
        assert ada.post(EDIT, data=typed(HARDER, before=wrong)).status_code == 200


def test_a_bad_text_shows_its_problems_instead(ada: FlaskClient, factory: Factory) -> None:
    tells(factory.project(), 20)
    answer = ada.post(EDIT, data=typed(HARDER.replace("gte: 30", "gte: many")))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "What the check found" in page
    assert "under the new text" not in page


def test_a_text_whose_own_tests_fail_shows_both(ada: FlaskClient, factory: Factory) -> None:
    tells(factory.project(), 20)
    failing = HARDER + (
        "fixtures: {f: {facts: {problem.length: 20}}}\n"
        "tests: [{name: enough, transition: go, fixture: f, expect: {allowed: true}}]\n"
    )
    answer = ada.post(EDIT, data=typed(failing))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "the test enough fails" in page
    assert "1 newly blocked" in page


def test_the_difference_is_said_in_words(ada: FlaskClient) -> None:
    page = ada.post(EDIT, data=typed(HARDER, act="compare")).get_data(as_text=True)
    assert "What changes, in words" in page
    assert "1 change: 1 stricter, 0 looser, 0 of another kind" in page
    wrong = ada.post(EDIT, data=typed(HARDER.replace("okrgate: 1", "okrgate: 9"), act="compare"))
    assert wrong.status_code == 422
    assert "okrgate: 9" in wrong.get_data(as_text=True)


def test_both_are_shown_in_short_before_publishing(ada: FlaskClient, factory: Factory) -> None:
    tells(factory.project(), 20)
    page = ada.post(EDIT, data=typed(HARDER, act="publish")).get_data(as_text=True)
    assert "Publish version 2?" in page
    assert "1 change: 1 stricter" in page
    assert "1 newly blocked, 0 unchanged" in page


def test_the_command_prints_it(
    small: None, factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from okrgate.commands import rules as _registers_them  # noqa: F401
    from okrgate.commands import surroundings
    from okrgate.gates.commands import rules

    @contextmanager
    def here() -> Iterator[None]:
        yield

    monkeypatch.setattr(surroundings, "application", here)
    project = tells(factory.project("In the middle"), 20)
    file = tmp_path / "draft.yaml"
    file.write_text(HARDER, encoding="utf-8")

    said = CliRunner().invoke(rules, ["impact", str(file)])
    told = CliRunner().invoke(rules, ["impact", str(file), "--json"])

    assert said.exit_code == told.exit_code == 0
    assert "1 open project under the new text: 1 newly blocked, 0 unchanged." in said.stdout
    assert f"{project.reference} In the middle (Begun" in said.stdout
    assert json.loads(told.stdout)["open"] == {"blocked": 1}
    file.write_text(HARDER.replace("id: okr_delivery", "id: unknown"), encoding="utf-8")
    unknown = CliRunner().invoke(rules, ["impact", str(file)])
    assert unknown.exit_code == 1
    assert "There is no process unknown yet." in unknown.output
