"""Decisions that whoever took them took back, while their round was open.

Everything that writes runs inside the caller's transaction.
"""

from sqlalchemy import select

from okrgate import clock
from okrgate.approvals.models import Receipt, Round, SeatPerson, SignoffRow, SignoffWithdrawal
from okrgate.approvals.rounds import seats_of
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.errors import Conflict


def take_back(found: Round, row: SignoffRow, *, by: int, reason: str) -> None:
    """Let a decision count no more; its seats wait for this person again. The caller has checked who may.

    Raises Conflict when the round is over, or it was taken back before.
    """
    check_writing()
    if row.withdrawn_at is not None:
        raise Conflict("You took this decision back already.")
    if found.closed_at is not None:
        raise Conflict("This round of sign-off is over.")
    session = db.session()
    row.withdrawn_at = clock.now()
    # Whoever takes their word back knows that it is needed: they wait without being asked by mail.
    for seat in seats_of(found.id):
        if set(seat.roles) & set(row.roles):
            session.add(
                SeatPerson(
                    round_id=found.id,
                    seat_id=seat.id,
                    person_id=row.person_id,
                    waiting_since=clock.now(),
                )
            )
    session.flush()
    audit.record(
        "signoff.withdrawn",
        by=by,
        project_id=found.project_id,
        target=f"round:{found.id}",
        reason=reason,
        details={"gate": found.gate, "round": found.number, "decision": row.decision},
    )


def add_withdrawal(row: SignoffRow, receipt: Receipt, reason: str) -> None:
    """Keep the receipt of a withdrawal beside the decision it took back."""
    check_writing()
    db.session().add(SignoffWithdrawal(signoff_id=row.id, receipt_id=receipt.id, reason=reason))
    db.session().flush()


def receipt_of_withdrawal(signoff_id: int) -> int | None:
    """Return the receipt of a withdrawal, once there was one."""
    return db.session().scalar(
        select(SignoffWithdrawal.receipt_id).where(SignoffWithdrawal.signoff_id == signoff_id)
    )
