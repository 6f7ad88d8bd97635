"""How earlier projects of the same people, or on the same metrics, came out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, or_, select

from okrgate.database import db
from okrgate.measurement.bands import BANDS
from okrgate.measurement.models import Checkpoint, Target
from okrgate.projects.models import Project

_MOST = 2000


def of(project: Project) -> list[dict[str, Any]]:
    """Return for the lead, the submitter and the metrics: how many projects ended, and their last reading's band.

    Confidential projects are left out, for whoever reads this may not know of them.
    """
    rows = _rows(project)
    groups: list[tuple[str, int | None, Any]] = []
    if project.lead_id is not None:
        groups.append(("lead", project.lead_id, lambda row: row.lead_id == project.lead_id))
    if project.submitter_id != project.lead_id:
        groups.append(
            (
                "submitter",
                project.submitter_id,
                lambda row: row.submitter_id == project.submitter_id,
            )
        )
    groups.append(("metrics", None, lambda row: row.alike))
    return [
        {"about": about, "person": person} | _summed(row for row in rows if belongs(row))
        for about, person, belongs in groups
    ]


def words(lines: Iterable[Mapping[str, Any]], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return each line as people read it: whose projects, how many ended, how many targets came into each band."""
    about = {"lead": "Led by {}", "submitter": "Submitted by {}", "metrics": "On the same metrics"}
    return [
        {
            "label": about[line["about"]].format(names.get(line["person"], "Somebody")),
            "ended": line["ended"],
            "bands": [
                {"name": band, "label": label.lower(), "count": line["bands"][band]}
                for band, label in BANDS.items()
                if line["bands"].get(band)
            ],
            "read": sum(line["bands"].values()),
        }
        for line in lines
    ]


def _rows(project: Project) -> list[Any]:
    metrics = select(Target.metric_id).where(Target.project_id == project.id)
    alike = Project.id.in_(select(Target.project_id).where(Target.metric_id.in_(metrics)))
    by_same = [Project.submitter_id == project.submitter_id]
    if project.lead_id is not None:
        by_same.append(Project.lead_id == project.lead_id)
    return list(
        db.session().execute(
            select(
                Project.id,
                Project.lead_id,
                Project.submitter_id,
                Project.closed_at,
                alike.label("alike"),
                Checkpoint.target_id,
                Checkpoint.band,
            )
            .outerjoin(
                Checkpoint,
                and_(Checkpoint.project_id == Project.id, Checkpoint.band.is_not(None)),
            )
            .where(
                Project.id != project.id,
                Project.confidential.is_(False),
                or_(Project.closed_at.is_not(None), Checkpoint.band.is_not(None)),
                or_(alike, *by_same),
            )
            .order_by(Project.id.desc(), Checkpoint.due_on, Checkpoint.id)
            .limit(_MOST)
        )
    )


def _summed(rows: Iterable[Any]) -> dict[str, Any]:
    ended: set[int] = set()
    last: dict[int, str] = {}
    for row in rows:
        if row.closed_at is not None:
            ended.add(row.id)
        if row.target_id is not None:
            last[row.target_id] = row.band
    return {"ended": len(ended), "bands": dict(Counter(last.values()))}
