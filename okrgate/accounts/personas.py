"""The demo's people, shown on its sign-in page. Nowhere else is a password known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app
from ruamel.yaml import YAML
from sqlalchemy import select

from okrgate.accounts import roles
from okrgate.accounts.models import Person
from okrgate.config import Settings, resources
from okrgate.database import db

_OTHERS = "Others"
_MOST = 200


@dataclass(frozen=True)
class Persona:
    """Somebody of the demo: who they are, their part in words, and what one sees as them."""

    email: str
    name: str
    part: str
    sees: str


@dataclass(frozen=True)
class Group:
    """Personas who do the same kind of thing."""

    title: str
    people: Sequence[Persona]


@lru_cache(maxsize=1)
def welcome() -> Mapping[str, Any]:
    """Return what the demo says to whoever comes in: its personas and its tour."""
    path = resources() / "rules" / "demo" / "welcome.yaml"
    read: Mapping[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return read


def demo_personas() -> list[Group]:
    """Return the people of the demo who can sign in, in groups; nobody outside the demo."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    if not settings.demo:
        return []
    query = (
        select(Person.id, Person.email, Person.name, Person.is_admin, Person.is_auditor)
        .where(Person.active, Person.password_hash.is_not(None))
        .order_by(Person.id)
        .limit(_MOST)
    )
    left = {person.name: person for person in db.session().execute(query)}
    found = []
    for group in welcome()["personas"]:
        people = [
            Persona(left.pop(one["name"]).email, one["name"], one["role"], one["sees"])
            for one in group["people"]
            if one["name"] in left
        ]
        found.append(Group(group["group"], people))
    held = roles.in_words(person.id for person in left.values()) if left else {}
    others = [
        Persona(one.email, one.name, _part(held.get(one.id, []), one), "") for one in left.values()
    ]
    return [group for group in (*found, Group(_OTHERS, others)) if group.people]


def _part(held: Sequence[str], person: Any) -> str:
    rights = {"Administrator": person.is_admin, "Auditor": person.is_auditor}
    said = [*held, *(word for word, has in rights.items() if has)]
    return " · ".join(said) or "Colleague"
