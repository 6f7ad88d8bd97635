"""Single-use secrets sent by mail. The table keeps their hashes; the mail is the only place that has them."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, select, update

from okrgate import clock
from okrgate.accounts.models import Link, Person
from okrgate.accounts.sessions import hash_of
from okrgate.config import Settings
from okrgate.database import check_writing, db

INVITE = "invite"
RESET = "reset"
EMAIL_CHANGE = "email_change"
FIRST_ADMIN = "first_admin"
VALID_HOURS = {INVITE: 72, RESET: 2, EMAIL_CHANGE: 24, FIRST_ADMIN: 24}

_KEPT_AFTER_END = timedelta(days=30)


@dataclass(frozen=True)
class Found:
    """A link that still works, and for whom."""

    id: int
    purpose: str
    person_id: int
    name: str
    email: str
    new_email: str


def make(purpose: str, person_id: int, *, email: str = "") -> str:
    """Store a new link and return its path; earlier ones of the same purpose stop working."""
    check_writing()
    session = db.session()
    now = clock.now()
    token = secrets.token_urlsafe(32)
    void(person_id, purpose)
    session.execute(delete(Link).where(Link.expires_at < now - _KEPT_AFTER_END))
    session.add(
        Link(
            token_hash=hash_of(token),
            purpose=purpose,
            person_id=person_id,
            email=email,
            created_at=now,
            expires_at=now + timedelta(hours=VALID_HOURS[purpose]),
        )
    )
    return f"/accounts/link/{token}"


def find(token: str) -> Found | None:
    """Return what a link is for, if it was not used, is not too old and its person is active."""
    row = (
        db.session()
        .execute(
            select(Link.id, Link.purpose, Link.person_id, Person.name, Person.email, Link.email)
            .join(Person, Person.id == Link.person_id)
            .where(
                Link.token_hash == hash_of(token),
                Link.used_at.is_(None),
                Link.expires_at > clock.now(),
                Person.active,
            )
        )
        .first()
    )
    return Found(*row) if row else None


def use(token: str) -> Found | None:
    """Use a link up, in the open transaction. Only one of two at the same moment gets it."""
    check_writing()
    found = find(token)
    if found is None:
        return None
    used = db.session().execute(
        update(Link)
        .where(Link.id == found.id, Link.used_at.is_(None))
        .values(used_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return found if getattr(used, "rowcount", 0) == 1 else None


def void(person_id: int, *purposes: str) -> None:
    """Make a person's open links useless: those of these purposes, or all."""
    check_writing()
    query = update(Link).where(Link.person_id == person_id, Link.used_at.is_(None))
    if purposes:
        query = query.where(Link.purpose.in_(purposes))
    db.session().execute(
        query.values(used_at=clock.now()).execution_options(synchronize_session=False)
    )


def address(path: str) -> str:
    """Return the full address of a path, as people reach us."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    return settings.base_url + path


def forget(person_id: int) -> None:
    """Delete a person's links; they may hold an address."""
    check_writing()
    db.session().execute(delete(Link).where(Link.person_id == person_id))
