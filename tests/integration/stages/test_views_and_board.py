"""Saved views are one person's until they are shared; the board shows every stage and where each card can go."""

import re

import pytest
from flask.testing import FlaskClient

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.projects.models import Project
from okrgate.stages import board, service
from okrgate.stages.reading import Reader
from okrgate.stages.view_models import SavedView
from tests.factories import Factory
from tests.integration.conftest import Arrive
from tests.integration.test_query_counts import counting


@pytest.fixture
def pat(factory: Factory) -> Person:
    return factory.person("Pat")


def save(client: FlaskClient, name: str, asked: str = "scope=mine&q=late", **more: str) -> int:
    return client.post(f"/projects/views/new?{asked}", data={"name": name, **more}).status_code


def the_view(name: str) -> SavedView:
    db.session.rollback()
    found: SavedView = db.session.scalars(db.select(SavedView).where(SavedView.name == name)).one()
    return found


def test_a_view_keeps_filters_columns_and_order(factory: Factory, pat: Person) -> None:
    client = factory.browser(pat)
    asked = "scope=mine&q=late&sort=title&column=lead&column=updated&state=all"
    assert save(client, "Late ones", asked) == 303
    page = client.get(f"/projects?view={the_view('Late ones').id}").get_data(as_text=True)
    assert 'value="late"' in page
    assert 'aria-current="page">' in page
    assert page.count("checked") == 2
    assert re.search(r'<option value="title"\s+selected', page)


def test_a_view_is_seen_by_its_owner_alone(factory: Factory, pat: Person) -> None:
    save(factory.browser(pat), "Late ones")
    view, other = the_view("Late ones").id, factory.browser(factory.person("Other"))
    assert "Late ones" not in other.get("/projects").get_data(as_text=True)
    assert "Late ones" not in other.get(f"/projects?view={view}").get_data(as_text=True)
    for path in (f"/projects/views/{view}", f"/projects/views/{view}/delete"):
        assert other.post(path, data={"name": "Mine now"}).status_code == 404
    assert the_view("Late ones").person_id == pat.id


def test_only_an_administrator_shares_a_view_with_everybody(factory: Factory, pat: Person) -> None:
    save(factory.browser(pat), "Late ones", shared="y")
    assert not the_view("Late ones").shared
    ada = factory.browser(factory.person("Ada", admin=True))
    assert save(ada, "For all", shared="y") == 303
    assert "For all" in factory.browser(pat).get("/projects").get_data(as_text=True)
    view = the_view("For all").id
    assert factory.browser(pat).get(f"/projects/views/{view}").status_code == 404


def test_a_name_is_taken_once_unless_it_is_replaced(factory: Factory, pat: Person) -> None:
    client = factory.browser(pat)
    assert save(client, "Late ones") == 303
    assert save(client, "Late ones", "q=other") == 422
    assert save(client, "Late ones", "q=other", replace="y") == 303
    assert the_view("Late ones").asked["q"] == "other"
    assert save(client, "") == save(client, "x" * 41) == 422


def test_a_view_is_renamed_and_deleted(factory: Factory, pat: Person) -> None:
    client = factory.browser(pat)
    save(client, "One")
    save(client, "Two")
    path = f"/projects/views/{the_view('Two').id}"
    assert client.get(path).status_code == 200
    assert client.post(path, data={"name": "One"}).status_code == 422
    assert client.post(path, data={"name": "Three"}).status_code == 303
    assert "Three" in client.get("/projects/views").get_data(as_text=True)
    assert client.post(f"{path}/delete").status_code == 303
    client.get("/projects/views")
    assert "Three" not in client.get("/projects/views").get_data(as_text=True)


def test_the_list_opens_with_the_view_to_start_with(factory: Factory, pat: Person) -> None:
    client = factory.browser(pat)
    save(client, "One", "q=first", start="y")
    save(client, "Two", "q=second", start="y")
    assert not the_view("One").start
    assert 'value="second"' in client.get("/projects").get_data(as_text=True)
    assert 'value="second"' not in client.get("/projects?scope=all").get_data(as_text=True)


def test_nobody_keeps_more_views_than_fit(factory: Factory, pat: Person) -> None:
    client = factory.browser(pat)
    assert {save(client, f"View {number}") for number in range(20)} == {303}
    assert save(client, "One more") == 422


def test_the_board_shows_each_stage_with_its_newest_cards(factory: Factory, pat: Person) -> None:
    for number in range(23):
        factory.project(f"Plan {number}", submitter=pat, stage="plan_work")
    factory.project("Hidden", submitter=factory.person(), draft=True)
    shown = board.of(None, Reader(pat.id))
    stacks = {stack.id: stack for stack in shown.stacks}
    assert stacks["plan_work"].count == 23
    assert [card.title for card in stacks["plan_work"].cards][:2] == ["Plan 22", "Plan 21"]
    assert stacks["plan_work"].more == 3
    assert all(card.title != "Hidden" for stack in shown.stacks for card in stack.cards)
    page = factory.browser(pat).get("/projects/board").get_data(as_text=True)
    assert "and 3 more" in page
    assert "stage=plan_work" in page


def test_ended_and_waiting_stages_stand_aside(factory: Factory, pat: Person) -> None:
    one = factory.project("Over", submitter=pat, stage="all_done")
    with transaction() as session:
        session.get_one(Project, one.id).closed_at = clock.now()
    shown = board.of(None, Reader(pat.id))
    assert [stack.id for stack in shown.stacks if stack.aside] == ["all_done"]


def test_a_card_offers_what_its_page_offers(arrive: Arrive) -> None:
    company = arrive("planned")
    for name in ("Lea", "Mia", "Pat"):
        client = company[name].client
        card = client.get("/projects/board").get_data(as_text=True)
        reader = Reader(company.ids[name])
        (mine,) = (
            one
            for stack in board.of(None, reader).stacks
            for one in stack.cards
            if one.reference == company.reference
        )
        page = client.get(f"/projects/{company.reference}").get_data(as_text=True)
        for move in mine.moves:
            path = f"/projects/{company.reference}/moves/{move.url_id}"
            assert (f'href="{path}"' in card) is (not move.refusal)
            assert move.transition.auto or (f'href="{path}"' in page) is (not move.refusal)


def test_the_board_asks_as_much_for_many_as_for_few(factory: Factory, pat: Person) -> None:
    client, number_of_pat = factory.browser(pat), pat.id
    factory.project("One", submitter=pat)
    client.get("/projects/board")

    def asked() -> int:
        db.session.remove()
        with counting() as statements:
            assert client.get("/projects/board").status_code == 200
        return len(statements)

    few = asked()
    pat = db.session.get_one(Person, number_of_pat)
    for number in range(30):
        factory.project(
            f"More {number}", submitter=pat, stage=("plan_work", "in_execution")[number % 2]
        )
    assert asked() == few <= 12


def test_a_file_of_many_asks_few_questions(factory: Factory, pat: Person) -> None:
    version = factory.rulebook()
    for number in range(12):
        service.start(f"I {number}", version_id=version.id, home_unit_id=None, by=pat.id)
    client = factory.browser(pat)
    for kind in ("csv", "xlsx"):
        db.session.remove()
        with counting() as statements:
            client.post("/projects/export?scope=mine&q=i", data={"format": kind}).get_data()
        assert len(statements) <= 12
