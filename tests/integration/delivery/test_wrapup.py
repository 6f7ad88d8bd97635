from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask

from okrgate import clock
from okrgate.delivery import statements
from okrgate.delivery.effects import ask_stakeholders, celebrate
from okrgate.delivery.service import celebration
from okrgate.delivery.statements import Words
from okrgate.delivery.wrapup import WRAPUP, ResultPage, StakeholdersPage
from okrgate.errors import Conflict, NotFound
from okrgate.events import Celebrated, Event, StatementAsked, StatementGiven, subscribe
from okrgate.projects.models import Project
from tests.factories import Factory
from tests.integration.delivery.saving import form_of, run, save, shown, told

TODAY = date(2026, 12, 4)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    found: list[Event] = []
    from okrgate import events

    monkeypatch.setattr(events.listeners, "all", [])
    subscribe(found.append)
    return found


def asked_of(project: Project, person_id: int | None) -> int:
    return next(row.id for row, _ in statements.rows_of(project.id) if row.person_id == person_id)


def test_how_it_ended_reaches_the_gates(app: Flask, project: Project) -> None:
    assert WRAPUP.gather(project, TODAY).values == {
        "statements.asked": 0,
        "statements.answered": 0,
        "statements.reminded": 0,
        "wrapup.missing_reason_length": 0,
    }

    save(
        app,
        ResultPage(),
        project,
        by=project.lead_id or 0,
        finished="no",
        actual_effort_days="12.5",
        what_happened="Stopped early.",
    )

    values = WRAPUP.gather(project, TODAY).values
    assert values["wrapup.finished"] is False
    assert values["wrapup.actual_effort_days"] == Decimal("12.5")


def test_entering_the_stage_asks_everybody_but_the_lead(project: Project) -> None:
    events = run(project, ask_stakeholders)

    assert told(events) == {project.sponsor_id, project.submitter_id}
    for event in events:
        assert isinstance(event, StatementAsked)
        assert event.due == "2026-12-14"
        assert event.path.startswith("/statements/")
        assert event.recipients[0].asked
    assert WRAPUP.gather(project, TODAY).values["statements.asked"] == 2


def test_nobody_is_asked_twice(project: Project) -> None:
    run(project, ask_stakeholders)

    assert not run(project, ask_stakeholders)


def test_the_page_proposes_those_with_a_part(app: Flask, project: Project) -> None:
    form = shown(app, StakeholdersPage(), project)

    people = {entry.form.person.data for entry in form.stakeholders}
    assert people == {project.sponsor_id, project.submitter_id}


def test_somebody_added_is_asked_at_once_and_somebody_taken_off_no_longer(
    app: Flask, project: Project, factory: Factory
) -> None:
    run(project, ask_stakeholders)
    guest = factory.person("Gus Guest")

    events = save(
        app,
        StakeholdersPage(),
        project,
        by=project.lead_id or 0,
        **{
            "stakeholders-0-person": str(project.sponsor_id),
            "stakeholders-1-person": str(guest.id),
            "stakeholders-2-person": str(guest.id),
            "missing_reason": "Sue has left.",
        },
    )

    assert told(events) == {guest.id}
    found = WRAPUP.gather(project, TODAY)
    assert found.values["wrapup.missing_reason_length"] == 13
    assert [row["name"] for row in found.collections["statements"]] == ["Sam Sponsor", "Gus Guest"]


def test_an_answer_is_kept_and_the_lead_is_told(project: Project, heard: list[Event]) -> None:
    run(project, ask_stakeholders)

    statements.answer(
        asked_of(project, project.sponsor_id),
        Words(4, "Fast", "Loud", True),
        by=project.sponsor_id or 0,
    )

    (event,) = heard
    assert isinstance(event, StatementGiven)
    assert event.stakeholder == "Sam Sponsor"
    assert told([event]) == {project.lead_id}
    found = WRAPUP.gather(project, TODAY)
    assert found.values["statements.answered"] == 1
    row = next(row for row in found.collections["statements"] if row["name"] == "Sam Sponsor")
    assert row == {"name": "Sam Sponsor", "answered": True, "second_hand": False, "reminders": 0}


def test_what_was_said_is_private(project: Project) -> None:
    run(project, ask_stakeholders)
    statements.answer(
        asked_of(project, project.sponsor_id), Words(2, "", "Chaos"), by=project.sponsor_id or 0
    )

    private = [one.text for one in WRAPUP.answers(project) if one.private]
    public = [one.text for one in WRAPUP.answers(project) if not one.private]
    assert "Chaos" in private[0]
    assert not any("Chaos" in text for text in public)


def test_an_answer_is_given_once(project: Project) -> None:
    run(project, ask_stakeholders)
    statement = asked_of(project, project.sponsor_id)
    statements.answer(statement, Words(4), by=project.sponsor_id or 0)

    with pytest.raises(Conflict):
        statements.answer(statement, Words(5), by=project.sponsor_id or 0)
    with pytest.raises(Conflict):
        statements.answer(statement, Words(5), by=project.lead_id or 0)


def test_a_second_hand_answer_is_marked_and_gives_way_to_the_person(project: Project) -> None:
    run(project, ask_stakeholders)
    statement = asked_of(project, project.sponsor_id)

    statements.answer(statement, Words(5), by=project.lead_id or 0)
    assert WRAPUP.gather(project, TODAY).collections["statements"][0]["second_hand"]

    statements.answer(statement, Words(2), by=project.sponsor_id or 0)
    row = WRAPUP.gather(project, TODAY).collections["statements"][0]
    assert (row["answered"], row["second_hand"]) == (True, False)


def test_nobody_else_answers_or_even_sees_it(project: Project, factory: Factory) -> None:
    run(project, ask_stakeholders)
    statement = asked_of(project, project.sponsor_id)
    stranger = factory.person()

    for person_id in (stranger.id, project.submitter_id):
        with pytest.raises(NotFound):
            statements.answer(statement, Words(5), by=person_id)
        with pytest.raises(NotFound):
            statements.find(statement, reader=person_id)


def test_a_reminder_goes_out_once_a_day(project: Project, heard: list[Event]) -> None:
    run(project, ask_stakeholders)
    statement = asked_of(project, project.sponsor_id)

    assert statements.remind(statement, by=project.lead_id or 0) == "Sam Sponsor"
    with pytest.raises(Conflict, match="tomorrow"):
        statements.remind(statement, by=project.lead_id or 0)
    with clock.moved_to(datetime(2026, 12, 5, 0, 1, tzinfo=UTC)):
        statements.remind(statement, by=project.lead_id or 0)

    assert [event.reminder for event in heard if isinstance(event, StatementAsked)] == [1, 2]
    assert WRAPUP.gather(project, TODAY).values["statements.reminded"] == 1


def test_who_answered_is_not_reminded(project: Project) -> None:
    run(project, ask_stakeholders)
    statement = asked_of(project, project.sponsor_id)
    statements.answer(statement, Words(4), by=project.sponsor_id or 0)

    with pytest.raises(Conflict):
        statements.remind(statement, by=project.lead_id or 0)


def test_who_answered_cannot_be_taken_off_the_list(app: Flask, project: Project) -> None:
    run(project, ask_stakeholders)
    statements.answer(asked_of(project, project.sponsor_id), Words(4), by=project.sponsor_id or 0)

    form = form_of(
        app, StakeholdersPage(), project, {"stakeholders-0-person": str(project.submitter_id)}
    )

    assert form.stakeholders.errors == ["Sam Sponsor has answered already and stays on the list."]


def test_the_work_is_celebrated_once(project: Project) -> None:
    (event,) = run(project, celebrate)

    assert isinstance(event, Celebrated)
    assert told([event]) == {project.lead_id, project.sponsor_id, project.submitter_id}
    assert celebration(project.id) is not None
    assert not run(project, celebrate)
