"""Decide on a gate: sign it off, ask for changes, hold, decline; and set a soft requirement aside."""

import datetime as calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.entitlement import Surroundings
from okrgate.approvals.models import Receipt, Round, Seat, SignoffRow
from okrgate.approvals.service import MOVING, NewCondition
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import (
    ConditionSet,
    Event,
    Recipient,
    SignoffGiven,
    SignoffsVoided,
    WaiverGranted,
    publish,
)
from okrgate.gates.model import Rulebook, Transition
from okrgate.gates.verdict import Finding, Verdict
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import judging
from okrgate.stages.facts import Snapshot, digest_of, facts_as_json, gather
from okrgate.stages.moving import Answers, cross, locked, prepare, still_true
from okrgate.stages.settling import settle

_SPOKEN = {
    "approved": "approved",
    "approved_with_conditions": "approved, with conditions,",
    "objected": "objected to",
    "returned": "sent back",
    "held": "put on hold",
    "declined": "declined",
}
_SAID = {**_SPOKEN, "objected": "objected", "returned": "sent it back", "held": "put it on hold"}
_REASON_MIN = 3
_SENT_BEFORE = "This page was sent before. Open it again."


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
        decided=_decided(found.id),
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
            () if person in never else roles, refusal=_who_decided(known.decided, known.names)
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


def decide(round_id: int, ask: Ask, *, by: int) -> int:
    """Record a decision and, if it moves the project, the move: one transaction. Return the receipt's id.

    The same key twice is one decision. Raises Forbidden (may not sign), Invalid (reason or move missing), Conflict
    (the round is over, or what was signed is no longer what was seen).
    """
    known = _known(ask.key, by)
    if known is not None:
        return known
    db.session().expire_all()
    found = db.session().get(Round, round_id)
    if found is None:
        raise NotFound
    project = db.session().get_one(Project, found.project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    stand = _check_may_decide(project, rulebook, snapshot, found, by)
    if _content_now(rulebook, snapshot, found) != found.digest:
        # It changed outside the project (a metric's unit, for instance), so nothing began the round anew yet.
        settle(project.id)
    _check_seen(rulebook, snapshot, found, ask)
    _check_said(rulebook, stand, ask)
    name = directory.names([by]).get(by, "Somebody")
    prepared = None
    if ask.decision in MOVING:
        prepared = prepare(project.id, ask.move, by=by, answers=_answers(ask), signed=True)
    verdict = judging.strict_verdict(snapshot, rulebook, rulebook.transitions[found.transition])
    events = _events(project, rulebook, found, stand, ask, by, name)
    facts = facts_as_json(snapshot.facts_for(found.gate))
    digest = snapshot.facts_for(found.gate).digest()
    with transaction():
        project = locked(project.id)
        known = _known(ask.key, by)
        if known is not None:
            return known
        found = db.session().get_one(Round, round_id, populate_existing=True)
        if found.closed_at is not None:
            raise Conflict(_who_decided(_decided(found.id)))
        now = gather(project, rulebook)
        _check_may_decide(project, rulebook, now, found, by)
        _check_seen(rulebook, now, found, ask)
        if prepared is not None and not still_true(prepared):
            raise Conflict(
                "This project was changed while you decided. Look at what is new, then decide again."
            )
        row = approvals.add_signoff(
            found,
            by=by,
            roles=stand.roles,
            decision=ask.decision,
            reason=ask.reason.strip(),
            key=ask.key,
            conditions=ask.conditions,
        )
        receipt = approvals.add_receipt(
            project,
            kind="signoff",
            transition=found.transition,
            verdict=verdict,
            facts=facts
            if digest == now.facts_for(found.gate).digest()
            else facts_as_json(now.facts_for(found.gate)),
            content=found.content,
            by=by,
            meaning=_meaning(project, rulebook, found, ask, name),
            signoff=row,
        )
        project.version += 1
        for event in events:
            publish(event)
        if prepared is not None:
            cross(prepared, by=by, answers=_answers(ask))
        return receipt.id


def waive(project_id: int, requirement: str, *, reason: str, by: int) -> None:
    """Set a soft requirement of a gate ahead aside. Whoever may never sign may not waive either."""
    db.session().expire_all()
    project = db.session().get(Project, project_id)
    if project is None:
        raise NotFound
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    ahead = judging.judge_ahead(project, snapshot, rulebook)
    finding = missing_finding((one.verdict for one in ahead), requirement)
    role = check_may_waive(project, rulebook, snapshot, finding, by)
    name = directory.names([by]).get(by, "Somebody")
    concerned = {project.submitter_id: "you submitted it"}
    if project.lead_id:
        concerned[project.lead_id] = "you lead it"
    with transaction():
        project = locked(project_id)
        row = approvals.grant_waiver(project, rulebook, finding, role=role, by=by, reason=reason)
        project.version += 1
        publish(
            WaiverGranted(
                recipients=tuple(
                    Recipient(one, why) for one, why in concerned.items() if one != by
                ),
                by=name,
                by_id=by,
                path=f"/projects/{project.reference}",
                project_id=project.id,
                reference=project.reference,
                title=project.title,
                requirement=finding.message,
                reason=row.reason,
                expires=row.expires_on.isoformat(),
            )
        )


def missing_finding(verdicts: Iterable[Verdict], requirement: str) -> Finding:
    """Return the finding of a requirement ahead that can be set aside. Raises NotFound."""
    for verdict in verdicts:
        for finding in verdict.findings:
            if (
                finding.id == requirement
                and finding.status == "missing"
                and finding.waiver is not None
            ):
                return finding
    raise NotFound("This requirement is met by now, or it cannot be set aside.")


def check_may_waive(
    project: Project, rulebook: Rulebook, snapshot: Snapshot, finding: Finding, by: int
) -> str:
    """Return the role in which somebody may set a finding aside; raise Forbidden with the reason why not."""
    terms = finding.waiver
    roles = terms.by if terms else ()
    held = entitlement.holders(rulebook, roles, snapshot.around)
    mine = frozenset(role for role in roles if by in held[role])
    return waives_as(project, rulebook, snapshot.around, mine, finding, by)


def waives_as(
    project: Project,
    rulebook: Rulebook,
    around: Surroundings,
    mine: frozenset[str],
    finding: Finding,
    by: int,
) -> str:
    """Return the same for somebody whose roles in the project are known already."""
    roles = finding.waiver.by if finding.waiver else ()
    role = next((role for role in roles if role in mine), None)
    if role is None:
        labels = " or ".join(f"the {rulebook.roles[one].label}" for one in roles)
        raise Forbidden(f"Only {labels} can set this aside.")
    never = entitlement.barred(project, rulebook, around)
    if by in never:
        raise Forbidden(never[by].replace("sign", "set this aside"))
    return role


def _known(key: str, by: int) -> int | None:
    """Return the receipt of the decision that came with this key; nobody gets another's."""
    if not key:
        raise Invalid("Open the page again: it was sent without its key.")
    row = (
        db.session()
        .execute(
            select(Receipt.id, SignoffRow.person_id)
            .join(SignoffRow, SignoffRow.id == Receipt.signoff_id)
            .where(SignoffRow.key == key)
        )
        .first()
    )
    if row is None:
        return None
    if row.person_id != by:
        raise Conflict(_SENT_BEFORE)
    return int(row.id)


def _check_may_decide(
    project: Project, rulebook: Rulebook, snapshot: Snapshot, found: Round, by: int
) -> Standing:
    stand = standing(project, rulebook, snapshot, found, by)
    if stand.refusal:
        over = found.closed_at is not None or "already" in stand.refusal
        raise Conflict(stand.refusal) if over else Forbidden(stand.refusal)
    return stand


def _check_seen(rulebook: Rulebook, snapshot: Snapshot, found: Round, ask: Ask) -> None:
    if not _content_now(rulebook, snapshot, found) == found.digest == ask.digest:
        raise Conflict(
            "What you were about to sign was changed after you opened the page. Look at it again first."
        )


def _content_now(rulebook: Rulebook, snapshot: Snapshot, found: Round) -> str:
    return digest_of(snapshot.material(rulebook.material_of(found.gate)))


def _check_said(rulebook: Rulebook, stand: Standing, ask: Ask) -> None:
    problems: dict[str, str] = {}
    if ask.decision not in approvals.DECISIONS:
        problems["decision"] = "Choose a decision."
    if ask.decision != approvals.APPROVED and len(ask.reason.strip()) < _REASON_MIN:
        problems["reason"] = "Say why, so that others can act on it."
    if ask.decision == approvals.WITH_CONDITIONS and not ask.conditions:
        problems["conditions"] = "Add at least one condition, with its owner."
    if ask.decision in MOVING and ask.move not in {
        one.id for one in stand.moves.get(MOVING[ask.decision], ())
    }:
        problems["move"] = "Choose where the project goes."
    if problems:
        raise Invalid("Something is still needed.", problems)


def _moves(
    project: Project, rulebook: Rulebook, roles: frozenset[str]
) -> dict[str, tuple[Transition, ...]]:
    """Return the moves of each kind that somebody in these roles may take from here with a decision."""
    ahead = rulebook.transitions_from(project.stage)
    return {
        kind: tuple(one for one in ahead if one.kind == kind and roles & set(one.by))
        for kind in MOVING.values()
    }


def _answers(ask: Ask) -> Answers:
    return Answers(reason=ask.reason, revisit=ask.revisit, condition=ask.condition, date=ask.date)


def _meaning(project: Project, rulebook: Rulebook, found: Round, ask: Ask, name: str) -> str:
    gate = rulebook.gates[found.gate].label
    return (
        f"{name} {_SPOKEN[ask.decision]} “{gate}” of {project.reference} {project.title}, "
        f"round {found.number}, on content {found.digest[:16]}."
    )


def _decided(round_id: int) -> list[tuple[int, str]]:
    rows = db.session().execute(
        select(SignoffRow.person_id, SignoffRow.decision)
        .where(SignoffRow.round_id == round_id)
        .order_by(SignoffRow.id)
    )
    return [(person, decision) for person, decision in rows]


def _who_decided(decided: Sequence[tuple[int, str]], names: Mapping[int, str] | None = None) -> str:
    if names is None:
        names = directory.names(person for person, _ in decided)
    said = "; ".join(
        f"{names.get(person, 'Somebody')} {_SAID[decision].rstrip(',')}"
        for person, decision in decided
    )
    return f"This round of sign-off is over. {said}." if said else "This round of sign-off is over."


def _events(
    project: Project,
    rulebook: Rulebook,
    found: Round,
    stand: Standing,
    ask: Ask,
    by: int,
    name: str,
) -> Sequence[Event]:
    gate = rulebook.gates[found.gate].label
    told: dict[int, str] = {}
    for row in approvals.decisions_of(project.id):
        told[row["person_id"]] = "you decided on it earlier"
    told[project.submitter_id] = "you submitted it"
    if project.lead_id:
        told[project.lead_id] = "you lead it"
    told.pop(by, None)
    about: dict[str, Any] = {
        "by": name,
        "by_id": by,
        "path": f"/projects/{project.reference}",
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
    }
    events: list[Event] = [
        SignoffGiven(
            recipients=tuple(Recipient(one, why) for one, why in told.items()),
            gate=gate,
            decision=ask.decision,
            role=" and ".join(rulebook.roles[role].label for role in stand.roles),
            reason=ask.reason.strip(),
            conditions=tuple(condition.text for condition in ask.conditions),
            **about,
        )
    ]
    owners = directory.names(condition.owner_id for condition in ask.conditions)
    events += [
        ConditionSet(
            recipients=(Recipient(condition.owner_id, "you own this condition", asked=True),),
            condition=condition.text,
            owner=owners.get(condition.owner_id, "Somebody"),
            due=condition.due_on.isoformat() if condition.due_on else "",
            **about,
        )
        for condition in ask.conditions
    ]
    return events


def voided(
    project: Project,
    gate_label: str,
    because: str,
    people: Sequence[int],
    by: int | None,
    name: str,
) -> Event:
    """Return the news that sign-offs lapsed, for those who had given them."""
    return SignoffsVoided(
        recipients=tuple(
            Recipient(
                one, "you had signed it; you are asked again if your sign-off is still needed"
            )
            for one in people
        ),
        by=name,
        by_id=by,
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label,
        because=because,
    )
