from datetime import date

from flask import Flask

from okrgate.delivery.running import DELIVERY, BlockersPage, IncrementsPage, UpdatePage, updates
from okrgate.events import StatusPosted
from okrgate.projects.models import Project
from tests.integration.delivery.saving import save, told

TODAY = date(2026, 12, 4)
UPDATE = {"status": "at_risk", "note": "Two weeks late.", "focus": "doubtful", "why": "Scope grew."}


def test_an_update_is_posted_to_everybody_with_a_part(app: Flask, project: Project) -> None:
    (event,) = save(app, UpdatePage(), project, by=project.lead_id or 0, **UPDATE)

    assert isinstance(event, StatusPosted)
    assert (event.status, event.note, event.focus) == (
        "at_risk",
        "Two weeks late.",
        "Doubtful: Scope grew.",
    )
    assert told([event]) == {project.lead_id, project.sponsor_id, project.submitter_id}
    assert updates(project.id)[0].by == "Lea Lead"


def test_an_empty_update_posts_nothing(app: Flask, project: Project) -> None:
    assert not save(app, UpdatePage(), project, by=project.lead_id or 0)
    assert not updates(project.id)


def test_the_same_update_sent_twice_counts_once(app: Flask, project: Project) -> None:
    save(app, UpdatePage(), project, by=project.lead_id or 0, **UPDATE)

    assert not save(app, UpdatePage(), project, by=project.lead_id or 0, **UPDATE)
    assert len(updates(project.id)) == 1


def test_updates_pile_up_newest_first(app: Flask, project: Project) -> None:
    save(app, UpdatePage(), project, by=project.lead_id or 0, **UPDATE)
    save(app, UpdatePage(), project, by=project.lead_id or 0, status="on_track", focus="yes")

    assert [one.status for one in updates(project.id)] == ["on_track", "at_risk"]
    text = next(one.text for one in DELIVERY.answers(project) if one.field == "status")
    assert text.splitlines()[1] == (
        "4 Dec 2026, Lea Lead: At risk. Two weeks late. Focus on value: doubtful, Scope grew."
    )


def test_open_blockers_count(app: Flask, project: Project) -> None:
    save(
        app,
        BlockersPage(),
        project,
        by=project.lead_id or 0,
        **{
            "blockers-0-name": "No test data",
            "blockers-0-owner": str(project.sponsor_id),
            "blockers-0-due": "2026-12-20",
            "blockers-1-name": "No licence",
            "blockers-1-done": "y",
        },
    )

    found = DELIVERY.gather(project, TODAY)
    assert found.values == {"blockers.open": 1}
    assert found.collections["blockers"] == [
        {
            "name": "No test data",
            "owner": str(project.sponsor_id),
            "due": date(2026, 12, 20),
            "open": True,
        },
        {"name": "No licence", "open": False},
    ]
    text = next(one.text for one in DELIVERY.answers(project) if one.field == "blockers")
    assert "No test data: Sam Sponsor, since 4 Dec 2026, in the way" in text


def test_increments_are_kept(app: Flask, project: Project) -> None:
    save(
        app,
        IncrementsPage(),
        project,
        by=project.lead_id or 0,
        **{
            "increments-0-value": "Ten customers renew in one step",
            "increments-0-on": "2026-12-20",
            "increments-1-value": "",
        },
    )

    text = next(one.text for one in DELIVERY.answers(project) if one.field == "increments")
    assert text == "Ten customers renew in one step: 20 Dec 2026, not released yet"
