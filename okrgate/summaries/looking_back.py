"""Gather what was promised, what was observed and what was said about one project."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest

from sqlalchemy import select

from okrgate import clock
from okrgate.database import db
from okrgate.delivery import statements
from okrgate.delivery.models import WrapUp
from okrgate.measurement import service as measurement
from okrgate.projects import commitments
from okrgate.projects.models import Project, Visit
from okrgate.projects.plan_models import Scope
from okrgate.rulebooks import service as rulebooks
from okrgate.summaries.days import before_and_in
from okrgate.summaries.wording import KeyResult, LookBack, Promise, Reading, Said, Voices

_WORK = "delivery"


def look_back(project: Project) -> LookBack:
    """Return a project as it is seen afterwards. About eight queries, whatever the size of the data."""
    days = _days(project)
    planned, actual = efforts(project.id)
    return LookBack(
        promises=promises(project.id),
        key_results=key_results(project),
        voices=voices(project),
        planned_effort=planned,
        actual_effort=actual,
        days_before=days[0] if days else None,
        days_in=days[1] if days else None,
    )


def promises(project_id: int) -> tuple[Promise, ...]:
    """Return the target metrics with their bands and checkpoints."""
    return tuple(
        Promise(
            metric=line.name,
            direction=line.direction,
            baseline=line.baseline,
            success=line.success,
            partial=line.partial,
            negative=line.negative,
            readings=tuple(
                Reading(name, due, value, band, success)
                for (name, due, value, band), success in zip_longest(line.checkpoints, line.aims)
            ),
            changes=line.changes,
            unit=line.unit,
        )
        for line in measurement.target_lines(project_id)
    )


def key_results(project: Project) -> tuple[KeyResult, ...]:
    """Return the key results that the project contributes to."""
    return tuple(
        KeyResult(line.name, line.level, line.period, line.progress, f"/okrs/{line.objective_id}")
        for line in commitments.key_result_lines(project.id)
    )


def efforts(project_id: int) -> tuple[Decimal | None, Decimal | None]:
    """Return the days of work that were planned and those it took, so far as they were said; one query."""
    row = (
        db.session()
        .execute(
            select(Scope.effort_days, WrapUp.actual_effort_days)
            .select_from(Project)
            .outerjoin(Scope, Scope.project_id == Project.id)
            .outerjoin(WrapUp, WrapUp.project_id == Project.id)
            .where(Project.id == project_id)
        )
        .one()
    )
    return row[0], row[1]


def voices(project: Project) -> Voices:
    """Return how those asked rated the project, and their words."""
    rows = statements.of_project(project, reader=0, read=True)
    average = statements.average_of(rows)
    return Voices(
        average.asked,
        average.answered,
        average.second_hand,
        average.rating,
        tuple(
            Said(
                row.name,
                row.words.rating,
                row.words.went_well,
                row.words.went_badly,
                row.words.again,
                row.second_hand,
            )
            for row in rows
            if row.words is not None
        ),
    )


def _days(project: Project) -> tuple[Decimal, Decimal] | None:
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    delivering = {stage.id for stage in rulebook.stages.values() if _WORK in stage.sections}
    stays: Sequence[Visit] = list(
        db.session().scalars(select(Visit).where(Visit.project_id == project.id).order_by(Visit.id))
    )
    return before_and_in(stays, delivering, clock.now())
