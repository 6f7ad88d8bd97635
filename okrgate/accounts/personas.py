"""The demo's people, shown on its sign-in page. Nowhere else is a password known."""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from okrgate.accounts import roles
from okrgate.accounts.models import Person
from okrgate.config import Settings
from okrgate.database import db

_MOST = 16


@dataclass(frozen=True)
class Persona:
    """Somebody of the demo: who they are and what they may do there."""

    email: str
    name: str
    parts: tuple[str, ...]


def demo_personas() -> list[Persona]:
    """Return people of the demo who can sign in, those with most to say first; nobody outside the demo."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    if not settings.demo:
        return []
    query = (
        select(Person.id, Person.email, Person.name, Person.is_admin, Person.is_auditor)
        .where(Person.active, Person.password_hash.is_not(None))
        .order_by(Person.id)
        .limit(200)
    )
    people = db.session().execute(query).all()
    held = roles.in_words(person.id for person in people)
    found = [
        Persona(
            person.email,
            person.name,
            (
                *held.get(person.id, ()),
                *(("Administrator",) if person.is_admin else ()),
                *(("Auditor",) if person.is_auditor else ()),
            ),
        )
        for person in people
    ]
    return sorted(found, key=lambda persona: not persona.parts)[:_MOST]
