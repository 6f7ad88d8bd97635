"""What pages show of a project is what is stored now, whether it was kept or had to be gathered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import people
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Forbidden
from okrgate.metrics import service as metrics
from okrgate.projects.ticket_models import Problem
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import picture, settling, signing
from okrgate.stages.facts import gather
from okrgate.stages.models import ProjectReading
from okrgate.stages.picture import Picture
from okrgate.stages.signing import Ask
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

NEW = "Written while nobody was looking."


@pytest.mark.parametrize("stop", ["told", "in approval", "half approved", "in execution", "closed"])
def test_what_is_kept_is_what_is_gathered(arrive: Arrive, stop: str) -> None:
    company = arrive(stop)

    kept, drawn = seen(company), gathered(company)

    assert kept.snapshot is None
    assert kept == replace(drawn, snapshot=None)


def test_a_change_that_was_not_settled_is_shown(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in approval")
    number = open_round(company).id
    monkeypatch.setattr(audit, "_listeners", [])
    change_the_problem(company)

    assert seen(company) == gathered(company)
    assert NEW in page(company, "Mia", f"/approvals/{number}")


def test_the_sweep_keeps_what_was_not_settled(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in approval")
    with monkeypatch.context() as patched:
        patched.setattr(audit, "_listeners", [])
        change_the_problem(company)

    assert settling.sweep() == 1

    assert seen(company).snapshot is None
    assert any(NEW in one.text for lines in seen(company).parts.values() for one in lines)
    assert settling.sweep() == 0


def rename_the_metric(company: Company) -> None:
    """Call the project's target metric something else."""
    metrics.change(
        int(company.metric),
        name="Churn a month",
        unit_of_measure="%",
        cadence="monthly",
        steward_id=company.ids["Ines"],
        source="Billing report",
        active=True,
        by=company.ids["Ines"],
    )


def observe_the_metric(company: Company) -> None:
    """Add an observation: the baseline is fresh again."""
    day = clock.today() - timedelta(days=1)
    metrics.observe(int(company.metric), day, Decimal("5.1"), "", by=company.ids["Ines"])


def test_another_project_changes_nothing_here(arrive: Arrive) -> None:
    company = arrive("in approval")
    with transaction():
        audit.record("metrics.observed", by=None, target="metric:4711")
        audit.record("person.signed_in", by=None, target="person:1")

    assert seen(company).snapshot is None


@pytest.mark.parametrize("change", [rename_the_metric, observe_the_metric])
def test_what_was_changed_beside_a_project_is_shown(
    arrive: Arrive, change: Callable[[Company], None]
) -> None:
    company = arrive("in approval")
    change(company)

    assert seen(company) == gathered(company)

    settling.sweep()
    assert seen(company) == replace(gathered(company), snapshot=None)


@pytest.mark.parametrize(
    ("action", "target"),
    [
        ("unit.changed", "unit:{unit}"),
        ("okrs.key_result_changed", "key_result:{key_result}"),
        ("metrics.corrected", "metric:{metric}"),
    ],
)
def test_what_is_recorded_beside_a_project_makes_it_gathered(
    arrive: Arrive, action: str, target: str
) -> None:
    company = arrive("in approval")
    words = {
        "unit": company.unit.id,
        "key_result": company.key_result,
        "metric": company.metric,
    }
    with transaction():
        audit.record(action, by=None, target=target.format(**words))

    assert seen(company).snapshot is not None


def test_on_another_day_it_is_gathered(arrive: Arrive) -> None:
    company = arrive("in approval")

    with clock.moved_to(clock.now() + timedelta(days=1)):
        assert seen(company).snapshot is not None
        settling.sweep()
        assert seen(company).snapshot is None


def test_after_the_end_it_shows_how_it_ended(arrive: Arrive) -> None:
    company = arrive("closed")
    rename_the_metric(company)

    with clock.moved_to(clock.now() + timedelta(days=400)):
        assert seen(company).snapshot is None


def test_no_picture_keeps_the_name_of_somebody_forgotten(arrive: Arrive) -> None:
    company = arrive("in approval")
    name = company.names()[company.ids["Sue"]]
    assert name in kept_text()
    people.deactivate(company.ids["Sue"], by=company.ids["Ada"])
    people.erase(company.ids["Sue"], by=company.ids["Ada"])
    assert seen(company).snapshot is not None

    settling.sweep()

    assert name not in kept_text()
    assert seen(company).snapshot is None


def test_nobody_decides_by_what_was_kept(arrive: Arrive) -> None:
    """A row that names the wrong people shows a button at most: the decision gathers anew."""
    company = arrive("in approval")
    found = open_round(company)
    stranger = company.ids["Pat"]
    with transaction() as session:
        row = session.get_one(ProjectReading, company.project().id)
        around = row.around
        row.around = around | {
            "people": {name: [stranger] for name in around["people"]},
            "edited": {},
        }

    with pytest.raises(Forbidden):
        signing.decide(found.id, Ask("approved", found.digest, "k1"), by=stranger)


def seen(company: Company) -> Picture:
    """Return what pages show."""
    project = company.project()
    return picture.of(project, rulebooks.rulebook(project.rulebook_version_id))


def gathered(company: Company) -> Picture:
    """Return what is stored, gathered this moment."""
    project = company.project()
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    return picture.draw(project, rulebook, gather(project, rulebook))


def change_the_problem(company: Company) -> None:
    """Change the problem as another process would: with its row in the record."""
    project_id = company.project().id
    with transaction() as session:
        session.get_one(Problem, project_id).problem = NEW
        audit.record("section.saved", by=company.ids["Sue"], project_id=project_id)


def page(company: Company, name: str, path: str) -> str:
    """Return what somebody reads at an address."""
    db.session.remove()
    text: str = company[name].client.get(path).text
    return text


def open_round(company: Company) -> Round:
    """Return the project's open round."""
    project_id = company.project().id
    query = select(Round).where(Round.project_id == project_id, Round.closed_at.is_(None))
    return db.session.scalars(query).one()


def kept_text() -> str:
    """Return every word that is kept of any project."""
    db.session.rollback()
    rows = db.session.scalars(select(ProjectReading))
    return " ".join(f"{row.facts} {row.parts}" for row in rows)
