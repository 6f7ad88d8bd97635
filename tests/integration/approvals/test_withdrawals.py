"""Whoever decided may take it back until the gate moves; what was said stays on record."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.approvals import receipts
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Condition, Receipt, Round, SeatPerson, SignoffRow
from okrgate.database import db, transaction
from okrgate.errors import Conflict, NotFound
from okrgate.projects.models import Project
from okrgate.stages import service, settling, withdrawing
from tests.browsing import Person
from tests.faults.whole import assert_whole
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Answers, Company


def words(company: Company, name: str) -> list[SignoffRow]:
    """Return what somebody said in the newest round, taken back or not."""
    db.session.rollback()
    newest = select(Round.id).order_by(Round.id.desc()).limit(1).scalar_subquery()
    query = select(SignoffRow).where(
        SignoffRow.round_id == newest, SignoffRow.person_id == company.ids[name]
    )
    return list(db.session.scalars(query.order_by(SignoffRow.id)))


def waiting(company: Company) -> set[str]:
    """Return whom the open round waits for."""
    names = company.names()
    return {names[one] for one in db.session.scalars(select(SeatPerson.person_id))}


def take_back(company: Company, name: str, *, status: int = 200, reason: str = "") -> Person:
    """Take the last word back on the page."""
    person = company[name]
    person.open(f"/signoffs/{words(company, name)[-1].id}/withdraw")
    person.send({"reason": reason}, press="Take it back", status=status)
    return person


def test_the_seat_is_open_again_and_everybody_hears_of_it(arrive: Arrive) -> None:
    company = arrive("half approved")
    assert waiting(company) == {"Vik"}
    mia = company["Mia"]
    mia.open("/decisions")
    mia.open(next(path for _text, path in mia.links() if path.endswith("/withdraw")))
    said = mia.send({"reason": "I had missed the new price."}, press="Take it back")
    assert "Your decision is taken back" in said
    assert "took back what they had said" in said
    assert waiting(company) == {"Mia", "Vik"}
    told = company.told()
    assert sorted(told["SignoffWithdrawn"]) == ["Lea", "Rex", "Sue"]
    assert told["SignoffAsked"].count("Mia") == 1
    assert company.project().stage == "final_approval"
    assert "Taken back" in company["Mia"].open("/decisions")
    assert "took a decision back" in " ".join(
        str(letter["Subject"]) for _name, letter in company.letters()
    )
    page = company["Vik"].open(f"/approvals/{words(company, 'Mia')[0].round_id}")
    assert "taken back" in page
    assert "0 of 1" in page
    record = [one for one in company.entries() if one.action == "signoff.withdrawn"]
    assert [(one.actor_id, one.reason) for one in record] == [
        (company.ids["Mia"], "I had missed the new price.")
    ]
    assert "Took the decision back" in company["Lea"].open(f"/projects/{company.reference}")


def test_whoever_took_it_back_decides_anew_and_both_receipts_stand(arrive: Arrive) -> None:
    company = arrive("half approved")
    take_back(company, "Mia")
    company.sign("Mia", "objected", reason="Too dear.")
    assert [bool(one.withdrawn_at) for one in words(company, "Mia")] == [True, False]
    company.sign("Vik", "approved")
    assert company.project().stage == "final_approval"
    take_back(company, "Mia")
    company.sign("Mia", "approved")
    assert company.project().stage == "kick_off"
    kinds = [one.kind for one in company.receipts()]
    assert kinds.count("withdrawal") == 2
    assert all(receipts.is_intact(one) for one in company.receipts())
    assert_whole()


def test_what_was_taken_back_counts_nowhere(arrive: Arrive) -> None:
    company = arrive("half approved")
    take_back(company, "Mia")
    company.sign("Vik", "approved")
    assert company.project().stage == "final_approval"
    project = company.project()
    (mine,) = approvals.signoffs_of(project.id)["executive_signoff"]
    assert mine.by == str(company.ids["Vik"])
    assert waiting(company) == {"Mia"}


def test_nobody_meets_the_conditions_of_an_approval_that_was_taken_back(arrive: Arrive) -> None:
    company = arrive("in approval")
    wanted: Answers = {
        "text": "Show the contract",
        "owner": str(company.ids["Lea"]),
        "due": "2027-02-01",
    }
    company.sign("Mia", "approved_with_conditions", reason="Mind this.", condition=wanted)
    condition = db.session.scalars(select(Condition)).one()
    lea = company["Lea"]
    assert "Show the contract" in lea.open("/approvals")
    assert "Show the contract" in lea.open("/")
    take_back(company, "Mia")
    assert company.told()["SignoffWithdrawn"].count("Lea") == 1
    assert "Show the contract" not in lea.open("/approvals")
    assert "Show the contract" not in lea.open("/")
    assert "nobody has to meet it" in lea.open(f"/conditions/{condition.id}")
    facts, items = approvals.condition_facts(company.project().id, clock.today())
    assert (facts["conditions.open"], items) == (0, [])
    with pytest.raises(Conflict, match="taken back"), transaction():
        approvals.close_condition(condition.id, by=company.ids["Lea"], evidence="It is signed.")


def test_the_same_form_twice_takes_back_once_and_never_a_later_word(arrive: Arrive) -> None:
    company = arrive("half approved")
    first = words(company, "Mia")[0].id
    mia = company.ids["Mia"]
    receipt = withdrawing.withdraw(first, by=mia)
    assert withdrawing.withdraw(first, by=mia) == receipt
    company.sign("Mia", "approved")
    assert withdrawing.withdraw(first, by=mia) == receipt
    assert words(company, "Mia")[-1].withdrawn_at is None
    rows = db.session.scalars(select(Receipt).where(Receipt.kind == "withdrawal"))
    assert len(list(rows)) == 1


def test_it_is_too_late_once_the_gate_moved_or_the_round_lapsed(arrive: Arrive) -> None:
    company = arrive("half approved")
    mias = words(company, "Mia")[0]
    company.sign("Vik", "approved")
    assert company.project().stage == "kick_off"
    with pytest.raises(Conflict, match="too late"):
        withdrawing.withdraw(mias.id, by=company.ids["Mia"])
    said = company["Mia"].open(f"/signoffs/{mias.id}/withdraw")
    assert "It is too late to take this back" in said
    assert "Take it back</button>" not in said
    assert "Take this decision back" not in company["Mia"].open("/decisions")


def test_it_is_too_late_when_the_last_word_is_there_and_the_move_still_follows(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("half approved")
    mias, found = words(company, "Mia")[0], db.session.scalars(select(Round)).all()[-1]
    monkeypatch.setattr(settling, "_settle", lambda *_: None)
    ask = service.Ask("approved", found.digest, "a key")
    service.decide(found.id, ask, by=company.ids["Vik"])
    assert company.project().stage == "final_approval"
    with pytest.raises(Conflict, match="about to go on"):
        withdrawing.withdraw(mias.id, by=company.ids["Mia"])
    monkeypatch.undo()
    service.sweep()
    assert company.project().stage == "kick_off"


def test_nobody_takes_back_what_somebody_else_said(arrive: Arrive) -> None:
    company = arrive("half approved")
    mias = words(company, "Mia")[0].id
    for name in ("Vik", "Sue", "Pat"):
        assert company[name].client.get(f"/signoffs/{mias}/withdraw").status_code == 404
        with pytest.raises(NotFound):
            withdrawing.withdraw(mias, by=company.ids[name])


def test_what_was_said_before_counts_again(arrive: Arrive) -> None:
    """An objection of an earlier round stands until whoever objected speaks again: and they did not, after all."""
    company = arrive("in approval")
    company.sign("Mia", "objected", reason="Too dear.")
    with transaction() as session:
        project = session.get_one(Project, company.project().id)
        found = approvals.open_round(project.id)
        assert found is not None
        approvals.close_round(found, closed_as="voided", by=None)
    settling.settle(project.id)
    with clock.moved_to(clock.now() + timedelta(minutes=5)):
        company.sign("Mia", "approved")
        take_back(company, "Mia")
        company.sign("Vik", "approved")
    assert company.project().stage == "final_approval"
    (mias, _viks) = approvals.signoffs_of(project.id)["executive_signoff"]
    assert (mias.decision, mias.stale) == ("rejected", True)
