"""Remind those who read checkpoints, once a day by the worker."""

from sqlalchemy import select

from okrgate import clock
from okrgate.database import db, transaction
from okrgate.events import CheckpointDue, Recipient, publish
from okrgate.measurement.models import Checkpoint, Target
from okrgate.metrics.models import Metric
from okrgate.projects.models import Project

# On the day itself, then every week for four weeks: whoever ignores five mails is not helped by a sixth.
_REMIND_ON = {0, 7, 14, 21, 28}


def remind_of_checkpoints() -> int:
    """Write a mail for each unread checkpoint that is due today or was due whole weeks ago; return how many.

    It goes to the checkpoint's owner, else the target's, else the project's lead.
    """
    today = clock.today()
    rows = db.session().execute(
        select(Checkpoint, Target, Metric.name, Project)
        .join(Target, Target.id == Checkpoint.target_id)
        .join(Metric, Metric.id == Target.metric_id)
        .join(Project, Project.id == Checkpoint.project_id)
        .where(
            Checkpoint.read_at.is_(None),
            Checkpoint.written_off == "",
            Checkpoint.due_on <= today,
            Project.closed_at.is_(None),
        )
        .order_by(Checkpoint.id)
    )
    due = [
        CheckpointDue(
            recipients=(
                Recipient(reader, f"you read {metric} in {project.reference}", asked=True),
            ),
            path=f"/projects/{project.reference}/parts/readings",
            project_id=project.id,
            reference=project.reference,
            title=project.title,
            metric=metric,
            due=checkpoint.due_on.isoformat(),
        )
        for checkpoint, target, metric, project in rows
        if (today - checkpoint.due_on).days in _REMIND_ON
        and (reader := checkpoint.owner_id or target.owner_id or project.lead_id)
    ]
    with transaction():
        for event in due:
            publish(event)
    return len(due)
