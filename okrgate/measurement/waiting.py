"""What waits for somebody here: metrics to confirm, checkpoints to read. One query each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from okrgate import clock
from okrgate.database import db
from okrgate.measurement.models import Checkpoint, Target
from okrgate.metrics.models import Metric
from okrgate.projects.models import Project

_AHEAD = timedelta(days=7)


@dataclass(frozen=True)
class Waiting:
    """A metric of a project that waits for somebody. `name` is the checkpoint's; `due` may be missing."""

    metric: str
    name: str
    due: date | None
    reference: str
    title: str


def unconfirmed(person: int, *, limit: int) -> Sequence[Waiting]:
    """Return the metrics that this person keeps and has not said anything about, the oldest project first."""
    rows = db.session().execute(
        select(Metric.name, Project.reference, Project.title)
        .join(Target, Target.metric_id == Metric.id)
        .join(Project, Project.id == Target.project_id)
        .where(
            Metric.steward_id == person,
            Target.confirmed.is_(None),
            Project.submitted_at.is_not(None),
            Project.closed_at.is_(None),
        )
        .order_by(Target.id)
        .limit(limit)
    )
    return [Waiting(metric, "", None, reference, title) for metric, reference, title in rows]


def unread(person: int, *, limit: int) -> Sequence[Waiting]:
    """Return the checkpoints that this person reads and that are due within a week, the most urgent first.

    A checkpoint is read by its owner, else the target's, else the project's lead.
    """
    reader = func.coalesce(Checkpoint.owner_id, Target.owner_id, Project.lead_id)
    rows = db.session().execute(
        select(Metric.name, Checkpoint.name, Checkpoint.due_on, Project.reference, Project.title)
        .join(Target, Target.id == Checkpoint.target_id)
        .join(Metric, Metric.id == Target.metric_id)
        .join(Project, Project.id == Checkpoint.project_id)
        .where(
            reader == person,
            Checkpoint.value.is_(None),
            Checkpoint.written_off == "",
            Checkpoint.due_on <= clock.today() + _AHEAD,
            Project.submitted_at.is_not(None),
            Project.closed_at.is_(None),
        )
        .order_by(Checkpoint.due_on, Checkpoint.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in rows]
