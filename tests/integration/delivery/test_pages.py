import pytest
from flask import Flask
from flask.testing import FlaskClient

from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.delivery import statements
from okrgate.delivery.effects import ask_stakeholders
from okrgate.delivery.kickoff import SessionPage
from okrgate.projects.models import Project
from tests.factories import Factory
from tests.integration.delivery.saving import run, save


def signed_in(factory: Factory, person_id: int | None) -> FlaskClient:
    person = db.session().get(Person, person_id)
    assert person is not None
    return factory.browser(person)


def statement_of(project: Project) -> tuple[int, int | None, int | None, str]:
    """Ask; return the sponsor's statement, the sponsor, the lead, the project's reference."""
    run(project, ask_stakeholders)
    found = next(
        row.id for row, _ in statements.rows_of(project.id) if row.person_id == project.sponsor_id
    )
    return found, project.sponsor_id, project.lead_id, project.reference


def test_signed_out_people_see_nothing(client: FlaskClient, project: Project) -> None:
    statement, *_rest, reference = statement_of(project)

    for path in (
        "/statements",
        f"/statements/{statement}",
        f"/projects/{reference}/statements",
        f"/projects/{reference}/kickoff.ics",
    ):
        assert client.get(path).status_code in {302, 303, 401}


def test_my_statements_start_with_what_waits(factory: Factory, project: Project) -> None:
    statement, sponsor, *_ = statement_of(project)

    page = signed_in(factory, sponsor).get("/statements")

    assert page.status_code == 200
    assert "Waiting for your answer" in page.text
    assert f'href="/statements/{statement}"' in page.text


def test_nothing_waits_for_me(factory: Factory) -> None:
    page = factory.browser(factory.person()).get("/statements")

    assert "Nothing waits for you" in page.text


def test_a_stakeholder_answers(factory: Factory, project: Project) -> None:
    statement, sponsor, *_ = statement_of(project)
    browser = signed_in(factory, sponsor)

    assert "Please answer by 14 Dec 2026" in browser.get(f"/statements/{statement}").text
    sent = browser.post(
        f"/statements/{statement}", data={"rating": "4", "went_well": "Fast", "again": "yes"}
    )

    assert (sent.status_code, sent.location) == (303, "/statements")
    shown = browser.get(f"/statements/{statement}").text
    assert "4 of 5" in shown
    assert "<form" not in shown.split("<main")[-1]


def test_an_answer_without_a_rating_comes_back_with_what_was_typed(
    factory: Factory, project: Project
) -> None:
    statement, sponsor, *_ = statement_of(project)

    page = signed_in(factory, sponsor).post(
        f"/statements/{statement}", data={"went_well": "Fast & cheap"}
    )

    assert page.status_code == 422
    assert "Choose from 1 to 5." in page.text
    assert "Fast &amp; cheap" in page.text


def test_the_lead_answers_second_hand(factory: Factory, project: Project) -> None:
    statement, _sponsor, lead, reference = statement_of(project)
    browser = signed_in(factory, lead)

    assert "marked as second-hand" in browser.get(f"/statements/{statement}").text
    sent = browser.post(f"/statements/{statement}", data={"rating": "3"})

    assert sent.location == f"/projects/{reference}/statements"
    assert "second-hand, entered by Lea Lead" in browser.get(sent.location).text


def test_strangers_get_404(factory: Factory, project: Project) -> None:
    statement, *_ = statement_of(project)
    browser = factory.browser(factory.person())

    assert browser.get(f"/statements/{statement}").status_code == 404
    assert browser.post(f"/statements/{statement}", data={"rating": "3"}).status_code == 404
    assert browser.post(f"/statements/{statement}/remind").status_code == 404


@pytest.mark.parametrize("number", ["0", "99", "2147483648", "9" * 40, "-1", "x"])
def test_a_statement_that_is_none_is_not_found(factory: Factory, number: str) -> None:
    assert factory.browser(factory.person()).get(f"/statements/{number}").status_code == 404


def test_the_lead_reminds_and_sees_why_not_again(factory: Factory, project: Project) -> None:
    statement, sponsor, lead, reference = statement_of(project)
    browser = signed_in(factory, lead)

    sent = browser.post(f"/statements/{statement}/remind")

    assert sent.location == f"/projects/{reference}/statements"
    assert "Reminded today already" in browser.get(sent.location).text
    assert browser.post(f"/statements/{statement}/remind").status_code == 409
    assert signed_in(factory, sponsor).post(f"/statements/{statement}/remind").status_code == 403


def test_words_are_for_those_involved_and_auditors(factory: Factory, project: Project) -> None:
    statement, sponsor, lead, reference = statement_of(project)
    statements.answer(statement, statements.Words(2, "", "Chaos everywhere"), by=sponsor or 0)
    path = f"/projects/{reference}/statements"

    assert "Chaos everywhere" in signed_in(factory, lead).get(path).text
    assert "Chaos everywhere" in factory.browser(factory.person(auditor=True)).get(path).text
    stranger = factory.browser(factory.person()).get(path)
    assert stranger.status_code == 200
    assert "Chaos everywhere" not in stranger.text
    assert "Sam Sponsor" in stranger.text


def test_a_confidential_project_stays_hidden(factory: Factory, project: Project) -> None:
    *_ids, reference = statement_of(project)
    with transaction() as session:
        loaded = session.get(Project, project.id)
        assert loaded is not None
        loaded.confidential = True
    browser = factory.browser(factory.person())

    for page in ("statements", "kickoff.ics", "summary"):
        assert browser.get(f"/projects/{reference}/{page}").status_code == 404


@pytest.mark.parametrize("reference", ["OKR-999", "%00", "'", "x" * 300])
def test_a_project_that_is_none_is_not_found(factory: Factory, reference: str) -> None:
    browser = factory.browser(factory.person())

    for page in ("statements", "kickoff.ics", "summary"):
        assert browser.get(f"/projects/{reference}/{page}").status_code == 404


def test_there_is_no_file_before_there_is_a_plan(factory: Factory, project: Project) -> None:
    path = f"/projects/{project.reference}/kickoff.ics"

    assert signed_in(factory, project.lead_id).get(path).status_code == 404


def test_the_kickoff_comes_as_a_calendar_file(
    app: Flask, factory: Factory, project: Project
) -> None:
    path = f"/projects/{project.reference}/kickoff.ics"
    lead = project.lead_id
    save(app, SessionPage(), project, by=lead or 0, starts="2026-12-10T14:00")

    answer = signed_in(factory, lead).get(path)

    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8; method=REQUEST"
    assert "DTSTART:20261210T140000Z" in answer.text
    assert "URL:http://localhost/projects/" in answer.text
