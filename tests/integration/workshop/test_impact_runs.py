"""All projects are looked at in steps: to the end, after a crash, by one text, for whoever may know."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.projects.models import Project
from okrgate.projects.ticket_models import Problem, Value
from okrgate.stages import impact, impact_judging, replay_judging
from okrgate.stages.impact import Look
from okrgate.stages.impact_report import Impact
from okrgate.workshop import checking
from okrgate.workshop.impacts import reading, running, runs
from okrgate.workshop.impacts.models import ASKED, DONE, RUNNING, ImpactRow, ImpactRun
from tests.factories import Factory
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
    for module in (impact_judging, replay_judging, checking):
        monkeypatch.setattr(module, "in_child", lambda work, given, _seconds: work(given))
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
