"""Rounds and their seats: who is asked for the sign-offs of a gate, since when, and until when.

Everything that writes runs inside the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select

from okrgate import clock
from okrgate.approvals import stand_ins
from okrgate.approvals.models import Round, Seat, SeatPerson, WaiverRow
from okrgate.audit import service as audit
from okrgate.database import check_writing, db
from okrgate.projects.models import Project


@dataclass(frozen=True)
class WantedSeat:
    """A seat as the verdict asks for it. `stand_ins` holds (stand-in, for whom) of its people."""

    requirement: str
    place: int
    roles: tuple[str, ...]
    excluded: tuple[str, ...]
    need: int
    label: str
    people: frozenset[int]
    open: bool
    stand_ins: frozenset[tuple[int, int]] = frozenset()


def open_round(project_id: int) -> Round | None:
    """Return the round that is open for a project, if any (there is at most one)."""
    return db.session().scalar(_OPEN, {"project": project_id})


_OPEN = (
    select(Round)
    .where(Round.project_id == bindparam("project"), Round.closed_at.is_(None))
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


def close_round(found: Round, *, closed_as: str, by: int | None, reason: str = "") -> set[int]:
    """End a round: nobody is waited for any more. Return whom it still waited for."""
    check_writing()
    found.closed_at = clock.now()
    found.closed_as = closed_as
    here = SeatPerson.round_id == found.id
    waiting = set(db.session().scalars(select(SeatPerson.person_id).where(here)))
    db.session().execute(delete(SeatPerson).where(here))
    waiting |= stand_ins.unseat(found.id)
    audit.record(
        f"round.{closed_as}",
        by=by,
        project_id=found.project_id,
        target=f"round:{found.id}",
        reason=reason,
        details={"gate": found.gate, "number": found.number},
    )
    return waiting


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
    spoken = stand_ins.hands_in(found.id)
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


def seats_of(round_id: int) -> list[Seat]:
    """Return the seats of a round."""
    return list(
        db.session().scalars(select(Seat).where(Seat.round_id == round_id).order_by(Seat.id))
    )


@dataclass(frozen=True)
class Table:
    """Who sits at a round: its seats, whom each waits for (by seat id), and the project's waivers in force."""

    seats: tuple[Seat, ...]
    waiting: Mapping[int, frozenset[int]]
    waivers: tuple[WaiverRow, ...]


def table_of(found: Round) -> Table:
    """Return a round's seats with their people, and its project's waivers, in one query."""
    in_force = and_(
        WaiverRow.project_id == Round.project_id,
        WaiverRow.rulebook_version_id == Round.rulebook_version_id,
        WaiverRow.revoked_at.is_(None),
        WaiverRow.expires_on >= clock.today(),
    )
    rows = db.session().execute(
        select(Seat, SeatPerson.person_id, WaiverRow)
        .select_from(Round)
        .outerjoin(Seat, Seat.round_id == Round.id)
        .outerjoin(SeatPerson, SeatPerson.seat_id == Seat.id)
        .outerjoin(WaiverRow, in_force)
        .where(Round.id == found.id)
        .order_by(Seat.id, WaiverRow.id)
    )
    seats: dict[int, Seat] = {}
    waiting: dict[int, set[int]] = {}
    waivers: dict[int, WaiverRow] = {}
    for seat, person, waiver in rows:
        if seat is not None:
            seats[seat.id] = seat
        if person is not None:
            waiting.setdefault(seat.id, set()).add(person)
        if waiver is not None:
            waivers[waiver.id] = waiver
    return Table(
        tuple(seats.values()),
        {seat: frozenset(people) for seat, people in waiting.items()},
        tuple(waivers.values()),
    )


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
