"""Park until a day or a condition, take it up again; stop in flight."""

from datetime import timedelta

from okrgate import clock
from okrgate.approvals import service as approvals
from okrgate.database import db
from okrgate.measurement import service as measurement
from okrgate.stages import hold_reminders, holding
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company


def park(company: Company, **asked: str) -> str:
    """Oli parks the project."""
    return company.move("Oli", "park_project", status=200, reason="No money this year", **asked)


def test_a_parked_project_waits_for_a_day_or_a_condition_and_one_is_enough(arrive: Arrive) -> None:
    company = arrive("planned")
    oli = company["Oli"]
    oli.open(f"/projects/{company.reference}/moves/park_project")
    said = oli.send({"reason": "No money this year"}, status=422)
    assert "Give a day, or say what has to happen first." in said
    assert "still to come" in oli.send({"reason": "No money", "date": "2027-01-11"}, status=422)
    said = oli.send({"date": "", "condition": "The budget is voted"})
    assert "On hold until this has happened: The budget is voted. Because: No money" in said


def test_the_page_says_until_when_and_why(arrive: Arrive) -> None:
    company = arrive("planned")
    park(company, date="2027-12-04")
    said = company["Pat"].open(f"/projects/{company.reference}")
    assert "On hold until 4 Dec 2027. Because: No money this year" in said


def test_nobody_signs_while_it_is_parked_and_all_are_asked_again_after(arrive: Arrive) -> None:
    company = arrive("half approved")
    first = approvals.open_round(company.project().id)
    assert first is not None
    park(company, date="2027-12-04")
    assert approvals.open_round(company.project().id) is None
    company.move("Oli", "resume_project")
    again = approvals.open_round(company.project().id)
    assert again is not None
    assert again.id != first.id
    assert company.project().stage == "final_approval"
    asked = company.told()["SignoffAsked"]
    assert asked.count("Mia") == 2
    assert asked.count("Vik") == 2
    company.sign("Mia", "approved")
    company.sign("Vik", "approved")
    assert company.project().stage == "kick_off"


def test_days_in_the_stage_stand_still_meanwhile(arrive: Arrive) -> None:
    company = arrive("planned")
    before = clock.now() - company.project().stage_entered_at
    park(company, date="2027-12-04")
    with clock.moved_to(clock.now() + timedelta(days=30)):
        company.move("Oli", "resume_project")
        now = clock.now() - company.project().stage_entered_at
        assert abs((now - before).total_seconds()) < 2
        assert company.project().parked_from is None
        assert holding.open_hold(company.project().id) is None


def test_what_waits_for_a_condition_is_asked_about_every_thirty_days(arrive: Arrive) -> None:
    company = arrive("planned")
    park(company, condition="The budget is voted")
    with clock.moved_to(clock.now() + timedelta(days=29)):
        assert hold_reminders.remind_of_holds() == 0
    with clock.moved_to(clock.now() + timedelta(days=30)):
        assert hold_reminders.remind_of_holds() == 1


def test_parking_twice_with_one_key_is_once(arrive: Arrive) -> None:
    company = arrive("planned")
    oli = company["Oli"]
    oli.open(f"/projects/{company.reference}/moves/park_project")
    values = {"reason": "No money", "condition": "A vote"}
    form = oli.form("key")
    first = oli.client.post(oli.path, data={**form.values, **values})
    second = oli.client.post(oli.path, data={**form.values, **values})
    assert (first.status_code, second.status_code) == (303, 303)
    assert sum(one.details.get("kind") == "park" for one in company.entries()) == 1


def test_a_stopped_project_still_looks_back_and_ends_as_stopped(arrive: Arrive) -> None:
    company = arrive("in execution")
    company.move("Mia", "stop_project", reason="The market is gone")
    assert company.project().stage == "look_back"
    assert company.project().outcome == "stopped"
    points = measurement.checkpoints(company.project().id)
    assert points
    assert {one.written_off for one in points} == {"The work was stopped: The market is gone"}
    company.fill(
        "Lea",
        "retrospective/retrospective",
        {"held_on": "2027-01-18", "judgement": "failure", "repeat": "never", "why": "Too late."},
    )
    company.fill(
        "Lea",
        "lessons/lessons",
        {"lessons-0-lesson": "Ask sooner", "lessons-0-owner": str(company.ids["Lea"])},
    )
    company.fill(
        "Lea", "summary/summary", {"text": "Stopped before it was live; nothing was measured."}
    )
    company.move("Lea", "close_project")
    project = company.project()
    assert (project.stage, project.outcome) == ("all_done", "stopped")
    assert project.closed_at is not None
    said = company["Led"].open(f"/projects/{company.reference}/parts/readings")
    assert "Cannot be read: The work was stopped: The market is gone" in said
    db.session.rollback()


def test_a_decision_that_moves_the_project_is_one_mail(arrive: Arrive) -> None:
    company = arrive("half approved")
    before = company.told()
    company.sign("Vik", "approved")
    after = company.told()
    assert after["SignoffGiven"] == before["SignoffGiven"]
    assert len(after["ProjectMoved"]) > len(before["ProjectMoved"])
    letter = [one for name, one in company.letters() if name == "Sue"][-1]
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Mia approved" in text
    assert "Vik approved" in text
