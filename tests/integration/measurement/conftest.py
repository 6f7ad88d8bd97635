from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask

from okrgate import clock
from okrgate.database import transaction
from okrgate.measurement import service
from okrgate.measurement.effects import freeze_bands
from okrgate.measurement.sections import CheckpointsPage, TargetsPage
from okrgate.metrics import service as metrics
from okrgate.projects.models import Project
from tests.factories import Factory
from tests.integration.delivery.saving import run, save

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Promise:
    """A submitted project that promises to move churn from 5 to 3."""

    project: Project
    lead: int
    steward: int
    metric: int
    target: int


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(NOON):
        yield


def metric_of(name: str, *, steward: int | None, by: int, direction: str = "down") -> int:
    return metrics.register(
        name,
        unit_of_measure="%",
        direction=direction,
        cadence="monthly",
        steward_id=steward,
        source="",
        by=by,
    ).id


BANDS = {"success": "3", "partial": "4", "negative": "6", "baseline": "5"}


def row(at: int, **typed: object) -> dict[str, str]:
    return {f"targets-{at}-{name}": str(value) for name, value in typed.items()}


@pytest.fixture
def promise(app: Flask, factory: Factory) -> Promise:
    submitter, lead = factory.person("Sue Submit"), factory.person("Lea Lead")
    steward = factory.person("Stan Steward").id
    project = factory.project(submitter=submitter, lead=lead)
    metric = metric_of("Churn", steward=steward, by=project.submitter_id)
    lead_id = project.lead_id or 0
    save(app, TargetsPage(), project, by=lead_id, **row(0, metric=metric, **BANDS))
    (found,) = service.targets(project.id)
    return Promise(project, lead_id, steward, metric, found[0].id)


@pytest.fixture
def checkpoint(app: Flask, promise: Promise) -> int:
    """A frozen promise with one checkpoint, due today."""
    run(promise.project, freeze_bands)
    save(
        app,
        CheckpointsPage(),
        promise.project,
        by=promise.lead,
        **{
            "checkpoints-0-target": str(promise.target),
            "checkpoints-0-name": "After a month",
            "checkpoints-0-due": "2026-12-04",
        },
    )
    return service.checkpoints(promise.project.id)[0].id


def close(project: Project) -> None:
    with transaction() as session:
        session.get_one(Project, project.id).closed_at = clock.now()
