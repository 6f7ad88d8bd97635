"""All projects at once, as far as the reader may see them: where they are, how they ended, what they moved.

Every number counts projects that the reader may read; drafts count for nobody. Nothing here is money.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.database import db
from okrgate.measurement.bands import BANDS
from okrgate.measurement.models import Checkpoint, Target
from okrgate.metrics.models import Metric
from okrgate.okrs import service as okrs
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.projects.plan_models import KeyResultLink
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import RulebookVersion

LONGEST, LATEST, MOST_KEY_RESULTS = 6, 8, 30
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Bar:
    """How many projects are somewhere. `share` is of the longest bar, 0 to 1; `since` when the first came there."""

    key: str
    label: str
    count: int
    share: float
    days: int | None = None


@dataclass(frozen=True)
class Pipeline:
    """The open projects of one process, stage by stage in the order of its rulebook."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def count(self) -> int:
        """Return how many projects are on their way."""
        return sum(bar.count for bar in self.bars)

    @property
    def fullest(self) -> Bar | None:
        """Return the stage with the most projects; nothing when there are none."""
        return max(self.bars, key=lambda bar: bar.count) if self.count else None


@dataclass(frozen=True)
class Result:
    """The last reading of a target."""

    reference: str
    title: str
    metric: str
    value: Decimal | None
    unit_of_measure: str
    band: str
    read_at: datetime


@dataclass(frozen=True)
class Slow:
    """A project that has been in one stage for long."""

    reference: str
    title: str
    stage: str
    days: int


@dataclass(frozen=True)
class Effect:
    """A key result with the projects that contribute to it and the bands their targets fell into."""

    line: okrs.KeyResultLine
    projects: int
    bands: Mapping[str, int]


@dataclass(frozen=True)
class Overview:
    """Everything the page shows."""

    pipelines: Sequence[Pipeline]
    ended: Sequence[Bar]
    bands: Sequence[Bar]
    results: Sequence[Result]
    effects: Sequence[Effect]
    slowest: Sequence[Slow]
    unread: int
    today: date

    @property
    def open(self) -> int:
        """Return how many projects are on their way."""
        return sum(pipeline.count for pipeline in self.pipelines)

    @property
    def read(self) -> int:
        """Return how many targets have a reading."""
        return sum(bar.count for bar in self.bands)

    @property
    def closed(self) -> int:
        """Return how many projects ended in the last year."""
        return sum(bar.count for bar in self.ended)


def overview(reader: int, *, is_auditor: bool, unit_id: int | None = None) -> Overview:
    """Return the state of all submitted projects that this person may read, of a unit and of those below it."""
    seen = _seen(reader, is_auditor, unit_id)
    pipelines, ended, slowest = _ways(seen)
    return Overview(
        pipelines=pipelines,
        ended=ended,
        bands=_bands(seen),
        results=_results(seen),
        effects=_effects(seen),
        slowest=slowest,
        unread=_unread(seen),
        today=clock.today(),
    )


def _seen(reader: int, is_auditor: bool, unit_id: int | None) -> ColumnElement[bool]:
    wanted = permissions.visible_clause(reader, is_auditor=is_auditor) & (
        Project.submitted_at.is_not(None)
    )
    unit = directory.unit(unit_id)
    if unit is None:
        return wanted
    below = select(OrgUnit.id).where(OrgUnit.path.startswith(unit.path, autoescape=True))
    return wanted & Project.home_unit_id.in_(below)


def _ways(
    seen: ColumnElement[bool],
) -> tuple[list[Pipeline], list[Bar], list[Slow]]:
    here = select(
        RulebookVersion.process_id,
        Project.rulebook_version_id,
        Project.stage,
        func.count(),
        func.min(Project.stage_entered_at),
    ).join(RulebookVersion, RulebookVersion.id == Project.rulebook_version_id)
    rows = (
        db.session()
        .execute(
            here.where(seen, Project.closed_at.is_(None)).group_by(
                RulebookVersion.process_id, Project.rulebook_version_id, Project.stage
            )
        )
        .all()
    )
    binding = {one.process_id: rulebooks.rulebook(one.id) for one in rulebooks.binding()}
    return _pipelines(rows, binding), _ended(seen), _slowest(seen)


def _pipelines(rows: Sequence[Any], binding: Mapping[int, Any]) -> list[Pipeline]:
    found = []
    for process, rulebook in binding.items():
        stages = {one.id: one for one in rulebook.stages.values() if not one.terminal}
        counts: dict[str, int] = dict.fromkeys(stages, 0)
        oldest: dict[str, datetime] = {}
        labels = {one.id: one.label for one in stages.values()}
        for owner, version, stage, count, since in rows:
            if owner != process:
                continue
            known = rulebooks.rulebook(version).stages.get(stage)
            labels.setdefault(stage, known.label if known else stage)
            counts[stage] = counts.get(stage, 0) + count
            oldest[stage] = min(since, oldest.get(stage, since))
        bars = _as_bars([(key, labels[key], count) for key, count in counts.items()], oldest)
        found.append(Pipeline(rulebook.title, bars))
    return [one for one in found if one.count] or found[:1]


def _ended(seen: ColumnElement[bool]) -> list[Bar]:
    rows = db.session().execute(
        select(Project.rulebook_version_id, Project.stage, func.count())
        .where(seen, Project.closed_at.is_not(None), Project.closed_at > clock.now() - _YEAR)
        .group_by(Project.rulebook_version_id, Project.stage)
    )
    counts: dict[str, int] = {}
    labels: dict[str, str] = {}
    for version, stage, count in rows:
        known = rulebooks.rulebook(version).stages.get(stage)
        labels[stage] = known.label if known else stage
        counts[stage] = counts.get(stage, 0) + count
    return list(_as_bars([(key, labels[key], count) for key, count in counts.items()]))


def _slowest(seen: ColumnElement[bool]) -> list[Slow]:
    rows = db.session().execute(
        select(
            Project.reference,
            Project.title,
            Project.rulebook_version_id,
            Project.stage,
            Project.stage_entered_at,
        )
        .where(seen, Project.closed_at.is_(None))
        .order_by(Project.stage_entered_at, Project.id)
        .limit(LONGEST)
    )
    found = []
    for reference, title, version, stage, since in rows:
        known = rulebooks.rulebook(version).stages.get(stage)
        days = (clock.now() - since).days
        found.append(Slow(reference, title, known.label if known else stage, days))
    return found


def _last_read(seen: ColumnElement[bool]) -> Select[Any]:
    """Return a query of the newest reading of every target."""
    newest = (
        select(func.max(Checkpoint.id))
        .where(Checkpoint.band.is_not(None))
        .group_by(Checkpoint.target_id)
    )
    return (
        select(Checkpoint.band)
        .join(Project, Project.id == Checkpoint.project_id)
        .where(Checkpoint.id.in_(newest), seen)
    )


def _bands(seen: ColumnElement[bool]) -> list[Bar]:
    rows = db.session().execute(
        _last_read(seen).add_columns(func.count()).group_by(Checkpoint.band)
    )
    counts = {str(band): int(count) for band, count in rows}
    return list(_as_bars([(band, label, counts.get(band, 0)) for band, label in BANDS.items()]))


def _results(seen: ColumnElement[bool]) -> list[Result]:
    rows = db.session().execute(
        _last_read(seen)
        .join(Target, Target.id == Checkpoint.target_id)
        .join(Metric, Metric.id == Target.metric_id)
        .with_only_columns(
            Project.reference,
            Project.title,
            Metric.name,
            Checkpoint.value,
            Metric.unit_of_measure,
            Checkpoint.band,
            Checkpoint.read_at,
        )
        .where(Checkpoint.read_at.is_not(None))
        .order_by(Checkpoint.read_at.desc(), Checkpoint.id.desc())
        .limit(LATEST)
    )
    return [
        Result(reference, title, metric, value, unit, band, read_at)
        for reference, title, metric, value, unit, band, read_at in rows
        if band and read_at
    ]


def _effects(seen: ColumnElement[bool]) -> list[Effect]:
    lines = okrs.of_levels(("company", "region"), limit=MOST_KEY_RESULTS)
    wanted = [line.id for line in lines]
    newest = (
        select(func.max(Checkpoint.id))
        .where(Checkpoint.band.is_not(None))
        .group_by(Checkpoint.target_id)
    )
    rows = (
        db.session()
        .execute(
            select(KeyResultLink.key_result_id, Project.id, Checkpoint.id, Checkpoint.band)
            .join(Project, Project.id == KeyResultLink.project_id)
            .outerjoin(
                Checkpoint, (Checkpoint.project_id == Project.id) & Checkpoint.id.in_(newest)
            )
            .where(KeyResultLink.key_result_id.in_(wanted), seen)
        )
        .all()
        if wanted
        else ()
    )
    return [Effect(line, *_told(rows, line.id)) for line in lines]


def _told(rows: Iterable[Any], key_result: int) -> tuple[int, Mapping[str, int]]:
    projects: set[int] = set()
    read: dict[int, str] = {}
    for link, project, checkpoint, band in rows:
        if link == key_result:
            projects.add(project)
            if band is not None:
                read[checkpoint] = band
    bands = {band: sum(1 for one in read.values() if one == band) for band in BANDS}
    return len(projects), bands


def _unread(seen: ColumnElement[bool]) -> int:
    query = (
        select(func.count())
        .select_from(Checkpoint)
        .join(Project, Project.id == Checkpoint.project_id)
        .join(Target, Target.id == Checkpoint.target_id)
        .where(
            Target.frozen_at.is_not(None),
            Checkpoint.due_on < clock.today(),
            Checkpoint.read_at.is_(None),
            Checkpoint.written_off == "",
            Project.closed_at.is_(None),
            seen,
        )
    )
    return db.session().scalar(query) or 0


def _as_bars(
    rows: Sequence[tuple[str, str, int]], oldest: Mapping[str, datetime] | None = None
) -> tuple[Bar, ...]:
    most = max((count for *_, count in rows), default=0)
    now = clock.now()
    return tuple(
        Bar(
            key,
            label,
            count,
            count / most if most else 0.0,
            (now - oldest[key]).days if oldest and key in oldest else None,
        )
        for key, label, count in rows
    )
