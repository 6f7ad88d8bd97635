"""The crossing: a project goes from one stage to another, all of it or nothing.

Outside the transaction the facts are gathered and judged; inside they are gathered again and must be the same.
"""

import datetime as calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.delivery import effects as delivery
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import Event, ProjectMoved, Recipient, publish
from okrgate.gates.engine import GateUnjudgeable
from okrgate.gates.model import Rulebook, Stage, Transition
from okrgate.gates.verdict import Verdict
from okrgate.measurement import effects as measurement
from okrgate.projects.models import Project, Visit
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import judging
from okrgate.stages.facts import Snapshot, facts_as_json, gather
from okrgate.stages.path import passed_gates
from okrgate.summaries import effects as summaries

_TRIES = 3
# Questions a transition may ask, and how a person reads them.
ASKS = {
    "reason": "Say why.",
    "revisit": "Say when or on what condition this should be looked at again.",
    "condition": "Say what has to happen first.",
    "date": "Give a date.",
}


@dataclass(frozen=True)
class Answers:
    """What was said with a move."""

    reason: str = ""
    revisit: str = ""
    condition: str = ""
    date: calendar.date | None = None

    def given(self, ask: str) -> bool:
        """Tell whether one of the asked things was said."""
        value = getattr(self, ask)
        return bool(value.strip()) if isinstance(value, str) else value is not None


@dataclass(frozen=True)
class Outcome:
    """What came of asking for a move: moved, or the verdict that keeps the gate closed."""

    moved: bool
    target: str = ""
    verdict: Verdict | None = None
    doubt: str = ""


@dataclass
class Prepared:
    """Everything worked out before the transaction begins."""

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
    more: list[Event] = field(default_factory=list)


def move(
    project_id: int,
    transition_id: str,
    *,
    by: int | None,
    answers: Answers | None = None,
    expected_version: int | None = None,
    key: str | None = None,
    after: str = "",
) -> Outcome:
    """Take a project through a transition, if its gate is open.

    `by` is None for an automatic move, `after` then names whose act it follows. A closed gate is an answer; raises
    Forbidden (may not), Invalid (something asked for is missing), Conflict (the project is elsewhere by now).
    """
    answers = answers or Answers()
    if key and _is_known(key, project_id):
        return Outcome(moved=True)
    for _ in range(_TRIES):
        try:
            prepared = prepare(
                project_id, transition_id, by=by, answers=answers, expected_version=expected_version
            )
        except GateUnjudgeable as problem:
            return Outcome(moved=False, doubt=str(problem))
        if prepared.verdict is not None and not prepared.verdict.allowed:
            return Outcome(moved=False, verdict=prepared.verdict)
        with transaction():
            if still_true(prepared):
                cross(prepared, by=by, answers=answers, key=key, after=after)
                return Outcome(moved=True, target=prepared.target.id, verdict=prepared.verdict)
    raise Conflict("Somebody keeps changing this project. Look at what is new and try again.")


def _is_known(key: str, project_id: int) -> bool:
    """Tell whether this move was made before. A key is one project's own."""
    known = db.session().scalar(select(Visit.project_id).where(Visit.key == key))
    if known is not None and known != project_id:
        raise Conflict("This page was sent before. Open it again.")
    return known is not None


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
    _check_asked(transition, answers)
    snapshot = gather(project, rulebook)
    if not signed:
        check_may(rulebook, transition, snapshot, by)
    verdict = judging.strict_verdict(snapshot, rulebook, transition) if transition.gate else None
    target = target_of(project, rulebook, transition)
    recipients, next_step = _whom_to_tell(project, rulebook, transition, target, snapshot, by)
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
        name=directory.names([by]).get(by, "okrgate") if by is not None else "okrgate",
        facts_digest=snapshot.facts_for(transition.gate).digest(),
    )


def still_true(prepared: Prepared) -> bool:
    """Tell, inside the transaction, whether the project is as it was judged. Locks its row."""
    project = locked(prepared.project_id)
    if project.stage not in prepared.transition.sources:
        return _elsewhere(project, prepared.rulebook)
    if project.version != prepared.version:
        return False
    again = gather(project, prepared.rulebook)
    return again.facts_for(prepared.transition.gate).digest() == prepared.facts_digest


def cross(
    prepared: Prepared, *, by: int | None, answers: Answers, key: str | None = None, after: str = ""
) -> None:
    """Move the project, in the open transaction: visit, stage, effects, receipt, audit, mails."""
    session = db.session()
    project = locked(prepared.project_id)
    transition, target = prepared.transition, prepared.target
    source = prepared.rulebook.stages[project.stage]
    visit = session.scalar(
        select(Visit)
        .where(Visit.project_id == project.id, Visit.left_at.is_(None))
        .order_by(Visit.id.desc())
    )
    if visit is not None:
        visit.left_at, visit.transition, visit.kind, visit.gate = (
            clock.now(),
            transition.id,
            transition.kind,
            transition.gate,
        )
        visit.key = key
    _close_rounds(project, transition, by, answers.reason)
    _advance(project, transition, source, target, answers)
    session.add(
        Visit(
            project_id=project.id,
            stage=target.id,
            round=_times_in(project.id, target.id) + 1,
            entered_at=clock.now(),
        )
    )
    session.flush()
    _void(project, transition)
    entry = audit.record(
        "project.moved",
        by=by,
        project_id=project.id,
        target=f"stage:{target.id}",
        reason=answers.reason.strip(),
        details={
            "transition": transition.id,
            "label": transition.label,
            "kind": transition.kind,
            "from": source.id,
            "from_label": source.label,
            "to": target.id,
            "to_label": target.label,
            "after": after,
            "revisit": answers.revisit.strip(),
            "condition": answers.condition.strip(),
            "date": answers.date.isoformat() if answers.date else "",
        },
    )
    if prepared.verdict is not None and prepared.verdict.gate:
        gate = prepared.rulebook.gates[prepared.verdict.gate]
        approvals.add_receipt(
            project,
            kind="passage",
            transition=transition.id,
            verdict=prepared.verdict,
            facts=facts_as_json(prepared.snapshot.facts_for(gate.id)),
            content=prepared.snapshot.material(prepared.rulebook.material_of(gate.id)),
            by=by,
            meaning=f"{project.reference} passed the gate “{gate.label}” from {source.label} to {target.label} (record {entry.seq}).",
        )
    for event in _events(prepared, project, source, answers, by, after):
        publish(event)


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
        if not transition.auto:
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


def _check_asked(transition: Transition, answers: Answers) -> None:
    asks = set(transition.asks)
    missing = {ask: ASKS[ask] for ask in transition.asks if not answers.given(ask)}
    if {"revisit", "condition", "date"} & asks and answers.given("date"):
        missing.pop("revisit", None)
        missing.pop("condition", None)
    if "condition" in asks and answers.given("condition"):
        missing.pop("date", None)
    if missing:
        raise Invalid("Something is still needed.", missing)


def _advance(
    project: Project, transition: Transition, source: Stage, target: Stage, answers: Answers
) -> None:
    """Set stage and what goes with it; exactly one row of the version that was read must change."""
    now = clock.now()
    values: dict[str, Any] = {
        "stage": target.id,
        "stage_entered_at": now,
        "changed_at": now,
        "version": project.version + 1,
        "parked_from": source.id if target.holding else None,
    }
    if source.initial and transition.kind == "forward" and project.submitted_at is None:
        values["submitted_at"] = now
    if transition.kind == "stop":
        values["outcome"] = "stopped"
    if target.terminal:
        values |= {"closed_at": now, "outcome": project.outcome or target.outcome}
        values["revisit"] = answers.revisit.strip() or (
            answers.date.isoformat() if answers.date else ""
        )
    touched: Any = db.session().execute(
        update(Project)
        .where(Project.id == project.id, Project.version == project.version)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if touched.rowcount != 1:
        raise Conflict("Somebody was faster. Look at where the project is now.")
    db.session().refresh(project)


def _close_rounds(project: Project, transition: Transition, by: int | None, reason: str) -> None:
    """End the open round: satisfied if this is the move it was for."""
    found = approvals.open_round(project.id)
    if found is not None:
        passed = found.transition == transition.id
        approvals.close_round(
            found, closed_as="satisfied" if passed else "left", by=by, reason=reason
        )


def _void(project: Project, transition: Transition) -> None:
    """Let sign-offs lapse: all of them where the rules say so, else those of gates the project was sent back over."""
    if transition.kind == "return":
        visits = db.session().scalars(
            select(Visit).where(Visit.project_id == project.id).order_by(Visit.id)
        )
        approvals.void_satisfied(project.id, keep=passed_gates(list(visits)))
    elif transition.voids_signoffs:
        approvals.void_satisfied(project.id, keep=())


def _times_in(project_id: int, stage: str) -> int:
    return len(
        db.session()
        .scalars(select(Visit.id).where(Visit.project_id == project_id, Visit.stage == stage))
        .all()
    )


def _whom_to_tell(
    project: Project,
    rulebook: Rulebook,
    transition: Transition,
    target: Stage,
    snapshot: Snapshot,
    by: int | None,
) -> tuple[tuple[Recipient, ...], str]:
    """Return who hears of a move and why; those who have to act next are asked."""
    told: dict[int, Recipient] = {}
    ahead = rulebook.transitions_from(target.id)
    next_one = next((one for one in ahead if one.kind == "forward"), None)
    acting = [
        *(next_one.by if next_one else ()),
        *(role for roles in target.sections.values() for role in roles),
    ]
    held = entitlement.holders(
        rulebook, [*dict.fromkeys([*acting, *transition.notify])], snapshot.around
    )
    for role in transition.notify:
        for person in held[role]:
            told[person] = Recipient(
                person, f"you are {rulebook.roles[role].label} for this project"
            )
    for person, why in _concerned(project, snapshot).items():
        told[person] = Recipient(person, why)
    for role in dict.fromkeys(acting):
        for person in held[role]:
            told[person] = Recipient(
                person, f"as {rulebook.roles[role].label} you can take it further", asked=True
            )
    told.pop(by or 0, None)
    return tuple(told.values()), next_one.label if next_one else ""


def _concerned(project: Project, snapshot: Snapshot) -> dict[int, str]:
    found = {
        row["person_id"]: "you decided on it earlier" for row in approvals.decisions_of(project.id)
    }
    for person in snapshot.around.co_editors:
        found[person] = "you write it together with the submitter"
    parts = (
        (project.sponsor_id, "you sponsor it"),
        (project.lead_id, "you lead it"),
        (project.submitter_id, "you submitted it"),
    )
    return found | {person: why for person, why in parts if person is not None}


def _events(
    prepared: Prepared,
    project: Project,
    source: Stage,
    answers: Answers,
    by: int | None,
    after: str,
) -> Sequence[Event]:
    target, transition = prepared.target, prepared.transition
    due = clock.today() + timedelta(days=target.sla_days) if target.sla_days else None
    moved = ProjectMoved(
        recipients=prepared.recipients,
        by=prepared.name if by is not None else (f"okrgate, after {after}" if after else "okrgate"),
        by_id=by,
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        kind=transition.kind,
        transition=transition.label,
        source=source.label,
        target=target.label,
        reason=answers.reason.strip(),
        revisit=answers.revisit.strip()
        or answers.condition.strip()
        or (answers.date.isoformat() if answers.date else ""),
        next_step=prepared.next_step,
        due=due.isoformat() if due else "",
    )
    return [moved, *_effects(prepared, project, by)]


def _effects(prepared: Prepared, project: Project, by: int | None) -> list[Event]:
    actor = by if by is not None else project.lead_id or project.submitter_id
    found: list[Event] = []
    for effect in prepared.target.on_enter:
        found += _EFFECTS[effect](project, actor, prepared.audience)
    return found


_EFFECTS: Mapping[str, Any] = {
    "freeze_bands": lambda project, by, _audience: measurement.freeze_bands(project, by=by),
    "create_checkpoints": lambda project, by, _audience: measurement.create_checkpoints(
        project, by=by
    ),
    "ask_steward": lambda project, by, _audience: measurement.ask_steward(project, by=by),
    "ask_stakeholders": lambda project, by, _audience: delivery.ask_stakeholders(project, by=by),
    "invite_kickoff": lambda project, by, _audience: delivery.invite_kickoff(project, by=by),
    "celebrate": lambda project, by, _audience: delivery.celebrate(project, by=by),
    "send_summary": lambda project, by, audience: summaries.send_summary(
        project, by=by, audience=audience
    ),
}
