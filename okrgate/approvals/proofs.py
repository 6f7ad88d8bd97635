"""What a decision was confirmed with: kept beside the sign-off, printed wherever the decision is shown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.approvals.models import SignatureProof, SignoffRow
from okrgate.database import check_writing, db
from okrgate.factors import challenges, passkeys
from okrgate.factors.proving import PASSKEY, Checked

WORDS = {"app": "an authenticator app", "passkey": "a passkey", "recovery": "a recovery code"}


@dataclass(frozen=True)
class Shown:
    """A proof as pages, PDFs and mails print it."""

    method: str
    words: str
    label: str
    at: datetime
    binding: str

    @property
    def called(self) -> str:
        """Name the factor: a passkey “Phone”."""
        return f"{self.words} “{self.label}”" if self.label else self.words


def signed_with(body: Mapping[str, Any]) -> str:
    """Return what the meaning of a receipt adds: " Signed with a passkey on 2026-11-22 at 14:02 CET."."""
    return f" Signed with {WORDS[body['method']]} {when(datetime.fromisoformat(body['at']))}."


def when(at: datetime) -> str:
    """Print a moment with the company's zone: on 2026-11-22 at 14:02 CET."""
    there = at.astimezone(clock.company_zone())
    return f"on {there:%Y-%m-%d} at {there:%H:%M} {there.tzname()}"


def body_from(checked: Checked, act: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that confirms an act, in plain JSON values."""
    return {
        "method": checked.method,
        "label": checked.label,
        "credential": checked.credential,
        "at": checked.at.isoformat(timespec="microseconds"),
        "binding": checked.challenge.binding,
        "act": dict(act),
        "evidence": dict(checked.evidence),
    }


def add(signoff: SignoffRow, body: Mapping[str, Any]) -> SignatureProof:
    """Keep what a decision was confirmed with (a `body_from`), in its transaction."""
    check_writing()
    at = datetime.fromisoformat(body["at"])
    row = SignatureProof(signoff_id=signoff.id, **{**body, "at": at})
    db.session().add(row)
    db.session().flush()
    return row


def proof_of(signoff_id: int | None) -> Shown | None:
    """Return what a decision was confirmed with; nothing where the rules did not ask for it."""
    row = None if signoff_id is None else db.session().get(SignatureProof, signoff_id)
    return None if row is None else _shown(row)


def proofs_of(signoff_ids: Iterable[int]) -> dict[int, Shown]:
    """Return the same for many decisions, in one query."""
    wanted = set(signoff_ids)
    if not wanted:
        return {}
    rows = db.session().scalars(select(SignatureProof).where(SignatureProof.signoff_id.in_(wanted)))
    return {row.signoff_id: _shown(row) for row in rows}


def body_of(row: SignatureProof) -> dict[str, Any]:
    """Return everything a proof says, in plain JSON values, as the record seals it with its receipt."""
    return {
        "method": row.method,
        "label": row.label,
        "credential": row.credential,
        "at": row.at.isoformat(timespec="microseconds"),
        "binding": row.binding,
        "act": row.act,
        "evidence": row.evidence,
    }


def _bound(act: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a sign-off an act determines."""
    person = act.get("person")
    if "request" in act:
        return {
            "person": person,
            "decision": said.get("decision"),
            "key": f"change-{act['request']}-{person}",
        }
    return {
        "person": person,
        "on_behalf_of": said.get("on_behalf_of"),
        "round": act.get("round"),
        "decision": said.get("decision"),
        "reason": str(said.get("reason")).strip(),
        "digest": said.get("digest"),
    }


def _shown(row: SignatureProof) -> Shown:
    return Shown(row.method, WORDS.get(row.method, row.method), row.label, row.at, row.binding)


def misfits(body: Mapping[str, Any], signoff: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (part, what is wrong) where a proof is not of this sign-off. Both are plain JSON bodies; asks no table."""
    act, evidence = body["act"], body["evidence"]
    said = act.get("ask") if isinstance(act, dict) else None
    if not isinstance(said, dict) or not isinstance(evidence, dict):
        yield "act", "is not what a decision is"
        return
    if challenges.digest_of(act) != body["binding"]:
        yield "act", "does not match what was confirmed"
    for part, value in _bound(act, said).items():
        if signoff.get(part) != value:
            yield "act", f"is of another {part} than the sign-off"
    if body["method"] == PASSKEY:
        person = act.get("person")
        nonce = str(evidence.get("nonce", ""))
        to_sign = challenges.challenge_bytes(nonce, body["binding"], person)
        if not passkeys.still_holds(evidence, to_sign):
            yield "evidence", "is not what the passkey signed"
