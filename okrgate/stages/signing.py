"""Decide on a gate: sign it off, ask for changes, hold, decline."""

from dataclasses import replace

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.approvals import proofs
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Receipt, Round, SignoffRow
from okrgate.approvals.service import MOVING
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import publish
from okrgate.factors import proving
from okrgate.factors.proving import Checked, FactorNeeded, Proof
from okrgate.gates.engine import GateUnjudgeable, judge
from okrgate.gates.model import Rulebook, Signoff, Transition
from okrgate.gates.verdict import Verdict
from okrgate.once import once
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import confirming, judging
from okrgate.stages.crossing import cross
from okrgate.stages.facts import Snapshot, digest_of, facts_as_json, gather
from okrgate.stages.preparing import Answers, Prepared, locked, prepare, still_true
from okrgate.stages.settling import settle
from okrgate.stages.signing_news import decided
from okrgate.stages.standing import (
    SPOKEN,
    Ask,
    Standing,
    decided_in,
    said_in,
    standing,
    who_decided,
)

__all__ = ["Ask", "decide", "standing"]

_REASON_MIN = 3
_SENT_BEFORE = "This page was sent before. Open it again."


def decide(round_id: int, ask: Ask, *, by: int, proof: Proof | None = None) -> int:
    """Record a decision and, if it moves the project, the move: one transaction. Return the receipt's id.

    The same key twice is one decision. Raises Forbidden (may not sign), Invalid (reason or move missing), Conflict
    (the round is over, or what was signed is no longer what was seen). At a gate that is signed strictly it raises
    FactorNeeded without a proof for exactly this decision, and FactorRefused or TooMany for one that does not hold.
    """
    return once(lambda: _known(ask.key, by), lambda: _decide(round_id, ask, by, proof))


def _decide(round_id: int, ask: Ask, by: int, proof: Proof | None) -> int:
    db.session().expire_all()
    found = db.session().get(Round, round_id)
    if found is None:
        raise NotFound
    project = db.session().get_one(Project, found.project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    stand = _check_may_decide(project, rulebook, snapshot, found, by, ask.on_behalf_of)
    if _content_now(rulebook, snapshot, found) != found.digest:
        # It changed outside the project (a metric's unit, for instance), so nothing began the round anew yet.
        settle(project.id)
    _check_seen(rulebook, snapshot, found, ask)
    _check_said(rulebook, stand, ask)
    name = approvals.said_by(by, ask.on_behalf_of, directory.names([by, ask.on_behalf_of]))
    prepared = None
    if ask.decision in MOVING:
        prepared = prepare(project.id, ask.move, by=by, answers=_answers(ask), signed=True)
        prepared.name, prepared.on_behalf_of = name, ask.on_behalf_of
    act = confirming.act_of(found, ask, by)
    checked = confirming.confirmed(rulebook, found.gate, act, by, proof)
    transition = rulebook.transitions[found.transition]
    verdict = judging.strict_verdict(snapshot, rulebook, transition)
    # Whoever hears of the move that a decision brings about does not get a second mail about the decision.
    moves = prepared is not None or _opens(rulebook, snapshot, found, stand, ask, by)
    events = decided(project, rulebook, found, stand, ask, by, name, moves=moves, checked=checked)
    facts = facts_as_json(snapshot.facts_for(found.gate))
    with transaction():
        project = locked(project.id)
        found = db.session().get_one(Round, round_id, populate_existing=True)
        if found.closed_at is not None:
            raise Conflict(who_decided(decided_in(found.id)))
        now = gather(project, rulebook)
        stand = _check_may_decide(project, rulebook, now, found, by, ask.on_behalf_of)
        _check_seen(rulebook, now, found, ask)
        verdict, judged = _judged_now(rulebook, transition, verdict, snapshot, now)
        _check_still_needed(transition, verdict, found)
        if prepared is not None:
            _check_still_true(prepared, found)
        _spend(project, found, checked)
        row = approvals.add_signoff(
            found,
            by=by,
            roles=stand.roles,
            decision=ask.decision,
            reason=ask.reason.strip(),
            key=ask.key,
            conditions=ask.conditions,
            on_behalf_of=ask.on_behalf_of,
        )
        if checked is not None:
            proofs.add(row, proofs.body_from(checked, act))
        receipt = approvals.add_receipt(
            project,
            kind="signoff",
            transition=found.transition,
            verdict=verdict,
            facts=facts if judged is snapshot else facts_as_json(judged.facts_for(found.gate)),
            content=found.content,
            by=by,
            meaning=_meaning(project, rulebook, found, ask, name, checked),
            signoff=row,
        )
        project.version += 1
        for event in events:
            publish(event)
        if prepared is not None:
            cross(prepared, by=by, answers=_answers(ask))
        return receipt.id


def _spend(project: Project, found: Round, checked: Checked | None) -> None:
    """Use the second factor up; where new rules ask for one by now, nothing is decided without it."""
    if checked is not None:
        proving.spend(checked)
    elif confirming.is_strict(rulebooks.rulebook(project.rulebook_version_id), found.gate):
        raise FactorNeeded("")


def _judged_now(
    rulebook: Rulebook, transition: Transition, verdict: Verdict, then: Snapshot, now: Snapshot
) -> tuple[Verdict, Snapshot]:
    """Return the verdict and what it was judged on: judged again when somebody else decided meanwhile."""
    gate = transition.gate
    if now.facts_for(gate).digest() == then.facts_for(gate).digest():
        return verdict, then
    return judging.strict_verdict(now, rulebook, transition), now


def _check_still_needed(transition: Transition, verdict: Verdict, found: Round) -> None:
    """Raise Conflict when the gate is open already: the project is about to go on by itself.

    Between the decision that opened it and the move that follows, a second one would be one too many.
    """
    if transition.auto and verdict.allowed:
        raise Conflict(who_decided(decided_in(found.id)))


def _check_still_true(prepared: Prepared, found: Round) -> None:
    if not still_true(prepared):
        said = "; ".join(said_in(decided_in(found.id)))
        who = f" {said}." if said else ""
        raise Conflict(
            f"This project was changed while you decided.{who} Look at what is new, then decide again."
        )


def _opens(
    rulebook: Rulebook, snapshot: Snapshot, found: Round, stand: Standing, ask: Ask, by: int
) -> bool:
    """Tell whether the project will go on by itself with this decision."""
    transition = rulebook.transitions[found.transition]
    if not transition.auto or ask.decision != approvals.APPROVED:
        return False
    facts = snapshot.facts_for(found.gate)
    behalf = str(ask.on_behalf_of) if ask.on_behalf_of else None
    spoken = tuple(Signoff(role, str(by), on_behalf_of=behalf) for role in stand.roles)
    try:
        with_it = replace(facts, signoffs=(*facts.signoffs, *spoken))
        return judge(rulebook, transition.id, with_it, today=snapshot.today).allowed
    except GateUnjudgeable:
        return False


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
    project: Project,
    rulebook: Rulebook,
    snapshot: Snapshot,
    found: Round,
    by: int,
    on_behalf_of: int | None,
) -> Standing:
    stand = standing(project, rulebook, snapshot, found, by, on_behalf_of)
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


def _answers(ask: Ask) -> Answers:
    return Answers(
        reason=ask.reason,
        revisit=ask.revisit,
        condition=ask.condition,
        date=ask.date,
        code=ask.code,
        reach=ask.reach,
    )


def _meaning(
    project: Project,
    rulebook: Rulebook,
    found: Round,
    ask: Ask,
    name: str,
    checked: Checked | None,
) -> str:
    gate = rulebook.gates[found.gate].label
    said = (
        f"{name} {SPOKEN[ask.decision]} “{gate}” of {project.reference} {project.title}, "
        f"round {found.number}, on content {found.digest[:16]}."
    )
    if checked is None:
        return said
    return said + proofs.signed_with(proofs.body_from(checked, {}))
