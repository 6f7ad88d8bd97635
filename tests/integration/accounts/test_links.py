"""Mailed links: invitations, new passwords, new addresses, the first administrator."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from okrgate import clock
from okrgate.accounts import service
from okrgate.accounts.models import Link, Person
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.events import EmailChangeAsked, EmailChanged, Event, PersonInvited, ResetAsked
from tests.factories import Factory
from tests.integration.accounts.conftest import PASSWORD, Joined

NEW = "eight loud violet doors"


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_somebody_invited_chooses_a_password_and_is_in(
    app: Flask, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    boss = factory.browser(joined("Bea Boss", admin=True))
    answer = boss.post("/admin/people/invite", data={"name": "Ada", "email": "Ada@Example.com"})
    assert answer.status_code == 303
    [invited] = published
    assert isinstance(invited, PersonInvited)
    browser = app.test_client()

    page = browser.get(invited.path)
    assert "Welcome, Ada" in page.text
    weak = browser.post(invited.path, data={"password": "too short"})
    used = browser.post(invited.path, data={"password": NEW})

    assert (weak.status_code, used.status_code) == (422, 303)
    assert is_in(browser)
    person = db.session.scalars(select(Person).where(Person.email == "ada@example.com")).one()
    assert invited.recipients[0].person_id == person.id


def test_a_link_works_once_and_opening_it_uses_nothing(
    app: Flask, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    boss = factory.browser(joined(admin=True))
    boss.post("/admin/people/invite", data={"name": "Ada", "email": "ada@example.com"})
    path = published[0].path
    for _ in range(3):
        assert app.test_client().get(path).status_code == 200

    first = app.test_client().post(path, data={"password": NEW})
    second = app.test_client().post(path, data={"password": "nine other white windows"})

    assert (first.status_code, second.status_code) == (303, 404)
    assert app.test_client().get(path).status_code == 404


@pytest.mark.parametrize(("hours", "status"), [(71, 200), (73, 404)])
def test_an_invitation_holds_for_three_days(
    app: Flask, factory: Factory, joined: Joined, published: list[Event], hours: int, status: int
) -> None:
    boss = factory.browser(joined(admin=True))
    boss.post("/admin/people/invite", data={"name": "Ada", "email": "ada@example.com"})

    with clock.moved_to(clock.now() + timedelta(hours=hours)):
        assert app.test_client().get(published[0].path).status_code == status


def test_a_second_invitation_replaces_the_first(
    app: Flask, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    boss = factory.browser(joined(admin=True))
    boss.post("/admin/people/invite", data={"name": "Ada", "email": "ada@example.com"})
    person = published[0].recipients[0].person_id

    assert boss.post(f"/admin/people/{person}/invite-again").status_code == 303

    assert app.test_client().get(published[0].path).status_code == 404
    assert app.test_client().get(published[1].path).status_code == 200


def test_links_of_somebody_deactivated_are_dead(
    app: Flask, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    boss = factory.browser(joined(admin=True))
    boss.post("/admin/people/invite", data={"name": "Ada", "email": "ada@example.com"})
    person = published[0].recipients[0].person_id

    boss.post(f"/admin/people/{person}/deactivate")
    boss.post(f"/admin/people/{person}/activate")

    assert app.test_client().get(published[0].path).status_code == 404


def test_asking_for_a_new_password_says_the_same_to_everybody(
    client: FlaskClient, joined: Joined, published: list[Event]
) -> None:
    person = joined()

    known = client.post("/forgotten", data={"email": person.email})
    unknown = client.post("/forgotten", data={"email": "nobody@example.com"})

    assert (known.status_code, unknown.status_code) == (200, 200)
    said = [
        answer.text.replace(person.email, "").replace("nobody@example.com", "").split("Request")[0]
        for answer in (known, unknown)
    ]
    assert said[0] == said[1]
    assert [type(event) for event in published] == [ResetAsked]


def test_a_new_password_by_mail_ends_every_session_and_opens_a_slowed_account(
    app: Flask, client: FlaskClient, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    person = joined()
    old = factory.browser(person)
    for _ in range(6):
        client.post("/sign-in", data={"email": person.email, "password": "wrong wrong wrong"})
    client.post("/forgotten", data={"email": person.email})

    client.post(published[0].path, data={"password": NEW})

    assert not is_in(old)
    assert is_in(client)
    answer = app.test_client().post("/sign-in", data={"email": person.email, "password": NEW})
    assert answer.status_code == 303


def test_nobodys_mailbox_is_flooded_and_nobody_learns_of_it(
    client: FlaskClient, joined: Joined, published: list[Event]
) -> None:
    person = joined()

    answers = {
        client.post("/forgotten", data={"email": person.email}).status_code for _ in range(9)
    }

    assert answers == {200}
    assert len(published) == 5


def test_the_tables_hold_no_secret_of_a_link(
    client: FlaskClient, joined: Joined, published: list[Event]
) -> None:
    client.post("/forgotten", data={"email": joined().email})

    token = published[0].path.rpartition("/")[2]
    rows = [
        db.session.execute(text(f"SELECT * FROM {table}")).all()  # noqa: S608 two fixed names
        for table in ("links", "audit_entries")
    ]
    assert token not in repr(rows)


@pytest.mark.parametrize("token", ["x", "%00", "..", "é", "x" * 3000])
def test_a_link_that_never_was_is_not_there(client: FlaskClient, token: str) -> None:
    for send in (client.get, client.post):
        assert send(f"/accounts/link/{token}").status_code in {404, 422, 308}


def test_a_new_address_must_be_confirmed_by_the_one_who_asked(
    client: FlaskClient, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    person, other = joined(), joined()
    before = person.email
    mine, theirs = factory.browser(person), factory.browser(other)
    mine.post("/account/email", data={"email": "New@Example.com", "current": PASSWORD})
    [asked] = published
    assert isinstance(asked, EmailChangeAsked)
    assert asked.address == "new@example.com"

    assert client.get(asked.path).status_code == 303
    assert theirs.post(asked.path).status_code == 403
    assert mine.get(asked.path).status_code == 200
    assert mine.post(asked.path).status_code == 303

    db.session.rollback()
    assert db.session.get_one(Person, person.id).email == "new@example.com"
    told = published[-1]
    assert isinstance(told, EmailChanged)
    assert told.address == before


def test_an_address_somebody_has_is_refused(factory: Factory, joined: Joined) -> None:
    person, other = joined(), joined()

    answer = factory.browser(person).post(
        "/account/email", data={"email": other.email, "current": PASSWORD}
    )

    assert answer.status_code == 422
    assert "already" in answer.text


def test_a_link_for_an_address_sets_no_password(
    app: Flask, factory: Factory, joined: Joined, published: list[Event]
) -> None:
    person = joined()
    browser = factory.browser(person)
    browser.post("/account/email", data={"email": "new@example.com", "current": PASSWORD})

    with pytest.raises(service.DeadLink):
        service.use_password_link(published[0].path.rpartition("/")[2], NEW, device="")


def test_the_first_administrator_comes_by_a_link_from_the_command_line(
    app: Flask, client: FlaskClient
) -> None:
    link = service.first_admin_link(email="Ada@example.com", name="Ada")
    assert link.startswith("http://localhost/accounts/link/")
    path = link.removeprefix("http://localhost")

    client.post(path, data={"password": NEW})

    assert client.get("/admin/people").status_code == 200
    with pytest.raises(Conflict):
        service.first_admin_link(email="eve@example.com", name="Eve")


def test_a_link_for_the_first_administrator_is_dead_once_there_is_one(
    app: Flask, client: FlaskClient
) -> None:
    links = [
        service.first_admin_link(email=email, name="Somebody").removeprefix("http://localhost")
        for email in ("ada@example.com", "eve@example.com")
    ]
    client.post(links[0], data={"password": NEW})

    answer = app.test_client().post(links[1], data={"password": NEW})

    assert answer.status_code == 409
    assert [one.email for one in db.session.scalars(select(Person).where(Person.is_admin))] == [
        "ada@example.com"
    ]


def test_an_invited_administrator_does_not_yet_count(app: Flask, joined: Joined) -> None:
    person = joined(admin=True)
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = None

    assert service.first_admin_link(email=person.email, name=person.name)
    assert db.session.scalars(select(Link.purpose)).all() == ["first_admin"]
