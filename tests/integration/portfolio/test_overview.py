"""The overview counts what the reader may read, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import transaction
from okrgate.measurement.models import Checkpoint, Target
from okrgate.metrics.models import Metric
from okrgate.okrs import service as okrs
from okrgate.portfolio import service
from okrgate.projects.models import Project
from okrgate.projects.plan_models import KeyResultLink
from okrgate.rulebooks import service as rulebooks
from tests.counting import statements
from tests.factories import Factory

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def company(factory: Factory) -> OrgUnit:
    return factory.unit("Acme")


@pytest.fixture
def pat(factory: Factory, company: OrgUnit) -> Person:
    return factory.person("Pat", unit=company)


def test_projects_are_counted_where_they_are(
    factory: Factory, company: OrgUnit, pat: Person
) -> None:
    stages = [stage.id for stage in rulebooks.rulebook(factory.rulebook().id).stages.values()]
    for stage in (stages[1], stages[1], stages[3]):
        factory.project(unit=company, stage=stage)
    seen = service.overview(pat.id, is_auditor=False)
    assert {bar.key: bar.count for bar in seen.pipelines[0].bars if bar.count} == {
        stages[1]: 2,
        stages[3]: 1,
    }
    assert seen.open == 3
    assert seen.pipelines[0].fullest is not None
    assert seen.pipelines[0].fullest.key == stages[1]


def test_nobody_counts_what_they_may_not_read(
    factory: Factory, company: OrgUnit, pat: Person
) -> None:
    owner = factory.person("Owner")
    factory.project(unit=company, submitter=owner, draft=True)
    _hide(factory.project(unit=company, submitter=owner))
    assert service.overview(pat.id, is_auditor=False).open == 0
    assert service.overview(owner.id, is_auditor=False).open == 1
    assert service.overview(pat.id, is_auditor=True).open == 1


def test_a_unit_counts_with_those_below_it(factory: Factory, company: OrgUnit, pat: Person) -> None:
    region = factory.unit("EMEA", parent=company, kind="region")
    team = factory.unit("Growth", parent=region, kind="team")
    other = factory.unit("Americas", parent=company, kind="region")
    for unit in (team, region, other):
        factory.project(unit=unit)
    assert service.overview(pat.id, is_auditor=False, unit_id=region.id).open == 2
    assert service.overview(pat.id, is_auditor=False, unit_id=company.id).open == 3


def test_only_the_last_reading_of_a_target_counts(
    factory: Factory, company: OrgUnit, pat: Person
) -> None:
    project = factory.project(unit=company, submitter=pat)
    target = _target(project)
    _read(target, "negative", days_ago=40)
    _read(target, "success", days_ago=3)
    seen = service.overview(pat.id, is_auditor=False)
    assert {bar.key: bar.count for bar in seen.bands if bar.count} == {"success": 1}
    assert [one.band for one in seen.results] == ["success"]


def test_a_checkpoint_is_overdue_from_the_day_after(
    factory: Factory, company: OrgUnit, pat: Person
) -> None:
    target = _target(factory.project(unit=company))
    _due(target, NOON.date())
    assert service.overview(pat.id, is_auditor=False).unread == 0
    _due(target, NOON.date() - timedelta(days=1))
    assert service.overview(pat.id, is_auditor=False).unread == 1


def test_a_key_result_names_what_contributes_and_what_came_of_it(
    factory: Factory, company: OrgUnit, pat: Person
) -> None:
    period = okrs.add_period("2026", "year", date(2026, 1, 1), date(2026, 12, 31), by=pat.id)
    goal = okrs.Goal("Churn to 3", Decimal(5), Decimal(3))
    objective = okrs.begin("Stay", period_id=period.id, unit_id=company.id, goal=goal, by=pat.id)
    key_result = okrs.lines_of(objective.id)[0].id
    project = factory.project(unit=company)
    _read(_target(project), "partial", days_ago=1)
    with transaction() as session:
        session.add(KeyResultLink(project_id=project.id, position=0, key_result_id=key_result))
    (effect,) = service.overview(pat.id, is_auditor=False).effects
    assert (effect.projects, {key: one for key, one in effect.bands.items() if one}) == (
        1,
        {"partial": 1},
    )


def test_the_page_asks_few_questions_whatever_the_size(
    app: Flask, factory: Factory, company: OrgUnit, pat: Person
) -> None:
    for number in range(12):
        _read(_target(factory.project(f"Project {number}", unit=company)), "success", days_ago=1)
    browser = factory.browser(pat)
    browser.get("/overview")
    with statements() as queries:
        answer = browser.get("/overview")
    assert answer.status_code == 200
    assert "12 of 12 reached" in answer.text
    assert len(queries) <= 12


def test_an_empty_company_is_told_what_will_stand_here(factory: Factory, pat: Person) -> None:
    factory.rulebook()
    page = factory.browser(pat).get("/overview?unit=999999999").text
    assert "No projects here yet" in page


def _hide(project: Project) -> None:
    with transaction() as session:
        session.get_one(Project, project.id).confidential = True


def _target(project: Project) -> Target:
    with transaction() as session:
        metric = Metric(name=f"Metric of {project.id}", direction="up", cadence="weekly")
        session.add(metric)
        session.flush()
        target = Target(project_id=project.id, metric_id=metric.id, frozen_at=clock.now())
        session.add(target)
    return target


def _read(target: Target, band: str, *, days_ago: int) -> None:
    with transaction() as session:
        session.add(
            Checkpoint(
                project_id=target.project_id,
                target_id=target.id,
                name="Reading",
                due_on=NOON.date() - timedelta(days=days_ago),
                value=Decimal(1),
                band=band,
                read_at=NOON - timedelta(days=days_ago),
            )
        )


def _due(target: Target, on: date) -> None:
    with transaction() as session:
        session.add(
            Checkpoint(project_id=target.project_id, target_id=target.id, name="Due", due_on=on)
        )
