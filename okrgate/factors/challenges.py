"""Challenges: what somebody answers with a second factor, bound to one person, browser and act, for five minutes, once."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete

from okrgate import clock
from okrgate.database import canonical_json, check_writing, db, insert_into
from okrgate.errors import Invalid
from okrgate.factors.models import SpentChallenge

VALID = timedelta(minutes=5)
FIELD = "factor_code"
_KEPT = timedelta(days=1)


class FactorRefused(Invalid):
    """What was shown proves nothing; the sentence says what to do."""

    def __init__(self, sentence: str) -> None:
        """Put the sentence at the field for the code."""
        super().__init__(sentence, {FIELD: sentence})


@dataclass(frozen=True)
class Challenge:
    """One question "is it you, and is it this?". `token` travels with the page; `binding` is the digest of the act."""

    token: str
    nonce: str
    binding: str
    person: int
    session: int
    made_at: datetime

    @property
    def to_sign(self) -> bytes:
        """Return what a passkey signs: it follows from the act, so the signature holds for nothing else."""
        return challenge_bytes(self.nonce, self.binding, self.person)


def challenge_bytes(nonce: str, binding: str, person: int) -> bytes:
    """Return what a passkey signs for an act."""
    return hashlib.sha256(f"okrgate-factor-1\0{nonce}\0{binding}\0{person}".encode()).digest()


def digest_of(act: Mapping[str, Any]) -> str:
    """Return the digest of an act in plain JSON values: who, what, on which content."""
    return hashlib.sha256(canonical_json(act).encode()).hexdigest()


def make(binding: str, *, person: int, session: int) -> Challenge:
    """Ask somebody in one browser for one act. Nothing is stored."""
    nonce, now = secrets.token_hex(16), clock.now().replace(microsecond=0)
    body = {"n": nonce, "b": binding, "p": person, "s": session, "t": int(now.timestamp())}
    return Challenge(_signer().dumps(body), nonce, binding, person, session, now)


def fitting(token: str, binding: str, *, person: int, session: int) -> Challenge:
    """Return the challenge of a token. Raises FactorRefused unless it is for this act, person and browser, and fresh."""
    found = _read(token)
    if found is None or (found.binding, found.person, found.session) != (binding, person, session):
        raise FactorRefused("This confirmation was for something else. Confirm once more.")
    age = clock.now() - found.made_at
    if not timedelta(seconds=-1) <= age <= VALID:
        raise FactorRefused("More than five minutes went by. Confirm once more.")
    return found


def spend(challenge: Challenge) -> None:
    """Use a challenge up, in the open transaction. Raises FactorRefused when it was used before."""
    check_writing()
    now, session = clock.now(), db.session()
    session.execute(delete(SpentChallenge).where(SpentChallenge.at < now - _KEPT))
    row = insert_into(SpentChallenge).values(nonce=challenge.nonce, at=now)
    taken = row.on_conflict_do_nothing().returning(SpentChallenge.nonce)
    if session.execute(taken).first() is None:
        raise FactorRefused("This confirmation was used already. Confirm once more.")


def _read(token: str) -> Challenge | None:
    try:
        body = _signer().loads(token)
    except BadSignature:
        return None
    made_at = datetime.fromtimestamp(body["t"], UTC)
    return Challenge(token, body["n"], body["b"], body["p"], body["s"], made_at)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt="okrgate.factors")
