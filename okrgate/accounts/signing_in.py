"""Come in, stay in, choose another password. Known and unknown people get the same words for the same work."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from okrgate.accounts import addresses, links, passwords, sessions, throttle
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import EmailChangeAsked, EmailChanged, Recipient, ResetAsked, publish

log = structlog.get_logger()

_WRONG = "The address or the password is not right. Check both, or choose a new password by mail."
_SIGN_IN, _RESET, _PASSWORD = "sign-in", "reset", "password"


class WrongPassword(Invalid):
    """What was typed lets nobody in."""


class DeadLink(NotFound):
    """The link was used, is too old, or never was one."""

    def __init__(self) -> None:
        """Say how to get another."""
        super().__init__(
            "This link no longer works: it was used, it is too old, or a newer one was sent. Ask for another."
        )


@dataclass(frozen=True)
class _Known:
    id: int | None
    stored: str | None


def sign_in(email: str, password: str, *, network: str, device: str) -> str:
    """Open a session and return its token. Raises WrongPassword or TooMany."""
    email = addresses.spelled(email)
    account = throttle.account(_SIGN_IN, email)
    address = throttle.network(_SIGN_IN, network)
    throttle.count_try(account, address)
    known = _known(email)
    if not passwords.fits(known.stored, password) or known.id is None or known.stored is None:
        _record_failure(known.id, email, network)
        raise WrongPassword(_WRONG)
    better = passwords.hash_of(password) if passwords.is_outdated(known.stored) else None
    with transaction() as session:
        person = session.get_one(Person, known.id, with_for_update=True)
        if not person.active or person.password_hash != known.stored:
            raise WrongPassword(_WRONG)
        if better:
            person.password_hash = better
        throttle.forgive(account)
        throttle.forgive(address, all_tries=False)
        audit.record("person.signed_in", by=person.id, target=f"person:{person.id}")
        return sessions.start(person.id, device)


def sign_out(token: str, *, by: int) -> None:
    """End the session of a token, wherever its cookie is."""
    with transaction():
        sessions.end(token)
        audit.record("person.signed_out", by=by, target=f"person:{by}")


def change_password(person_id: int, current: str, new: str, *, device: str) -> str:
    """Set a new password, end every session, and return the token of a new one."""
    person = check_own_password(person_id, current)
    sentence = passwords.weakness(new, name=person.name, email=person.email)
    if sentence is None and current == new:
        sentence = "Choose a password that is not the one you have."
    if sentence:
        raise Invalid(sentence, {"password": sentence})
    hashed = passwords.hash_of(new)
    with transaction() as session:
        fresh = session.get_one(Person, person_id, with_for_update=True)
        _set_password(fresh, hashed)
        audit.record("person.password_changed", by=person_id, target=f"person:{person_id}")
        return sessions.start(person_id, device)


def check_own_password(person_id: int, current: str) -> Person:
    """Return the person if this is their password; raises WrongPassword or TooMany."""
    counter = throttle.account(_PASSWORD, str(person_id))
    throttle.count_try(counter)
    person = db.session().get_one(Person, person_id)
    if not passwords.fits(person.password_hash, current):
        with transaction():
            audit.record("person.password_refused", by=person_id, target=f"person:{person_id}")
        sentence = "This is not your password."
        raise WrongPassword(sentence, {"current": sentence})
    throttle.forgive(counter)
    return db.session().get_one(Person, person_id)


def ask_reset(email: str, *, network: str) -> None:
    """Mail a link to choose a new password, if anybody has this address. Raises TooMany for the network only."""
    email = addresses.spelled(email)
    throttle.count_try(throttle.network(_RESET, network))
    try:
        throttle.count_try(throttle.account(_RESET, email))
    except throttle.TooMany:
        # Saying so would tell others apart; mail to this address has been asked for often enough.
        log.info("reset not mailed", why="throttled")
        return
    known = _known(email)
    with transaction():
        audit.record(
            "person.reset_asked",
            by=None,
            target=f"person:{known.id}" if known.id else "",
            details={} if known.id else {"address": throttle.keyed(email)[:16]},
        )
        if known.id is None:
            return
        publish(
            ResetAsked(
                recipients=(Recipient(known.id, "you asked for a new password", asked=True),),
                path=links.make(links.RESET, known.id),
                valid_hours=links.VALID_HOURS[links.RESET],
            )
        )


def check_link_password(token: str, password: str) -> None:
    """Raise DeadLink, or Invalid with the sentence about the password. Uses nothing."""
    found = links.find(token)
    if found is None:
        raise DeadLink
    sentence = passwords.weakness(password, name=found.name, email=found.email)
    if sentence:
        raise Invalid(sentence, {"password": sentence})


def use_password_link(token: str, password: str, *, device: str) -> str:
    """Set a password by a mailed link, and return the token of a new session. The link is used up."""
    check_link_password(token, password)
    hashed = passwords.hash_of(password)
    with transaction() as session:
        found = links.use(token)
        if found is None or found.purpose == links.EMAIL_CHANGE:
            raise DeadLink
        person = session.get_one(Person, found.person_id, with_for_update=True)
        if found.purpose == links.FIRST_ADMIN:
            _make_first_admin(session, person)
        joined = person.password_hash is None
        _set_password(person, hashed)
        throttle.forgive(throttle.account(_SIGN_IN, person.email))
        audit.record(
            "person.joined" if joined else "person.password_reset",
            by=person.id,
            target=f"person:{person.id}",
            details={"link": found.purpose},
        )
        return sessions.start(person.id, device)


def ask_email_change(person_id: int, email: str, current: str) -> None:
    """Mail a link to the new address. Nothing changes until it is opened by the same person."""
    email = addresses.spelled(email)
    sentence = addresses.fault(email)
    if sentence:
        raise Invalid(sentence, {"email": sentence})
    check_own_password(person_id, current)
    with transaction() as session:
        _check_free(session, email)
        audit.record("person.email_change_asked", by=person_id, target=f"person:{person_id}")
        publish(
            EmailChangeAsked(
                recipients=(Recipient(person_id, "you gave this as your new address", asked=True),),
                by_id=person_id,
                address=email,
                path=links.make(links.EMAIL_CHANGE, person_id, email=email),
                valid_hours=links.VALID_HOURS[links.EMAIL_CHANGE],
            )
        )


def use_email_link(token: str, *, by: int) -> None:
    """Take the new address, if whoever is signed in is who asked for it."""
    with transaction() as session:
        found = links.use(token)
        if found is None or found.purpose != links.EMAIL_CHANGE:
            raise DeadLink
        if found.person_id != by:
            raise Forbidden(
                "This link belongs to somebody else. Sign in as the one who asked for it."
            )
        _check_free(session, found.new_email)
        person = session.get_one(Person, by, with_for_update=True)
        before, person.email = person.email, found.new_email
        links.void(by)
        audit.record(
            "person.email_changed",
            by=by,
            target=f"person:{by}",
            details={"email": "changed"},
        )
        publish(
            EmailChanged(
                recipients=(Recipient(by, "your address was changed", asked=True),),
                by_id=by,
                address=before,
                path="/account",
            )
        )


def _known(email: str) -> _Known:
    row = (
        db.session()
        .execute(
            select(Person.id, Person.password_hash).where(Person.email == email, Person.active)
        )
        .first()
    )
    # Hashing takes a while; nothing of the database is held meanwhile.
    db.session().rollback()
    return _Known(row.id, row.password_hash) if row else _Known(None, None)


def _record_failure(person_id: int | None, email: str, network: str) -> None:
    details = {"network": throttle.keyed(network)[:16]}
    if person_id is None:
        details["address"] = throttle.keyed(email)[:16]
    with transaction():
        audit.record(
            "person.sign_in_failed",
            by=None,
            target=f"person:{person_id}" if person_id else "",
            details=details,
        )


def _set_password(person: Person, hashed: str) -> None:
    """Store a password; whoever was signed in and whatever was mailed before is out."""
    person.password_hash = hashed
    sessions.end_all(person.id)
    links.void(person.id, links.RESET, links.INVITE, links.FIRST_ADMIN)


def _make_first_admin(session: Session, person: Person) -> None:
    if session.scalar(working_admins().limit(1)) is not None:
        raise Conflict("There is an administrator already. Ask them for an invitation.")
    person.is_admin = True


def working_admins() -> Select[int]:
    """Ask for the ids of administrators who can sign in."""
    return (
        select(Person.id)
        .where(Person.active, Person.is_admin, Person.password_hash.is_not(None))
        .order_by(Person.id)
    )


def _check_free(session: Session, email: str) -> None:
    if session.scalar(select(Person.id).where(Person.email == email)) is not None:
        sentence = "Somebody has this address already."
        raise Invalid(sentence, {"email": sentence})
