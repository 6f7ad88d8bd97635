"""The bands as they were agreed, and each change of them since: what a reading was judged by stays known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select

from okrgate import clock
from okrgate.database import check_writing, db
from okrgate.measurement.models import BandChange, Checkpoint, Target
from okrgate.metrics.models import Metric
from okrgate.projects import together
from okrgate.web.filters import show_date, show_number

MODES = {"absolute": "", "change": "change of ", "percent": "change in percent of "}
_POINTS = ("baseline", "success", "partial", "negative")


@dataclass(frozen=True)
class Bands:
    """All that decides into which band a value falls, but for the metric's direction."""

    mode: str
    baseline: Decimal | None
    success: Decimal | None
    partial: Decimal | None
    negative: Decimal | None

    @classmethod
    def of(cls, target: Target) -> "Bands":
        """Return those of a target as they are now."""
        return cls(target.mode, target.baseline, target.success, target.partial, target.negative)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Bands":
        """Return those of one side of a change."""
        points = (None if stored[name] is None else Decimal(stored[name]) for name in _POINTS)
        return cls(stored["mode"], *points)

    def as_json(self) -> dict[str, Any]:
        """Return them as they are stored."""
        points = {name: getattr(self, name) for name in _POINTS}
        told = {name: None if one is None else f"{one:f}" for name, one in points.items()}
        return {"mode": self.mode, **told}

    def in_words(self, unit: str = "", read_on: date | None = None) -> str:
        """Say them in one line, in the metric's unit and with the day of the baseline where they are known."""
        moved = self.unit_of_points(unit)
        day = f" on {show_date(read_on)}" if read_on and self.baseline is not None else ""
        return (
            f"{MODES.get(self.mode, '')}from {_measured(self.baseline, unit)}{day}; "
            f"success {_measured(self.success, moved)}, "
            f"partial success {_measured(self.partial, moved)}, "
            f"negative impact {_measured(self.negative, moved)}"
        )

    def unit_of_points(self, unit: str) -> str:
        """Return the unit of the cut points: a change in percent is in percent, whatever the metric is in."""
        return "%" if self.mode == "percent" and unit else unit


def _measured(value: Decimal | None, unit: str) -> str:
    return show_number(value) if value is None else f"{show_number(value)} {unit}".strip()


@dataclass(frozen=True)
class Why:
    """Why bands change after they were agreed, and by whose word; `request` is the change request, if there was one."""

    reason: str
    by: int
    request: int | None = None


def changes(project_id: int) -> list[BandChange]:
    """Return every change of a project's bands since they were agreed, oldest first."""
    return together.many(
        BandChange,
        project_id,
        lambda: list(db.session().scalars(_CHANGES, {"project": project_id})),
    )


_CHANGES = (
    select(BandChange).where(BandChange.project_id == bindparam("project")).order_by(BandChange.id)
)


def judging(one: Checkpoint, target: Target, known: Sequence[BandChange]) -> Bands:
    """Return the bands that a checkpoint is judged by: those it was read against, else those of today."""
    if one.value is None:
        return Bands.of(target)
    for change in _since(one, target, known):
        if change.before:
            return Bands.read(change.before)
    return Bands.of(target)


def last_id(target: Target, known: Sequence[BandChange]) -> int | None:
    """Return the newest change of a target's bands, to be kept with what is read now."""
    return max(
        (change.id for change in known if change.metric_id == target.metric_id), default=None
    )


def named(one: Checkpoint, target: Target, known: Sequence[BandChange]) -> str:
    """Say which bands a reading was judged by; nothing where they never changed."""
    own = {change.id: change for change in known if change.metric_id == target.metric_id}
    if not own:
        return ""
    change = own.get(one.band_change_id or 0)
    since = f"as changed on {_day(change)}{_by_request(change)}" if change else "as first agreed"
    return f"judged by the bands {since} ({judging(one, target, known).in_words()})"


def told(change: BandChange) -> str:
    """Say a change in one sentence: when, by which request, and why."""
    came = (
        "Bands changed" if change.before and change.after else "Added" if change.after else "Left"
    )
    return f"{came} on {_day(change)}{_by_request(change)}, because: {change.reason}"


def in_words(change: BandChange) -> str:
    """Say a change whole: why, and the bands before and after."""
    sides = [Bands.read(side).in_words() for side in (change.before, change.after) if side]
    before = f"Before: {sides[0]}. " if change.before else ""
    after = f"Since then: {sides[-1]}." if change.after else ""
    return f"{told(change)}\n{before}{after}".strip()


def metric_names(known: Sequence[BandChange]) -> dict[int, str]:
    """Return what the metrics of these changes are called; one query, none without changes."""
    ids = {change.metric_id for change in known}
    if not ids:
        return {}
    rows = db.session().execute(select(Metric.id, Metric.name).where(Metric.id.in_(ids)))
    return {row.id: row.name for row in rows}


def held(found: Sequence[tuple[Target, Metric]]) -> dict[int, Bands]:
    """Return the bands of each metric as they are now, to compare with later."""
    return {metric.id: Bands.of(target) for target, metric in found}


def keep(
    project_id: int, before: Mapping[int, Bands], after: Mapping[int, Bands], why: Why
) -> None:
    """Append a row for each metric whose bands differ, came or went."""
    check_writing()
    for metric in dict.fromkeys([*before, *after]):
        old, new = before.get(metric), after.get(metric)
        if old != new:
            db.session().add(
                BandChange(
                    project_id=project_id,
                    metric_id=metric,
                    request_id=why.request,
                    at=clock.now(),
                    by_id=why.by,
                    reason=why.reason,
                    before=old.as_json() if old else {},
                    after=new.as_json() if new else {},
                )
            )
    db.session().flush()


def _since(one: Checkpoint, target: Target, known: Sequence[BandChange]) -> list[BandChange]:
    seen = one.band_change_id or 0
    return [change for change in known if change.metric_id == target.metric_id and change.id > seen]


def _day(change: BandChange) -> str:
    return show_date(change.at.astimezone(clock.company_zone()).date())


def _by_request(change: BandChange) -> str:
    return f" by change request {change.request_id}" if change.request_id else ""
