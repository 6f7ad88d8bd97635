"""Receipts: what they say, how that is hashed, and the row of the record that seals them."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from okrgate.approvals import proofs
from okrgate.approvals.models import Condition, Receipt, Round, SignatureProof, SignoffRow
from okrgate.audit import service as audit
from okrgate.database import canonical_json, db
from okrgate.errors import NotFound

SEALED = "receipt.written"
_MARK = 16


def body_of(receipt: Receipt) -> dict[str, Any]:
    """Return everything a receipt says, as it is hashed."""
    return {
        "kind": receipt.kind,
        "project": receipt.project_id,
        "signoff": receipt.signoff_id,
        "transition": receipt.transition,
        "gate": receipt.gate,
        "rulebook": receipt.rulebook_version_id,
        "by": receipt.by_id,
        "at": receipt.at.isoformat(timespec="microseconds"),
        "meaning": receipt.meaning,
        "facts": receipt.facts,
        "verdict": receipt.verdict,
        "content": receipt.content,
    }


def signed_body_of(signoff: SignoffRow) -> dict[str, Any]:
    """Return everything a sign-off says."""
    return {
        "id": signoff.id,
        "round": signoff.round_id,
        "project": signoff.project_id,
        "person": signoff.person_id,
        "on_behalf_of": signoff.on_behalf_of_id,
        "roles": signoff.roles,
        "decision": signoff.decision,
        "reason": signoff.reason,
        "digest": signoff.digest,
        "at": signoff.at.isoformat(timespec="microseconds"),
        "key": signoff.key,
    }


def hash_of(body: Mapping[str, Any]) -> str:
    """Return the fingerprint of plain JSON (sha256 of its canonical spelling)."""
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


def receipt_hash(receipt: Receipt) -> str:
    """Return the hash over everything a receipt says."""
    return hash_of(body_of(receipt))


def marks_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Return a short fingerprint of each part, by which one tells later which of them was changed."""
    return {name: hash_of({name: part})[:_MARK] for name, part in body.items()}


def seal(receipt: Receipt, signoff: SignoffRow | None) -> None:
    """Put a receipt's hash, and the marks of its parts and of its sign-off, into the record: from now on both are bound."""
    details: dict[str, Any] = {
        "gate": receipt.gate,
        "receipt": receipt.hash,
        "parts": marks_of(body_of(receipt)),
    }
    if signoff is not None:
        details["signed"] = marks_of(signed_body_of(signoff))
        proof = db.session().get(SignatureProof, signoff.id)
        if proof is not None:
            details["signature"] = marks_of(proofs.body_of(proof))
    audit.record(
        SEALED,
        by=receipt.by_id,
        on_behalf_of=signoff.on_behalf_of_id if signoff else None,
        project_id=receipt.project_id,
        target=target_of(receipt.id),
        details=details,
    )


def target_of(receipt_id: int) -> str:
    """Return what the record calls a receipt."""
    return f"receipt:{receipt_id}"


def get_receipt(receipt_id: int) -> Receipt:
    """Return a receipt. Raises NotFound."""
    receipt = db.session().get(Receipt, receipt_id)
    if receipt is None:
        raise NotFound
    return receipt


def said_in(receipt: Receipt) -> tuple[SignoffRow | None, list[Condition]]:
    """Return the sign-off that a receipt proves, if it is one, and the conditions it set."""
    if receipt.signoff_id is None:
        return None, []
    query = (
        select(SignoffRow, Condition)
        .outerjoin(Condition, Condition.signoff_id == SignoffRow.id)
        .where(SignoffRow.id == receipt.signoff_id)
        .order_by(Condition.id)
    )
    rows = db.session().execute(query).all()
    signoff = rows[0].SignoffRow if rows else None
    return signoff, [row.Condition for row in rows if row.Condition is not None]


def is_open(signoff: SignoffRow) -> bool:
    """Tell whether a decision can still be taken back: its round goes on, and it was not."""
    if signoff.withdrawn_at is not None:
        return False
    return db.session().get_one(Round, signoff.round_id).closed_at is None


def of_project(project_id: int) -> list[Receipt]:
    """Return a project's receipts, newest first."""
    query = select(Receipt).where(Receipt.project_id == project_id).order_by(Receipt.id.desc())
    return list(db.session().scalars(query))


def is_intact(receipt: Receipt) -> bool:
    """Tell whether a receipt still says what it said when it was written."""
    return receipt.hash == receipt_hash(receipt)
