"""From Submission to Closed on the shipped rulebook, over HTTP, each at their own browser."""

from datetime import UTC, datetime, timedelta

import pytest

from okrgate import clock
from okrgate.audit import chain
from okrgate.rulebooks import service as rulebooks
from tests.factories import SHIPPED, Factory
from tests.integration.journey.company import Company

PEOPLE = {
    "Sue": None,
    "Rex": "mgmt_reviewer",
    "Lea": None,
    "Ines": None,
    "Mia": "managing_director",
    "Vik": "vice_president",
    "Oli": "process_office",
    "Led": "leadership_team",
}
MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)
PROBLEM = "Every week customers tell us that a renewal takes them twenty minutes and three calls."


@pytest.fixture
def company(factory: Factory) -> Company:
    """Return the company, with an objective and a metric."""
    with clock.moved_to(MONDAY):
        company = Company.found(factory, SHIPPED, PEOPLE)
        company.agree_on_numbers("Oli", steward="Ines")
    return company


def test_an_idea_becomes_a_result(company: Company) -> None:
    with clock.moved_to(MONDAY):
        tell_the_idea(company)
        assert company.project().stage == "opportunity_review"
    with clock.moved_to(MONDAY + timedelta(days=1)):
        review(company)
        assert company.project().stage == "ranked_backlog"
    with clock.moved_to(MONDAY + timedelta(days=7)):
        plan(company)
        assert company.project().stage == "final_approval"
    with clock.moved_to(MONDAY + timedelta(days=9)):
        approve(company)
        assert company.project().stage == "kick_off"
    with clock.moved_to(MONDAY + timedelta(days=14)):
        kick_off(company)
        assert company.project().stage == "in_execution"
    with clock.moved_to(MONDAY + timedelta(days=100)):
        work(company)
        assert company.project().stage == "measuring"
    with clock.moved_to(MONDAY + timedelta(days=150)):
        measure(company)
        assert company.project().stage == "look_back"
        look_back(company)
        assert company.project().stage == "all_done"
    everybody_was_told(company)
    everything_is_on_record(company)
    every_receipt_still_holds(company)


def tell_the_idea(company: Company) -> None:
    """Sue writes it down; the gate holds until it is complete; Rex sends it back once."""
    company.begin("Sue", "Renewals in one step")
    shut = company.move("Sue", "submit_idea", status=422)
    assert "Describe the problem in at least 80 characters" in shut
    company.fill("Sue", "problem/problem", {"problem": PROBLEM, "affected": "Subscribers"})
    company.fill("Sue", "value/value", {"users": "Renewing takes one minute instead of twenty."})
    company.fill(
        "Sue",
        "solution/solution",
        {"solution": "One page that knows what they have and asks only what is new."},
    )
    target = {
        "metric": company.metric,
        "baseline": "5.2",
        "success": "3.5",
        "partial": "4.5",
        "negative": "6",
    }
    company.fill(
        "Sue", "metrics/targets", {f"targets-0-{name}": value for name, value in target.items()}
    )
    company.fill(
        "Sue",
        "key_results/key_results",
        {"links-0-key_result": company.key_result, "links-0-contribution": "Half of it"},
    )
    company.move("Sue", "submit_idea")
    company.sign("Rex", "returned", reason="Tell us how many customers.")
    assert company.project().stage == "intake_form"
    company.fill("Sue", "problem/problem", {"problem": PROBLEM + " About 900 a month."})
    company.move("Sue", "submit_idea")


def review(company: Company) -> None:
    """Rex judges fit and room, ranks it, names Lea, and agrees: the gate opens by itself."""
    company.fill(
        "Rex", "teams/teams", {"teams-0-unit": str(company.unit.id), "teams-0-effort_days": "30"}
    )
    company.fill("Rex", "review/fit", {"team_fit": "yes", "technical": "yes", "operational": "yes"})
    company.fill("Rex", "review/capacity", {"fits": "quarter"})
    company.fill("Rex", "review/priority", {"priority": "should"})
    company.fill("Rex", "backlog/backlog", {"unit": str(company.unit.id), "rank": "1"})
    company.fill(
        "Rex", "people/parts", {"lead": str(company.ids["Lea"]), "sponsor": str(company.ids["Rex"])}
    )
    company.sign("Rex", "approved")


def plan(company: Company) -> None:
    """Oli opens planning and Lea plans; Ines confirms that the metric can be reported."""
    company.move("Oli", "start_planning")
    lea = str(company.ids["Lea"])
    company.fill("Lea", "raci/raci", {"parts-0-person": lea, "parts-0-letter": "A"})
    company.fill(
        "Lea", "raci/raci", {"parts-1-person": str(company.ids["Sue"]), "parts-1-letter": "R"}
    )
    company.fill("Lea", "scope/effort", {"effort_days": "30"})
    company.fill("Lea", "scope/time", {"start": "2027-01-18", "end": "2027-04-01"})
    company.fill("Lea", "scope/people", {"people": "3"})
    company.fill("Lea", "scope/money", {"budget": "90000"})
    company.fill("Lea", "scope/questions", {"q_data_class": "internal"})
    company.fill(
        "Lea", "measurement/reports", {"reports-0-report": "https://reports.example/churn"}
    )
    company.fill(
        "Lea",
        "measurement/checkpoints",
        {
            "checkpoints-0-target": company.target(),
            "checkpoints-0-name": "After a month",
            "checkpoints-0-due": "2027-05-01",
        },
    )
    company.move("Lea", "ask_approval", status=422)
    ines = company["Ines"]
    ines.open("/measurement/confirmations")
    ines.send({"note": "It is in the weekly report."}, press="It can be reported")
    company.move("Lea", "ask_approval")


def approve(company: Company) -> None:
    """Ninety thousand need both executives, two people."""
    company.sign(
        "Mia",
        "approved_with_conditions",
        reason="Watch the calls.",
        condition={
            "text": "Report calls monthly",
            "owner": str(company.ids["Lea"]),
            "due": "2027-03-01",
        },
    )
    assert company.project().stage == "final_approval"
    company.sign("Vik", "approved")


def kick_off(company: Company) -> None:
    """Lea invites, holds the session and plans sprints."""
    company.fill(
        "Lea",
        "kickoff/session",
        {
            "starts": "2027-01-18T10:00",
            "minutes": "60",
            "place": "Room 4",
            "expectations": "One page by April.",
        },
    )
    company.fill(
        "Lea",
        "kickoff/held",
        {
            "held_on": "2027-01-18",
            "attendees-0-person": str(company.ids["Lea"]),
            "attendees-0-attended": "y",
            "attendees-1-person": str(company.ids["Sue"]),
            "attendees-1-attended": "y",
        },
    )
    company.fill(
        "Lea",
        "kickoff/tasks",
        {
            "tasks-0-name": "Draw the page",
            "tasks-0-owner": str(company.ids["Sue"]),
            "tasks-0-due": "2027-02-01",
        },
    )
    company.fill(
        "Lea",
        "kickoff/sprints",
        {
            "sprints-0-name": "Sprint 1",
            "sprints-0-start": "2027-01-18",
            "sprints-0-end": "2027-01-29",
        },
    )
    company.move("Lea", "begin_work")


def work(company: Company) -> None:
    """Lea reports, finishes, and hears what stakeholders say."""
    company.fill(
        "Lea",
        "delivery/update",
        {"status": "on_track", "note": "The page is live.", "focus": "yes"},
    )
    company.fill("Lea", "delivery/tasks", {"tasks-0-done": "y"})
    company.fill(
        "Lea",
        "wrapup/result",
        {"finished": "yes", "actual_effort_days": "34", "what_happened": "It went well."},
    )
    company.move("Lea", "finish_work")
    sue = company["Sue"]
    sue.open("/statements")
    path = next(path for _text, path in sue.links() if path.startswith("/statements/"))
    sue.open(path)
    sue.send({"rating": "4", "went_well": "Fast", "again": "yes"}, press="Send")
    company.move("Lea", "begin_measuring")


def measure(company: Company) -> None:
    """Lea reads the checkpoint."""
    company.fill(
        "Lea",
        "readings/readings",
        {"readings-0-value": "3.2", "readings-0-evidence": "Billing report, April"},
    )
    company.move("Lea", "begin_look_back")


def look_back(company: Company) -> None:
    """Lea draws the sum."""
    company.fill(
        "Lea",
        "retrospective/retrospective",
        {
            "held_on": "2027-05-20",
            "judgement": "success",
            "repeat": "more",
            "why": "We asked first.",
        },
    )
    company.fill(
        "Lea",
        "lessons/lessons",
        {
            "lessons-0-lesson": "Ask users before building",
            "lessons-0-owner": str(company.ids["Lea"]),
        },
    )
    company.fill(
        "Lea",
        "summary/summary",
        {"text": "Churn fell from 5.2 % to 3.2 %; a renewal now takes one minute."},
    )
    company.move("Lea", "close_project")


# Whom each kind of mail went to, in order; who acted is never told of it. Moves are checked one by one below.
TOLD = {
    "SignoffAsked": "Rex Rex Mia Vik",
    "SignoffGiven": "Sue Sue Lea Rex Sue Lea Mia Rex Sue Lea",
    "PersonNamed": "Lea Lea",
    "ConfirmationAsked": "Ines",
    "MetricConfirmed": "Sue Lea",
    "ConditionSet": "Lea",
    "KickoffInvited": "Rex Sue",
    "StatusPosted": "Rex Sue",
    "StatementAsked": "Rex Sue",
    "StatementGiven": "Lea",
    "Celebrated": "Rex Sue",
    "CheckpointRead": "Sue Rex",
    "SummarySent": "Led",
}
MOVES = [
    ("Sue", "opportunity_review", ""),
    ("Rex", "intake_form", "Tell us how many customers."),
    ("Sue", "opportunity_review", ""),
    ("", "ranked_backlog", ""),
    ("Oli", "plan_work", ""),
    ("Lea", "final_approval", ""),
    ("", "kick_off", ""),
    ("Lea", "in_execution", ""),
    ("Lea", "wrap_up", ""),
    ("Lea", "measuring", ""),
    ("Lea", "look_back", ""),
    ("Lea", "all_done", ""),
]


RECORD = [
    "project.started",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "project.moved",
    "round.opened",
    "signoff.returned",
    "round.left",
    "project.moved",
    "section.saved",
    "project.moved",
    "round.opened",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "signoff.approved",
    "round.satisfied",
    "project.moved",
    "project.moved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "measurement.confirmed",
    "project.moved",
    "round.opened",
    "signoff.approved_with_conditions",
    "signoff.approved",
    "round.satisfied",
    "project.moved",
    "section.saved",
    "section.saved",
    "section.saved",
    "section.saved",
    "project.moved",
    "section.saved",
    "section.saved",
    "section.saved",
    "project.moved",
    "statement.given",
    "project.moved",
    "section.saved",
    "project.moved",
    "section.saved",
    "section.saved",
    "section.saved",
    "project.moved",
]
RECEIPTS = [
    ("passage", "Idea complete", "Sue"),
    ("signoff", "Management review", "Rex"),
    ("passage", "Idea complete", "Sue"),
    ("signoff", "Management review", "Rex"),
    ("passage", "Management review", ""),
    ("passage", "Ready to plan", "Oli"),
    ("passage", "Plan complete", "Lea"),
    ("signoff", "Final approval", "Mia"),
    ("signoff", "Final approval", "Vik"),
    ("passage", "Final approval", ""),
    ("passage", "Kick-off held", "Lea"),
    ("passage", "Work finished", "Lea"),
    ("passage", "Stakeholders heard", "Lea"),
    ("passage", "Results read", "Lea"),
    ("passage", "Lessons learned", "Lea"),
]


def everybody_was_told(company: Company) -> None:
    """The right people got each mail; each says who it is for, what it is about and where to go."""
    told = {kind: " ".join(names) for kind, names in company.told().items()}
    moved = told.pop("ProjectMoved").split()
    assert told == TOLD
    assert {name: moved.count(name) for name in company.ids} == {
        "Sue": 10,
        "Rex": 11,
        "Lea": 3,
        "Ines": 0,
        "Mia": 6,
        "Vik": 6,
        "Oli": 1,
        "Led": 1,
    }
    for name, mail in company.letters():
        text = mail.get_body(("plain",))
        assert text is not None
        said = text.get_content()
        assert name in said.partition("\n")[0]
        assert company.reference in mail["Subject"]
        assert "http://localhost/" in said


def everything_is_on_record(company: Company) -> None:
    """Every act has its row, every move who and why, in an unbroken chain."""
    names = company.names()
    entries = company.entries()
    moves = [
        (names[row.actor_id], row.target.removeprefix("stage:"), row.reason)
        for row in entries
        if row.action == "project.moved"
    ]
    assert [row.action for row in entries] == RECORD
    assert moves == MOVES
    assert chain.verify()[1] == []


def every_receipt_still_holds(company: Company) -> None:
    """Each receipt opens for an executive who signed, and says that it is what was written."""
    names = company.names()
    receipts = company.receipts()
    gates = rulebooks.rulebook(company.project().rulebook_version_id).gates
    assert [(one.kind, gates[one.gate].label, names[one.by_id]) for one in receipts] == RECEIPTS
    vik = company["Vik"]
    for one in receipts:
        said = vik.open(f"/receipts/{one.id}")
        assert one.hash in said
        assert "Changed afterwards" not in said
