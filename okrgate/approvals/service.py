"""Rounds, seats, sign-offs, waivers and conditions: kept here, moved by `stages`.

Everything that writes runs inside the caller's transaction: a sign-off, the move that follows from it, the audit
rows and the mails are one change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, union

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals.models import (
    Condition,
    Receipt,
    Round,
    Seat,
    SeatPerson,
    SignoffRow,
    WaiverRow,
)
from okrgate.approvals.receipts import receipt_hash
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import Finding, Signoff, Verdict, Waiver
from okrgate.projects.models import Project

APPROVED = "approved"
WITH_CONDITIONS = "approved_with_conditions"
OBJECTED = "objected"
MOVING = {"returned": "return", "held": "park", "declined": "decline"}
DECISIONS = (APPROVED, WITH_CONDITIONS, "returned", "held", OBJECTED, "declined")
# What the language of the rules calls a decision.
_IN_RULES = {APPROVED: "approved", WITH_CONDITIONS: "approved", OBJECTED: "rejected"}


def signers() -> Select[int, int]:
    """Return a query for (project id, person id) of everybody who was asked to sign, or did, or has a condition to meet."""
    asked = select(Round.project_id, SeatPerson.person_id).join(
        SeatPerson, SeatPerson.round_id == Round.id
    )
    signed = select(SignoffRow.project_id, SignoffRow.person_id)
    owing = select(Condition.project_id, Condition.owner_id)
    found = union(asked, signed, owing).subquery()
    return select(found.c.project_id, found.c.person_id)


@dataclass(frozen=True)
class WantedSeat:
    """A seat as the verdict asks for it."""

    requirement: str
    place: int
    roles: tuple[str, ...]
    excluded: tuple[str, ...]
    need: int
    label: str
    people: frozenset[int]
    open: bool


@dataclass(frozen=True)
class NewCondition:
    """A condition somebody attaches to an approval."""

    text: str
    owner_id: int
    due_on: date | None


def open_round(project_id: int) -> Round | None:
    """Return the round that is open for a project, if any (there is at most one)."""
    return db.session().scalar(
        select(Round)
        .where(Round.project_id == project_id, Round.closed_at.is_(None))
        .order_by(Round.id.desc())
    )


def last_settled(project_id: int) -> dict[str, datetime]:
    """Return when a round of each gate was last satisfied: edits before that were signed by others."""
    rows = db.session().execute(
        select(Round.gate, func.max(Round.closed_at))
        .where(Round.project_id == project_id, Round.closed_as == "satisfied")
        .group_by(Round.gate)
    )
    return {gate: at for gate, at in rows if at is not None}


def last_satisfied(project_id: int) -> Round | None:
    """Return the project's newest round that got its sign-offs, whichever gate it was for."""
    return db.session().scalar(
        select(Round)
        .where(Round.project_id == project_id, Round.closed_as == "satisfied")
        .order_by(Round.id.desc())
        .limit(1)
    )


def begin_round(
    project: Project,
    *,
    gate: str,
    transition: str,
    digest: str,
    content: Mapping[str, Any],
    due_on: date | None,
) -> Round:
    """Open the next round of a gate."""
    check_writing()
    number = db.session().scalar(
        select(func.count())
        .select_from(Round)
        .where(Round.project_id == project.id, Round.gate == gate)
    )
    opened = Round(
        project_id=project.id,
        gate=gate,
        transition=transition,
        number=(number or 0) + 1,
        opened_at=clock.now(),
        due_on=due_on,
        digest=digest,
        content=dict(content),
        rulebook_version_id=project.rulebook_version_id,
    )
    db.session().add(opened)
    db.session().flush()
    audit.record(
        "round.opened",
        by=None,
        project_id=project.id,
        target=f"round:{opened.id}",
        details={"gate": gate, "number": opened.number, "digest": digest},
    )
    return opened


def close_round(found: Round, *, closed_as: str, by: int | None, reason: str = "") -> None:
    """End a round: nobody is waited for any more."""
    check_writing()
    found.closed_at = clock.now()
    found.closed_as = closed_as
    db.session().execute(delete(SeatPerson).where(SeatPerson.round_id == found.id))
    audit.record(
        f"round.{closed_as}",
        by=by,
        project_id=found.project_id,
        target=f"round:{found.id}",
        reason=reason,
        details={"gate": found.gate, "number": found.number},
    )


def void_satisfied(project_id: int, *, keep: Sequence[str]) -> None:
    """Let satisfied rounds lapse, but for the gates in `keep`: the project went back and is signed again."""
    check_writing()
    for found in db.session().scalars(
        select(Round).where(
            Round.project_id == project_id, Round.closed_as == "satisfied", Round.gate.not_in(keep)
        )
    ):
        found.closed_as = "voided"
        audit.record(
            "round.voided",
            by=None,
            project_id=project_id,
            target=f"round:{found.id}",
            details={"gate": found.gate, "number": found.number},
        )


def seat_people(found: Round, wanted: Sequence[WantedSeat]) -> set[int]:
    """Make the seats and their queue as the verdict asks. Return whom nobody had asked in this round before."""
    check_writing()
    session = db.session()
    seats = {
        (seat.requirement, seat.place): seat
        for seat in session.scalars(select(Seat).where(Seat.round_id == found.id))
    }
    waiting = {
        (row.seat_id, row.person_id): row
        for row in session.scalars(select(SeatPerson).where(SeatPerson.round_id == found.id))
    }
    spoken = set(
        session.scalars(select(SignoffRow.person_id).where(SignoffRow.round_id == found.id))
    )
    before = {person for _, person in waiting}
    keep: set[tuple[int, int]] = set()
    for want in wanted:
        seat = seats.pop((want.requirement, want.place), None) or _new_seat(found, want)
        seat.roles, seat.excluded, seat.need, seat.label = (
            list(want.roles),
            list(want.excluded),
            want.need,
            want.label[:300],
        )
        if want.open:
            keep |= {(seat.id, person) for person in want.people - spoken}
    for key in keep - set(waiting):
        session.add(
            SeatPerson(
                round_id=found.id, seat_id=key[0], person_id=key[1], waiting_since=clock.now()
            )
        )
    for key in set(waiting) - keep:
        session.delete(waiting[key])
    session.flush()
    for left_over in seats.values():
        session.delete(left_over)
    session.flush()
    return {person for _, person in keep} - before


def _new_seat(found: Round, want: WantedSeat) -> Seat:
    seat = Seat(
        round_id=found.id,
        requirement=want.requirement,
        place=want.place,
        roles=list(want.roles),
        excluded=list(want.excluded),
        need=want.need,
        label=want.label[:300],
    )
    db.session().add(seat)
    db.session().flush()
    return seat


def signoffs_of(project_id: int) -> dict[str, tuple[Signoff, ...]]:
    """Return each gate's sign-offs as the judge reads them: of an ended round they are stale.

    Each person counts with their latest word only.
    """
    rows = db.session().execute(
        select(SignoffRow, Round.gate, Round.closed_at, Round.closed_as)
        .join(Round, Round.id == SignoffRow.round_id)
        .where(Round.project_id == project_id)
        .order_by(SignoffRow.id)
    )
    latest: dict[str, dict[int, tuple[SignoffRow, bool]]] = {}
    for row, gate, closed_at, closed_as in rows:
        stale = closed_at is not None and closed_as != "satisfied"
        latest.setdefault(gate, {})[row.person_id] = (row, stale)
    return {gate: _as_judged(found.values()) for gate, found in latest.items()}


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


def waivers_for(project: Project, today: date) -> tuple[Waiver, ...]:
    """Return the waivers in force today."""
    rows = db.session().scalars(
        select(WaiverRow).where(
            WaiverRow.project_id == project.id,
            WaiverRow.revoked_at.is_(None),
            WaiverRow.expires_on >= today,
            WaiverRow.rulebook_version_id == project.rulebook_version_id,
        )
    )
    return tuple(
        Waiver(requirement=row.requirement, role=row.role, by=str(row.by_id)) for row in rows
    )


def seats_of(round_id: int) -> list[Seat]:
    """Return the seats of a round."""
    return list(
        db.session().scalars(select(Seat).where(Seat.round_id == round_id).order_by(Seat.id))
    )


def seats_and_waiting(round_id: int) -> tuple[list[Seat], set[int]]:
    """Return the seats of a round and the people it waits for, in one query."""
    rows = db.session().execute(
        select(Seat, SeatPerson.person_id)
        .outerjoin(SeatPerson, SeatPerson.seat_id == Seat.id)
        .where(Seat.round_id == round_id)
        .order_by(Seat.id)
    )
    seats: dict[int, Seat] = {}
    people: set[int | None] = set()
    for seat, person in rows:
        seats[seat.id] = seat
        people.add(person)
    return list(seats.values()), {one for one in people if one is not None}


def add_signoff(
    found: Round,
    *,
    by: int,
    roles: Iterable[str],
    decision: str,
    reason: str,
    key: str,
    conditions: Sequence[NewCondition] = (),
) -> SignoffRow:
    """Store a decision. Raises Conflict when this person has already decided in this round."""
    check_writing()
    session = db.session()
    if decision not in DECISIONS:
        raise Invalid("Choose a decision.")
    if found.closed_at is not None:
        raise Conflict("This round of sign-off is over.")
    known = session.scalar(
        select(SignoffRow).where((SignoffRow.round_id == found.id) & (SignoffRow.person_id == by))
    )
    if known is not None:
        raise Conflict("You have already decided in this round.")
    row = SignoffRow(
        round_id=found.id,
        project_id=found.project_id,
        person_id=by,
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
        delete(SeatPerson).where(SeatPerson.round_id == found.id, SeatPerson.person_id == by)
    )
    audit.record(
        f"signoff.{decision}",
        by=by,
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
    """Keep the proof of what was decided, on which facts, under which rules."""
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
    return receipt


def grant_waiver(
    project: Project, rulebook: Rulebook, finding: Finding, *, role: str, by: int, reason: str
) -> WaiverRow:
    """Set a soft requirement aside for this project. The caller has checked who may."""
    check_writing()
    terms = finding.waiver
    if terms is None or role not in terms.by:
        raise Forbidden("This requirement cannot be set aside.")
    if len(reason.strip()) < terms.reason_min:
        raise Invalid(
            f"Say why in at least {terms.reason_min} characters.",
            {"reason": f"Say why in at least {terms.reason_min} characters."},
        )
    if any(one.requirement == finding.id for one in waivers_for(project, clock.today())):
        raise Conflict("This requirement was set aside already.")
    row = WaiverRow(
        project_id=project.id,
        requirement=finding.id,
        rulebook_version_id=project.rulebook_version_id,
        role=role,
        by_id=by,
        reason=reason.strip(),
        granted_at=clock.now(),
        expires_on=clock.today() + timedelta(days=terms.expires_days),
    )
    db.session().add(row)
    db.session().flush()
    audit.record(
        "waiver.granted",
        by=by,
        project_id=project.id,
        target=f"requirement:{finding.id}",
        reason=row.reason,
        details={"role": role, "expires_on": row.expires_on.isoformat()},
    )
    return row


def close_condition(condition_id: int, *, by: int, evidence: str) -> Condition:
    """Say how a condition was met. Only its owner may."""
    check_writing()
    condition = db.session().get(Condition, condition_id, with_for_update=True)
    if condition is None or condition.owner_id != by:
        raise Forbidden("Only the owner of a condition can close it.")
    if condition.closed_at is not None:
        raise Conflict("This condition is closed already.")
    if len(evidence.strip()) < 3:
        raise Invalid("Say how it was met.", {"evidence": "Say how it was met."})
    condition.closed_at = clock.now()
    condition.closed_by_id = by
    condition.evidence = evidence.strip()
    audit.record(
        "condition.closed",
        by=by,
        project_id=condition.project_id,
        target=f"condition:{condition.id}",
        reason=condition.evidence,
    )
    return condition


def get_condition(condition_id: int) -> Condition:
    """Return a condition. Raises NotFound."""
    condition = db.session().get(Condition, condition_id)
    if condition is None:
        raise NotFound
    return condition


def conditions_owned(person: int) -> list[tuple[Condition, str]]:
    """Return the open conditions somebody owns, with their projects' references."""
    query = (
        select(Condition, Project.reference)
        .join(Project, Project.id == Condition.project_id)
        .where(Condition.owner_id == person, Condition.closed_at.is_(None))
        .order_by(Condition.due_on.is_(None), Condition.due_on, Condition.id)
        .limit(50)
    )
    return [(row.Condition, row.reference) for row in db.session().execute(query)]


def conditions_of(project_id: int) -> list[Condition]:
    """Return a project's conditions, the open ones first."""
    return list(
        db.session().scalars(
            select(Condition)
            .where(Condition.project_id == project_id)
            .order_by(Condition.closed_at.is_not(None), Condition.id)
        )
    )


def condition_facts(project_id: int, today: date) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return the facts and the collection that gates read about conditions."""
    rows = conditions_of(project_id)
    still_open = [row for row in rows if row.closed_at is None]
    values = {
        "conditions.open": len(still_open),
        "conditions.overdue": sum(
            1 for row in still_open if row.due_on is not None and row.due_on < today
        ),
    }
    items = []
    for row in rows:
        item: dict[str, Any] = {
            "name": row.text[:200],
            "owner": str(row.owner_id),
            "closed": row.closed_at is not None,
            "gate": row.gate,
        }
        if row.due_on is not None:
            item["due"] = row.due_on
        items.append(item)
    return values, items


def decisions_of(project_id: int, names: Mapping[int, str] | None = None) -> list[dict[str, Any]]:
    """Return every decision on a project, newest first, with the names of those who decided."""
    rows = list(
        db.session().execute(
            select(
                SignoffRow,
                Round.gate,
                Round.number,
                Round.closed_as,
                Receipt.id.label("receipt_id"),
            )
            .join(Round, Round.id == SignoffRow.round_id)
            .outerjoin(Receipt, Receipt.signoff_id == SignoffRow.id)
            .where(SignoffRow.project_id == project_id)
            .order_by(SignoffRow.id.desc())
            .limit(100)
        )
    )
    if names is None:
        names = directory.names(row.SignoffRow.person_id for row in rows)
    return [
        {
            "name": names.get(row.SignoffRow.person_id, "Somebody"),
            "person_id": row.SignoffRow.person_id,
            "round_id": row.SignoffRow.round_id,
            "decision": row.SignoffRow.decision,
            "reason": row.SignoffRow.reason,
            "at": row.SignoffRow.at,
            "gate": row.gate,
            "round": row.number,
            "lapsed": row.closed_as not in (None, "satisfied"),
            "receipt_id": row.receipt_id,
        }
        for row in rows
    ]
