"""Administration: people, roles, rights, units."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory, passwords, people, service
from okrgate.accounts.models import OrgUnit, Person, RoleGrant, SignInSession
from okrgate.audit import service as audit
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.events import Event, RolesChanged
from tests.factories import Factory
from tests.integration.accounts.conftest import Joined


@pytest.fixture
def boss(factory: Factory, joined: Joined) -> FlaskClient:
    """Return an administrator's browser."""
    return factory.browser(joined("Bea Boss", admin=True))


def last_entry() -> Entry:
    db.session.rollback()
    return db.session.scalars(select(Entry).order_by(Entry.seq.desc()).limit(1)).one()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/admin/people"),
        ("get", "/admin/people/1"),
        ("get", "/admin/units"),
        ("post", "/admin/people/invite"),
        ("post", "/admin/people/1/rights"),
        ("post", "/admin/people/1/roles"),
        ("post", "/admin/people/1/deactivate"),
        ("post", "/admin/units/new"),
    ],
)
def test_only_administrators_come_in_here(
    client: FlaskClient, factory: Factory, joined: Joined, method: str, path: str
) -> None:
    auditor = factory.browser(joined(auditor=True))

    assert getattr(auditor, method)(path).status_code == 403
    assert getattr(client, method)(path).status_code in {303, 401}


def test_people_are_listed_by_name_a_page_at_a_time(boss: FlaskClient, factory: Factory) -> None:
    for number in range(60):
        factory.person(f"Zora {number:02d}")

    first = boss.get("/admin/people").text
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = boss.get(following).text

    assert "Zora 10" in first
    assert "Zora 59" not in first
    assert "Zora 59" in second
    assert "Zora 10" not in second


def test_people_are_found_by_name_address_and_state(
    boss: FlaskClient, factory: Factory, joined: Joined
) -> None:
    factory.person("Zora Invited")
    joined("Zora Joined")
    factory.person("50% Zara")

    def found(**search: str) -> list[str]:
        text = boss.get("/admin/people", query_string=search).text
        return [name for name in ("Zora Invited", "Zora Joined", "50% Zara") if name in text]

    assert found(q="zora") == ["Zora Invited", "Zora Joined"]
    assert found(q="zora.joined") == ["Zora Joined"]
    assert found(q="%") == ["50% Zara"]
    assert found(q="zora", state="invited") == ["Zora Invited"]
    assert found(state="inactive") == []


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "999999"])
def test_an_odd_page_mark_harms_nothing(boss: FlaskClient, after: str) -> None:
    assert boss.get("/admin/people", query_string={"after": after}).status_code == 200


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "", "email": "ada@example.com"}, "Enter their name."),
        ({"name": "Ada", "email": "ada"}, "Enter a mail address like"),
        ({"name": "x" * 121, "email": "ada@example.com"}, "between 1 and 120"),
        ({"name": "Ada", "email": "ada@example.com", "unit_id": "777"}, "Choose one of the units."),
        ({"name": "Ada", "email": "ada@example.com", "unit_id": "x"}, "Choose one of the units."),
        ({"name": "Ada", "email": "bea.boss.1@example.com"}, "has this address already"),
    ],
)
def test_an_invitation_says_what_is_wrong_with_it(
    boss: FlaskClient, typed: dict[str, str], said: str
) -> None:
    answer = boss.post("/admin/people/invite", data=typed)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="ada' in answer.text or "bea.boss" in answer.text


def test_nobody_becomes_administrator_by_fields_that_were_not_asked(
    boss: FlaskClient, factory: Factory, joined: Joined
) -> None:
    boss.post(
        "/admin/people/invite",
        data={
            "name": "Eve",
            "email": "eve@example.com",
            "is_admin": "y",
            "password_hash": "x",
            "id": "1",
        },
    )
    person = joined()
    factory.browser(person).post(
        "/account", data={"name": "Eve", "timezone": "", "is_admin": "y", "is_auditor": "y"}
    )

    db.session.rollback()
    assert [one.name for one in db.session.scalars(select(Person).where(Person.is_admin))] == [
        "Bea Boss"
    ]


@pytest.mark.usefixtures("roles")
def test_a_role_is_given_told_and_recorded(
    boss: FlaskClient, factory: Factory, published: list[Event]
) -> None:
    unit, person = factory.unit("Acme"), factory.person("Ada")
    heard: list[int] = []
    directory.on_roles_changed(heard.append)

    answer = boss.post(
        f"/admin/people/{person.id}/roles", data={"grant-role": "chief", "grant-unit_id": unit.id}
    )

    assert answer.status_code == 303
    db.session.rollback()
    [held] = directory.holdings(["chief"])
    assert (held.person_id, held.path) == (person.id, unit.path)
    assert heard == [person.id]
    [event] = published
    assert isinstance(event, RolesChanged)
    assert event.gained == ("Chief in Acme",)
    assert event.recipients[0].person_id == person.id
    assert last_entry().action == "person.role_granted"


@pytest.mark.usefixtures("roles")
def test_a_role_taken_away_is_gone_at_once(
    boss: FlaskClient, factory: Factory, published: list[Event]
) -> None:
    unit, person, other = factory.unit("Acme"), factory.person("Ada"), factory.person("Eve")
    grant = factory.grant(person, "chief", unit)

    wrong = boss.post(f"/admin/people/{other.id}/roles/{grant.id}/revoke")
    right = boss.post(f"/admin/people/{person.id}/roles/{grant.id}/revoke")

    assert (wrong.status_code, right.status_code) == (404, 303)
    db.session.rollback()
    assert directory.holdings(["chief"]) == []
    assert [event.lost for event in published if isinstance(event, RolesChanged)] == [
        ("Chief in Acme",)
    ]


@pytest.mark.usefixtures("roles")
def test_a_role_counts_from_its_first_day_to_its_last(boss: FlaskClient, factory: Factory) -> None:
    unit, person = factory.unit("Acme"), factory.person("Ada")
    first = clock.today() + timedelta(days=1)
    boss.post(
        f"/admin/people/{person.id}/roles",
        data={
            "grant-role": "chief",
            "grant-unit_id": unit.id,
            "grant-starts_on": first.isoformat(),
            "grant-ends_on": first.isoformat(),
        },
    )

    counts = []
    for days in (0, 1, 2):
        with clock.moved_to(clock.now() + timedelta(days=days)):
            counts.append(len(directory.holdings(["chief"])))

    assert counts == [0, 1, 0]


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Choose a role."),
        ({"grant-role": "emperor"}, "Choose one of the roles."),
        ({"grant-role": "chief"}, "Choose the unit where they hold it."),
        ({"grant-role": "chief", "grant-unit_id": "999"}, "Choose one of the units."),
        ({"grant-starts_on": "tomorrow"}, "Enter a day like"),
        ({"grant-starts_on": "0001-01-01"}, "between 2000 and 2100"),
        ({"grant-starts_on": "2031-01-02", "grant-ends_on": "2031-01-01"}, "not be before"),
    ],
)
def test_a_role_that_cannot_be_given_is_refused_with_a_reason(
    boss: FlaskClient, factory: Factory, typed: dict[str, str], said: str
) -> None:
    unit, person = factory.unit("Acme"), factory.person("Ada")
    if "grant-starts_on" in typed:
        typed = {"grant-role": "chief", "grant-unit_id": str(unit.id)} | typed

    answer = boss.post(f"/admin/people/{person.id}/roles", data=typed)

    assert answer.status_code == 422
    assert said in answer.text
    assert db.session.scalars(select(RoleGrant)).all() == []


@pytest.mark.usefixtures("roles")
def test_the_same_role_is_not_given_twice(boss: FlaskClient, factory: Factory) -> None:
    unit, person = factory.unit("Acme"), factory.person("Ada")
    factory.grant(person, "chief", unit)

    answer = boss.post(
        f"/admin/people/{person.id}/roles", data={"grant-role": "chief", "grant-unit_id": unit.id}
    )

    assert answer.status_code == 422
    assert "already" in answer.text


def test_the_last_administrator_stays(boss: FlaskClient, joined: Joined, factory: Factory) -> None:
    admin = db.session.scalars(select(Person.id).where(Person.is_admin)).one()
    factory.person("Only Invited", admin=True)

    answer = boss.post(f"/admin/people/{admin}/rights", data={})

    assert answer.status_code == 409
    assert "last administrator" in answer.text
    db.session.rollback()
    assert db.session.get_one(Person, admin).is_admin


def test_of_two_administrators_one_may_go(boss: FlaskClient, joined: Joined) -> None:
    other = joined(admin=True)
    mine = db.session.scalars(select(Person.id).where(Person.name == "Bea Boss")).one()

    own = boss.post(f"/admin/people/{mine}/deactivate")
    theirs = boss.post(f"/admin/people/{other.id}/deactivate")

    assert (own.status_code, theirs.status_code) == (403, 303)
    with pytest.raises(Conflict):
        people.set_rights(mine, is_admin=False, is_auditor=False, by=mine)


def test_new_rights_want_a_new_sign_in(boss: FlaskClient, factory: Factory, joined: Joined) -> None:
    person = joined()
    browser = factory.browser(person)

    boss.post(f"/admin/people/{person.id}/rights", data={"is_auditor": "y"})

    assert browser.get("/account").status_code == 303
    assert factory.browser(person).get("/audit").status_code == 200


def test_saving_without_a_change_writes_nothing(boss: FlaskClient, joined: Joined) -> None:
    person = joined("Ada")
    db.session.rollback()
    before = audit.head()

    boss.post(f"/admin/people/{person.id}", data={"name": "Ada", "unit_id": ""})
    boss.post(f"/admin/people/{person.id}/rights", data={})
    boss.post(f"/admin/people/{person.id}/activate")

    db.session.rollback()
    assert audit.head() == before


def test_an_erased_name_is_nowhere_and_the_record_stays_whole(
    boss: FlaskClient, factory: Factory, joined: Joined
) -> None:
    person = joined("Canary Jones")
    factory.browser(person).post("/account", data={"name": "Canary Smith", "timezone": ""})
    boss.post(f"/admin/people/{person.id}/deactivate")

    unsure = boss.post(f"/admin/people/{person.id}/erase")
    sure = boss.post(f"/admin/people/{person.id}/erase", data={"sure": "yes"})

    assert (unsure.status_code, sure.status_code) == (422, 303)
    db.session.rollback()
    erased = db.session.get_one(Person, person.id)
    assert "anary" not in f"{erased.name} {erased.email}"
    assert (
        db.session.scalars(select(SignInSession).where(SignInSession.person_id == person.id)).all()
        == []
    )
    assert audit.verify()[1] == []
    assert "anary" not in repr([(row.target, row.details) for row in audit.stream(audit.Filter())])
    assert boss.post(f"/admin/people/{person.id}/activate").status_code == 409


def test_nobody_active_is_erased(boss: FlaskClient, joined: Joined) -> None:
    answer = boss.post(f"/admin/people/{joined().id}/erase", data={"sure": "yes"})

    assert answer.status_code == 409


def test_somebody_who_is_not_there_is_not_found(boss: FlaskClient) -> None:
    for path in ("", "/rights", "/deactivate", "/activate", "/erase", "/invite-again", "/roles"):
        answer = boss.post(f"/admin/people/4711{path}", data={"sure": "yes", "name": "x"})
        assert answer.status_code == 404, path


@pytest.mark.usefixtures("roles")
def test_every_page_here_can_be_shown(boss: FlaskClient, factory: Factory) -> None:
    unit = factory.unit("Acme")
    person = factory.person("<b>Ada</b>", unit=unit)
    factory.grant(person, "chief", unit)
    factory.grant(person, "gone", unit)

    for path in (
        "/admin/people",
        "/admin/people/invite",
        f"/admin/people/{person.id}",
        "/admin/units",
        "/admin/units/new",
        f"/admin/units/{unit.id}",
    ):
        answer = boss.get(path)
        assert answer.status_code == 200, path
        assert "<b>Ada" not in answer.text


def test_the_tree_grows_from_one_root(boss: FlaskClient) -> None:
    typed = {"name": "Acme", "kind": "company", "domain": "", "parent_id": ""}
    assert boss.post("/admin/units/new", data=typed).status_code == 303
    root = db.session.scalars(select(OrgUnit)).one()

    second = boss.post("/admin/units/new", data=typed | {"name": "Other"})
    below = boss.post(
        "/admin/units/new",
        data={"name": "North", "kind": "region", "domain": "Growth", "parent_id": root.id},
    )
    twin = boss.post(
        "/admin/units/new",
        data={"name": "north", "kind": "team", "domain": "", "parent_id": root.id},
    )

    assert (second.status_code, below.status_code, twin.status_code) == (422, 303, 422)
    db.session.rollback()
    north = db.session.scalars(select(OrgUnit).where(OrgUnit.name == "North")).one()
    assert north.path == f"/{root.id}/{north.id}/"
    assert "Acme › North" in boss.get("/admin/units").text  # noqa: RUF001 the arrow of a path


def test_a_unit_is_renamed_and_closed_from_below(boss: FlaskClient, factory: Factory) -> None:
    root = factory.unit("Acme")
    north = factory.unit("North", parent=root, kind="region")

    renamed = boss.post(
        f"/admin/units/{north.id}", data={"name": "Far North", "kind": "region", "domain": ""}
    )
    too_early = boss.post(f"/admin/units/{root.id}/active", data={"active": "no"})
    closed = boss.post(f"/admin/units/{north.id}/active", data={"active": "no"})

    assert (renamed.status_code, too_early.status_code, closed.status_code) == (303, 409, 303)
    db.session.rollback()
    assert directory.unit_choices() == [(root.id, "Acme")]
    assert db.session.get_one(OrgUnit, north.id).name == "Far North"


def test_a_closed_unit_takes_nothing_new(boss: FlaskClient, factory: Factory) -> None:
    root = factory.unit("Acme")
    boss.post(f"/admin/units/{root.id}/active", data={"active": "no"})

    answer = boss.post(
        "/admin/units/new",
        data={"name": "North", "kind": "region", "domain": "", "parent_id": root.id},
    )

    assert answer.status_code == 422


def test_a_person_keeps_a_unit_that_was_closed(boss: FlaskClient, factory: Factory) -> None:
    unit = factory.unit("Acme")
    person = factory.person("Ada", unit=unit)
    boss.post(f"/admin/units/{unit.id}/active", data={"active": "no"})

    answer = boss.post(f"/admin/people/{person.id}", data={"name": "Ada K", "unit_id": unit.id})

    assert answer.status_code == 303


def test_demo_people_are_shown_in_the_demo_only(client: FlaskClient, joined: Joined) -> None:
    joined("Ada Lovelace")

    assert "Ada Lovelace" not in client.get("/sign-in").text
    assert service.DEMO_PASSWORD not in client.get("/sign-in").text
    assert service.demo_personas() == []


def test_in_the_demo_one_button_signs_somebody_in(
    app: Flask, client: FlaskClient, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = joined("Ada Lovelace", admin=True)
    with transaction() as session:
        stored = passwords.hash_of(service.DEMO_PASSWORD)
        session.get_one(Person, person.id).password_hash = stored
    settings = app.extensions["okrgate.settings"]
    monkeypatch.setitem(app.extensions, "okrgate.settings", replace(settings, demo=True))

    page = client.get("/sign-in").text

    assert "Ada Lovelace" in page
    assert "Administrator" in page
    answer = client.post(
        "/sign-in", data={"email": person.email, "password": service.DEMO_PASSWORD}
    )
    assert answer.status_code == 303
