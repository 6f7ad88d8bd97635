from datetime import UTC, date, datetime

from flask import Flask

from okrgate import clock
from okrgate.database import transaction
from okrgate.delivery.effects import invite_kickoff
from okrgate.delivery.kickoff import (
    KICKOFF,
    HeldPage,
    SessionPage,
    SprintsPage,
    TasksPage,
    items_of,
    kickoff_of,
)
from okrgate.delivery.models import TASK
from okrgate.events import KickoffInvited, PersonNamed
from okrgate.projects.models import Project
from tests.factories import Factory
from tests.integration.delivery.saving import form_of, run, save, shown, told

TODAY = date(2026, 12, 4)
PLAN = {"starts": "2026-12-10T14:00", "minutes": "90", "place": "Room 4"}


def lead(project: Project) -> int:
    assert project.lead_id is not None
    return project.lead_id


def test_an_empty_kickoff_counts_nothing(project: Project) -> None:
    told_gates = KICKOFF.gather(project, TODAY)

    assert told_gates.values == {
        "kickoff.attendees": 0,
        "kickoff.tasks_unowned": 0,
        "tasks.open": 0,
        "sprints.count": 0,
        "sprints.undated": 0,
    }
    assert told_gates.collections == {"tasks": [], "sprints": []}


def test_planning_the_session_invites_everybody_with_a_part(app: Flask, project: Project) -> None:
    (event,) = save(app, SessionPage(), project, by=lead(project), **PLAN)

    assert isinstance(event, KickoffInvited)
    assert event.starts == "2026-12-10T14:00:00+00:00"
    assert event.ends == "2026-12-10T15:30:00+00:00"
    assert event.sequence == 0
    assert told([event]) == {project.lead_id, project.sponsor_id, project.submitter_id}


def test_saving_the_same_plan_again_tells_nobody(app: Flask, project: Project) -> None:
    save(app, SessionPage(), project, by=lead(project), **PLAN)

    assert not save(app, SessionPage(), project, by=lead(project), **PLAN, timeline="Until May")


def test_a_changed_place_raises_the_sequence(app: Flask, project: Project) -> None:
    save(app, SessionPage(), project, by=lead(project), **PLAN)

    (event,) = save(app, SessionPage(), project, by=lead(project), **PLAN | {"place": "Room 5"})

    assert isinstance(event, KickoffInvited)
    assert (event.sequence, event.place) == (1, "Room 5")


def test_an_invitation_cannot_be_emptied(app: Flask, project: Project) -> None:
    save(app, SessionPage(), project, by=lead(project), **PLAN)

    form = form_of(app, SessionPage(), project, {"minutes": "60"})

    assert "starts" in form.errors


def test_a_session_in_the_past_is_kept_without_inviting(app: Flask, project: Project) -> None:
    past = PLAN | {"starts": "2026-12-01T14:00"}

    assert not save(app, SessionPage(), project, by=lead(project), **past)
    assert kickoff_of(project.id) is not None


def test_the_form_shows_the_company_time(app: Flask, project: Project) -> None:
    clock.set_company_zone("Europe/Berlin")
    try:
        (event,) = save(app, SessionPage(), project, by=lead(project), **PLAN)
        form = shown(app, SessionPage(), project)
    finally:
        clock.set_company_zone("UTC")

    assert isinstance(event, KickoffInvited)
    assert event.starts == "2026-12-10T13:00:00+00:00"
    assert form.starts.data == datetime(2026, 12, 10, 14)  # noqa: DTZ001 a form has no zone
    assert "Europe/Berlin" in form.starts.description


def test_those_invited_are_proposed_as_attendees(app: Flask, project: Project) -> None:
    form = shown(app, HeldPage(), project)

    people = {entry.form.person.data for entry in form.attendees}
    assert people == {project.lead_id, project.sponsor_id, project.submitter_id}


def test_only_those_who_were_there_count(app: Flask, project: Project) -> None:
    save(
        app,
        HeldPage(),
        project,
        by=lead(project),
        **{
            "held_on": "2026-12-03",
            "attendees-0-person": str(project.lead_id),
            "attendees-0-attended": "y",
            "attendees-1-name": "Guest from outside",
            "attendees-1-attended": "y",
            "attendees-2-person": str(project.sponsor_id),
            "attendees-3-name": "",
        },
    )

    values = KICKOFF.gather(project, TODAY).values
    assert values["kickoff.held_on"] == date(2026, 12, 3)
    assert values["kickoff.attendees"] == 2
    assert "Sam Sponsor (was not there)" in answer(project, "attendees")


def test_tasks_and_sprints_reach_the_gates(app: Flask, project: Project) -> None:
    save(
        app,
        TasksPage(),
        project,
        by=lead(project),
        **{
            "tasks-0-name": "Build it",
            "tasks-0-owner": str(project.lead_id),
            "tasks-0-due": "2027-01-15",
            "tasks-1-name": "Test it",
            "tasks-2-name": "Name it",
            "tasks-2-done": "y",
        },
    )
    save(
        app,
        SprintsPage(),
        project,
        by=lead(project),
        **{
            "sprints-0-name": "One",
            "sprints-0-start": "2027-01-04",
            "sprints-0-end": "2027-01-15",
            "sprints-1-name": "Two",
            "sprints-1-start": "2027-01-18",
        },
    )

    found = KICKOFF.gather(project, TODAY)
    assert found.values["kickoff.tasks_unowned"] == 2
    assert found.values["tasks.open"] == 2
    assert found.values["sprints.count"] == 2
    assert found.values["sprints.undated"] == 1
    assert found.collections["tasks"][0] == {
        "name": "Build it",
        "owner": str(project.lead_id),
        "due": date(2027, 1, 15),
        "open": True,
    }
    assert found.collections["sprints"][1] == {
        "name": "Two",
        "start": date(2027, 1, 18),
        "open": True,
    }


def test_a_row_keeps_its_identity_and_an_emptied_one_goes(app: Flask, project: Project) -> None:
    rows = {"tasks-0-name": "Build it", "tasks-1-name": "Test it"}
    save(app, TasksPage(), project, by=lead(project), **rows)
    first, second = (row.id for row in items_of(project.id, TASK))

    save(
        app,
        TasksPage(),
        project,
        by=lead(project),
        **{"tasks-0-id": str(second), "tasks-0-name": "Test it twice", "tasks-1-id": str(first)},
    )

    (row,) = items_of(project.id, TASK)
    assert (row.id, row.name) == (second, "Test it twice")


def test_a_row_of_another_project_is_never_touched(
    app: Flask, project: Project, factory: Factory
) -> None:
    other = factory.project("Other")
    save(app, TasksPage(), other, by=lead(project), **{"tasks-0-name": "Theirs"})
    (theirs,) = items_of(other.id, TASK)
    foreign = theirs.id

    save(
        app,
        TasksPage(),
        project,
        by=lead(project),
        **{"tasks-0-id": str(foreign), "tasks-0-name": "Mine"},
    )

    assert [(row.id, row.name) for row in items_of(other.id, TASK)] == [(foreign, "Theirs")]
    assert [row.name for row in items_of(project.id, TASK)] == ["Mine"]


def test_closing_a_task_changes_nothing_that_was_signed(app: Flask, project: Project) -> None:
    save(app, TasksPage(), project, by=lead(project), **{"tasks-0-name": "Build it"})
    before = KICKOFF.gather(project, TODAY).content
    (row,) = items_of(project.id, TASK)

    save(
        app,
        TasksPage(),
        project,
        by=lead(project),
        **{"tasks-0-id": str(row.id), "tasks-0-name": "Build it", "tasks-0-done": "y"},
    )

    assert KICKOFF.gather(project, TODAY).content == before
    assert "done" in answer(project, "tasks")


def test_entering_the_stage_without_a_plan_asks_the_lead_for_one(project: Project) -> None:
    with clock.moved_to(datetime(2026, 12, 5, tzinfo=UTC)):
        (event,) = run(project, invite_kickoff)

    assert isinstance(event, PersonNamed)
    assert told([event]) == {project.lead_id}


def test_entering_the_stage_invites_only_who_has_no_invitation(
    app: Flask, project: Project, factory: Factory
) -> None:
    save(app, SessionPage(), project, by=lead(project), **PLAN)
    assert not run(project, invite_kickoff)

    owner = factory.person("Ben Benefits")
    with transaction() as session:
        loaded = session.get(Project, project.id)
        assert loaded is not None
        loaded.benefits_owner_id = owner.id

    events = run(project, invite_kickoff)
    assert told(events) == {owner.id}
    assert not run(project, invite_kickoff)


def answer(project: Project, field: str) -> str:
    return next(one.text for one in KICKOFF.answers(project) if one.field == field)
