"""What these tests share: people with passwords, news that is heard, roles that can be given."""

from collections.abc import Callable

import pytest
from flask import Flask

from okrgate import events
from okrgate.accounts import directory, passwords
from okrgate.accounts.models import Person
from okrgate.database import transaction
from okrgate.events import Event
from tests.factories import Factory

PASSWORD = "seven quiet green lamps"

Joined = Callable[..., Person]


@pytest.fixture
def joined(app: Flask, factory: Factory) -> Joined:
    """Return a maker of people who have chosen a password."""

    def make(name: str = "", *, admin: bool = False, auditor: bool = False) -> Person:
        person = factory.person(name, admin=admin, auditor=auditor)
        with transaction() as session:
            session.get_one(Person, person.id).password_hash = passwords.hash_of(PASSWORD)
        return person

    return make


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Return the list of all that is published from now on."""
    heard: list[Event] = []
    monkeypatch.setattr(events.listeners, "all", [*events.listeners.all, heard.append])
    return heard


@pytest.fixture
def roles(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer two roles, in place of those that the application introduced."""
    offered = [("chief", "Chief"), ("keeper", "Keeper")]
    monkeypatch.setattr(directory._registered, "role_choices", lambda: offered)
    monkeypatch.setattr(directory._registered, "roles_listeners", [])
