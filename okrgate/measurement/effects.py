"""What a stage does to the measurement plan when a project enters it; run by the crossing, in its transaction."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from okrgate import clock
from okrgate.accounts import directory
from okrgate.database import check_writing, db
from okrgate.events import ConfirmationAsked, Event, Recipient
from okrgate.measurement import service
from okrgate.measurement.models import Checkpoint, Target
from okrgate.projects.models import Project

_FIRST_READING = timedelta(days=90)


def freeze_bands(project: Project, by: int | None) -> Sequence[Event]:
    """Freeze the bands as they were agreed; `frozen_bands` keeps them to compare with."""
    check_writing()
    for target, _metric in service.targets(project.id):
        if target.frozen_at is None:
            target.frozen_at = clock.now()
            target.frozen_bands = bands_text(target)
    db.session().flush()
    return ()


def create_checkpoints(project: Project, by: int | None) -> Sequence[Event]:
    """Give each target without a checkpoint one, a quarter from now."""
    check_writing()
    known = {one.target_id for one in service.checkpoints(project.id)}
    for target, metric in service.targets(project.id):
        if target.id not in known:
            db.session().add(
                Checkpoint(
                    project_id=project.id,
                    target_id=target.id,
                    name=f"{metric.name}: first reading"[:120],
                    due_on=clock.today() + _FIRST_READING,
                    owner_id=target.owner_id,
                )
            )
    db.session().flush()
    return ()


def write_off_unread(project: Project, because: str) -> None:
    """Write off every checkpoint that nobody read: it never will be, and nobody is reminded of it any more."""
    check_writing()
    for one in service.checkpoints(project.id):
        if one.read_at is None and not one.written_off.strip():
            one.written_off = because
    db.session().flush()


def ask_steward(project: Project, by: int | None, *, but: Collection[int] = ()) -> Sequence[Event]:
    """Ask the stewards of metrics that nobody confirmed yet, but for these metrics."""
    asked: dict[int, list[str]] = {}
    for target, metric in service.targets(project.id):
        if target.confirmed is None and metric.steward_id is not None and metric.id not in but:
            asked.setdefault(metric.steward_id, []).append(metric.name)
    name = directory.names([by]).get(by, "okrgate") if by is not None else "okrgate"
    return [
        ConfirmationAsked(
            recipients=(Recipient(steward, "you keep this metric", asked=True),),
            by=name,
            by_id=by,
            path="/measurement/confirmations",
            project_id=project.id,
            reference=project.reference,
            title=project.title,
            metrics=tuple(names),
        )
        for steward, names in asked.items()
    ]


def freeze_again(project: Project) -> None:
    """Freeze the bands anew as a change request agreed them, where they were frozen before."""
    check_writing()
    found = service.targets(project.id)
    if any(target.frozen_at is not None for target, _ in found):
        for target, _metric in found:
            if target.frozen_at is None or target.frozen_bands != bands_text(target):
                target.frozen_at, target.frozen_bands = clock.now(), bands_text(target)
    db.session().flush()


def bands_text(target: Target) -> str:
    """Return all that decides into which band a value falls as one text, to be compared."""
    points = (target.baseline, target.success, target.partial, target.negative)
    return "|".join([target.mode, *("" if one is None else f"{one:f}" for one in points)])
