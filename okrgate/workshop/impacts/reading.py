"""A look at all projects as somebody may know it, one page by name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select

from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.stages import replaying
from okrgate.stages.impact_judging import SAME
from okrgate.stages.impact_report import Found, Impact, Sought
from okrgate.stages.impact_telling import named, readable, report
from okrgate.stages.replaying import Passed, Replayed
from okrgate.workshop.impacts.models import ImpactRow, ImpactRun

PAGE = 50
_SOON_SECONDS = 50


def told(
    run: ImpactRun, *, reader: int, grouped: bool, before: int | None = None, kind: str = ""
) -> Impact:
    """Return what a run found. `before` is where the page begins, `kind` what it lists; counts are of all."""
    counts: Counter[tuple[bool, str, str]] = Counter()
    hidden: Counter[str] = Counter()
    for row in db.session().execute(_counts(run.id, reader)):
        if row.told:
            counts[row.closed, row.stage, row.kind] += row.number
        else:
            hidden[row.kind] += row.number
    page = _page(run.id, reader, before, kind)
    more = len(page) > PAGE
    return report(
        counts,
        hidden if grouped else sum(hidden.values()),
        order=run.stages,
        affected=named(page[:PAGE]),
        older=page[PAGE - 1].project_id if more else None,
        replay=replaying.tell(_replayed(run.replay), reader=reader) if run.replay else None,
    )


@dataclass(frozen=True)
class Progress:
    """How far a run is, in words."""

    done: int
    total: int
    seconds_left: int | None

    @property
    def sentence(self) -> str:
        """Say it."""
        if not self.total:
            return "It begins in a moment"
        said = f"{self.done:,} of {self.total:,} looked at"
        return f"{said}, {self._left}" if self.seconds_left is not None else said

    @property
    def _left(self) -> str:
        minutes = round((self.seconds_left or 0) / 60)
        if (self.seconds_left or 0) < _SOON_SECONDS:
            return "less than a minute left"
        return f"about {minutes or 1} minute{'s' if minutes > 1 else ''} left"


def progress(run: ImpactRun) -> Progress:
    """Return how far a run is; how long it still takes goes by how long it took so far."""
    left = None
    if run.done:
        left = round(run.spent_ms / run.done * (run.total - run.done) / 1000)
    return Progress(run.done, run.total, left)


def _counts(run_id: int, reader: int) -> Any:
    rows = (
        select(
            ImpactRow.closed,
            ImpactRow.stage,
            ImpactRow.kind,
            readable(reader, ImpactRow.private).label("told"),
        )
        .select_from(ImpactRow)
        .join(Project, Project.id == ImpactRow.project_id)
        .where(ImpactRow.run_id == run_id)
        .subquery()
    )
    columns = rows.c.closed, rows.c.stage, rows.c.kind, rows.c.told
    return select(*columns, func.count(literal(1)).label("number")).group_by(*columns)


def _page(run_id: int, reader: int, before: int | None, kind: str) -> list[Found]:
    query = (
        select(ImpactRow)
        .join(Project, Project.id == ImpactRow.project_id)
        .where(
            ImpactRow.run_id == run_id,
            ImpactRow.kind == kind if kind else ImpactRow.kind != SAME,
            readable(reader, ImpactRow.private),
        )
    )
    if before is not None:
        query = query.where(ImpactRow.project_id < before)
    query = query.order_by(ImpactRow.project_id.desc()).limit(PAGE + 1)
    return [_found(row) for row in db.session().scalars(query)]


def _found(row: ImpactRow) -> Found:
    told: Mapping[str, Any] = row.told or {}
    return Found(
        project_id=row.project_id,
        kind=row.kind,
        closed=row.closed,
        stage=row.stage,
        private=row.private,
        asked=tuple(told.get("asked", ())),
        dropped=tuple(told.get("dropped", ())),
        needed=tuple(
            Sought(one["gate"], one["roles"], one["count"], tuple(one["people"]))
            for one in told.get("needed", ())
        ),
        problem=told.get("problem", ""),
    )


def _replayed(stored: Mapping[str, Any]) -> Replayed:
    passed = tuple(
        Passed(
            project_id=one["project_id"],
            gate=one["gate"],
            at=datetime.fromisoformat(one["at"]),
            lacked=None if one["lacked"] is None else tuple(one["lacked"]),
            private=one["private"],
        )
        for one in stored["passed"]
    )
    return Replayed(passed, stored["same"], stored["left_out"], stored["problem"])
