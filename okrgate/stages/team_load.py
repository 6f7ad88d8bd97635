"""What the teams of a project are asked for: here, and by the other projects under way."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from okrgate.database import db
from okrgate.projects.choosing import unit_names
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Team
from okrgate.projects.rows import listed
from okrgate.web.filters import show_number

_AGREED = {True: "has agreed", False: "has not agreed", None: "not asked yet"}
_ROOM = {
    True: ("Over capacity", "danger"),
    False: ("Within capacity", "success"),
    None: ("Capacity not checked", "neutral"),
}


def of(project: Project) -> list[dict[str, Any]]:
    """Return each team of a project: what is asked of it, and by how many others. Confidential projects are left out."""
    rows = listed(Team, project.id)
    if not rows:
        return []
    names = unit_names(row.unit_id for row in rows)
    others = {
        unit: (count, show_number(days) if days else "")
        for unit, count, days in db.session().execute(
            select(Team.unit_id, func.count(Team.project_id.distinct()), func.sum(Team.effort_days))
            .join(Project, Project.id == Team.project_id)
            .where(
                Team.unit_id.in_({row.unit_id for row in rows}),
                Project.id != project.id,
                Project.submitted_at.is_not(None),
                Project.closed_at.is_(None),
                Project.confidential.is_(False),
            )
            .group_by(Team.unit_id)
        )
    }
    return [
        {
            "name": names[row.unit_id],
            "days": show_number(row.effort_days) if row.effort_days is not None else "",
            "confirmed": row.confirmed,
            "over": row.over_capacity,
            "others": list(others.get(row.unit_id, (0, ""))),
        }
        for row in rows
    ]


def words(teams: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each team as people read it; `room` is (what to call it, the tone it is said in)."""
    return [
        {
            "name": one["name"],
            "asked": f"{one['days']} days" if one["days"] else "effort not said",
            "agreed": _AGREED[one["confirmed"]],
            "room": _ROOM[one["over"]],
            "besides": _besides(*one["others"]),
        }
        for one in teams
    ]


def _besides(count: int, days: str) -> str:
    if not count:
        return "No other open project asks for it."
    who = "1 other open project asks" if count == 1 else f"{count:,} other open projects ask"
    return f"{who} for it{f', {days} days in all' if days else ''}."
