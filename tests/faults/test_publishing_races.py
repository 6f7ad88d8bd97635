"""Administrators decide on rules at the same moment: there is one version, and nobody is told two stories (R8)."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages import settling
from okrgate.workshop.publishing import proposals, rollouts
from okrgate.workshop.publishing.models import Proposal, ProposalDecision, RolloutStep
from tests.factories import Factory
from tests.faults.profile import times
from tests.faults.racing import PATIENCE, Press, in_threads
from tests.integration.workshop.small import HARDER, KEY, TEXT, hurry, settle_on

ROUNDS = times(2, 20)
People = dict[str, int]
Asked = tuple[int, str]


@pytest.fixture
def people(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    hurry(monkeypatch)
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT, encoding="utf-8")
    factory.rulebook(path)
    return {name: factory.person(name, admin=True).id for name in ("Ada", "Otto", "Uma")}


def text(number: int) -> str:
    """Return a text that nobody else proposes."""
    return HARDER.replace("Tell the problem", f"Tell it {number} times")


def proposed(by: int, wanted: str) -> Asked:
    number = service.newest(KEY).number
    found = proposals.propose(KEY, Draft(wanted, "Say more.", number), by=by)
    return found.id, found.sha256


def settle_for(person: int, approvals: int) -> None:
    settle_on(db.session.get_one(Person, person), approvals=approvals)


def press(factory: Factory, who: int, proposal: Asked, what: str) -> Press:
    client: FlaskClient = factory.browser(db.session.get_one(Person, who))
    path = f"/rules/proposals/{proposal[0]}"
    data = {"digest": proposal[1], "words": "So be it.", "decision": what}
    return Press(str(who), client, f"{path}/{'withdraw' if what == 'withdraw' else 'decide'}", data)


def versions() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(RulebookVersion)) or 0


def state(proposal: Asked) -> str:
    db.session.rollback()
    return db.session.get_one(Proposal, proposal[0]).state


def test_two_who_approve_at_once_publish_once(people: People, factory: Factory) -> None:
    settle_for(people["Ada"], 2)
    for number in range(ROUNDS):
        proposal = proposed(people["Ada"], text(2 * number))
        pressed = [press(factory, people[name], proposal, "approve") for name in ("Otto", "Uma")]
        assert [one.status for one in in_threads(pressed)] == [303, 303]
        assert (versions(), state(proposal)) == (number + 2, "published")


def test_one_more_than_needed_is_told_so(people: People, factory: Factory) -> None:
    settle_for(people["Ada"], 1)
    for number in range(ROUNDS):
        proposal = proposed(people["Ada"], text(2 * number))
        pressed = [press(factory, people[name], proposal, "approve") for name in ("Otto", "Uma")]
        assert sorted(one.status for one in in_threads(pressed)) == [303, 409]
        decided = select(func.count()).where(ProposalDecision.proposal_id == proposal[0])
        assert db.session.scalar(decided) == 1
        assert (versions(), state(proposal)) == (number + 2, "published")


def test_to_approve_and_to_withdraw_at_once_ends_one_way(people: People, factory: Factory) -> None:
    settle_for(people["Ada"], 1)
    for number in range(ROUNDS):
        before = versions()
        proposal = proposed(people["Ada"], text(2 * number))
        pressed = [
            press(factory, people["Otto"], proposal, "approve"),
            press(factory, people["Ada"], proposal, "withdraw"),
        ]
        assert sorted(one.status for one in in_threads(pressed)) == [303, 409]
        found = state(proposal)
        assert (found, versions() - before) in {("published", 1), ("withdrawn", 0)}


def test_of_two_texts_at_once_one_binds(people: People, factory: Factory) -> None:
    settle_for(people["Ada"], 1)
    for number in range(ROUNDS):
        before = versions()
        one = proposed(people["Ada"], text(2 * number))
        other = proposed(people["Otto"], text(2 * number + 1))
        pressed = [
            press(factory, people["Otto"], one, "approve"),
            press(factory, people["Ada"], other, "approve"),
        ]
        assert sorted(one.status for one in in_threads(pressed)) == [303, 409]
        assert sorted([state(one), state(other)]) == ["published", "stopped"]
        assert versions() - before == 1


def test_two_workers_move_each_project_once(app: Flask, people: People, factory: Factory) -> None:
    settle_for(people["Ada"], 0)
    projects = [factory.project(f"Number {number}") for number in range(4)]
    ids = [project.id for project in projects]
    for project_id in ids:
        settling.settle(project_id)
    proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=people["Ada"], in_flight="migrate")
    at_once(app, rollouts.work, 2)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(RolloutStep)) == 4
    newest = service.newest(KEY).id
    for project_id in ids:
        assert db.session.get_one(Project, project_id).rulebook_version_id == newest


def at_once(app: Flask, act: Callable[[], object], count: int) -> None:
    """Do the same in several threads; whatever one of them raises is raised here."""
    db.session.remove()
    start, raised = Barrier(count), []

    def run() -> None:
        with app.app_context():
            try:
                start.wait(PATIENCE)
                act()
            except Exception as problem:
                raised.append(problem)
            finally:
                db.session.remove()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not raised
