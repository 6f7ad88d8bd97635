"""Receipts: hash them, read them, check them."""

import hashlib
from typing import Any

from sqlalchemy import select

from okrgate.approvals.models import Condition, Receipt, Round, SignoffRow
from okrgate.database import canonical_json, db
from okrgate.errors import NotFound


def receipt_hash(receipt: Receipt) -> str:
    """Return the hash over everything a receipt says (sha256 of canonical JSON)."""
    body: dict[str, Any] = {
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
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


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
