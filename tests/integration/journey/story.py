"""What happens to one project from Submission to Closed on the shipped rulebook: who does what, in which words.

It is told over HTTP, and at a real browser.
"""

from datetime import UTC, datetime

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
    plan_the_work(company)
    company.move("Lea", "ask_approval", status=422)
    ines = company["Ines"]
    ines.open("/measurement/confirmations")
    ines.send({"note": "It is in the weekly report."}, press="It can be reported")
    company.move("Lea", "ask_approval")


def plan_the_work(company: Company) -> None:
    """Oli opens planning and Lea plans; nobody has confirmed yet that the metric can be reported."""
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
