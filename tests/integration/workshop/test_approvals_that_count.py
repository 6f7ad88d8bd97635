"""An approval counts as long as whoever gave it administers okrgate."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from okrgate import clock
from okrgate.accounts import directory, people
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import Draft
from okrgate.workshop.publishing import arriving, policy, proposals
from okrgate.workshop.publishing.models import Proposal
from okrgate.workshop.publishing.policy import Policy
from tests.factories import Factory
from tests.integration.workshop.small import HARDER, KEY, TEXT, hurry, settle_on


@pytest.fixture
def ada(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    hurry(monkeypatch)
    monkeypatch.setattr(arriving, "check_in_child_process", lambda _text: ())
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT, encoding="utf-8")
    factory.rulebook(path)
    return factory.person("Ada", admin=True)


@pytest.fixture
def otto(ada: Person, factory: Factory) -> Person:
    return factory.person("Otto", admin=True)


@pytest.fixture
def uma(otto: Person, factory: Factory) -> Person:
    return factory.person("Uma", admin=True)


def coming(by: Person, day: date | None = None) -> Proposal:
    draft = Draft(HARDER, "Say more.", 1)
    return proposals.propose(
        KEY, draft, by=by.id, takes_effect=day or clock.today() + timedelta(days=3)
    )


def approve(proposal: Proposal, by: Person) -> Proposal:
    return proposals.decide(proposal.id, by=by.id, approves=True, words="", digest=proposal.sha256)


def take_rights(person: Person, by: Person) -> None:
    with transaction() as session:
        session.get_one(Person, by.id).password_hash = "so that there is somebody"
    people.set_rights(person.id, is_admin=False, is_auditor=False, by=by.id)


def state(proposal_id: int) -> str:
    db.session.rollback()
    return proposals.get(proposal_id).state


def test_who_lost_admin_does_not_count_on_the_day(ada: Person, otto: Person, uma: Person) -> None:
    waiting = approve(coming(ada), otto).id
    assert state(waiting) == "scheduled"
    take_rights(otto, ada)
    with clock.moved_to(clock.now() + timedelta(days=4)):
        proposals.put_in_force(waiting)
        assert state(waiting) == "scheduled"
        arriving.look()
        assert state(waiting) == "stopped"
        assert "0 of 1 approvals still count" in proposals.get(waiting).ended_because
    assert service.newest(KEY).number == 1


def test_somebody_else_can_take_their_place_before_it(
    ada: Person, otto: Person, uma: Person, factory: Factory
) -> None:
    waiting = approve(coming(ada), otto)
    number, here = waiting.id, f"/rules/proposals/{waiting.id}"
    client = factory.browser(uma)
    assert "Approve this text" not in client.get(here).get_data(as_text=True)
    take_rights(otto, ada)
    page = client.get(here).get_data(as_text=True)
    assert "Does not count any more" in page
    assert "0 of 1 needed" in page
    assert "Approve this text" in page
    assert service.proposed()[0].given == 0
    approve(proposals.get(number), uma)
    assert state(number) == "scheduled"
    with clock.moved_to(clock.now() + timedelta(days=4)):
        arriving.look()
        assert state(number) == "published"


def test_nor_does_a_text_bind_whose_only_voice_is_gone(ada: Person, otto: Person) -> None:
    settle_on(ada, approvals=0)
    number = coming(ada).id
    assert state(number) == "scheduled"
    take_rights(ada, otto)
    with clock.moved_to(clock.now() + timedelta(days=4)):
        arriving.look()
    assert state(number) == "stopped"


def test_how_many_it_needs_is_read_when_it_is_stored(
    ada: Person, otto: Person, uma: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_on(ada, approvals=0)
    names = directory.names

    def and_meanwhile(asked: list[int]) -> dict[int, str]:
        monkeypatch.setattr(directory, "names", names)
        policy.save(Policy(2, one_more=False, version=policy.last_saved().version), by=otto.id)
        return names(asked)

    monkeypatch.setattr(directory, "names", and_meanwhile)
    asked = proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=ada.id)
    assert (asked.state, asked.needed) == ("waiting", 2)


def test_what_was_proposed_is_listed_with_its_end(
    ada: Person, otto: Person, uma: Person, factory: Factory
) -> None:
    proposals.withdraw(coming(ada).id, by=ada.id)
    refused = coming(ada)
    proposals.decide(
        refused.id, by=otto.id, approves=False, words="Not like this.", digest=refused.sha256
    )
    approve(proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=ada.id), otto)
    client = factory.browser(uma)
    page = client.get(f"/rules/{KEY}/proposals").get_data(as_text=True)
    for words in ("Withdrawn", "Refused", "Published", "as version 2", "Not like this.", "Otto"):
        assert words in page
    assert client.get(f"/rules/{KEY}/proposals?before=x").status_code == 200
    assert client.get("/rules/unknown/proposals").status_code == 404
    first = service.version_of(KEY, 1).id
    back = client.get(f"/rules/{first}/roll-back").get_data(as_text=True)
    assert "This needs 2 approvals (something may become easier with it)" in back
    assert "Asked by mail: Ada, Otto" in back
