"""What a project promises to move, and what it did: read by sections, summaries and the steward's page."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, NotFound
from okrgate.events import MetricConfirmed, Recipient, publish
from okrgate.measurement import history
from okrgate.measurement.bands import classify, in_order, measured
from okrgate.measurement.history import Bands
from okrgate.measurement.models import BandChange, Checkpoint, Target
from okrgate.metrics import service as metrics
from okrgate.metrics.models import Metric
from okrgate.projects import together
from okrgate.projects.models import Project
from okrgate.projects.rows import listed


@dataclass(frozen=True)
class TargetLine:
    """A target for cards and summaries. `checkpoints`: (name, due, value, band).

    `unit` is the metric's; it is None where the bands are not on the metric's own scale but count a change from the
    baseline. `aims` says of each checkpoint from where on it counts or counted as a success, `changes` when and why bands changed.
    """

    name: str
    direction: str
    baseline: Decimal | None
    success: Decimal | None
    partial: Decimal | None
    negative: Decimal | None
    checkpoints: tuple[tuple[str, date, Decimal | None, str | None], ...]
    aims: tuple[Decimal | None, ...] = ()
    changes: tuple[str, ...] = ()
    unit: str | None = None


@dataclass(frozen=True)
class Ask:
    """A confirmation that a steward is asked for."""

    target_id: int
    reference: str
    title: str
    metric: str
    confirmed: bool | None
    note: str
    metric_id: int
    report: str


def stewards() -> tuple[Select[int, int | None], ...]:
    """Return queries for (project id, person id) of those who keep a target's metric or read its checkpoints."""
    keep = select(Target.project_id, Metric.steward_id).join(Metric, Metric.id == Target.metric_id)
    read = select(Checkpoint.project_id, Checkpoint.owner_id)
    return keep, read


def targets(project_id: int) -> list[tuple[Target, Metric]]:
    """Return a project's targets with their metrics, in order."""
    return together.many(Target, project_id, lambda: _targets(project_id), "metrics")


_TARGETS = (
    select(Target, Metric)
    .join(Metric, Metric.id == Target.metric_id)
    .where(Target.project_id == bindparam("project"))
    .order_by(Target.position, Target.id)
)


def _targets(project_id: int) -> list[tuple[Target, Metric]]:
    rows = db.session().execute(_TARGETS, {"project": project_id})
    return [(row.Target, row.Metric) for row in rows]


def checkpoints(project_id: int) -> list[Checkpoint]:
    """Return a project's checkpoints in order."""
    return listed(Checkpoint, project_id)


def what_was_read(project_id: int) -> list[list[Any]]:
    """Return (checkpoint id, observation id, whether it was written off) of every checkpoint that waits no more."""
    return [
        [one.id, one.observation_id, bool(one.written_off.strip())]
        for one in checkpoints(project_id)
        if one.value is not None or one.written_off.strip()
    ]


def band_of(target: Target, metric: Metric, value: Decimal) -> str | None:
    """Return the band a value falls into; None without four bands, or without the baseline that a change needs."""
    return band_within(Bands.of(target), metric, value)


def band_within(bands: Bands, metric: Metric, value: Decimal) -> str | None:
    """Return which of these bands a value falls into; None as in `band_of`."""
    success, partial, negative = bands.success, bands.partial, bands.negative
    if success is None or partial is None or negative is None:
        return None
    if not in_order(success, partial, negative, metric.direction):
        return None
    compared = measured(value, bands.baseline, bands.mode)
    if compared is None:
        return None
    return classify(compared, success, partial, negative, metric.direction)


def target_lines(project_id: int) -> list[TargetLine]:
    """Return the targets with what was read of them."""
    read: dict[int, list[Checkpoint]] = {}
    for one in checkpoints(project_id):
        read.setdefault(one.target_id, []).append(one)
    found = _with_changes(project_id)
    known = [change for _, _, changes in found for change in changes]
    return [
        TargetLine(
            metric.name,
            metric.direction,
            target.baseline,
            target.success,
            target.partial,
            target.negative,
            tuple((one.name, one.due_on, one.value, one.band) for one in read.get(target.id, ())),
            tuple(history.judging(one, target, known).success for one in read.get(target.id, ())),
            tuple(history.in_words(one) for one in changes),
            metric.unit_of_measure if target.mode == "absolute" else None,
        )
        for target, metric, changes in found
    ]


def _with_changes(project_id: int) -> list[tuple[Target, Metric, list[BandChange]]]:
    """Return the targets with their metrics and what changed of their bands; one query."""
    rows = db.session().execute(
        select(Target, Metric, BandChange)
        .join(Metric, Metric.id == Target.metric_id)
        .outerjoin(
            BandChange,
            and_(
                BandChange.project_id == Target.project_id, BandChange.metric_id == Target.metric_id
            ),
        )
        .where(Target.project_id == project_id)
        .order_by(Target.position, Target.id, BandChange.id)
    )
    found: dict[int, tuple[Target, Metric, list[BandChange]]] = {}
    for target, metric, change in rows:
        kept = found.setdefault(target.id, (target, metric, []))
        if change is not None:
            kept[2].append(change)
    return list(found.values())


def asked_of(person: int) -> list[Ask]:
    """Return the targets on metrics that this person keeps, the unanswered first."""
    query = (
        select(Target, Metric.name, Project.reference, Project.title)
        .join(Metric, Metric.id == Target.metric_id)
        .join(Project, Project.id == Target.project_id)
        .where(
            Metric.steward_id == person,
            Project.closed_at.is_(None),
            Project.submitted_at.is_not(None),
        )
        .order_by(Target.confirmed.is_not(None), Target.id.desc())
        .limit(50)
    )
    return [
        Ask(
            row.Target.id,
            row.reference,
            row.title,
            row.name,
            row.Target.confirmed,
            row.Target.confirm_note,
            row.Target.metric_id,
            row.Target.report_url,
        )
        for row in db.session().execute(query)
    ]


def confirm(target_id: int, *, confirmed: bool, note: str, by: int) -> None:
    """Say whether a metric can be reported as planned. Only its steward or an administrator may."""
    with transaction() as session:
        target = session.get(Target, target_id, with_for_update=True)
        if target is None:
            raise NotFound
        metric = metrics.get_metric(target.metric_id)
        if by != metric.steward_id and not session.get_one(Person, by).is_admin:
            raise Forbidden("Only the metric's steward can confirm it.")
        project = session.get_one(Project, target.project_id)
        if project.submitted_at is None:
            raise NotFound
        if project.closed_at is not None:
            raise Conflict("The project has ended, so nothing is left to confirm.")
        before = target.confirmed
        if (before, target.confirm_note) == (confirmed, note):
            return
        target.confirmed, target.confirm_note = confirmed, note
        target.confirmed_by_id, target.confirmed_at = by, clock.now()
        audit.record(
            "measurement.confirmed" if confirmed else "measurement.not_confirmed",
            by=by,
            project_id=project.id,
            target=f"target:{target.id}",
            reason=note,
            details={"metric": metric.name, "confirmed": [before, confirmed]},
        )
        told = {project.submitter_id: "you submitted it"}
        if project.lead_id is not None:
            told[project.lead_id] = "you lead it"
        publish(
            MetricConfirmed(
                recipients=tuple(Recipient(one, why) for one, why in told.items() if one != by),
                by=directory.names([by]).get(by, "Somebody"),
                by_id=by,
                path=f"/projects/{project.reference}",
                project_id=project.id,
                reference=project.reference,
                title=project.title,
                metric=metric.name,
                confirmed=confirmed,
                note=note,
            )
        )


def _is_planned_with(metric_id: int) -> bool:
    return bool(db.session().scalar(select(exists().where(Target.metric_id == metric_id))))


metrics.register_use(_is_planned_with)
