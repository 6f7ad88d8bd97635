"""What somebody says in a round of sign-off, who may, and which moves each decision takes."""

import datetime as calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.entitlement import Surroundings
from okrgate.approvals.models import Round, Seat, SignoffRow
from okrgate.approvals.service import MOVING, NewCondition
from okrgate.database import db
from okrgate.gates.model import Rulebook, Transition
from okrgate.projects.models import Project
from okrgate.stages.facts import Snapshot

SPOKEN = {
    "approved": "approved",
    "approved_with_conditions": "approved, with conditions,",
    "objected": "objected to",
    "returned": "sent back",
    "held": "put on hold",
    "declined": "declined",
}
_SAID = {**SPOKEN, "objected": "objected", "returned": "sent it back", "held": "put it on hold"}


@dataclass(frozen=True)
class Ask:
    """What somebody decides. `digest` is of the content they saw; `move` the transition a moving decision takes."""

    decision: str
    digest: str
    key: str
    reason: str = ""
    conditions: tuple[NewCondition, ...] = ()
    move: str = ""
    revisit: str = ""
    condition: str = ""
    date: calendar.date | None = None


@dataclass(frozen=True)
class Standing:
    """What one person may do in a round: the roles they hold in it, or the sentence that says why not."""

    roles: tuple[str, ...] = ()
    refusal: str = ""
    moves: dict[str, tuple[Transition, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What a standing follows from: somebody's roles in the project, its people, the round's seats and decisions.

    `decided` holds (person, decision), oldest first; `names` may be left out.
    """

    roles: frozenset[str]
    around: Surroundings
    settled: Mapping[str, calendar.datetime]
    seats: Sequence[Seat]
    decided: Sequence[tuple[int, str]]
    names: Mapping[int, str] | None = None


def standing(
    project: Project, rulebook: Rulebook, snapshot: Snapshot, found: Round, person: int
) -> Standing:
    """Say whether somebody may decide in a round, in which roles, and which moves each decision may take."""
    seats = approvals.seats_of(found.id)
    asked = [role for seat in seats for role in seat.roles]
    moving = [role for one in rulebook.transitions_from(project.stage) for role in one.by]
    held = entitlement.holders(rulebook, [*asked, *moving], snapshot.around)
    known = Known(
        roles=frozenset(role for role, people in held.items() if person in people),
        around=snapshot.around,
        settled=snapshot.settled,
        seats=seats,
        decided=decided_in(found.id),
    )
    return stand(project, rulebook, found, person, known)


def stand(
    project: Project, rulebook: Rulebook, found: Round, person: int, known: Known
) -> Standing:
    """Say the same from what is known already. Asks nothing but, once a round is over, for names."""
    roles = tuple(sorted({role for seat in known.seats for role in seat.roles} & known.roles))
    since = known.settled.get(found.gate)
    never = entitlement.barred(project, rulebook, known.around, since=since)
    if found.closed_at is not None:
        # Whoever came too late is told who decided; whoever never signs is not even told that there was a round.
        return Standing(
            () if person in never else roles, refusal=who_decided(known.decided, known.names)
        )
    if not roles:
        return Standing(refusal="Your roles do not let you sign here.")
    if person in never:
        return Standing(refusal=never[person])
    excluded = {
        one
        for seat in known.seats
        for fact in seat.excluded
        for one in known.around.people.get(fact, ())
    }
    if person in excluded:
        return Standing(
            refusal="The rules leave you out of this sign-off, because of your part in the project."
        )
    if any(one == person for one, _ in known.decided):
        return Standing(refusal="You have already decided in this round.")
    return Standing(roles=roles, moves=_moves(project, rulebook, known.roles))


def _moves(
    project: Project, rulebook: Rulebook, roles: frozenset[str]
) -> dict[str, tuple[Transition, ...]]:
    """Return the moves of each kind that somebody in these roles may take from here with a decision."""
    ahead = rulebook.transitions_from(project.stage)
    return {
        kind: tuple(one for one in ahead if one.kind == kind and roles & set(one.by))
        for kind in MOVING.values()
    }


def decided_in(round_id: int) -> list[tuple[int, str]]:
    """Return who decided what in a round, oldest first."""
    rows = db.session().execute(
        select(SignoffRow.person_id, SignoffRow.decision)
        .where(SignoffRow.round_id == round_id, SignoffRow.withdrawn_at.is_(None))
        .order_by(SignoffRow.id)
    )
    return [(person, decision) for person, decision in rows]


def who_decided(decided: Sequence[tuple[int, str]], names: Mapping[int, str] | None = None) -> str:
    """Say of a round that is over who decided it."""
    if names is None:
        names = directory.names(person for person, _ in decided)
    said = "; ".join(said_in(decided, names))
    return f"This round of sign-off is over. {said}." if said else "This round of sign-off is over."


def said_in(
    decided: Sequence[tuple[int, str]], names: Mapping[int, str] | None = None
) -> tuple[str, ...]:
    """Say of each decision whose it was and what: "Vik approved"."""
    if names is None:
        names = directory.names(person for person, _ in decided)
    return tuple(
        f"{names.get(person, 'Somebody')} {_SAID[decision].rstrip(',')}"
        for person, decision in decided
    )
