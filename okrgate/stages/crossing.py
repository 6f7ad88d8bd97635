"""The crossing: a project goes from one stage to another, all of it or nothing, in the open transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from okrgate import clock
from okrgate.accounts.working_days import calendar_of
from okrgate.approvals import service as approvals
from okrgate.audit import service as audit
from okrgate.database import ask, db, table_of
from okrgate.delivery import effects as delivery
from okrgate.errors import Conflict
from okrgate.events import Event, ProjectMoved, publish
from okrgate.gates.model import Stage, Transition
from okrgate.measurement import effects as measurement
from okrgate.projects.models import Project, Visit
from okrgate.stages import comebacks, holding
from okrgate.stages.facts import facts_as_json
from okrgate.stages.path import passed_gates
from okrgate.stages.preparing import Answers, Prepared
from okrgate.stages.signing_news import not_needed
from okrgate.stages.standing import decided_in, said_in
from okrgate.summaries import effects as summaries

_STOPPED = "The work was stopped: {}"


def cross(
    prepared: Prepared, *, by: int | None, answers: Answers, key: str | None = None, after: str = ""
) -> None:
    """Move the project, in the open transaction that locked it: visit, stage, effects, receipt, audit, mails."""
    project = db.session().get_one(Project, prepared.project_id)
    transition, target = prepared.transition, prepared.target
    source = prepared.rulebook.stages[project.stage]
    _leave(project, transition, key)
    said, spared = _close_rounds(prepared, project, by, answers.reason)
    entered_at = _hold(project, transition, source, target, answers, by)
    _advance(project, transition, source, target, answers, entered_at)
    comebacks.begin(project, transition, target, answers, by=by)
    _enter(project, target)
    _void(project, transition)
    entry = audit.record(
        "project.moved",
        by=by,
        on_behalf_of=prepared.on_behalf_of,
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
            "revisit": comebacks.said(answers) if answers.reach else answers.revisit.strip(),
            "cause": _cause(prepared, answers),
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
    if transition.kind == "stop":
        measurement.write_off_unread(project, _STOPPED.format(answers.reason.strip()).rstrip(" :"))
    for event in (*_events(prepared, project, source, answers, by, after, said), *spared):
        publish(event)


def _leave(project: Project, transition: Transition, key: str | None) -> None:
    """End the stay in the present stage."""
    values = {
        "left_at": clock.now(),
        "key": key,
        "transition": transition.id,
        "kind": transition.kind,
        "gate": transition.gate,
    }
    ask(_LEAVE, {"of_project": project.id, **values})


def _enter(project: Project, target: Stage) -> None:
    """Begin the stay in the next stage."""
    values = {"project_id": project.id, "stage": target.id, "entered_at": clock.now()}
    ask(_ENTER, values)


def _hold(
    project: Project,
    transition: Transition,
    source: Stage,
    target: Stage,
    answers: Answers,
    by: int | None,
) -> datetime:
    """See to what a parked project waits for. Return since when it counts as being in its next stage.

    Back in the stage it was parked from, the days before count on: the clock of the stage stood still meanwhile.
    """
    now = clock.now()
    before = holding.end(project) if source.holding else timedelta(0)
    if source.holding:
        comebacks.end_hold(project.id)
    if target.holding:
        holding.begin(
            project,
            transition,
            since=project.stage_entered_at,
            reason=answers.reason.strip(),
            until=answers.date,
            condition=answers.condition.strip()
            if answers.reach is None
            else comebacks.said(replace(answers, date=None)),
            by=by,
        )
    return now - before if target.id == project.parked_from else now


def _advance(
    project: Project,
    transition: Transition,
    source: Stage,
    target: Stage,
    answers: Answers,
    entered_at: datetime,
) -> None:
    """Set stage and what goes with it; exactly one row of the version that was read must change."""
    now = clock.now()
    values: dict[str, Any] = {
        "stage": target.id,
        "stage_entered_at": entered_at,
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
        values["revisit"] = comebacks.said(answers)
    touched: Any = db.session().execute(
        update(Project)
        .where(Project.id == project.id, Project.version == project.version)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if touched.rowcount != 1:
        raise Conflict("Somebody was faster. Look at where the project is now.")
    for name, value in values.items():
        set_committed_value(project, name, value)


def _close_rounds(
    prepared: Prepared, project: Project, by: int | None, reason: str
) -> tuple[tuple[str, ...], list[Event]]:
    """End the open round, satisfied if this is the move it was for.

    Return who had said what in it, and the news for those who need not sign any more and do not hear of the move.
    """
    found = approvals.open_round(project.id)
    if found is None:
        return (), []
    passed = found.transition == prepared.transition.id
    closed_as = "satisfied" if passed else "left"
    waiting = approvals.close_round(found, closed_as=closed_as, by=by, reason=reason)
    said = said_in(decided_in(found.id))
    waiting -= {one.person_id for one in prepared.recipients}
    if not waiting:
        return said, []
    gate, target = prepared.rulebook.gates[found.gate].label, prepared.target.label
    return said, [not_needed(project, gate, waiting, f"The project is now in {target}.", said)]


def _void(project: Project, transition: Transition) -> None:
    """Let sign-offs lapse: all of them where the rules say so, else those of gates the project was sent back over."""
    if transition.kind == "return":
        visits = db.session().scalars(
            select(Visit).where(Visit.project_id == project.id).order_by(Visit.id),
            execution_options={"populate_existing": True},
        )
        approvals.void_satisfied(project.id, keep=passed_gates(list(visits)))
    elif transition.voids_signoffs:
        approvals.void_satisfied(project.id, keep=())


# Written once, and for tables: objects of these rows are of no use to a crossing.
_VISITS = table_of(Visit)
_LEAVE = (
    update(_VISITS)
    .where(_VISITS.c.project_id == bindparam("of_project"), _VISITS.c.left_at.is_(None))
    .values({name: bindparam(name) for name in ("left_at", "key", "transition", "kind", "gate")})
)
_ENTER = insert(_VISITS).values(
    project_id=bindparam("project_id"),
    stage=bindparam("stage"),
    entered_at=bindparam("entered_at"),
    # The how-manieth stay in this stage it is.
    round=select(func.count() + 1)
    .select_from(_VISITS)
    .where(_VISITS.c.project_id == bindparam("project_id"), _VISITS.c.stage == bindparam("stage"))
    .scalar_subquery(),
)


def _events(
    prepared: Prepared,
    project: Project,
    source: Stage,
    answers: Answers,
    by: int | None,
    after: str,
    said: tuple[str, ...],
) -> Sequence[Event]:
    target, transition = prepared.target, prepared.transition
    days = target.sla_days
    due = calendar_of(project.home_unit_id).after(clock.today(), days) if days else None
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
        revisit=comebacks.said(answers),
        cause=_cause(prepared, answers),
        next_step=prepared.next_step,
        due=due.isoformat() if due else "",
        said=said,
        note=transition.mail,
    )
    return [moved, *_effects(prepared, project, by)]


def _cause(prepared: Prepared, answers: Answers) -> str:
    """Return the company's words for why a project is declined."""
    return prepared.rulebook.reasons_to_decline.get(answers.code, "")


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
