"""What the rules cost: of each requirement how often and how long it kept projects waiting, and how that ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, distinct, extract, func, select

from okrgate import clock
from okrgate.approvals.models import Round, SignoffRow, WaiverRow
from okrgate.approvals.signoffs import OBJECTED
from okrgate.database import db
from okrgate.gates.model import Requirement, Rulebook
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages.models import RequirementWait

DAY = 86_400
NAMED = 50
_AGAINST = (OBJECTED, "returned", "declined")
_Key = tuple[str, str]


@dataclass(frozen=True)
class Insight:
    """One requirement: times are counted by projects, durations in days. `median_days` is None while none is over.

    `objections` counts decisions against, at the whole gate; only of requirements that ask for a sign-off.
    """

    gate: str
    gate_label: str
    requirement: str
    message: str
    severity: str
    trial: bool
    projects: int = 0
    waiting: int = 0
    days: float = 0.0
    median_days: float | None = None
    passed: int = 0
    granted: int = 0
    expired: int = 0
    objections: int = 0
    dropped: bool = False

    @property
    def stops(self) -> bool:
        """Tell whether it can keep a gate closed: advice and trials only tell."""
        return not self.trial and self.severity != "advisory"


@dataclass(frozen=True)
class Standing:
    """One project that a requirement on trial would stop, or would have stopped. Named only for who may read it."""

    reference: str
    title: str
    stage: str
    since: datetime


@dataclass(frozen=True)
class Trial:
    """A requirement on trial: how many projects it would keep waiting now, and how many went on without it."""

    gate: str
    gate_label: str
    requirement: Requirement
    since: datetime | None
    now: int
    passed: int
    met: int
    named: tuple[Standing, ...] = ()

    @property
    def unnamed(self) -> int:
        """Return how many of those it would keep waiting are not named."""
        return self.now - len(self.named)


def of_process(process_id: int, rulebook: Rulebook, *, days: int | None = None) -> list[Insight]:
    """Return an insight for every requirement of a rulebook and for those of its older versions, the dearest of those that stop first.

    `days`: only waits that began within so many days. Seven questions, whatever the size of the data.
    """
    start = clock.now() - timedelta(days=days) if days else None
    counted = _counted(process_id, start)
    medians = _medians(process_id, start)
    waived = _waived(process_id, start)
    against = _objections(process_id, start)
    found = []
    known = {
        (gate.id, one.id): (gate.label, one)
        for gate in rulebook.gates.values()
        for one in gate.requirements
        if one.mode != "off"
    }
    for key in [*known, *(key for key in counted if key not in known)]:
        label, one = known.get(key, (key[0], None))
        row = counted.get(key)
        granted, expired = waived.get(key[1], (0, 0))
        signs = one is not None and bool(rulebook.signoff_conditions(one))
        found.append(
            Insight(
                gate=key[0],
                gate_label=label,
                requirement=key[1],
                message=one.message if one else key[1],
                severity=one.severity if one else "",
                trial=one is not None and one.mode == "evaluate",
                projects=row.projects if row else 0,
                waiting=row.waiting if row else 0,
                days=float(row.lasted) / DAY if row else 0.0,
                median_days=medians.get(key),
                passed=row.passed if row else 0,
                granted=granted,
                expired=expired,
                objections=against.get(key[0], 0) if signs else 0,
                dropped=one is None,
            )
        )
    return sorted(found, key=lambda one: (not one.stops, -one.days, -one.projects))


def trials(version_id: int, rulebook: Rulebook, *, reader: int, is_auditor: bool) -> list[Trial]:
    """Return what is on trial in one version, so far; projects are named as far as the reader may see them."""
    on_trial = [
        (gate, one)
        for gate in rulebook.gates.values()
        for one in gate.requirements
        if one.mode == "evaluate"
    ]
    if not on_trial:
        return []
    mine = (RequirementWait.rulebook_version_id == version_id) & RequirementWait.trial
    counts = {
        (row.gate, row.requirement): row
        for row in db.session().execute(
            select(
                RequirementWait.gate,
                RequirementWait.requirement,
                func.min(RequirementWait.since).label("since"),
                _sum_of(RequirementWait.until.is_(None)).label("now"),
                _sum_of(RequirementWait.ended_as == "passed").label("passed"),
                _sum_of(RequirementWait.ended_as == "met").label("met"),
            )
            .where(mine)
            .group_by(RequirementWait.gate, RequirementWait.requirement)
        )
    }
    named = _named(mine, rulebook, reader, is_auditor)
    found = []
    for gate, one in on_trial:
        row = counts.get((gate.id, one.id))
        found.append(
            Trial(
                gate=gate.id,
                gate_label=gate.label,
                requirement=one,
                since=row.since if row else None,
                now=row.now if row else 0,
                passed=row.passed if row else 0,
                met=row.met if row else 0,
                named=tuple(named.get((gate.id, one.id), ())),
            )
        )
    return found


def _named(
    mine: ColumnElement[bool], rulebook: Rulebook, reader: int, is_auditor: bool
) -> Mapping[_Key, list[Standing]]:
    rows = db.session().execute(
        select(
            RequirementWait.gate,
            RequirementWait.requirement,
            RequirementWait.since,
            Project.reference,
            Project.title,
            Project.stage,
        )
        .join(Project, Project.id == RequirementWait.project_id)
        .where(
            mine,
            RequirementWait.until.is_(None),
            permissions.visible_clause(reader, is_auditor=is_auditor),
        )
        .order_by(RequirementWait.since, RequirementWait.id)
        .limit(NAMED)
    )
    found: dict[_Key, list[Standing]] = {}
    for row in rows:
        stage = rulebook.stages.get(row.stage)
        label = stage.label if stage else row.stage
        standing = Standing(row.reference, row.title, label, row.since)
        found.setdefault((row.gate, row.requirement), []).append(standing)
    return found


def _counted(process_id: int, start: datetime | None) -> Mapping[_Key, "_Row"]:
    now = int(clock.now().timestamp())
    lasted = func.coalesce(RequirementWait.seconds, now - extract("epoch", RequirementWait.since))
    query: Select[*tuple[Any, ...]] = select(
        RequirementWait.gate,
        RequirementWait.requirement,
        func.count(distinct(RequirementWait.project_id)),
        _sum_of(RequirementWait.until.is_(None)),
        func.sum(lasted),
        _sum_of(RequirementWait.ended_as == "passed"),
    )
    query = _waits(query, process_id, start)
    query = query.group_by(RequirementWait.gate, RequirementWait.requirement)
    return {(row[0], row[1]): _Row(*row[2:]) for row in db.session().execute(query)}


@dataclass(frozen=True)
class _Row:
    projects: int
    waiting: int
    lasted: float
    passed: int


def _medians(process_id: int, start: datetime | None) -> Mapping[_Key, float]:
    """Return of each requirement the median of the waits that ended because it was met, in days."""
    group = (RequirementWait.gate, RequirementWait.requirement)
    ranked = (
        _waits(
            select(
                *group,
                RequirementWait.seconds.label("seconds"),
                func.row_number()
                .over(partition_by=group, order_by=RequirementWait.seconds)
                .label("place"),
                func.count().over(partition_by=group).label("count"),
            ),
            process_id,
            start,
        )
        .where(RequirementWait.ended_as == "met")
        .subquery()
    )
    query = (
        select(ranked.c.gate, ranked.c.requirement, func.avg(ranked.c.seconds))
        .where(
            ranked.c.place * 2 >= ranked.c.count,
            ranked.c.place * 2 <= ranked.c.count + 2,
        )
        .group_by(ranked.c.gate, ranked.c.requirement)
    )
    return {(row[0], row[1]): float(row[2]) / DAY for row in db.session().execute(query)}


def _waived(process_id: int, start: datetime | None) -> Mapping[str, tuple[int, int]]:
    """Return by requirement how many waivers were granted, and how many of them ran out or were taken back."""
    over = (WaiverRow.expires_on < clock.today()) | WaiverRow.revoked_at.is_not(None)
    query = (
        select(WaiverRow.requirement, func.count(), _sum_of(over))
        .where(WaiverRow.rulebook_version_id.in_(_versions(process_id)))
        .group_by(WaiverRow.requirement)
    )
    if start is not None:
        query = query.where(WaiverRow.granted_at >= start)
    return {row[0]: (row[1], row[2]) for row in db.session().execute(query)}


def _objections(process_id: int, start: datetime | None) -> Mapping[str, int]:
    """Return by gate how many decisions sent a project away from it."""
    query = (
        select(Round.gate, func.count())
        .join(SignoffRow, SignoffRow.round_id == Round.id)
        .where(
            Round.rulebook_version_id.in_(_versions(process_id)),
            SignoffRow.decision.in_(_AGAINST),
            SignoffRow.withdrawn_at.is_(None),
        )
        .group_by(Round.gate)
    )
    if start is not None:
        query = query.where(SignoffRow.at >= start)
    return {row[0]: row[1] for row in db.session().execute(query)}


def _waits(
    query: Select[*tuple[Any, ...]], process_id: int, start: datetime | None
) -> Select[*tuple[Any, ...]]:
    query = query.where(RequirementWait.rulebook_version_id.in_(_versions(process_id)))
    return query if start is None else query.where(RequirementWait.since >= start)


def _versions(process_id: int) -> Select[int]:
    return select(RulebookVersion.id).where(RulebookVersion.process_id == process_id)


def _sum_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
