"""All projects are looked at in steps: to the end, after a crash, by one text, for whoever may know."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.projects.models import Project
from okrgate.projects.ticket_models import Problem, Value
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.drafts import Draft
from okrgate.stages import impact, impact_judging, replay_judging
from okrgate.stages.impact import Look
from okrgate.stages.impact_report import Impact
from okrgate.workshop import impact_views
from okrgate.workshop.impacts import reading, running, runs
from okrgate.workshop.impacts.models import ASKED, DONE, RUNNING, STOPPED, ImpactRow, ImpactRun
from okrgate.workshop.publishing import proposals
from tests.factories import Factory
from tests.integration.workshop.small import hurry, settle_on
from tests.integration.workshop.test_impact import HARDER, KEY, ONE_GATE, SOFTER

PAGE = f"/rules/{KEY}/impact"
DEAR = ONE_GATE.replace(
    "  agreed:\n    label",
    "      - {id: dear, message: Dear, severity: hard, if: {fact: value.amount, gte: 500}}\n"
    "  agreed:\n    label",
)


@pytest.fixture
def ada(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    path = tmp_path / "rules.yaml"
    path.write_text(ONE_GATE, encoding="utf-8")
    factory.rulebook(path)
    hurry(monkeypatch)
    monkeypatch.setattr(replay_judging, "in_child", lambda work, given, _seconds: work(given))
    monkeypatch.setattr(running, "SLICE", 2)
    return factory.person("Ada", admin=True)


def projects(factory: Factory, count: int, **more: Any) -> list[Project]:
    found = [factory.project(f"Project {place + 1}", **more) for place in range(count)]
    with transaction() as session:
        session.add_all(Problem(project_id=one.id, problem="x" * 20) for one in found)
    return found


def spend(found: list[Project], *amounts: int) -> None:
    with transaction() as session:
        for one, amount in zip(found, amounts, strict=True):
            minor = amount * 100
            session.add(
                Value(
                    project_id=one.id,
                    total_minor=minor,
                    business_minor=minor,
                    total_currency="EUR",
                )
            )


def run_of(run_id: int) -> ImpactRun:
    return db.session.get_one(ImpactRun, run_id, populate_existing=True)


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(ImpactRow)) or 0


def told(run_id: int, reader: Person, *, grouped: bool = False, **more: Any) -> Impact:
    return reading.told(run_of(run_id), reader=reader.id, grouped=grouped, **more)


@pytest.fixture
def one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each advance() do one slice and let go."""
    monkeypatch.setattr(running, "_TURN_SECONDS", 0.0)


def test_every_project_is_looked_at_and_named(ada: Person, factory: Factory) -> None:
    found = projects(factory, 5)
    over = found[0]
    with transaction() as session:
        session.get_one(Project, over.id).closed_at = clock.now()

    run_id = runs.ask(KEY, HARDER, by=ada.id)
    running.work()

    run = run_of(run_id)
    assert (run.state, run.done, run.total, rows()) == (DONE, 5, 5, 5)
    said = told(run_id, ada)
    assert (said.open, said.closed) == ({"blocked": 4}, {"blocked": 1})
    assert [one.title for one in said.affected] == [one.title for one in reversed(found)]
    assert said.affected[0].asked == ("Tell the problem",)
    small = impact.of(KEY, HARDER, reader=ada.id)
    assert (said.open, said.closed, said.affected, said.stages) == (
        small.open,
        small.closed,
        small.affected,
        small.stages,
    )
    assert said.sentences == small.sentences


def test_it_is_listed_page_by_page_and_by_kind(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    found = projects(factory, 3)
    factory.project("Says nothing")
    run_id = runs.ask(KEY, SOFTER.replace("gte: 1}", "gte: 30}"), by=ada.id)
    running.work()

    first = told(run_id, ada)
    assert [one.project_id for one in first.affected] == [found[2].id, found[1].id]
    second = told(run_id, ada, before=first.older)
    assert ([one.project_id for one in second.affected], second.older) == ([found[0].id], None)
    assert first.open == second.open == {"blocked": 3, "same": 1}
    assert told(run_id, ada, kind="freed").affected == ()
    assert len(told(run_id, ada, kind="blocked").affected) == 2


def test_after_a_crash_somebody_else_goes_on(
    ada: Person, factory: Factory, one_slice: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = projects(factory, 5)
    run_id = runs.ask(KEY, HARDER, by=ada.id)
    running.work()
    assert (run_of(run_id).state, run_of(run_id).done, rows()) == (ASKED, 2, 2)

    judged: list[int] = []
    whole = Look.at

    def killed(_self: Look, given: Any) -> Any:
        judged.extend(one.id for one in given)
        raise KeyboardInterrupt

    monkeypatch.setattr(Look, "at", killed)
    with pytest.raises(KeyboardInterrupt):
        running.work()
    db.session.rollback()
    assert (run_of(run_id).state, rows()) == (RUNNING, 2)
    monkeypatch.setattr(Look, "at", whole)
    running.work()
    assert rows() == 2, "it belongs to whoever took it, for a while"

    with clock.moved_to(clock.now() + timedelta(minutes=3)):
        for _ in range(4):
            running.work()
    assert (run_of(run_id).state, run_of(run_id).done, rows()) == (DONE, 5, 5)
    assert judged == [found[2].id, found[1].id]
    assert told(run_id, ada).open == {"blocked": 5}


def test_what_never_gets_on_is_given_up(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects(factory, 1)
    run_id = runs.ask(KEY, HARDER, by=ada.id)

    def killed(_self: Look, _given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Look, "at", killed)
    for turn in range(3):
        with clock.moved_to(clock.now() + turn * timedelta(minutes=3)):
            with pytest.raises(KeyboardInterrupt):
                running.work()
            db.session.rollback()
    with clock.moved_to(clock.now() + timedelta(minutes=20)):
        running.work()
    assert run_of(run_id).state == STOPPED
    assert "begun again and again" in run_of(run_id).problem


def test_a_child_that_ends_early_is_said(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects(factory, 1)
    monkeypatch.setattr(impact_judging, "in_child", lambda *_: "it took too long")
    run_id = runs.ask(KEY, HARDER, by=ada.id)
    running.work()
    drafts.keep(KEY, Draft(HARDER, "", 1), by=ada.id)

    assert (run_of(run_id).state, rows()) == (STOPPED, 0)
    page = factory.browser(ada).get(PAGE).get_data(as_text=True)
    assert "The impact could not be worked out: it took too long." in page
    assert "Look at the only project" in page


def test_one_text_is_looked_at_once(ada: Person, factory: Factory) -> None:
    bea = factory.person("Bea", admin=True)
    projects(factory, 1)
    run_id = runs.ask(KEY, HARDER, by=ada.id)
    assert runs.ask(KEY, HARDER, by=bea.id) == run_id
    running.work()
    finished = run_of(run_id).finished_at

    assert runs.ask(KEY, HARDER, by=bea.id) == run_id
    assert (run_of(run_id).state, run_of(run_id).finished_at) == (DONE, finished)
    with clock.moved_to(clock.now() + timedelta(days=1, minutes=1)):
        assert runs.ask(KEY, HARDER, by=bea.id) == run_id
        assert (run_of(run_id).state, run_of(run_id).asked_by_id, rows()) == (ASKED, bea.id, 0)
    service.publish(SOFTER, by=ada.id, note="Another version")
    assert runs.ask(KEY, HARDER, by=ada.id) != run_id


def test_another_text_ends_what_one_still_waits_for(
    ada: Person, factory: Factory, one_slice: None
) -> None:
    projects(factory, 5)
    first = runs.ask(KEY, HARDER, by=ada.id)
    running.work()
    assert rows() == 2

    second = runs.ask(KEY, SOFTER, by=ada.id)

    assert (run_of(first).state, run_of(second).state, rows()) == (STOPPED, ASKED, 0)


def test_nobody_keeps_more_of_a_run_that_was_stopped(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects(factory, 5)
    run_id = runs.ask(KEY, HARDER, by=ada.id)
    whole = Look.at

    def stopped(self: Look, given: Any) -> Any:
        found = whole(self, given)
        runs.stop(run_id)
        return found

    monkeypatch.setattr(Look, "at", stopped)
    running.work()
    assert (run_of(run_id).state, rows()) == (STOPPED, 0)


def test_old_results_are_swept_away_unless_somebody_decides_on_them(
    ada: Person, factory: Factory
) -> None:
    bea = factory.person("Bea", admin=True)
    projects(factory, 3)
    with clock.moved_to(clock.now() - timedelta(days=3)):
        settle_on(ada)
    with clock.moved_to(clock.now() + timedelta(days=2)):
        proposed = proposals.propose(KEY, Draft(HARDER, "Why", 1), by=ada.id)
        gone = runs.ask(KEY, SOFTER, by=bea.id)
        running.work()
        running.work()
        kept = runs.find(proposed.process_id, proposed.sha256)
        assert kept is not None
        assert (kept.state, run_of(gone).state) == (DONE, DONE)
    with clock.moved_to(clock.now() + timedelta(days=10)):
        runs.sweep()
        assert list(db.session.scalars(select(ImpactRun.id))) == [kept.id]
        assert rows() == 3
        proposals.withdraw(proposed.id, by=ada.id)
        runs.sweep()
    assert (rows(), db.session.scalar(select(func.count()).select_from(ImpactRun))) == (0, 0)


def test_money_is_told_in_groups_and_only_where_others_decide(
    ada: Person, factory: Factory
) -> None:
    spend(projects(factory, 12), *[100] * 5, *[900] * 7)
    dear = runs.ask(KEY, DEAR, by=ada.id)
    running.work()
    cheaper = runs.ask(KEY, DEAR.replace("500", "950"), by=ada.id)
    running.work()

    alone, others = told(dear, ada), told(cheaper, ada)
    # To its author every limit looks alike, in every count.
    assert (alone.open, alone.stages, alone.affected, alone.hidden.count) == ({}, (), (), 12)
    assert (others.open, others.hidden) == (alone.open, alone.hidden)
    assert alone.hidden.groups is None
    seen = told(dear, ada, grouped=True)
    assert (seen.open, seen.affected, seen.hidden.groups) == ({}, (), {"blocked": 5, "same": 7})


def keep(text: str, by: Person) -> None:
    drafts.keep(KEY, Draft(text, "Why", 1), by=by.id)


def test_the_page_goes_from_a_button_to_names(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact_views, "_AT_ONCE_SECONDS", 0.0)
    found = projects(factory, 5)
    browser: FlaskClient = factory.browser(ada)
    assert "Nothing to look at" in browser.get(PAGE).get_data(as_text=True)
    keep(HARDER, ada)
    assert "Look at all 5 projects" in browser.get(PAGE).get_data(as_text=True)
    assert rows() == 0, "a page that is read begins nothing"

    assert browser.post(PAGE, data={"act": "begin"}).status_code == 303
    page = browser.get(PAGE).get_data(as_text=True)
    assert "<progress" in page
    assert "2 of 5 looked at, less than a minute left" in page
    assert "How far is it now?" in page
    running.work()
    page = browser.get(PAGE).get_data(as_text=True)
    assert "<progress" not in page
    assert all(one.reference in page for one in found)
    assert "5 newly blocked" in page

    keep(SOFTER, ada)
    stale = browser.get(PAGE).get_data(as_text=True)
    assert "Your draft has changed since." in stale
    assert "Look at all 5 projects again" in stale
    keep(HARDER, ada)
    service.publish(SOFTER, by=ada.id, note="Another version")
    assert "Version 2 was published since." in browser.get(PAGE).get_data(as_text=True)
    for odd in ("?before=x", "?before=-1", f"?before={'9' * 30}", "?kind=none"):
        assert browser.get(PAGE + odd).status_code == 200


def test_it_can_be_stopped_and_begun_again(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact_views, "_AT_ONCE_SECONDS", 0.0)
    projects(factory, 5)
    keep(HARDER, ada)
    browser = factory.browser(ada)
    browser.post(PAGE, data={"act": "begin"})
    browser.post(PAGE, data={"act": "stop"})
    assert rows() == 0
    assert "Look at all 5 projects" in browser.get(PAGE).get_data(as_text=True)
    browser.post(PAGE, data={"act": "begin"})
    running.work()
    assert rows() == 5


def test_a_text_that_cannot_be_read_is_not_looked_at(ada: Person, factory: Factory) -> None:
    keep("stages: [", ada)
    answer = factory.browser(ada).post(PAGE, data={"act": "begin"})
    assert answer.status_code == 422
    assert "cannot be read as rules" in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(ImpactRun)) == 0


def test_each_sees_what_their_own_draft_does(ada: Person, factory: Factory) -> None:
    bea, lee = factory.person("Bea", admin=True), factory.person("Lee")
    (one,) = projects(factory, 1)
    keep(HARDER, ada)
    factory.browser(ada).post(PAGE, data={"act": "begin"})
    running.work()

    assert one.reference in factory.browser(ada).get(PAGE).get_data(as_text=True)
    others = factory.browser(bea).get(PAGE).get_data(as_text=True)
    assert one.reference not in others
    assert "Nothing to look at" in others
    assert factory.browser(lee).get(PAGE).status_code == 403
    assert factory.browser(lee).post(PAGE, data={"act": "begin"}).status_code == 403


def test_whoever_decides_sees_it_without_asking(ada: Person, factory: Factory) -> None:
    bea, lee = factory.person("Bea", admin=True), factory.person("Lee")
    spend(projects(factory, 12), *[100] * 5, *[900] * 7)
    with clock.moved_to(clock.now() - timedelta(days=3)):
        settle_on(ada)
    with clock.moved_to(clock.now() + timedelta(days=2)):
        proposed = proposals.propose(KEY, Draft(DEAR, "Why", 1), by=ada.id)
        # What all are shown from the first moment is told in groups, too.
        assert "12 projects that you may not read: 5 newly blocked, 7 unchanged." in proposed.impact
        running.work()
        path = f"/rules/proposals/{proposed.id}/impact"
        for admin in (ada, bea):
            page = factory.browser(admin).get(path).get_data(as_text=True)
            assert "12 projects that you may not read: 5 newly blocked, 7 unchanged." in page
        assert path in factory.browser(bea).get(f"/rules/proposals/{proposed.id}").text
        assert factory.browser(lee).get(path).status_code == 403
        assert factory.browser(lee).post(path, data={"act": "begin"}).status_code == 403
        proposals.withdraw(proposed.id, by=ada.id)
        assert factory.browser(bea).post(path, data={"act": "begin"}).status_code == 303
        assert run_of(1).state == DONE


def test_what_it_says_is_short() -> None:
    def said(done: int, total: int, left: int | None) -> str:
        return reading.Progress(done, total, left).sentence

    assert said(4000, 12300, 120) == "4,000 of 12,300 looked at, about 2 minutes left"
    assert said(4000, 12300, 55) == "4,000 of 12,300 looked at, about 1 minute left"
    assert said(4000, 12300, 12) == "4,000 of 12,300 looked at, less than a minute left"
    assert said(0, 12300, None) == "0 of 12,300 looked at"
    assert said(0, 0, None) == "It begins in a moment"
