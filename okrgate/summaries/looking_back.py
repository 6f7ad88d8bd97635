"""Gather what was promised, what was observed and what was said about one project."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select

from okrgate import clock
from okrgate.database import db
from okrgate.delivery import service as delivery
from okrgate.delivery import statements
from okrgate.measurement import service as measurement
from okrgate.projects import commitments
from okrgate.projects.all_sections import SECTIONS as PLAN
from okrgate.projects.models import Project, Visit
from okrgate.projects.sections import Gathered
from okrgate.rulebooks import service as rulebooks
from okrgate.summaries.days import before_and_in
from okrgate.summaries.wording import KeyResult, LookBack, Promise, Reading, Said, Voices

_WORK = "delivery"


def look_back(project: Project) -> LookBack:
    """Return a project as it is seen afterwards. About eight queries, whatever the size of the data."""
    days = _days(project)
    return LookBack(
        promises=promises(project.id),
        key_results=key_results(project),
        voices=voices(project),
        planned_effort=planned_effort(project),
        actual_effort=delivery.actual_effort(project.id),
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
            readings=tuple(Reading(*checkpoint) for checkpoint in line.checkpoints),
        )
        for line in measurement.target_lines(project_id)
    )


def key_results(project: Project) -> tuple[KeyResult, ...]:
    """Return the key results that the project contributes to."""
    return tuple(
        KeyResult(line.name, line.level, line.period, line.progress, f"/okrs/{line.objective_id}")
        for line in commitments.key_result_lines(project.id)
    )


def planned_effort(project: Project) -> Decimal | None:
    """Return the days of work that were planned."""
    planned = _told(project, "scope").values.get("scope.effort_days")
    return Decimal(planned) if isinstance(planned, (Decimal, int)) else None


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


def _told(project: Project, section: str) -> Gathered:
    """Return what a section of the plan tells the gates."""
    found = next((one for one in PLAN if one.key == section), None)
    return found.gather(project, clock.today()) if found else Gathered()


def _days(project: Project) -> tuple[Decimal, Decimal] | None:
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    delivering = {stage.id for stage in rulebook.stages.values() if _WORK in stage.sections}
    stays: Sequence[Visit] = list(
        db.session().scalars(select(Visit).where(Visit.project_id == project.id).order_by(Visit.id))
    )
    return before_and_in(stays, delivering, clock.now())
