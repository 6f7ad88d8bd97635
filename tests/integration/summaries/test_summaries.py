from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate import clock
from okrgate.database import db, transaction
from okrgate.delivery import statements
from okrgate.delivery.effects import ask_stakeholders
from okrgate.delivery.wrapup import ResultPage
from okrgate.events import SummarySent
from okrgate.measurement import service as measurement
from okrgate.projects.models import Project
from okrgate.summaries import looking_back
from okrgate.summaries.effects import send_summary
from okrgate.summaries.models import SentSummary
from okrgate.summaries.sections import SECTIONS, LessonsPage, RetrospectivePage, SummaryPage
from okrgate.summaries.wording import KeyResult
from tests.factories import Factory
from tests.integration.delivery.saving import run, save, shown, told

TODAY = date(2026, 12, 4)
BY_KEY = {section.key: section for section in SECTIONS}


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(datetime(2026, 12, 4, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def project(factory: Factory) -> Project:
    return factory.project(submitter=factory.person("Sue Submit"), lead=factory.person("Lea Lead"))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one metric have been read, for a key result of the company."""
    line = SimpleNamespace(
        name="Churn",
        direction="down",
        baseline=Decimal(5),
        success=Decimal(3),
        partial=Decimal(4),
        negative=Decimal(6),
        checkpoints=[("After a month", date(2026, 11, 1), Decimal("2.9"), "success")],
        aims=(Decimal(3),),
        changes=(),
        unit="%",
    )
    monkeypatch.setattr(measurement, "target_lines", lambda _project_id: [line])
    found = (KeyResult("Revenue of 1M", "company", "2026", Decimal("0.4")),)
    monkeypatch.setattr(looking_back, "key_results", lambda _project: found)


def gathered(project: Project, section: str) -> Any:
    return BY_KEY[section].gather(project, TODAY)


def send(project: Project, audience: list[int]) -> Any:
    with transaction() as session:
        loaded = session.get(Project, project.id)
        assert loaded is not None
        return send_summary(loaded, by=None, audience=audience)


def test_nothing_is_known_before_the_retrospective(project: Project) -> None:
    assert gathered(project, "retrospective").values == {}
    assert gathered(project, "lessons").values == {"lessons.unowned": 0}
    assert gathered(project, "summary").values == {"summary.length": 0}


def test_judgement_and_repeat_are_two_answers(app: Flask, project: Project) -> None:
    save(
        app,
        RetrospectivePage(),
        project,
        by=project.lead_id or 0,
        held_on="2026-12-03",
        judgement="failure",
        repeat="more",
        why="It taught us where people stop.",
    )

    found = gathered(project, "retrospective")
    assert found.values == {
        "retro.held_on": date(2026, 12, 3),
        "retro.judgement": "failure",
        "retro.repeat": "more",
    }
    assert found.content["retro.judgement"]["why"] == "It taught us where people stop."
    texts = {one.field: one.text for one in BY_KEY["retrospective"].answers(project)}
    assert (texts["judgement"], texts["repeat"]) == ("Failure", "Do more like it")


@pytest.mark.usefixtures("measured")
def test_promise_observed_and_said_stand_above_the_questions(app: Flask, project: Project) -> None:
    run(project, ask_stakeholders)
    ((row, _name),) = statements.rows_of(project.id)
    statements.answer(row.id, statements.Words(4, "Fast", "Loud"), by=project.submitter_id)

    form = shown(app, RetrospectivePage(), project)

    assert form.told.promises[0].last.band == "success"
    assert form.told.voices.rating == 4
    assert form.told.voices.said[0].went_badly == "Loud"
    with app.test_request_context():
        part = app.jinja_env.get_template("summaries/_parts.html").make_module(
            {"url_for": app.url_for}
        )
        assert "3 or less" in part.results(form.told.promises)  # type: ignore[attr-defined]
        assert "Loud" in part.voices(form.told.voices)  # type: ignore[attr-defined]


def test_lessons_need_owners(app: Flask, project: Project) -> None:
    save(
        app,
        LessonsPage(),
        project,
        by=project.lead_id or 0,
        **{
            "lessons-0-lesson": "Ask earlier",
            "lessons-0-owner": str(project.lead_id),
            "lessons-1-lesson": "Measure " + "more " * 90,
        },
    )

    found = gathered(project, "lessons")
    assert found.values == {"lessons.unowned": 1}
    assert found.collections["lessons"][0] == {
        "name": "Ask earlier",
        "owner": str(project.lead_id),
    }
    assert len(found.collections["lessons"][1]["name"]) == 200
    assert len(found.content["lessons"][1][0]) > 200


@pytest.mark.usefixtures("measured")
def test_the_summary_starts_as_a_proposal_that_counts_for_nothing(
    app: Flask, project: Project
) -> None:
    form = shown(app, SummaryPage(), project)

    assert "Churn: 2.9 on 1 Nov 2026" in form.text.data
    assert "consistent with a contribution" in form.text.data
    assert gathered(project, "summary").values == {"summary.length": 0}


def test_a_saved_summary_is_signed_by_its_text(app: Flask, project: Project) -> None:
    save(app, SummaryPage(), project, by=project.lead_id or 0, text="It worked.")

    found = gathered(project, "summary")
    assert found.values == {"summary.length": 10}
    assert found.content == {"summary.length": "It worked."}


@pytest.mark.usefixtures("measured")
def test_sending_keeps_the_summary_as_it_was(
    app: Flask, project: Project, factory: Factory
) -> None:
    director = factory.person("Mona Director")
    save(app, SummaryPage(), project, by=project.lead_id or 0, text="It worked.")

    (event,) = send(project, [director.id, director.id])
    save(app, SummaryPage(), project, by=project.lead_id or 0, text="Changed later.")

    assert isinstance(event, SummarySent)
    assert told([event]) == {director.id}
    assert event.summary == "It worked."
    assert event.results[0].startswith("Churn: 2.9")
    assert event.key_results == (
        "Company 2026, Revenue of 1M: consistent with a contribution. It stands at 40\u202f%.",
    )
    (row,) = db.session().scalars(select(SentSummary))
    assert (row.text, row.audience) == ("It worked.", [director.id])


def test_without_a_text_the_proposal_is_sent(project: Project, factory: Factory) -> None:
    (event,) = send(project, [factory.person().id])

    assert isinstance(event, SummarySent)
    assert "No target metric was set." in event.summary


@pytest.mark.usefixtures("measured")
def test_the_page_shows_everything_with_its_source(
    app: Flask, project: Project, factory: Factory
) -> None:
    lead = factory.person()
    reference = project.reference
    save(app, ResultPage(), project, by=lead.id, actual_effort_days="30.5")
    send(project, [lead.id])

    page = factory.browser(lead).get(f"/projects/{reference}/summary")

    assert page.status_code == 200
    for text in ("30.5 days", "Churn", "2.9", "Revenue of 1M", "40\u202f%", "to 1 person"):
        assert text in page.text
    assert "Consistent with a contribution" in page.text
    assert "Reading 2.9" in page.text.replace("&nbsp;", " ")
    assert f'href="/projects/{reference}/parts/readings"' in page.text


def test_ratings_are_for_those_involved(project: Project, factory: Factory) -> None:
    run(project, ask_stakeholders)
    ((row, _name),) = statements.rows_of(project.id)
    statements.answer(row.id, statements.Words(2), by=project.submitter_id)
    path = f"/projects/{project.reference}/summary"

    assert "2.0 of 5" in factory.browser(factory.person(auditor=True)).get(path).text
    assert "2.0 of 5" not in factory.browser(factory.person()).get(path).text
