"""Sign-offs and receipts: what somebody decided in a round, and the proof of it.

Everything that writes runs inside the caller's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, bindparam, delete, select, union

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import stand_ins
from okrgate.approvals.conditions import NewCondition
from okrgate.approvals.models import Condition, Receipt, Round, SeatPerson, SignoffRow
from okrgate.approvals.receipts import receipt_hash, seal
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.errors import Conflict, Invalid
from okrgate.gates.verdict import Signoff, Verdict
from okrgate.projects import together
from okrgate.projects.models import Project

APPROVED = "approved"
WITH_CONDITIONS = "approved_with_conditions"
OBJECTED = "objected"
MOVING = {"returned": "return", "held": "park", "declined": "decline"}
DECISIONS = (APPROVED, WITH_CONDITIONS, "returned", "held", OBJECTED, "declined")
# What the language of the rules calls a decision.
_IN_RULES = {APPROVED: "approved", WITH_CONDITIONS: "approved", OBJECTED: "rejected"}


def signers() -> tuple[Select[Any, Any], ...]:
    """Return queries for (project id, person id) of everybody who was asked to sign, or did, or has a condition to meet."""
    asked = select(Round.project_id, SeatPerson.person_id).join(
        SeatPerson, SeatPerson.round_id == Round.id
    )
    signed = select(SignoffRow.project_id, SignoffRow.person_id).where(
        SignoffRow.on_behalf_of_id.is_(None)
    )
    owing = select(Condition.project_id, Condition.owner_id)
    return asked, signed, owing, *stand_ins.readers()


def signoffs_of(project_id: int) -> dict[str, tuple[Signoff, ...]]:
    """Return each gate's sign-offs as the judge reads them: of an ended round they are stale.

    Each person counts with their latest word only; a stand-in's word is the word of whom they stand in for.
    """
    return _latest(db.session().execute(_SIGNED.where(Round.project_id == project_id)))


def signoffs_of_each(project_ids: Sequence[int]) -> dict[int, dict[str, tuple[Signoff, ...]]]:
    """Return the same for many projects, in one query; one without a sign-off is left out."""
    rows: dict[int, list[Any]] = {}
    query = _SIGNED.where(Round.project_id.in_(project_ids))
    for row in db.session().execute(query):
        rows.setdefault(row.SignoffRow.project_id, []).append(row)
    return {project: _latest(found) for project, found in rows.items()}


def _latest(rows: Iterable[Any]) -> dict[str, tuple[Signoff, ...]]:
    latest: dict[str, dict[int, tuple[SignoffRow, bool]]] = {}
    for row, gate, closed_at, closed_as in rows:
        stale = closed_at is not None and closed_as != "satisfied"
        latest.setdefault(gate, {})[row.on_behalf_of_id or row.person_id] = (row, stale)
    return {gate: _as_judged(found.values()) for gate, found in latest.items()}


def add_signoff(
    found: Round,
    *,
    by: int,
    roles: Iterable[str],
    decision: str,
    reason: str,
    key: str,
    conditions: Sequence[NewCondition] = (),
    on_behalf_of: int | None = None,
) -> SignoffRow:
    """Store a decision. Raises Conflict when this person, or whom they stand in for, has already decided."""
    check_writing()
    session = db.session()
    if decision not in DECISIONS:
        raise Invalid("Choose a decision.")
    if found.closed_at is not None:
        raise Conflict("This round of sign-off is over.")
    hands = {by, on_behalf_of or by}
    spoken = hands & stand_ins.hands_in(found.id)
    if spoken:
        you = "You have" if by in spoken else "Whom you stand in for has"
        raise Conflict(f"{you} already decided in this round.")
    row = SignoffRow(
        round_id=found.id,
        project_id=found.project_id,
        person_id=by,
        on_behalf_of_id=on_behalf_of,
        roles=sorted(roles),
        decision=decision,
        reason=reason,
        digest=found.digest,
        at=clock.now(),
        key=key,
    )
    session.add(row)
    session.flush()
    for condition in conditions:
        session.add(
            Condition(
                project_id=found.project_id,
                signoff_id=row.id,
                gate=found.gate,
                text=condition.text,
                owner_id=condition.owner_id,
                due_on=condition.due_on,
            )
        )
    session.execute(
        delete(SeatPerson).where(SeatPerson.round_id == found.id, SeatPerson.person_id.in_(hands))
    )
    stand_ins.unseat(found.id, hands)
    audit.record(
        f"signoff.{decision}",
        by=by,
        on_behalf_of=on_behalf_of,
        project_id=found.project_id,
        target=f"round:{found.id}",
        reason=reason,
        details={
            "gate": found.gate,
            "round": found.number,
            "roles": sorted(roles),
            "digest": found.digest,
            "conditions": [condition.text for condition in conditions],
        },
    )
    return row


def add_receipt(
    project: Project,
    *,
    kind: str,
    transition: str,
    verdict: Verdict,
    facts: Mapping[str, Any],
    content: Mapping[str, Any],
    by: int | None,
    meaning: str,
    signoff: SignoffRow | None = None,
) -> Receipt:
    """Keep the proof of what was decided, on which facts, under which rules, and seal it in the record."""
    check_writing()
    receipt = Receipt(
        kind=kind,
        project_id=project.id,
        signoff_id=signoff.id if signoff else None,
        transition=transition,
        gate=verdict.gate or "",
        rulebook_version_id=project.rulebook_version_id,
        by_id=by,
        at=clock.now(),
        meaning=meaning,
        facts=dict(facts),
        verdict=verdict.to_json(),
        content=dict(content),
    )
    receipt.hash = receipt_hash(receipt)
    db.session().add(receipt)
    db.session().flush()
    seal(receipt, signoff)
    return receipt


def decisions_of(project_id: int, names: Mapping[int, str] | None = None) -> list[dict[str, Any]]:
    """Return every decision on a project, newest first, with who decided and the conditions they set.

    What was taken back is among them, with the moment at which it was.
    """
    rows = list(db.session().execute(_DECISIONS, {"project": project_id}))
    if names is None:
        names = directory.names(
            one
            for row in rows
            for one in (row.SignoffRow.person_id, row.SignoffRow.on_behalf_of_id)
        )
    conditions: dict[int, list[Condition]] = {}
    for row in rows:
        if row.Condition is not None:
            conditions.setdefault(row.SignoffRow.id, []).append(row.Condition)
    latest = {row.SignoffRow.id: row for row in rows}
    return [
        {
            "id": row.SignoffRow.id,
            "name": said_by(row.SignoffRow.person_id, row.SignoffRow.on_behalf_of_id, names),
            "person_id": row.SignoffRow.person_id,
            "on_behalf_of": row.SignoffRow.on_behalf_of_id,
            "round_id": row.SignoffRow.round_id,
            "roles": tuple(row.SignoffRow.roles),
            "decision": row.SignoffRow.decision,
            "reason": row.SignoffRow.reason,
            "at": row.SignoffRow.at,
            "gate": row.gate,
            "round": row.number,
            "lapsed": row.closed_as not in (None, "satisfied"),
            "withdrawn": row.SignoffRow.withdrawn_at,
            "receipt_id": row.receipt_id,
            "conditions": conditions.get(row.SignoffRow.id, []),
        }
        for row in latest.values()
    ]


def said_by(person: int, on_behalf_of: int | None, names: Mapping[int, str]) -> str:
    """Say whose a decision is: "Vik", or "Vik for Mia"."""
    name = names.get(person, "Somebody")
    return f"{name} for {names.get(on_behalf_of, 'somebody')}" if on_behalf_of else name


def deciders(project_id: int) -> set[int]:
    """Return everybody who ever decided on a project, or was stood in for; nobody is asked for where no round ever was."""
    return set(
        together.many(
            Round,
            project_id,
            lambda: list(db.session().scalars(_DECIDERS, {"project": project_id})),
            "deciders",
        )
    )


def _as_judged(rows: Iterable[tuple[SignoffRow, bool]]) -> tuple[Signoff, ...]:
    return tuple(
        Signoff(
            role=role,
            by=str(row.person_id),
            decision=_IN_RULES.get(row.decision, row.decision),
            stale=stale,
            on_behalf_of=str(row.on_behalf_of_id) if row.on_behalf_of_id else None,
        )
        for row, stale in rows
        for role in row.roles
    )


_SIGNED = (
    select(SignoffRow, Round.gate, Round.closed_at, Round.closed_as)
    .join(Round, Round.id == SignoffRow.round_id)
    .where(SignoffRow.withdrawn_at.is_(None))
    .order_by(SignoffRow.id)
)
_DECIDERS: CompoundSelect[Any] = union(
    select(SignoffRow.person_id).where(SignoffRow.project_id == bindparam("project")),
    select(SignoffRow.on_behalf_of_id).where(
        SignoffRow.project_id == bindparam("project"), SignoffRow.on_behalf_of_id.is_not(None)
    ),
)
_DECISIONS = (
    select(
        SignoffRow,
        Round.gate,
        Round.number,
        Round.closed_as,
        Receipt.id.label("receipt_id"),
        Condition,
    )
    .join(Round, Round.id == SignoffRow.round_id)
    .outerjoin(Receipt, Receipt.signoff_id == SignoffRow.id)
    .outerjoin(Condition, Condition.signoff_id == SignoffRow.id)
    .where(SignoffRow.project_id == bindparam("project"))
    .order_by(SignoffRow.id.desc(), Condition.id)
    .limit(200)
)
