"""Server-side sign-in sessions.

The cookie carries a random token, the table its hash: whoever reads the table can sign in as nobody, and a
session that was ended is dead wherever its cookie was copied to.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from flask import current_app, g, has_request_context, request, session
from flask_login import LoginManager, login_user, logout_user
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import OperationalError

from okrgate import clock
from okrgate.accounts.models import Person, SignInSession
from okrgate.config import Settings
from okrgate.database import ask, check_writing, db, transaction

log = structlog.get_logger()

_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Reader:
    """Whoever is signed in, as every page knows them (`current_user`)."""

    id: int
    name: str
    email: str
    is_admin: bool
    is_auditor: bool
    unit_id: int | None
    zone: ZoneInfo
    session_id: int
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return what the cookie carries."""
        return self.token


@dataclass(frozen=True)
class Open:
    """One browser in which somebody is signed in."""

    id: int
    device: str
    created_at: datetime
    seen_at: datetime


def install(manager: LoginManager, settings: Settings) -> None:
    """Teach Flask-Login to find the person behind a session row. `settings` are the application's own."""
    # Flask-Login's own check compares network and browser: it throws out people on the move.
    manager.session_protection = None
    manager.user_loader(lambda token: find(str(token), settings))


def start(person_id: int, device: str = "") -> str:
    """Open a session and return its token: the only time that it is known."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with transaction() as rows:
        rows.add(
            SignInSession(
                token_hash=hash_of(token),
                person_id=person_id,
                created_at=now,
                seen_at=now,
                device=device[:200],
            )
        )
    return token


def find(token: str, settings: Settings) -> Reader | None:
    """Return who is signed in with a token, if the session still holds and the person is active."""
    nothing_read_yet = not db.session().in_transaction()
    row = ask(_SIGNED_IN, {"token": hash_of(token)}).first()
    if row is None or not _holds(row.created_at, row.seen_at, settings):
        return None
    if nothing_read_yet and not _by_itself() and clock.now() - row.seen_at >= _SEEN_EVERY:
        _see(row.session_id)
    return Reader(
        id=row.id,
        name=row.name,
        email=row.email,
        is_admin=row.is_admin,
        is_auditor=row.is_auditor,
        unit_id=row.unit_id,
        zone=zone_named(row.timezone),
        session_id=row.session_id,
        token=token,
    )


def _by_itself() -> bool:
    """Tell whether a page asks, not a person: a tab left open must not keep a session alive."""
    return has_request_context() and "X-By-Itself" in request.headers


# Written once: every request asks it.
_SIGNED_IN = (
    select(
        SignInSession.id.label("session_id"),
        SignInSession.created_at,
        SignInSession.seen_at,
        Person.id,
        Person.name,
        Person.email,
        Person.is_admin,
        Person.is_auditor,
        Person.unit_id,
        Person.timezone,
    )
    .join(Person, Person.id == SignInSession.person_id)
    .where(
        SignInSession.token_hash == bindparam("token"),
        SignInSession.ended_at.is_(None),
        Person.active,
    )
)


def id_of(token: str) -> int:
    """Return the number of a session that is open, by its token."""
    return int(
        db.session()
        .execute(select(SignInSession.id).where(SignInSession.token_hash == hash_of(token)))
        .scalar_one()
    )


def end(token: str) -> None:
    """End the session of a token."""
    _end(SignInSession.token_hash == hash_of(token))


def end_one(session_id: int, *, person_id: int) -> bool:
    """End one session of a person. Return whether it was open and theirs."""
    return _end(SignInSession.id == session_id, SignInSession.person_id == person_id) > 0


def end_all(person_id: int, *, but: int | None = None) -> int:
    """End every session of a person, except the one named. Return how many."""
    return _end(SignInSession.person_id == person_id, SignInSession.id != (but or 0))


def open_sessions(person_id: int) -> Sequence[Open]:
    """Return where a person is signed in, the last used first."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    query = (
        select(
            SignInSession.id, SignInSession.device, SignInSession.created_at, SignInSession.seen_at
        )
        .where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
        .order_by(SignInSession.seen_at.desc(), SignInSession.id.desc())
        .limit(100)
    )
    rows = [Open(*row) for row in db.session().execute(query)]
    return [row for row in rows if _holds(row.created_at, row.seen_at, settings)]


def forget(person_id: int) -> None:
    """Delete a person's sessions, in the open transaction; they tell of devices and hours."""
    check_writing()
    db.session().execute(delete(SignInSession).where(SignInSession.person_id == person_id))


def take_into_browser(token: str) -> None:
    """Put a fresh session into the answer's cookie; nothing of the session before stays in it."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    _empty()
    reader = find(token, settings)
    if reader is not None:
        login_user(reader)


def forget_in_browser() -> None:
    """Empty the answer's cookie."""
    logout_user()
    _empty()


def _empty() -> None:
    session.clear()
    # The token for forms is kept for the length of a request; the one of the session before is void.
    g.pop("csrf_token", None)


def hash_of(token: str) -> str:
    """Return what the tables keep of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def zone_named(name: str) -> ZoneInfo:
    """Return a person's zone; the company's when they chose none, or one that is gone."""
    try:
        return ZoneInfo(name) if name else clock.company_zone()
    except (ZoneInfoNotFoundError, ValueError):
        return clock.company_zone()


def _holds(created_at: datetime, seen_at: datetime, settings: Settings) -> bool:
    now = clock.now()
    return now < created_at + settings.session_absolute and now < seen_at + settings.session_idle


def _end(*which: object) -> int:
    with transaction() as rows:
        found = rows.execute(
            update(SignInSession)
            .where(*which, SignInSession.ended_at.is_(None))  # type: ignore[arg-type]
            .values(ended_at=clock.now())
            .execution_options(synchronize_session=False)
        )
        return int(getattr(found, "rowcount", 0))


def _see(session_id: int) -> None:
    """Remember that the session is used: the one thing that is written when a page is read."""
    try:
        with transaction() as rows:
            rows.execute(
                update(SignInSession)
                .where(SignInSession.id == session_id)
                .values(seen_at=clock.now())
                .execution_options(synchronize_session=False)
            )
    except OperationalError as problem:
        # A busy or read-only database must not keep anybody from reading.
        log.warning("last use not noted", problem=str(problem.orig))
