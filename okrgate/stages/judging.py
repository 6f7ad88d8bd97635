"""Judge a project at its next gate and at every later one; say which seats that leaves to be filled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import bindparam, delete, insert, select

from okrgate import clock
from okrgate.approvals import entitlement, stand_ins
from okrgate.approvals.service import WantedSeat
from okrgate.database import ask, check_writing, db, table_of
from okrgate.gates.engine import GateUnjudgeable, judge, judge_twice
from okrgate.gates.model import Requirement, Rulebook, Transition
from okrgate.gates.verdict import Facts, Finding, Verdict
from okrgate.projects.models import Project
from okrgate.stages.facts import Snapshot
from okrgate.stages.models import StoredVerdict
from okrgate.stages.turns import turns

log = structlog.get_logger()
# What only a metric's steward can say, on a page of their own.
CONFIRMED = "metrics.confirmed"


@dataclass(frozen=True)
class Judged:
    """A verdict on one transition, and the people who can fix each finding (finding id → person ids)."""

    transition: Transition
    verdict: Verdict
    fixers: Mapping[str, tuple[int, ...]]
    position: int
    facts_digest: str


def gates_ahead(rulebook: Rulebook, stage: str) -> list[tuple[int, Transition]]:
    """Return the gated transitions to judge: those out of this stage (position 0), then the way to the end."""
    here = [one for one in rulebook.transitions_from(stage) if one.gate]
    later = [one for one in rulebook.forward_path(stage) if one.gate and one not in here]
    return [(0, one) for one in here] + [(index, one) for index, one in enumerate(later, start=1)]


def strict_verdict(snapshot: Snapshot, rulebook: Rulebook, transition: Transition) -> Verdict:
    """Judge for a crossing: engine and reference must agree.

    Raises GateUnjudgeable on any doubt, which is logged as an incident: the gate stays closed.
    """
    try:
        return judge_twice(
            rulebook, transition.id, snapshot.facts_for(transition.gate), today=snapshot.today
        )
    except GateUnjudgeable as problem:
        log.error(
            "gate unjudgeable",
            project=snapshot.project_id,
            transition=transition.id,
            problem=str(problem),
        )
        raise


def judge_ahead(
    project: Project, snapshot: Snapshot, rulebook: Rulebook, kept: Iterable[StoredVerdict] = ()
) -> list[Judged]:
    """Judge all gates ahead. One that cannot be judged is left out and logged: it stays closed.

    What was judged before on the very same facts, rules and day is taken from `kept`: a crossing never looks at it.
    """
    found: list[Judged] = []
    known = {row.transition: row for row in kept}
    for position, transition in gates_ahead(rulebook, project.stage):
        try:
            facts = snapshot.facts_for(transition.gate)
            verdict = _again(known.get(transition.id), project, snapshot, facts) or judge(
                rulebook, transition.id, facts, today=snapshot.today
            )
        except GateUnjudgeable as problem:
            log.error(
                "gate unjudgeable",
                project=project.id,
                transition=transition.id,
                problem=str(problem),
            )
            continue
        found.append(Judged(transition, verdict, {}, position, facts.digest()))
    return _with_fixers(project, snapshot, rulebook, found)


def _again(
    row: StoredVerdict | None, project: Project, snapshot: Snapshot, facts: Facts
) -> Verdict | None:
    if row is None or row.facts_hash != facts.digest():
        return None
    if (row.rulebook_version_id, row.judged_for) != (project.rulebook_version_id, snapshot.today):
        return None
    return Verdict.from_json(row.verdict)


def store(project: Project, judged: Iterable[Judged], seq: int) -> None:
    """Keep verdicts for the pages, in the open transaction."""
    check_writing()
    session = db.session()
    ask(_FORGET, {"project": project.id})
    rows = [
        {
            "project_id": project.id,
            "transition": one.transition.id,
            "position": one.position,
            "allowed": one.verdict.allowed,
            "missing": sum(1 for finding in one.verdict.findings if finding.blocks),
            "verdict": one.verdict.to_json(),
            "fixers": {finding: list(people) for finding, people in one.fixers.items()},
            "facts_hash": one.facts_digest,
            "rulebook_version_id": project.rulebook_version_id,
            "judged_for": one.verdict.today,
            "judged_at": clock.now(),
            "seq": seq,
        }
        for one in judged
    ]
    if rows:
        session.execute(_KEEP, rows)


def stored(project_id: int) -> list[StoredVerdict]:
    """Return the kept verdicts, the next gate's first."""
    return list(db.session().scalars(_STORED, {"project": project_id}))


_STORED = (
    select(StoredVerdict)
    .where(StoredVerdict.project_id == bindparam("project"))
    .order_by(StoredVerdict.position, StoredVerdict.id)
)
_VERDICTS = table_of(StoredVerdict)
_FORGET = delete(_VERDICTS).where(_VERDICTS.c.project_id == bindparam("project"))
_KEEP = insert(_VERDICTS)


def signing_transition(rulebook: Rulebook, stage: str) -> Transition | None:
    """Return the transition out of a stage whose gate asks for sign-offs, if there is one."""
    for transition in rulebook.transitions_from(stage):
        if transition.gate and any(
            seats_asked(rulebook, requirement)
            for requirement in rulebook.gates[transition.gate].requirements
        ):
            return transition
    return None


def seats_asked(rulebook: Rulebook, requirement: Requirement) -> bool:
    """Tell whether a requirement waits for somebody to sign (and not only for nobody to object)."""
    return any(asked.quorum for asked in rulebook.signoff_conditions(requirement))


def wanted_seats(
    project: Project, snapshot: Snapshot, rulebook: Rulebook, verdict: Verdict
) -> list[WantedSeat]:
    """Return the seats of a gate: one for each sign-off condition that is not provably set aside."""
    gate = rulebook.gates[verdict.gate or ""]
    since = snapshot.settled.get(gate.id)
    never = set(entitlement.barred(project, rulebook, snapshot.around, since=since))
    status = {finding.id: finding.status for finding in verdict.findings}
    later = turns(gate, verdict)
    found: list[WantedSeat] = []
    for requirement in gate.requirements:
        if requirement.mode == "off" or status.get(requirement.id) == "na":
            continue
        for place, asked in enumerate(rulebook.signoff_conditions(requirement)):
            if not asked.quorum:
                continue
            excluded = never.union(
                *(snapshot.around.people.get(fact, ()) for fact in asked.exclude)
            )
            held = entitlement.holders(rulebook, asked.roles, snapshot.around)
            people = frozenset().union(*held.values()) - excluded
            found.append(
                WantedSeat(
                    requirement=requirement.id,
                    place=place,
                    roles=tuple(asked.roles),
                    excluded=tuple(asked.exclude),
                    need=asked.quorum,
                    label=requirement.message,
                    people=frozenset(people),
                    open=status.get(requirement.id) == "missing" and requirement.id not in later,
                    stand_ins=stand_ins.for_seat(
                        project, snapshot.around.home_path, held, people, excluded
                    ),
                )
            )
    return found


def _with_fixers(
    project: Project, snapshot: Snapshot, rulebook: Rulebook, judged: list[Judged]
) -> list[Judged]:
    """Name who can fix each missing finding: the editors of its section, or the people of its seats."""
    editors = dict(rulebook.stages[project.stage].sections)
    asked = {role for roles in editors.values() for role in roles}
    for one in judged:
        for requirement in rulebook.gates[one.transition.gate or ""].requirements:
            for condition in rulebook.signoff_conditions(requirement):
                asked |= set(condition.roles)
    held = entitlement.holders(rulebook, sorted(asked), snapshot.around)
    never = set(entitlement.barred(project, rulebook, snapshot.around))
    return [
        replace(
            one,
            fixers={
                finding.id: tuple(
                    sorted(
                        stewards_asked(finding, snapshot)
                        or _fixers(one, finding, rulebook, editors, held, never)
                    )
                )
                for finding in one.verdict.findings
                if finding.status == "missing"
            },
        )
        for one in judged
    ]


def stewards_asked(finding: Finding, snapshot: Snapshot) -> set[int]:
    """Return the stewards whose word alone is missing; nobody when it is not about that."""
    if not any(why.fact == CONFIRMED for why in finding.why):
        return set()
    rows = snapshot.collections.get("metrics", ())
    stewards = (str(row.get("steward") or "") for row in rows if not row.get("confirmed"))
    return {int(one) for one in stewards if one.isdecimal()}


def _fixers(
    one: Judged,
    finding: Finding,
    rulebook: Rulebook,
    editors: Mapping[str, Iterable[str]],
    held: Mapping[str, frozenset[int]],
    never: set[int],
) -> set[int]:
    requirement = next(
        each
        for each in rulebook.gates[one.transition.gate or ""].requirements
        if each.id == finding.id
    )
    roles = [
        role
        for asked in rulebook.signoff_conditions(requirement)
        if asked.quorum
        for role in asked.roles
    ]
    if roles:
        return {person for role in roles for person in held.get(role, ())} - never
    return {person for role in editors.get(finding.fix or "", ()) for person in held.get(role, ())}
