"""What a requirement costs: noted as projects wait, counted on two pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.database import db, transaction
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import insights
from okrgate.stages.models import RequirementWait
from tests.browsing import Person
from tests.counting import statements
from tests.factories import Factory
from tests.integration.journey.company import Company

Arrive = Callable[[str], Company]
_START = datetime(2026, 10, 1, 9, tzinfo=UTC)


def waits(company: Company) -> dict[str, str]:
    """Return by requirement how its wait ended; "waiting" while it has not."""
    project = company.project().id
    query = select(RequirementWait).where(RequirementWait.project_id == project)
    return {
        row.requirement: row.ended_as or "waiting"
        for row in db.session.scalars(query.order_by(RequirementWait.id))
    }


def test_a_wait_begins_when_something_is_missing_and_ends_when_it_is_there(arrive: Arrive) -> None:
    company = arrive("in review")

    found = waits(company)

    assert found["problem-told"] == "met"
    assert found["users-asked"] == "passed", "advice stops nobody"
    assert found["reviewer-agrees"] == found["priority-given"] == "waiting"
    assert "one-accountable" not in found, "no gate further on counts"
    company.fill("Rex", "review/priority", {"priority": "should"})
    assert waits(company) == {**found, "priority-given": "met"}


def test_what_is_left_elsewhere_counts_as_left(arrive: Arrive) -> None:
    company = arrive("in review")

    company.move("Rex", "return_idea", reason="Please say more about the users.")

    assert waits(company)["reviewer-agrees"] == "left"


def test_what_a_passed_gate_asked_was_met_even_if_nobody_judged_in_between(arrive: Arrive) -> None:
    company = arrive("in review")
    with transaction() as session:
        for row in session.scalars(select(RequirementWait)):
            if row.requirement in {"problem-told", "users-asked"}:
                row.until = row.ended_as = row.seconds = None

    company.fill("Rex", "review/priority", {"priority": "should"})

    found = waits(company)
    assert (found["problem-told"], found["users-asked"]) == ("met", "passed")


def test_nothing_is_noted_twice(arrive: Arrive) -> None:
    company = arrive("in review")
    before = waits(company)

    company.fill("Rex", "review/capacity", {"fits": "quarter"})
    company.fill("Rex", "review/capacity", {"fits": "half", "later_start": ""})

    rows = db.session.scalars(select(RequirementWait).where(RequirementWait.until.is_(None))).all()
    assert len({(row.gate, row.requirement) for row in rows}) == len(rows)
    assert set(before) == set(waits(company))


def lay(factory: Factory, *waits: tuple[str, float, float | None, str | None]) -> None:
    """Store waits of the shipped rules: (requirement, begun on day, ended on day, how), each of a project of its own."""
    version = factory.rulebook()
    gate = {
        one.id: gate.id
        for gate in rulebooks.rulebook(version.id).gates.values()
        for one in gate.requirements
    }
    unit = factory.unit()
    for requirement, begun, ended, how in waits:
        project = factory.project(unit=unit, version=version)
        with transaction() as session:
            session.add(
                RequirementWait(
                    project_id=project.id,
                    rulebook_version_id=version.id,
                    gate=gate[requirement],
                    requirement=requirement,
                    trial=requirement == "report-there",
                    since=_START + timedelta(days=begun),
                    until=None if ended is None else _START + timedelta(days=ended),
                    seconds=None if ended is None else int((ended - begun) * insights.DAY),
                    ended_as=how,
                )
            )


@pytest.fixture
def month_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be thirty days after the start."""
    monkeypatch.setattr(clock, "now", lambda: _START + timedelta(days=30))


@pytest.mark.usefixtures("month_later")
def test_the_dearest_requirement_is_on_top(factory: Factory) -> None:
    lay(
        factory,
        ("lead-named", 0, 2, "met"),
        ("lead-named", 0, 4, "met"),
        ("lead-named", 0, 12, "met"),
        ("budget-known", 10, None, None),
        ("budget-known", 1, 1.5, "na"),
        ("report-there", 5, 6, "passed"),
    )
    version = rulebooks.binding()[0]

    found = insights.of_process(version.process_id, rulebooks.rulebook(version.id))

    first, second = found[:2]
    third = next(one for one in found if one.requirement == "report-there")
    assert not any(one.stops for one in found[found.index(third) :]), "what stops nobody comes last"
    assert (first.requirement, first.projects, first.waiting) == ("budget-known", 2, 1)
    assert first.days == pytest.approx(20.5)
    assert first.median_days is None, "what is no longer asked was not met"
    assert (second.requirement, second.days, second.median_days) == ("lead-named", 18, 4)
    assert (third.requirement, third.passed, third.trial) == ("report-there", 1, True)
    assert [one.requirement for one in found if one.days] == [
        "budget-known",
        "lead-named",
        "report-there",
    ]
    late = insights.of_process(version.process_id, rulebooks.rulebook(version.id), days=25)
    assert [one.requirement for one in late if one.projects] == ["budget-known", "report-there"]


@pytest.mark.usefixtures("month_later")
def test_the_pages_tell_it_to_those_who_may_know(factory: Factory) -> None:
    lay(factory, ("lead-named", -9, -6, "met"), ("report-there", 5, None, None))
    admin = Person(factory.browser(factory.person("Ada", admin=True)), "Ada")
    reader = Person(factory.browser(factory.person("Pat")), "Pat")

    shown = admin.open("/rules/okr_delivery/insights")
    assert shown.index("Name a lead") < shown.index("Attach the report of every target metric")
    assert "3.0" in shown
    assert "kept nobody waiting" in shown
    later = admin.open("/rules/okr_delivery/insights?days=30").split("<details>")[0]
    assert "Attach the report" in later
    assert "Name a lead" not in later, "that one began before"
    assert "Name a lead" in admin.open("/rules/okr_delivery/insights?days=soon"), (
        "no such span: all"
    )
    reader.open("/rules/okr_delivery/insights", status=403)
    admin.open("/rules/nothing/insights", status=404)
    with statements() as asked:
        admin.open("/rules/okr_delivery/insights")
    assert len(asked) <= 12


@pytest.mark.usefixtures("month_later")
def test_a_trial_names_only_projects_that_the_reader_may_see(factory: Factory) -> None:
    lay(
        factory,
        ("report-there", 5, None, None),
        ("report-there", 6, None, None),
        ("report-there", 1, 2, "passed"),
    )
    hidden, shown = db.session.scalars(select(Project).order_by(Project.id).limit(2)).all()
    with transaction() as session:
        session.get_one(Project, hidden.id).confidential = True
    version = rulebooks.binding()[0].id
    reader = Person(factory.browser(factory.person("Pat")), "Pat")

    page = reader.open(f"/rules/{version}/trial")

    assert shown.reference in page
    assert hidden.reference not in page
    assert "1 more is not named here" in page
    found = insights.trials(version, rulebooks.rulebook(version), reader=0, is_auditor=False)
    assert [(one.requirement.id, one.now, one.passed, one.met) for one in found] == [
        ("report-there", 2, 1, 0)
    ]
    assert f"/rules/{version}/trial#trial-report-there" in reader.open(f"/rules/{version}")
    with statements() as asked:
        reader.open(f"/rules/{version}/trial")
    assert len(asked) <= 12
