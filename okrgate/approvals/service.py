"""The door to rounds, seats, sign-offs, waivers and conditions: kept here, moved by `stages`.

Everything that writes runs inside the caller's transaction: a sign-off, the move that follows from it, the audit
rows and the mails are one change.
"""

from okrgate.approvals.conditions import (
    NewCondition,
    close_condition,
    condition_facts,
    conditions_of,
    conditions_owned,
    get_condition,
)
from okrgate.approvals.rounds import (
    Table,
    WantedSeat,
    begin_round,
    close_round,
    last_satisfied,
    last_settled,
    open_round,
    seat_people,
    seats_of,
    table_of,
    void_satisfied,
)
from okrgate.approvals.signoffs import (
    APPROVED,
    DECISIONS,
    MOVING,
    OBJECTED,
    WITH_CONDITIONS,
    add_receipt,
    add_signoff,
    deciders,
    decisions_of,
    said_by,
    signers,
    signoffs_of,
    signoffs_of_each,
)
from okrgate.approvals.stand_ins import hands_in, seat_stand_ins, waits_for
from okrgate.approvals.waivers import (
    grant_waiver,
    waivers_for,
)
from okrgate.approvals.withdrawals import add_withdrawal, receipt_of_withdrawal, take_back

__all__ = [
    "APPROVED",
    "DECISIONS",
    "MOVING",
    "OBJECTED",
    "WITH_CONDITIONS",
    "NewCondition",
    "Table",
    "WantedSeat",
    "add_receipt",
    "add_signoff",
    "add_withdrawal",
    "begin_round",
    "close_condition",
    "close_round",
    "condition_facts",
    "conditions_of",
    "conditions_owned",
    "deciders",
    "decisions_of",
    "get_condition",
    "grant_waiver",
    "hands_in",
    "last_satisfied",
    "last_settled",
    "open_round",
    "receipt_of_withdrawal",
    "said_by",
    "seat_people",
    "seat_stand_ins",
    "seats_of",
    "signers",
    "signoffs_of",
    "signoffs_of_each",
    "table_of",
    "take_back",
    "void_satisfied",
    "waits_for",
    "waivers_for",
]
