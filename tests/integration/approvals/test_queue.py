"""The queue holds what needs me, in order; the card says where it stands, what changed, and why I may not."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

from okrgate import clock
from okrgate.accounts import calendars, roles
from okrgate.accounts.working_days import Calendar
from okrgate.approvals import queue
from okrgate.approvals.models import (
    Round,
    RoundReading,
    Seat,
    SeatPerson,
    SignoffReminder,
)
from okrgate.approvals.queue import Narrowed
from okrgate.approvals.reminders import remind_of_signoffs
from okrgate.database import db, transaction
from okrgate.projects.models import Edit, Project
from okrgate.projects.plan_models import Team
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service, settling
from okrgate.stages.escalating import escalate_signoffs
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company


@pytest.fixture
def company(arrive: Arrive) -> Company:
    """One project waits for Mia and Vik."""
    return arrive("in approval")


def test_the_most_urgent_comes_first_then_the_oldest(company: Company) -> None:
    today = clock.today()
    first = round_of(company)
    late = another(company, "Late", due=today - timedelta(days=3))
    young = another(company, "Young", due=today + timedelta(days=30), age=1)
    old = another(company, "Old", due=today + timedelta(days=30), age=9)
    never = another(company, "No date", due=None)
    found = [row.round_id for row in queue.waiting_for(company.ids["Mia"])]
    assert found == [late, first.id, old, young, never]
    page = company["Mia"].open("/approvals")
    assert "3 days overdue" in page
    assert page.index("Late") < page.index("Renewals in one step") < page.index("No date")


def test_each_row_says_what_is_asked_and_how_far_it_is(arrive: Arrive) -> None:
    company = arrive("half approved")
    page = company["Vik"].open("/approvals")
    assert "Sign off “Renewals in one step” so that it can go on to" in page
    assert "1 of 2 sign-offs" in page
    assert "Sue, Acme" in page
    assert "Nothing waits for your decision" in company["Mia"].open("/approvals")


def test_the_pages_together_hold_every_row_once(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAGE", 3)
    day = clock.today() + timedelta(days=30)
    for number in range(7):
        another(company, f"Idea {number}", due=day if number % 2 else None, age=number // 3)
    mia = company["Mia"]
    seen: list[str] = []
    path = "/approvals"
    while path:
        mia.open(path)
        links = mia.links()
        seen += [found for _, found in links if found.startswith("/approvals/")]
        path = next((found for text, found in links if "after=" in found and "Next" in text), "")
    wanted = [
        f"/approvals/{one.round_id}" for one in queue.waiting_for(company.ids["Mia"], limit=50)
    ]
    assert len(wanted) == 8
    assert seen == wanted


def test_filters_stand_in_the_address_and_come_along(company: Company) -> None:
    today = clock.today()
    late = another(company, "Late", due=today - timedelta(days=3))
    other = another(company, "Other gate", due=today + timedelta(days=2), gate="review_done")
    mia = company["Mia"]
    page = mia.open("/approvals?due=overdue")
    assert "Late" in page
    assert "Renewals in one step" not in page
    assert f"/approvals/{late}?due=overdue" in [path for _, path in mia.links()]
    assert "Other gate" in mia.open("/approvals?gate=review_done")
    assert f"/approvals/{other}?gate=review_done" in [path for _, path in mia.links()]
    assert "Nothing here with this filter" in mia.open("/approvals?due=overdue&gate=review_done")


def test_what_is_due_is_counted_by_colour_and_the_count_is_a_filter(company: Company) -> None:
    today = clock.today()
    another(company, "Late", due=today - timedelta(days=3))
    another(company, "Later on", due=today + timedelta(days=60))
    another(company, "No date", due=None)
    found = queue.counts(company.ids["Mia"], Narrowed(due="overdue"))
    assert (found["overdue"], found["week"] + found["later"]) == (1, 3)
    mia = company["Mia"]
    mia.open("/approvals")
    path = next(path for text, path in mia.links() if text == "1 Overdue")
    page = mia.open(path)
    assert "Late</a>" in page
    assert "No date</a>" not in page
    assert any(text == "2 Later, or no date" for text, _ in mia.links())


def test_what_was_narrowed_is_remembered_until_all_is_asked_for(company: Company) -> None:
    another(company, "Late", due=clock.today() - timedelta(days=3))
    mia = company["Mia"]
    mia.open("/approvals?due=overdue&stage=&money=")
    assert "Renewals in one step" not in mia.open("/approvals")
    mia.open("/approvals?show=all")
    assert "Renewals in one step" in mia.open("/approvals")


def test_money_and_stage_narrow_it_too(company: Company) -> None:
    another(company, "Without a budget", due=None)
    mia = company["Mia"]
    page = mia.open("/approvals?money=80000")
    assert "Renewals in one step" in page
    assert "Without a budget" not in page
    page = mia.open("/approvals?stage=final_approval&money=")
    assert "Renewals in one step" in page
    assert "Without a budget" not in page
    assert "Nothing here with this filter" in mia.open("/approvals?money=999999999")


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "money=x",
        "money=-1",
        "stage=nowhere",
        "after=2027-01-01~y",
        "after=~",
        "unit=x",
        "unit=-1",
        "due=never",
    ],
)
def test_an_address_that_makes_no_sense_narrows_nothing(company: Company, query: str) -> None:
    assert company["Mia"].client.get(f"/approvals?{query}").status_code == 200
    number = round_of(company).id
    assert company["Mia"].client.get(f"/approvals/{number}?{query}").status_code == 200


def test_the_card_leads_through_the_queue(company: Company) -> None:
    first = round_of(company)
    early = another(company, "Early", due=date(2026, 1, 1))
    last = another(company, "Last", due=None)
    place = queue.place_of(company.ids["Mia"], first, Narrowed())
    assert (place.number, place.of) == (2, 3)
    assert place.previous
    assert place.previous[0] == early
    assert place.next
    assert place.next[0] == last
    mia = company["Mia"]
    assert "2 of 3" in mia.open(f"/approvals/{first.id}")
    links = {path: text for text, path in mia.links()}
    assert f"/approvals/{early}" in links
    assert f"/approvals/{last}" in links


def test_the_card_says_what_else_the_teams_are_asked_for(company: Company) -> None:
    page = company["Mia"].open(f"/approvals/{round_of(company).id}")
    assert "load</h2>" in page
    assert "30 days, not asked yet" in page
    assert "Capacity not checked" in page
    assert "No other open project asks for it." in page
    for title, days in (("One", Decimal("12.5")), ("Two", Decimal(8))):
        other = another(company, title, due=None)
        with transaction() as session:
            number = session.get_one(Round, other).project_id
            session.add(
                Team(project_id=number, position=0, unit_id=company.unit.id, effort_days=days)
            )
    secret = another(company, "Secret", due=None)
    with transaction() as session:
        number = session.get_one(Round, secret).project_id
        session.get_one(Project, number).confidential = True
        session.add(Team(project_id=number, position=0, unit_id=company.unit.id))
        session.execute(update(Team).where(Team.position == 0).values(over_capacity=True))
    with transaction():
        company.project().version += 1
    settling.settle(company.project().id)
    page = company["Mia"].open(f"/approvals/{round_of(company).id}")
    assert "2 other open projects ask for it, 20.5 days in all." in page
    assert "Over capacity" in page


def test_after_deciding_the_next_one_is_offered(company: Company) -> None:
    number = round_of(company).id
    early = another(company, "Early", due=date(2026, 1, 1))
    last = another(company, "Last", due=None)
    mia = company["Mia"]
    mia.open(f"/approvals/{number}?whose=own")
    page = mia.send({"decision": "approved"})
    assert "Your decision is recorded" in page
    (path,) = (path for text, path in mia.links() if "Next of your queue" in text)
    assert path == f"/approvals/{last}?whose=own", "the one behind it, in the same filter"
    with transaction() as session:
        session.get_one(Round, last).closed_at = clock.now()
    receipt = company.receipts()[-1].id
    mia.open(f"/receipts/{receipt}?done=1")
    assert f"/approvals/{early}" in {path for _text, path in mia.links()}, (
        "behind the last: the first"
    )
    assert "Nothing else waits for you with this filter" in mia.open(
        f"/receipts/{receipt}?done=1&whose=others"
    )
    assert "Back to the queue" in page


def test_what_i_decided_stands_with_its_receipt(company: Company) -> None:
    company.sign("Mia", "approved", reason="It pays for itself.")
    mia = company["Mia"]
    page = mia.open("/decisions")
    assert "Renewals in one step" in page
    assert "It pays for itself." in page
    assert any(path.startswith("/receipts/") for _, path in mia.links())
    assert "You have not decided anything yet" in company["Pat"].open("/decisions")


def test_what_changed_since_my_decision_is_told_field_by_field(company: Company) -> None:
    sent_back_and_changed(company)
    mia = company["Mia"]
    assert "since your last decision" in mia.open("/approvals")
    page = mia.open(f"/approvals/{round_of(company).id}")
    told = main(page).partition("Changed since your last decision")[2]
    assert "90,000" in told
    assert "95,000" in told
    # Vik did not decide: he is told what changed since the last round.
    assert "Changed since the last round" in company["Vik"].open(
        f"/approvals/{round_of(company).id}"
    )


def test_a_round_that_was_never_put_into_words_is_compared_as_it_is_stored(
    company: Company,
) -> None:
    sent_back_and_changed(company)
    with transaction() as session:
        session.execute(delete(RoundReading))
    page = company["Mia"].open(f"/approvals/{round_of(company).id}")
    assert "95,000" in main(page).partition("Changed since your last decision")[2]


def test_no_change_is_said_too(company: Company) -> None:
    company.sign("Mia", "returned", reason="Look at it again.")
    company.move("Lea", "ask_approval")
    page = company["Mia"].open(f"/approvals/{round_of(company).id}")
    assert "Nothing that is signed has changed since your last decision" in page


def test_the_card_says_what_each_decision_leads_to(arrive: Arrive) -> None:
    company = arrive("in approval")
    page = company["Mia"].open(f"/approvals/{round_of(company).id}")
    assert "Yours is sign-off 1 of 2" in page
    assert "Goes to Planning; the sign-offs so far lapse." in page
    company.sign("Mia", "approved")
    page = company["Vik"].open(f"/approvals/{round_of(company).id}")
    assert "All sign-offs are then there, and the project goes on to Kick-off." in page
    assert "Mia approved" in page


def test_whoever_is_barred_and_has_no_part_is_told_why(company: Company) -> None:
    barred(company)
    number = round_of(company).id
    page = company["Pat"].open(f"/approvals/{number}")
    assert "You changed what is to be signed" in page
    assert "90,000" not in main(page), "money is for those with a part"


def test_a_confidential_project_stays_hidden_from_the_barred(company: Company) -> None:
    barred(company)
    with transaction():
        company.project().confidential = True
    page = company["Pat"].open(f"/approvals/{round_of(company).id}", status=404)
    assert "You changed" not in page


def test_a_seat_is_reminded_of_once_before_and_once_after(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, due = round_of(company).id, round_of(company).due_on
    assert due is not None
    working = Calendar()
    days, soon = Days(monkeypatch, clock.now()), working.before(due)
    days.until(working.before(soon))
    assert remind_of_signoffs() == 0
    days.until(soon)
    assert remind_of_signoffs() == 2
    assert remind_of_signoffs() == 0
    days.until(due)
    assert remind_of_signoffs() == 0
    company.sign("Mia", "approved")
    days.until(working.after(due, 1))
    assert remind_of_signoffs() == 1
    days.until(working.after(due, 9))
    assert remind_of_signoffs() == 0
    assert company.told()["SignoffDue"] == ["Mia", "Vik", "Vik"]
    kinds = db.session.scalars(
        select(SignoffReminder.kind).where(SignoffReminder.round_id == number)
    )
    assert sorted(kinds) == ["overdue", "soon", "soon"]
    assert company.project().stage == "final_approval", "silence approves nothing"
    assert [letter for _, letter in company.letters() if "overdue" in letter["Subject"]]


def test_a_stage_says_when_to_remind_and_who_hears_of_delay(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = round_of(company).due_on
    assert due is not None
    rules = rulebooks.rulebook(company.project().rulebook_version_id)
    stage = replace(
        rules.stages["final_approval"],
        remind_days=2,
        escalate_to=("process_office", "vice_president"),
    )
    changed = replace(rules, stages={**rules.stages, stage.id: stage})
    monkeypatch.setattr(rulebooks, "rulebook", lambda _version: changed)
    working, asked = Calendar(), clock.today()
    days = Days(monkeypatch, clock.now())
    days.until(working.after(asked, 1))
    assert remind_of_signoffs() == 0
    days.until(working.after(asked, 2))
    assert remind_of_signoffs() == 2
    days.until(due)
    assert remind_of_signoffs() == 0
    assert escalate_signoffs() == 0
    days.until(working.after(due, 1))
    assert escalate_signoffs() == 1
    assert escalate_signoffs() == 0
    subjects = [
        letter["Subject"] for to, letter in company.letters() if "overdue" in letter["Subject"]
    ]
    assert len(subjects) == 1
    assert "sign-off of Final approval was due on" in subjects[0]


def test_whoever_has_signed_hears_of_the_move_only(company: Company) -> None:
    company.sign("Mia", "approved")
    company.sign("Vik", "approved")
    assert company.project().stage != "final_approval"
    assert "SignoffNotNeeded" not in company.told(), "both have signed"


def test_whoever_is_spared_by_a_return_is_told(company: Company) -> None:
    company.sign("Mia", "returned", reason="Name the owner of the rollout.")
    assert company.told()["SignoffNotNeeded"] == ["Vik"]
    letter = next(each for _, each in company.letters() if "no longer needed" in each["Subject"])
    body = letter.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "nothing for you to do" in text
    assert "The project is now in" in text
    assert "Mia" in text


def test_the_rules_add_their_words_to_the_mail(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = rulebooks.rulebook(company.project().rulebook_version_id)
    move = next(
        one
        for one in rules.transitions.values()
        if one.kind == "return" and one.sources == ("final_approval",)
    )
    said = replace(move, mail="Talk to the process office first.")
    changed = replace(rules, transitions={**rules.transitions, move.id: said})
    monkeypatch.setattr(rulebooks, "rulebook", lambda _version: changed)
    company.sign("Mia", "returned", reason="Name the owner.")
    letters = [each for _, each in company.letters() if "sent back" in each["Subject"]]
    assert letters
    for each in letters:
        body = each.get_body(("plain",))
        assert body is not None
        assert "Talk to the process office first." in body.get_content()


def test_nobody_is_reminded_on_a_day_off(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    due = round_of(company).due_on
    assert due is not None
    soon = Calendar().before(due)
    calendars.close(company.unit.id, first=soon, last=soon, why="Party", by=company.ids["Ada"])
    days = Days(monkeypatch, clock.now())
    days.until(soon)
    assert remind_of_signoffs() == 0, "the party"
    days.until(due)
    assert remind_of_signoffs() == 2
    days.until(due + timedelta(days=1))
    calendars.close(
        company.unit.id,
        first=due + timedelta(days=1),
        last=due + timedelta(days=9),
        why="Moving house",
        by=company.ids["Ada"],
    )
    assert (remind_of_signoffs(), escalate_signoffs()) == (0, 0)
    days.until(Calendar().next(due + timedelta(days=10)))
    assert remind_of_signoffs() == 2


class Days:
    """Moves the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: datetime) -> None:
        self.now = start
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def until(self, day: date) -> None:
        """Go to the same time on another day."""
        self.now += timedelta(days=(day - clock.today()).days)


def another(
    company: Company,
    title: str,
    *,
    due: date | None,
    age: int = 0,
    gate: str = "executive_signoff",
) -> int:
    """Put another round before Mia, without going all the way to it."""
    like = round_of(company)
    begun = service.start(
        title,
        version_id=like.rulebook_version_id,
        home_unit_id=company.unit.id,
        by=company.ids["Sue"],
    )
    with transaction() as session:
        session.get_one(Project, begun.id).submitted_at = clock.now()
        found = Round(
            project_id=begun.id,
            gate=gate,
            transition=like.transition,
            number=1,
            opened_at=clock.now() - timedelta(days=age),
            due_on=due,
            digest=like.digest,
            content={},
            rulebook_version_id=like.rulebook_version_id,
        )
        session.add(found)
        session.flush()
        seat = Seat(
            round_id=found.id,
            requirement="one-executive",
            place=0,
            roles=["managing_director"],
            excluded=[],
            need=1,
            label="Somebody must sign",
        )
        session.add(seat)
        session.flush()
        session.add(
            SeatPerson(
                round_id=found.id,
                seat_id=seat.id,
                person_id=company.ids["Mia"],
                waiting_since=found.opened_at,
            )
        )
        return found.id


def round_of(company: Company) -> Round:
    """Return the project's newest round."""
    query = select(Round).where(Round.project_id == company.project().id).order_by(Round.id.desc())
    return db.session.scalars(query.limit(1)).one()


def sent_back_and_changed(company: Company) -> None:
    """Mia sends it back, Lea asks for more money and asks again."""
    company.sign("Mia", "returned", reason="Is that enough money?")
    company.fill("Lea", "scope/money", {"budget": "95000"})
    company.move("Lea", "ask_approval")


def barred(company: Company) -> None:
    """Make Pat a director who once changed the plan, without any part in the project."""
    roles.grant(
        company.ids["Pat"],
        role="managing_director",
        unit_id=company.unit.id,
        starts_on=None,
        ends_on=None,
        by=company.ids["Ada"],
    )
    with transaction() as session:
        session.add(
            Edit(
                project_id=company.project().id,
                section="scope",
                person_id=company.ids["Pat"],
                at=clock.now(),
                material=True,
            )
        )
    settling.settle(company.project().id)


def main(page: str) -> str:
    """Return what stands in the middle of a page."""
    return page.partition("<main")[2]
