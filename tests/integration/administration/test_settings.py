"""The company's settings: only administrators, kept, recorded, in force in every process."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate import clock
from okrgate.administration import preferences
from okrgate.administration.models import CompanySettings
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.projects import money
from tests.factories import Factory

PAGE = "/admin/settings"
WANTED = {
    "version": "0",
    "name": "Northwind",
    "timezone": "Pacific/Auckland",
    "currency": "CHF",
    "welcome": "Bring your ideas.\nWe read each.",
    "help_contact": "Process office, room 4.12",
}


@pytest.fixture
def ada(factory: Factory) -> FlaskClient:
    return factory.browser(factory.person("Ada", admin=True))


def saved() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(CompanySettings)) or 0


def test_only_administrators_see_and_change_settings(ada: FlaskClient, factory: Factory) -> None:
    for person in (factory.person("Pat"), factory.person("Aud", auditor=True)):
        client = factory.browser(person)
        for path in (PAGE, "/admin", "/admin/roles"):
            assert client.get(path).status_code == 403
        assert client.post(PAGE, data=WANTED).status_code == 403
    assert saved() == 0


def test_settings_take_effect_at_once(ada: FlaskClient, client: FlaskClient) -> None:
    assert ada.post(PAGE, data=WANTED).status_code == 303
    assert clock.company_zone().key == "Pacific/Auckland"
    assert money.company_currency() == "CHF"
    page = client.get("/sign-in").get_data(as_text=True)
    assert "Northwind" in page
    assert "Bring your ideas." in page
    assert "room 4.12" in page
    assert "room 4.12" in ada.get("/projects/OKR-999").get_data(as_text=True)
    changed = audit.page(audit.Filter(action="settings.changed"), limit=5)
    assert changed[0].details["currency"] == ["EUR", "CHF"]


@pytest.mark.usefixtures("ada")
def test_another_process_follows(another: Callable[[], Flask]) -> None:
    with transaction() as session:
        session.add(
            CompanySettings(name="N", timezone="Asia/Tokyo", currency="JPY", saved_at=clock.now())
        )
    preferences.refresh()
    assert (clock.company_zone().key, money.company_currency()) == ("Asia/Tokyo", "JPY")
    fresh = another()
    assert clock.company_zone().key == "UTC"
    fresh.test_client().get("/sign-in")
    assert clock.company_zone().key == "Asia/Tokyo"


def test_nothing_changed_is_nothing_saved(ada: FlaskClient) -> None:
    same = WANTED | {
        "name": "",
        "timezone": "UTC",
        "currency": "EUR",
        "welcome": "",
        "help_contact": "",
    }
    assert ada.post(PAGE, data=same).status_code == 303
    assert saved() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"timezone": ""},
        {"currency": "XXX"},
        {"currency": "eur"},
        {"currency": ""},
        {"name": "n" * 121},
        {"welcome": "w" * 2001},
        {"help_contact": "h" * 301},
    ],
)
def test_what_cannot_be_is_refused_and_kept_in_the_form(
    ada: FlaskClient, change: dict[str, str]
) -> None:
    answer = ada.post(PAGE, data=WANTED | change)
    assert answer.status_code == 422
    assert "Process office" in answer.get_data(as_text=True) or "help_contact" in change
    assert saved() == 0


@pytest.mark.parametrize("version", ["7", "x", "", "-1", "9" * 40])
def test_two_administrators_do_not_overwrite_each_other(ada: FlaskClient, version: str) -> None:
    assert ada.post(PAGE, data=WANTED).status_code == 303
    answer = ada.post(PAGE, data=WANTED | {"version": version, "name": "Southwind"})
    assert answer.status_code == (409 if version.isdecimal() or version == "-1" else 422)
    assert "Southwind" in answer.get_data(as_text=True)
    assert saved() == 1


def test_a_currency_is_changed_on_purpose_when_projects_are_open(
    ada: FlaskClient, factory: Factory
) -> None:
    factory.project()
    answer = ada.post(PAGE, data=WANTED)
    assert answer.status_code == 422
    assert "Tick this" in answer.get_data(as_text=True)
    assert saved() == 0
    assert ada.post(PAGE, data=WANTED | {"sure": "y"}).status_code == 303


def test_texts_are_shown_as_texts(ada: FlaskClient, client: FlaskClient) -> None:
    ada.post(PAGE, data=WANTED | {"welcome": "<b>Hello</b>", "name": "<i>N</i>"})
    page = client.get("/sign-in").get_data(as_text=True)
    assert "<b>Hello" not in page
    assert "<i>N" not in page
