"""What somebody says in a round of sign-off, who may, and which moves each decision takes."""

import datetime as calendar
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.approvals import entitlement, stand_ins
from okrgate.approvals import service as approvals
from okrgate.approvals.entitlement import Surroundings
from okrgate.approvals.models import Round, Seat, SignoffRow
from okrgate.approvals.service import MOVING, NewCondition
from okrgate.approvals.stand_ins import StandIn
from okrgate.database import db
from okrgate.gates.model import Rulebook, Transition
from okrgate.projects.models import Project
from okrgate.stages.facts import Snapshot
from okrgate.stages.reaching import Reach
from okrgate.stages.turns import Turns, asked_now, first, turns_now

SPOKEN = {
    "approved": "approved",
    "approved_with_conditions": "approved, with conditions,",
    "objected": "objected to",
    "returned": "sent back",
    "held": "put on hold",
    "declined": "declined",
}
_SAID = {**SPOKEN, "objected": "objected", "returned": "sent it back", "held": "put it on hold"}
OVER = "You do not stand in here today, so the decision is not yours."


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
    on_behalf_of: int | None = None
    code: str = ""
    reach: Reach | None = None


@dataclass(frozen=True)
class Standing:
    """What one person may do in a round: the roles they hold in it, or the sentence that says why not.

    `on_behalf_of` is whom they would stand in for, and the roles are that person's then.
    """

    roles: tuple[str, ...] = ()
    refusal: str = ""
    moves: dict[str, tuple[Transition, ...]] = field(default_factory=dict)
    on_behalf_of: int | None = None


class Decided(NamedTuple):
    """Whose a decision in a round is, and what it says."""

    person_id: int
    decision: str
    on_behalf_of: int | None = None

    @property
    def hands(self) -> frozenset[int]:
        """Return whose word this is: they count as one."""
        return frozenset({self.person_id, self.on_behalf_of or self.person_id})


@dataclass(frozen=True)
class Known:
    """What a standing follows from: somebody's roles in the project, its people, the round's seats and decisions.

    `decided` is oldest first; `delegations` are those of today, none when this person stands in for nobody. `names`
    may be left out.
    """

    roles: frozenset[str]
    around: Surroundings
    settled: Mapping[str, calendar.datetime]
    seats: Sequence[Seat]
    decided: Sequence[Decided]
    delegations: Sequence[StandIn]
    names: Mapping[int, str] | None = None
    turns: Turns = field(default_factory=dict)

    @property
    def asked(self) -> Sequence[Seat]:
        """Return the seats whose turn has come."""
        return asked_now(self.seats, self.turns)

    def in_place(self, person: int) -> list[StandIn]:
        """Return the delegations in which this person stands in for somebody."""
        return [one for one in self.delegations if one.stand_in_id == person]


def standing(
    project: Project,
    rulebook: Rulebook,
    snapshot: Snapshot,
    found: Round,
    person: int,
    on_behalf_of: int | None = None,
) -> Standing:
    """Say whether somebody may decide in a round, in which roles, and which moves each decision may take.

    In their own name, or on behalf of somebody for whom they stand in today.
    """
    seats = approvals.seats_of(found.id)
    held = entitlement.holders(rulebook, roles_asked(project, rulebook, seats), snapshot.around)
    known = Known(
        roles=frozenset(role for role, people in held.items() if person in people),
        around=snapshot.around,
        settled=snapshot.settled,
        seats=seats,
        decided=decided_in(found.id),
        delegations=stand_ins.in_force(),
        turns=turns_now(rulebook, found.transition, snapshot),
    )
    if on_behalf_of is None:
        return stand(project, rulebook, found, person, known)
    return stand_in(project, rulebook, found, person, known, on_behalf_of, held)


def roles_asked(project: Project, rulebook: Rulebook, seats: Sequence[Seat]) -> list[str]:
    """Return the roles that matter for a decision: those of the seats, and those that may move the project."""
    asked = [role for seat in seats for role in seat.roles]
    return asked + [role for one in rulebook.transitions_from(project.stage) for role in one.by]


def stand(
    project: Project, rulebook: Rulebook, found: Round, person: int, known: Known
) -> Standing:
    """Say the same from what is known already. Asks nothing but, once a round is over, for names."""
    roles = _roles(known, known.roles)
    never = _never(project, rulebook, found, known)
    if found.closed_at is not None:
        # Whoever came too late is told who decided; whoever never signs is not even told that there was a round.
        return Standing(
            () if person in never else roles, refusal=who_decided(known.decided, known.names)
        )
    if not roles:
        early = first(known.seats, known.turns, known.roles)
        return Standing(refusal=early or "Your roles do not let you sign here.")
    refusal = _barred(person, never, known) or _spoken(person, known)
    if refusal:
        return Standing(refusal=refusal)
    return Standing(roles=roles, moves=_moves(project, rulebook, known.roles))


def stand_in(
    project: Project,
    rulebook: Rulebook,
    found: Round,
    person: int,
    known: Known,
    away: int,
    held: Mapping[str, Collection[int]],
) -> Standing:
    """Say what somebody may do in a round on behalf of `away`, given who holds which roles.

    Neither of the two may have a part in the project or have decided already, and the delegation has to cover it.
    """
    theirs = frozenset(role for role, people in held.items() if away in people)
    never = _never(project, rulebook, found, known)
    covered = _covered(project, known, person, away, theirs, never)
    refusal = _why_not_for(found, person, known, away, theirs, covered, never)
    if refusal:
        return Standing(refusal=refusal, on_behalf_of=away)
    reached = covered or frozenset()
    return Standing(
        roles=_roles(known, reached),
        moves=_moves(project, rulebook, reached),
        on_behalf_of=away,
    )


def _why_not_for(
    found: Round,
    person: int,
    known: Known,
    away: int,
    theirs: frozenset[str],
    covered: frozenset[str] | None,
    never: Mapping[int, str],
) -> str:
    if found.closed_at is not None:
        return who_decided(known.decided, known.names)
    if covered is None:
        return OVER
    if not _seated(known.seats, theirs):
        return "The person you stand in for is not asked to sign here."
    if not _seated(known.seats, covered):
        return "What you stand in for does not reach this project, so the decision is theirs."
    if not _seated(known.asked, covered):
        return first(known.seats, known.turns, covered)
    own = _barred(person, never, known) or _spoken(person, known)
    if own:
        return own
    if _barred(away, never, known):
        return (
            "The person you stand in for has a part in this project, so somebody else has to sign."
        )
    return _spoken(away, known, you=False)


def _never(project: Project, rulebook: Rulebook, found: Round, known: Known) -> dict[int, str]:
    return entitlement.barred(
        project,
        rulebook,
        known.around,
        since=known.settled.get(found.gate),
        delegations=known.delegations,
    )


def _covered(
    project: Project,
    known: Known,
    person: int,
    away: int,
    theirs: frozenset[str],
    never: Collection[int],
) -> frozenset[str] | None:
    """Return the roles in which somebody is stood in for today; None when there is no delegation at all."""
    found = [one for one in known.in_place(person) if one.person_id == away]
    if not found:
        return None
    here = stand_ins.covering(project, known.around.home_path, {*never, *_excluded(known)})
    return frozenset().union(*(stand_ins.covers(one, here, theirs) for one in found))


def _roles(known: Known, held: frozenset[str]) -> tuple[str, ...]:
    """Return the roles in which a word counts: of every seat, once one of theirs is asked. Nobody speaks twice."""
    return _seated(known.seats, held) if _seated(known.asked, held) else ()


def _seated(seats: Sequence[Seat], roles: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted({role for seat in seats for role in seat.roles} & roles))


def _barred(person: int, never: Mapping[int, str], known: Known) -> str:
    if person in never:
        return never[person]
    if person in _excluded(known):
        return "The rules leave you out of this sign-off, because of your part in the project."
    return ""


def _excluded(known: Known) -> set[int]:
    return {
        one
        for seat in known.seats
        for fact in seat.excluded
        for one in known.around.people.get(fact, ())
    }


def _spoken(person: int, known: Known, *, you: bool = True) -> str:
    """Say that a person's word is given already, by themselves or by whoever stood in for them."""
    one = next((each for each in known.decided if person in each.hands), None)
    if one is None:
        return ""
    if you and one.person_id == person and one.on_behalf_of is None:
        return "You have already decided in this round."
    return f"This was decided already: {said_in([one], known.names)[0]}."


def _moves(
    project: Project, rulebook: Rulebook, roles: frozenset[str]
) -> dict[str, tuple[Transition, ...]]:
    """Return the moves of each kind that somebody in these roles may take from here with a decision."""
    ahead = rulebook.transitions_from(project.stage)
    return {
        kind: tuple(one for one in ahead if one.kind == kind and roles & set(one.by))
        for kind in MOVING.values()
    }


def decided_in(round_id: int) -> list[Decided]:
    """Return who decided what in a round, oldest first."""
    rows = db.session().execute(
        select(SignoffRow.person_id, SignoffRow.decision, SignoffRow.on_behalf_of_id)
        .where(SignoffRow.round_id == round_id, SignoffRow.withdrawn_at.is_(None))
        .order_by(SignoffRow.id)
    )
    return [Decided(*row) for row in rows]


def who_decided(decided: Sequence[Decided], names: Mapping[int, str] | None = None) -> str:
    """Say of a round that is over who decided it."""
    said = "; ".join(said_in(decided, names))
    return f"This round of sign-off is over. {said}." if said else "This round of sign-off is over."


def said_in(decided: Sequence[Decided], names: Mapping[int, str] | None = None) -> tuple[str, ...]:
    """Say of each decision whose it was and what: "Vik approved", "Vik for Mia approved"."""
    if names is None:
        names = directory.names(one for each in decided for one in each.hands)
    return tuple(
        f"{approvals.said_by(one.person_id, one.on_behalf_of, names)} {_SAID[one.decision].rstrip(',')}"
        for one in decided
    )
