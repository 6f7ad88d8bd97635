"""What was put off or declined comes back by itself: on its day, or when a key result is where it was to be."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.okrs import service as okrs
from okrgate.projects.models import CoEditor, Edit, Project
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Retirement
from okrgate.stages import hold_reminders, service, settling
from okrgate.stages.comeback_models import Comeback
from okrgate.stages.coming_back import come_back
from okrgate.stages.facts import gather
from okrgate.stages.reaching import Reach
from okrgate.stages.service import Answers
from tests.browsing import Person
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.integration.journey.stops import PROBLEM
from tests.integration.stages.test_hostile_input import at_once

LATER = timedelta(days=400)


def decline(company: Company, **asked: str) -> Person:
    """Rex declines what he reviews."""
    rex = company["Rex"]
    rex.open(f"/projects/{company.reference}/moves/decline_idea")
    rex.send({"reason": "Not now.", "code": "capacity", **asked})
    return rex


def check_in(company: Company, value: str) -> None:
    """Oli says where the key result is."""
    okrs.check_in(int(company.key_result), Decimal(value), "Billing report", by=company.ids["Oli"])


def successors(company: Company) -> list[Project]:
    """Return every project but the first."""
    db.session.rollback()
    query = select(Project).where(Project.reference != company.reference).order_by(Project.id)
    return list(db.session.scalars(query))


def test_a_parked_project_comes_back_on_its_day(arrive: Arrive) -> None:
    company = arrive("planned")
    company.move("Oli", "park_project", reason="No money this year", date="2027-12-04")
    assert come_back() == 0
    with clock.moved_to(clock.now().replace(month=12, day=4)):
        assert come_back() == 1
        assert come_back() == 0
        assert hold_reminders.remind_of_holds() == 0
    assert company.project().stage == "plan_work"
    (moved,) = [one for one in company.entries() if one.details.get("kind") == "resume"]
    assert (moved.actor_id, moved.reason) == (None, "Its day has come: 4 Dec 2027.")
    assert "HoldOver" not in company.told()


def test_a_parked_project_comes_back_when_its_key_result_is_there(arrive: Arrive) -> None:
    company = arrive("in approval")
    oli = company["Oli"]
    oli.open(f"/projects/{company.reference}/moves/park_project")
    wanted = {"key_result": company.key_result, "bound": "at_most", "value": "4"}
    said = oli.send({"reason": "Wait for the market.", **wanted})
    assert "falls to at most 4" in said
    check_in(company, "4.1")
    assert come_back() == 0
    check_in(company, "4")
    assert come_back() == 1
    assert company.project().stage == "final_approval"
    assert db.session.scalar(select(func.count()).where(Comeback.ended_at.is_(None))) == 0


def test_nobody_waits_for_what_is_there_already_or_for_half_a_thing(arrive: Arrive) -> None:
    company = arrive("planned")
    check_in(company, "4")
    oli = company["Oli"]
    oli.open(f"/projects/{company.reference}/moves/park_project")
    chosen = {"reason": "Wait.", "key_result": company.key_result, "bound": "at_most"}
    assert "is at 4 already" in oli.send({**chosen, "value": "4.5"}, status=422)
    assert "Choose a key result and a value" in oli.send({**chosen, "value": ""}, status=422)
    gone = Answers(reason="Wait.", reach=Reach(999, True, Decimal(1)))
    with pytest.raises(Invalid):
        service.move(company.project().id, "park_project", by=company.ids["Oli"], answers=gone)


def test_a_decline_says_why_in_the_words_of_the_company(arrive: Arrive) -> None:
    company = arrive("judged")
    rex = company["Rex"]
    rex.open(f"/projects/{company.reference}/moves/decline_idea")
    said = rex.send({"reason": "Not now.", "revisit": "Never"}, status=422)
    assert "Choose a reason from the list" in said
    rex.send({"reason": "Not now.", "revisit": "Never", "code": "capacity"})
    page = company["Sue"].open(f"/projects/{company.reference}")
    assert "No room for it now" in page
    letter = [one for name, one in company.letters() if name == "Sue"][-1]
    assert "No room for it now" in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_declined_project_has_a_successor_on_the_day(arrive: Arrive) -> None:
    company = arrive("judged")
    decline(company, date="2027-09-01")
    assert company.project().revisit == "1 Sep 2027"
    assert come_back() == 0
    with clock.moved_to(clock.now() + LATER):
        assert come_back() == 1
        assert come_back() == 0
        (new,) = successors(company)
        assert (new.title, new.stage) == ("Renewals in one step", "intake_form")
        assert new.submitter_id == company.ids["Sue"]
        told = company.told()["ProjectCameBack"]
        assert sorted(told) == ["Lea", "Sue"]
        sue = company["Sue"]
        page = sue.open(f"/projects/{new.reference}")
        assert "Back on the table" in page
        assert f"/projects/{company.reference}" in page
        assert PROBLEM in sue.open(f"/projects/{new.reference}/parts/problem/problem")
        assert new.reference in sue.open(f"/projects/{company.reference}")
        assert list(db.session.scalars(select(CoEditor.person_id))) == [company.ids["Lea"]]
        assert company["Lea"].open(f"/projects/{new.reference}/parts/value/value")


def test_whoever_wrote_the_old_project_does_not_sign_its_successor(arrive: Arrive) -> None:
    company = arrive("judged")
    old = company.project()
    with transaction() as session:
        session.add(CoEditor(project_id=old.id, person_id=company.ids["Mia"]))
        for name, material in (("Vik", True), ("Pat", False)):
            session.add(
                Edit(
                    project_id=old.id,
                    section="problem",
                    person_id=company.ids[name],
                    at=clock.now(),
                    material=material,
                )
            )
    decline(company, date="2027-09-01")
    with clock.moved_to(clock.now() + LATER):
        assert come_back() == 1
        (new,) = successors(company)
        rulebook = rulebooks.rulebook(new.rulebook_version_id)
        never = entitlement.barred(new, rulebook, gather(new, rulebook).around)
        assert set(never) == {company.ids[name] for name in ("Sue", "Lea", "Mia", "Vik")}


def test_a_project_of_a_retired_process_comes_back_once_the_process_does(arrive: Arrive) -> None:
    company = arrive("judged")
    decline(company, date="2027-09-01")
    with transaction() as session:
        session.add(
            Retirement(
                process_id=company.project().process_id,
                retired_at=clock.now(),
                retired_by_id=company.ids["Ada"],
                reason="Over",
            )
        )
    with clock.moved_to(clock.now() + LATER):
        assert come_back() == 0
        with transaction() as session:
            session.execute(delete(Retirement))
        assert come_back() == 1


def test_a_declined_project_has_a_successor_when_its_key_result_is_there(arrive: Arrive) -> None:
    company = arrive("judged")
    company.sign("Rex", "declined", reason="When churn is worse.", status=422)
    rex = company["Rex"]
    rex.open("/approvals")
    rex.open(next(path for _text, path in rex.links() if path.startswith("/approvals/")))
    reach = {"key_result": company.key_result, "bound": "at_least", "value": "6"}
    rex.send({"decision": "declined", "reason": "Later.", "code": "value", **reach})
    assert company.project().stage == "declined_idea"
    check_in(company, "5.9")
    assert come_back() == 0
    check_in(company, "6.5")
    results = at_once(company, [come_back] * 4)
    assert sorted(results) == [0, 0, 0, 1], results  # type: ignore[type-var]
    assert len(successors(company)) == 1
    (entry,) = [one for one in company.entries() if one.action == "project.came_back"]
    assert "reaches at least 6" in entry.reason


def test_without_anybody_to_take_it_on_it_waits(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("judged")
    decline(company, date="2027-09-01")
    monkeypatch.setattr(directory, "active", lambda _ids: set())
    with clock.moved_to(clock.now() + LATER):
        assert come_back() == 0
        monkeypatch.undo()
        assert come_back() == 1


def test_who_could_resume_is_still_told_of_what_the_rules_keep_parked(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("planned")
    company.move("Oli", "park_project", reason="No money this year", date="2027-12-04")
    with transaction():
        company.project().parked_from = None
    settling.settle(company.project().id)
    with clock.moved_to(clock.now().replace(month=12, day=4)):
        assert hold_reminders.remind_of_holds() == 1
        assert set(company.told()["HoldOver"]) == {"Oli", "Mia"}
        assert "Resume, or put it off once more" in company["Oli"].open("/")
        assert [one.text for one in hold_reminders.owed(company.ids["Lea"])] == []
    with clock.moved_to(clock.now().replace(month=12, day=5)):
        assert hold_reminders.remind_of_holds() == 0
