"""A person's second factors: which there are, add, remove, new recovery codes, and an administrator's reset."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from okrgate import clock
from okrgate.accounts import directory, sessions
from okrgate.accounts.models import Person
from okrgate.accounts.signing_in import working_admins
from okrgate.audit import service as audit
from okrgate.database import check_writing, db, insert_into, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import Recipient, SecondFactorChanged, publish
from okrgate.factors import codes, proving, sealing
from okrgate.factors.challenges import FIELD
from okrgate.factors.models import ConfirmedSession, RecoveryCode, SecondFactor
from okrgate.factors.passkeys import Made

APP, PASSKEY = proving.APP, proving.PASSKEY
WORDS = {APP: "authenticator app", PASSKEY: "passkey", proving.RECOVERY: "recovery code"}
CONFIRMED_FOR = timedelta(minutes=10)
_MOST = 10


@dataclass(frozen=True)
class Held:
    """One factor of a person. One that is not `readable` was sealed with a secret of okrgate that is gone."""

    id: int
    kind: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    readable: bool = True

    @property
    def called(self) -> str:
        """Name it in a sentence: the passkey “Phone”."""
        return f"the {WORDS[self.kind]} “{self.label}”"


def of_person(person_id: int) -> list[Held]:
    """Return somebody's factors, oldest first."""
    return [
        Held(
            one.id,
            one.kind,
            one.label,
            one.created_at,
            one.last_used_at,
            readable=one.kind != APP or codes.secret_of(one) is not None,
        )
        for one in rows_of(person_id)
    ]


def rows_of(person_id: int, kind: str = "") -> Sequence[SecondFactor]:
    """Return the rows of somebody's factors, oldest first."""
    query = select(SecondFactor).where(SecondFactor.person_id == person_id)
    if kind:
        query = query.where(SecondFactor.kind == kind)
    return list(db.session().scalars(query.order_by(SecondFactor.id)))


def has_any(person_id: int) -> bool:
    """Tell whether somebody has a factor to sign with."""
    return not lacking([person_id])


def lacking(people: Iterable[int]) -> set[int]:
    """Return who of these people has no factor at all: they cannot sign at a strict gate yet."""
    wanted = set(people)
    if not wanted:
        return set()
    query = select(SecondFactor.person_id).where(SecondFactor.person_id.in_(wanted)).distinct()
    return wanted - set(db.session().scalars(query))


def codes_left(person_id: int) -> int:
    """Return how many recovery codes somebody has left."""
    query = select(func.count()).where(
        RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
    )
    return int(db.session().scalar(query) or 0)


def add_app(person_id: int, *, secret: str, label: str, code: str, session: int) -> Sequence[str]:
    """Take an authenticator app that shows the right code. Return recovery codes, if they are the person's first."""
    step = codes.step_of(secret, codes.plain(code))
    if step is None:
        sentence = "This code is not right. Type the one that your app shows now."
        raise Invalid(sentence, {FIELD: sentence})
    row = SecondFactor(
        person_id=person_id,
        kind=APP,
        label=label,
        secret=sealing.seal(secret, codes.place_of(person_id)),
        last_step=step,
        created_at=clock.now(),
    )
    return _add(row, session)


def add_passkey(person_id: int, made: Made, *, label: str, session: int) -> Sequence[str]:
    """Take a passkey. Return recovery codes, if they are the person's first."""
    row = SecondFactor(
        person_id=person_id,
        kind=PASSKEY,
        label=label,
        credential=made.credential,
        public_key=made.public_key,
        uses=made.uses,
        created_at=clock.now(),
    )
    try:
        return _add(row, session)
    except IntegrityError as problem:
        raise Conflict("This passkey is known already.") from problem


def remove(factor_id: int, *, by: int, session: int) -> None:
    """Remove one of my factors; with the last one the recovery codes go, too."""
    with transaction() as rows:
        _lock(by)
        row = rows.get(SecondFactor, factor_id)
        if row is None or row.person_id != by:
            raise NotFound
        _check_confirmed(by, session)
        called = f"the {WORDS[row.kind]} “{row.label}”"
        kind = row.kind
        rows.delete(row)
        rows.flush()
        if not rows_of(by):
            rows.execute(delete(RecoveryCode).where(RecoveryCode.person_id == by))
        _changed("removed", by, session, kind, called)


def new_codes(person_id: int, *, session: int) -> Sequence[str]:
    """Return new recovery codes: the only time they are known. The ones before count no more."""
    with transaction():
        _lock(person_id)
        _check_confirmed(person_id, session)
        if not rows_of(person_id):
            raise Conflict("Add an authenticator app or a passkey first.")
        made = _replace_codes(person_id)
        _changed("codes", person_id, session, "recovery", "your recovery codes")
        return made


def reset(person_id: int, *, by: int) -> None:
    """Take every factor away from somebody who lost them: an administrator's act, told to them and to all administrators."""
    if person_id == by:
        raise Forbidden("You cannot reset your own second factor. Ask another administrator.")
    names = directory.names([person_id, by])
    with transaction() as rows:
        _lock(person_id)
        gone = [one.kind for one in rows_of(person_id)]
        if not gone:
            raise Conflict("They have no second factor.")
        forget(person_id)
        sessions.end_all(person_id)
        audit.record(
            "person.factors_reset", by=by, target=f"person:{person_id}", details={"kinds": gone}
        )
        told = SecondFactorChanged(
            recipients=(Recipient(person_id, "it is your account", asked=True),),
            by=names.get(by, "Somebody"),
            by_id=by,
            path="/account/second-factor",
            kind="reset",
        )
        publish(told)
        admins = [one for one in rows.scalars(working_admins()) if one != person_id]
        publish(
            SecondFactorChanged(
                recipients=tuple(
                    Recipient(one, "you are an administrator", asked=one == by) for one in admins
                ),
                by=told.by,
                by_id=by,
                path=f"/admin/people/{person_id}",
                kind="reset",
                person=names.get(person_id, "Somebody"),
            )
        )


def forget(person_id: int) -> None:
    """Delete everything of somebody's factors, in the open transaction."""
    check_writing()
    for table in (SecondFactor, RecoveryCode, ConfirmedSession):
        db.session().execute(delete(table).where(table.person_id == person_id))


def confirm(person_id: int, *, session: int, device: str, checked: proving.Checked | None) -> str:
    """Remember that somebody showed who they are; their session gets a new name. Return its token."""
    with transaction() as rows:
        if checked is not None:
            proving.spend(checked)
        elif rows_of(person_id):
            raise Forbidden("Your password is not enough: show the second factor that you have.")
        sessions.end_one(session, person_id=person_id)
        token = sessions.start(person_id, device)
        fresh = sessions.id_of(token)
        now = clock.now()
        rows.execute(delete(ConfirmedSession).where(ConfirmedSession.at < now - CONFIRMED_FOR))
        rows.execute(
            insert_into(ConfirmedSession).values(session_id=fresh, person_id=person_id, at=now)
        )
        audit.record("person.confirmed", by=person_id, target=f"person:{person_id}")
        return token


def is_confirmed(person_id: int, session: int) -> bool:
    """Tell whether somebody showed in this browser, a moment ago, who they are."""
    row = db.session().get(ConfirmedSession, session)
    return row is not None and row.person_id == person_id and clock.now() - row.at <= CONFIRMED_FOR


def held_on(person_id: int) -> list[dict[str, Any]]:
    """Return what is held of somebody's factors, for themselves: no secret is in it."""
    return [
        {
            "kind": WORDS[one.kind],
            "name": one.label,
            "since": one.created_at.isoformat(),
            "last_used": one.last_used_at.isoformat() if one.last_used_at else None,
        }
        for one in of_person(person_id)
    ]


def unreadable() -> int:
    """Return how many authenticator apps were sealed with a secret that is gone."""
    rows = db.session().scalars(select(SecondFactor).where(SecondFactor.kind == APP))
    return sum(codes.secret_of(one) is None for one in rows)


def _add(row: SecondFactor, session: int) -> Sequence[str]:
    with transaction() as rows:
        _lock(row.person_id)
        _check_confirmed(row.person_id, session)
        known = rows_of(row.person_id)
        if len(known) >= _MOST:
            raise Conflict(f"You have {_MOST} already. Remove one first.")
        rows.add(row)
        rows.flush()
        made = [] if codes_left(row.person_id) else _replace_codes(row.person_id)
        called = f"the {WORDS[row.kind]} “{row.label}”"
        _changed("added", row.person_id, session, row.kind, called)
        return made


def _replace_codes(person_id: int) -> Sequence[str]:
    made, now = codes.new_recovery_codes(), clock.now()
    db.session().execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    db.session().add_all(
        RecoveryCode(
            person_id=person_id, code_hash=codes.recovery_hash(person_id, code), created_at=now
        )
        for code in made
    )
    return made


def _changed(what: str, person: int, session: int, kind: str, called: str) -> None:
    """Record and tell it; every other browser is signed out (S10)."""
    sessions.end_all(person, but=session)
    audit.record(
        f"person.factor_{what}", by=person, target=f"person:{person}", details={"kind": kind}
    )
    publish(
        SecondFactorChanged(
            recipients=(Recipient(person, "it is your account", asked=True),),
            by=directory.names([person]).get(person, "Somebody"),
            by_id=person,
            path="/account/second-factor",
            kind=what,
            factor=called,
        )
    )


def _lock(person_id: int) -> None:
    """One change of somebody's factors at a time."""
    db.session().get_one(Person, person_id, with_for_update=True)


def _check_confirmed(person_id: int, session: int) -> None:
    if not is_confirmed(person_id, session):
        raise Conflict("Show first that it is you: open the page Second factor again.")
