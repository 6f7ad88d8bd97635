"""The tour leads somewhere, in the demo only, and never away from this site."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from okrgate.accounts import passwords, personas
from okrgate.accounts.models import Person
from okrgate.accounts.service import DEMO_PASSWORD
from okrgate.database import transaction
from tests.factories import Factory


@pytest.fixture
def in_demo(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this the demo."""
    settings = app.extensions["okrgate.settings"]
    monkeypatch.setitem(app.extensions, "okrgate.settings", replace(settings, demo=True))


def with_password(person: Person) -> Person:
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = passwords.hash_of(DEMO_PASSWORD)
    return person


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/demo/tour"), ("post", "/demo/tour"), ("post", "/demo/tour/1/1")]
)
def test_outside_the_demo_there_is_no_tour(
    client: FlaskClient, factory: Factory, method: str, path: str
) -> None:
    ada = factory.browser(factory.person("Ada"))

    assert getattr(client, method)(path).status_code == 404
    assert getattr(ada, method)(path).status_code == 404
    ada.set_cookie("tour", "2")
    assert "Tour 2 of 5" not in ada.get("/").text


def test_the_tour_has_five_steps_for_people_of_the_sign_in_page() -> None:
    told = personas.welcome()
    known = [one["name"] for group in told["personas"] for one in group["people"]]

    assert len(told["tour"]) == 5
    assert len(set(known)) == len(known)
    assert {place["who"] for step in told["tour"] for place in step["places"]} <= set(known)


@pytest.mark.usefixtures("in_demo")
def test_all_steps_stand_on_a_page_for_anybody(client: FlaskClient) -> None:
    page = client.get("/demo/tour").text

    for step in personas.welcome()["tour"]:
        assert step["title"] in page
    assert "Sign in as Greta and open the queue" in page


@pytest.mark.usefixtures("in_demo")
def test_who_is_new_gets_the_first_step_on_the_first_page_only(factory: Factory) -> None:
    chiara = factory.browser(factory.person("Chiara Romano"))

    assert "Tour 1 of 5" in chiara.get("/").text
    assert "Tour 1 of 5" not in chiara.get("/projects").text


@pytest.mark.usefixtures("in_demo")
def test_a_step_once_begun_stands_on_every_page_until_the_tour_ends(factory: Factory) -> None:
    chiara = factory.browser(factory.person("Chiara Romano"))

    answer = chiara.post("/demo/tour", data={"step": "3", "next": "/projects?q=a"})

    assert (answer.status_code, answer.location) == (303, "/projects?q=a")
    assert "Tour 3 of 5" in chiara.get("/projects").text
    assert "Sign in as Greta" in chiara.get("/projects").text
    chiara.post("/demo/tour", data={"step": "ended", "next": "/"})
    assert "of 5" not in chiara.get("/").text


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("step", ["0", "6", "", "²", "-1", "1\n", "9" * 5000])
def test_a_step_that_does_not_exist_is_not_remembered(factory: Factory, step: str) -> None:
    chiara = factory.browser(factory.person("Chiara Romano"))

    answer = chiara.post("/demo/tour", data={"step": step})

    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (303, [])
    chiara.set_cookie("tour", "7")
    assert chiara.get("/").status_code == 200


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_tour_never_leads_to_another_site(client: FlaskClient, wanted: str) -> None:
    answer = client.post("/demo/tour", data={"step": "1", "next": wanted})

    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.usefixtures("in_demo")
def test_a_step_signs_in_as_its_person_and_opens_its_page(
    client: FlaskClient, factory: Factory
) -> None:
    with_password(factory.person("Greta Weiss"))
    chiara = factory.browser(factory.person("Chiara Romano"))

    for browser in (client, chiara):
        answer = browser.post("/demo/tour/3/1", data={"next": "https://evil.example"})
        assert (answer.status_code, answer.location) == (303, "/approvals")
        page = browser.get("/approvals").text
        assert "Greta Weiss" in page
        assert "Tour 3 of 5" in page


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("path", ["/demo/tour/0/1", "/demo/tour/1/2", "/demo/tour/9/1"])
def test_a_place_that_does_not_exist_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.post(path).status_code == 404


@pytest.mark.usefixtures("in_demo")
def test_a_step_of_somebody_who_is_gone_is_not_found(client: FlaskClient) -> None:
    assert client.post("/demo/tour/3/1").status_code == 404


@pytest.mark.usefixtures("in_demo")
def test_a_step_as_somebody_who_changed_their_password_asks_to_sign_in(
    client: FlaskClient, factory: Factory
) -> None:
    person = factory.person("Greta Weiss")
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = passwords.hash_of("another one here")

    answer = client.post("/demo/tour/3/1")

    assert (answer.status_code, answer.location) == (303, "/sign-in")


@pytest.mark.usefixtures("in_demo")
def test_the_sign_in_page_offers_personas_in_groups(client: FlaskClient, factory: Factory) -> None:
    with_password(factory.person("Greta Weiss"))
    with_password(factory.person("Somebody Else"))

    page = client.get("/sign-in").text

    assert "They decide" in page
    assert "Managing Director" in page
    assert "They run it" not in page
    assert "Somebody Else" in page
