"""From Submission to Closed on the shipped rulebook, over HTTP, each at their own browser."""

from datetime import timedelta

import pytest

from okrgate import clock
from okrgate.approvals.receipts import SEALED
from okrgate.audit import chain
from okrgate.rulebooks import service as rulebooks
from tests.factories import SHIPPED, Factory
from tests.integration.journey.company import Company
from tests.integration.journey.story import (
    MONDAY,
    PEOPLE,
    approve,
    kick_off,
    look_back,
    measure,
    plan,
    review,
    tell_the_idea,
    work,
)


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


# Whom each kind of mail went to, in order; who acted is never told of it. Moves are checked one by one below.
TOLD = {
    "SignoffAsked": "Rex Rex Mia Vik",
    "SignoffGiven": "Rex Sue Lea",
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
    sealed = [row.target for row in entries if row.action == SEALED]
    assert sealed == [f"receipt:{one.id}" for one in company.receipts()]
    assert [row.action for row in entries if row.action != SEALED] == RECORD
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
