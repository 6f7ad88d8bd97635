"""What is worked out before a project moves: who may, what was asked, the verdict, and whom to tell. Reads only.

Inside the transaction `still_true` asks whether all of it is as it was judged.
"""

import datetime as calendar
from dataclasses import dataclass

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.audit import service as audit
from okrgate.database import db, remembering
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import Recipient
from okrgate.gates.model import Rulebook, Stage, Transition
from okrgate.gates.verdict import Verdict
from okrgate.projects.models import Project, Visit
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import confirming, judging
from okrgate.stages.audience import whom_to_tell
from okrgate.stages.facts import Snapshot, gather
from okrgate.stages.reaching import Reach, problem_with

# Questions a transition may ask, and how a person reads them.
ASKS = {
    "reason": "Say why.",
    "revisit": "Say when or on what condition this should be looked at again.",
    "condition": "Say what has to happen first.",
    "date": "Give a date.",
}

# Each of these says when to look again.
_AGAIN = {"revisit", "condition", "date"}


@dataclass(frozen=True)
class Answers:
    """What was said with a move. `code` is why it is declined, `reach` a key result that brings it back."""

    reason: str = ""
    revisit: str = ""
    condition: str = ""
    date: calendar.date | None = None
    code: str = ""
    reach: Reach | None = None

    def given(self, ask: str) -> bool:
        """Tell whether one of the asked things was said."""
        value = getattr(self, ask)
        return bool(value.strip()) if isinstance(value, str) else value is not None


@dataclass
class Prepared:
    """Everything worked out before the transaction begins. Whoever does it may stand in for somebody."""

    project_id: int
    version: int
    rulebook: Rulebook
    transition: Transition
    target: Stage
    snapshot: Snapshot
    verdict: Verdict | None
    recipients: tuple[Recipient, ...]
    audience: tuple[int, ...]
    next_step: str
    name: str
    facts_digest: str = ""
    on_behalf_of: int | None = None


def prepare(
    project_id: int,
    transition_id: str,
    *,
    by: int | None,
    answers: Answers,
    expected_version: int | None = None,
    signed: bool = False,
) -> Prepared:
    """Check who and what, gather, judge and resolve whom to tell. Reads only.

    `signed` says that the move is part of a sign-off, whose own rights were checked.
    """
    db.session().expire_all()
    project = db.session().get(Project, project_id)
    if project is None:
        raise NotFound
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    transition = rulebook.transitions.get(transition_id)
    if transition is None:
        raise NotFound
    _check_here(project, rulebook, transition, expected_version)
    _check_asked(rulebook, transition, answers)
    snapshot = gather(project, rulebook)
    with remembering(snapshot.memory):
        if not signed:
            check_may(rulebook, transition, snapshot, by)
            if by is not None:
                confirming.check_not_past(project, rulebook, transition, by, snapshot)
        return _prepared(project, rulebook, transition, snapshot, by)


def _prepared(
    project: Project, rulebook: Rulebook, transition: Transition, snapshot: Snapshot, by: int | None
) -> Prepared:
    # Those who are asked about below are read in one question with whoever does it.
    names = directory.names([by, project.submitter_id, project.lead_id, project.sponsor_id])
    verdict = judging.strict_verdict(snapshot, rulebook, transition) if transition.gate else None
    target = target_of(project, rulebook, transition)
    recipients, next_step = whom_to_tell(project, rulebook, transition, target, snapshot, by)
    told = entitlement.holders(rulebook, transition.notify, snapshot.around)
    return Prepared(
        project_id=project.id,
        version=project.version,
        rulebook=rulebook,
        transition=transition,
        target=target,
        snapshot=snapshot,
        verdict=verdict,
        recipients=recipients,
        audience=tuple(sorted(frozenset().union(*told.values()))),
        next_step=next_step,
        name=names.get(by, "okrgate") if by is not None else "okrgate",
        facts_digest=snapshot.facts_for(transition.gate).digest(),
    )


def still_true(prepared: Prepared) -> bool:
    """Tell, inside the transaction, whether the project is as it was judged. Locks its row.

    Whatever changes a fact is recorded with it, so while nothing at all was recorded since, nothing is read again.
    """
    project, then = locked(prepared.project_id), prepared.snapshot
    if project.stage not in prepared.transition.sources:
        return _elsewhere(project, prepared.rulebook)
    if project.version != prepared.version:
        return False
    if audit.newest(project.id) == (then.through, then.seq) and clock.today() == then.today:
        return True
    again = gather(project, prepared.rulebook)
    return again.facts_for(prepared.transition.gate).digest() == prepared.facts_digest


def target_of(project: Project, rulebook: Rulebook, transition: Transition) -> Stage:
    """Return the stage a transition leads to; `previous` is where the project was parked from."""
    if transition.target != "previous":
        return rulebook.stages[transition.target]
    if project.parked_from is None or project.parked_from not in rulebook.stages:
        raise Conflict("It is not known where this project came from.")
    return rulebook.stages[project.parked_from]


def check_may(
    rulebook: Rulebook, transition: Transition, snapshot: Snapshot, by: int | None
) -> None:
    """Raise Forbidden, with the sentence shown beside the button, unless this person may take the transition."""
    if by is None:
        # What was put off comes back by itself.
        if not transition.auto and transition.kind != "resume":
            raise Forbidden("Only a person can do this.")
        return
    if transition.auto:
        raise Forbidden("This happens by itself as soon as its gate opens.")
    held = entitlement.holders(rulebook, transition.by, snapshot.around)
    if by not in frozenset().union(*held.values()):
        raise Forbidden(f"Only {who_may(rulebook, transition)} can do this.")


def who_may(rulebook: Rulebook, transition: Transition) -> str:
    """Return the labels of the roles that may take a transition, as people say it."""
    labels = [f"the {rulebook.roles[role].label}" for role in transition.by]
    return " or ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else "".join(labels)


def locked(project_id: int) -> Project:
    """Return the project's row, freshly read and locked, inside a transaction."""
    project = db.session().get(Project, project_id, with_for_update=True, populate_existing=True)
    if project is None:
        raise NotFound
    return project


def _check_here(
    project: Project, rulebook: Rulebook, transition: Transition, expected_version: int | None
) -> None:
    if project.stage not in transition.sources:
        _elsewhere(project, rulebook)
    if expected_version is not None and project.version != expected_version:
        raise Conflict(
            "This project was changed since you opened the page. Look at what is new, then decide again."
        )


def _elsewhere(project: Project, rulebook: Rulebook) -> bool:
    last = (
        db.session()
        .execute(
            select(Visit.left_at)
            .where(Visit.project_id == project.id)
            .order_by(Visit.id.desc())
            .offset(1)
            .limit(1)
        )
        .scalar()
    )
    label = rulebook.stages[project.stage].label
    moved = f" It went there on {last:%d %b %Y}." if last else ""
    raise Conflict(
        f"{project.reference} is in “{label}” now, so this can no longer be done.{moved}"
    )


def _check_asked(rulebook: Rulebook, transition: Transition, answers: Answers) -> None:
    asks = set(transition.asks)
    missing = {ask: ASKS[ask] for ask in transition.asks if not answers.given(ask)}
    if asks & _AGAIN:
        missing |= _check_again(missing, asks, answers)
    if transition.kind == "decline" and answers.code not in rulebook.reasons_to_decline:
        missing["code"] = "Choose a reason from the list."
    if missing:
        raise Invalid("Something is still needed.", missing)


def _check_again(missing: dict[str, str], asks: set[str], answers: Answers) -> dict[str, str]:
    """Take from what is missing what another answer stands for: a day, a key result or words are each enough.

    Return what is wrong with them.
    """
    wrong: dict[str, str] = {}
    if answers.given("date") or answers.reach is not None:
        missing.pop("revisit", None)
        missing.pop("condition", None)
    if "condition" in asks and (answers.given("condition") or answers.reach is not None):
        missing.pop("date", None)
    if {"condition", "date"} <= missing.keys():
        # One of the two is enough, so one of them is asked for.
        wrong["date"] = "Give a day, or say what has to happen first."
        del missing["condition"]
    if answers.date is not None and answers.date <= clock.today():
        wrong["date"] = "Give a day that is still to come."
    if answers.reach is not None and (said := problem_with(answers.reach)):
        wrong["key_result"] = said
    return wrong
