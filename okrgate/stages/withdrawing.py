"""Take one's own decision back, until the gate moves."""

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Condition, Round, SignoffRow
from okrgate.database import db, transaction
from okrgate.errors import Conflict, NotFound
from okrgate.events import Event, publish
from okrgate.gates.model import Transition
from okrgate.gates.verdict import Verdict
from okrgate.once import once
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import judging, signing_news
from okrgate.stages.confirming import is_strict
from okrgate.stages.facts import facts_as_json, gather
from okrgate.stages.preparing import locked
from okrgate.stages.standing import SPOKEN, decided_in, who_decided

_LONGEST = 4000
_MOVED = "It is too late to take this back. {}"
_STAYS = (
    "This gate asks for a second factor, so an objection stays until what is signed changes. "
    "Say in a comment that you think otherwise now."
)
_MOVES = (
    "It is too late to take this back: every sign-off is there, and the project is about to go on."
)


def withdraw(signoff_id: int, *, by: int, reason: str = "") -> int:
    """Take a decision back: its seat is open again. Return the receipt's id; twice is once.

    Raises NotFound for a decision that is not this person's own, Conflict when its round is over or it is an objection
    at a strict gate.
    """
    return once(
        lambda: _known(signoff_id, by), lambda: _withdraw(signoff_id, by, reason.strip()[:_LONGEST])
    )


def own(signoff_id: int, by: int) -> SignoffRow:
    """Return somebody's own decision. Raises NotFound for anybody else's."""
    row = db.session().get(SignoffRow, signoff_id)
    if row is None or row.person_id != by:
        raise NotFound
    return row


def refusal(row: SignoffRow, found: Round) -> str:
    """Say why a decision can be taken back no more; nothing while it can."""
    if row.withdrawn_at is not None:
        return "You took this decision back already."
    if found.closed_at is not None:
        return _MOVED.format(who_decided(decided_in(found.id)))
    return ""


def _known(signoff_id: int, by: int) -> int | None:
    own(signoff_id, by)
    return approvals.receipt_of_withdrawal(signoff_id)


def _withdraw(signoff_id: int, by: int, reason: str) -> int:
    db.session().expire_all()
    row = own(signoff_id, by)
    found = db.session().get_one(Round, row.round_id)
    project = db.session().get_one(Project, row.project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    away = row.on_behalf_of_id
    name = approvals.said_by(by, away, directory.names([by, away]))
    conditions = list(
        db.session().scalars(
            select(Condition).where(Condition.signoff_id == row.id).order_by(Condition.id)
        )
    )
    if refusal(row, found):
        raise Conflict(refusal(row, found))
    news: Event = signing_news.withdrawn(
        project, rulebook, found, row, name, reason=reason, conditions=conditions
    )
    gate = rulebook.gates[found.gate].label
    meaning = (
        f"{name} took back what they had said on “{gate}” of {project.reference} {project.title}, "
        f"round {found.number}: that they {SPOKEN[row.decision].rstrip(',')} it."
    )
    with transaction():
        project = locked(project.id)
        found = db.session().get_one(Round, row.round_id, populate_existing=True)
        row = db.session().get_one(SignoffRow, row.id, populate_existing=True)
        if refusal(row, found):
            raise Conflict(refusal(row, found))
        _check_only_closes(project, found, row)
        # Judged inside: whoever takes a word back waits for nobody, and what the receipt says is what was so.
        now = gather(project, rulebook)
        transition = rulebook.transitions[found.transition]
        verdict = judging.strict_verdict(now, rulebook, transition)
        _check_not_moving(transition, verdict)
        approvals.take_back(found, row, by=by, reason=reason)
        receipt = approvals.add_receipt(
            project,
            kind="withdrawal",
            transition=found.transition,
            verdict=verdict,
            facts=facts_as_json(now.facts_for(found.gate)),
            content=found.content,
            by=by,
            meaning=meaning,
        )
        approvals.add_withdrawal(row, receipt, reason)
        project.version += 1
        publish(news)
        return receipt.id


def _check_only_closes(project: Project, found: Round, row: SignoffRow) -> None:
    """Raise Conflict where taking it back could open a strict gate: that would take a second factor."""
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    if row.decision == approvals.OBJECTED and is_strict(rulebook, found.gate):
        raise Conflict(_STAYS)


def _check_not_moving(transition: Transition, verdict: Verdict) -> None:
    """Raise Conflict when the gate is open: whoever gave the last sign-off was told that the project goes on."""
    if transition.auto and verdict.allowed:
        raise Conflict(_MOVES)
