"""Change what was signed: asked for, decided by those who sign, and only then true."""

from typing import Any

import pytest
from sqlalchemy import select

from okrgate.approvals import service as approvals
from okrgate.approvals.models import Receipt
from okrgate.database import db
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import change_requests as changes
from okrgate.stages import change_rights, editing
from okrgate.stages.change_models import ChangeRequest
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company


def ask(company: Company, page: str = "money", name: str = "Lea", **typed: str) -> ChangeRequest:
    """Lea asks for more money."""
    person = company[name]
    person.open(f"/projects/{company.reference}/changes/new/scope/{page}")
    words = {"why": "The supplier raised its price", "effect": "Nothing else changes"}
    person.send({**(typed or {"budget": "95000"}), **words})
    db.session.rollback()
    return db.session.scalars(select(ChangeRequest).order_by(ChangeRequest.id.desc())).first()  # type: ignore[return-value]


def budget(company: Company) -> int | None:
    """Return the budget that holds."""
    db.session.rollback()
    return db.session.scalars(
        select(Scope.budget_minor).where(Scope.project_id == company.project().id)
    ).one()


def test_what_was_signed_holds_until_all_who_must_agree(arrive: Arrive) -> None:
    company = arrive("in execution")
    row = ask(company)
    number = row.id
    assert [one["label"] for one in row.changes] == ["Budget"]
    assert set(company.told()["ChangeAsked"]) == {"Mia", "Vik"}
    assert budget(company) == 9_000_000
    assert changes.decide(number, approve=True, reason="", by=company.ids["Mia"]) == "open"
    assert budget(company) == 9_000_000
    assert changes.decide(number, approve=True, reason="", by=company.ids["Vik"]) == "approved"
    assert budget(company) == 9_500_000
    assert {"Lea", "Sue"} <= set(company.told()["ChangeDecided"])
    saved = [one for one in company.entries() if one.action == "section.saved"][-1]
    assert saved.details["change_request"] == number
    assert saved.actor_id == company.ids["Vik"]
    signed = approvals.last_satisfied(company.project().id)
    assert signed is not None
    receipts = list(
        db.session.scalars(select(Receipt).where(Receipt.meaning.contains("change request")))
    )
    assert {one.by_id for one in receipts} == {company.ids["Mia"], company.ids["Vik"]}
    assert company.project().stage == "in_execution"


def test_one_is_enough_for_what_one_may_sign(arrive: Arrive) -> None:
    company = arrive("in execution")
    row = ask(company, budget="40000")
    assert changes.decide(row.id, approve=True, reason="", by=company.ids["Vik"]) == "approved"
    assert budget(company) == 4_000_000


def test_a_no_leaves_everything_as_it_was(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company).id
    with pytest.raises(Invalid):
        changes.decide(number, approve=False, reason="", by=company.ids["Mia"])
    vik = company["Vik"]
    vik.open(f"/projects/{company.reference}/changes/{number}")
    assert "Declined." in vik.send({"decision": "no", "reason": "Find another supplier"})
    assert budget(company) == 9_000_000
    with pytest.raises(Conflict, match="decided already"):
        changes.decide(number, approve=True, reason="", by=company.ids["Mia"])


def test_who_asked_or_has_a_part_never_decides(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company).id
    for name in ("Lea", "Sue", "Pat", "Ada", "Oli"):
        with pytest.raises(Forbidden):
            changes.decide(number, approve=True, reason="", by=company.ids[name])
    company["Pat"].open(f"/projects/{company.reference}/changes/new/scope/money", status=403)


def test_two_changes_of_one_part_do_not_overtake_each_other(arrive: Arrive) -> None:
    company = arrive("in execution")
    first, second = ask(company, budget="40000").id, ask(company, budget="30000").id
    assert changes.decide(first, approve=True, reason="", by=company.ids["Vik"]) == "approved"
    with pytest.raises(Conflict, match="asked for anew"):
        changes.decide(second, approve=True, reason="", by=company.ids["Mia"])
    assert budget(company) == 4_000_000


def test_asking_twice_with_one_key_is_once_and_the_page_says_why_it_waits(arrive: Arrive) -> None:
    company = arrive("in execution")
    project = company.project()
    found = change_rights.changeable(project, rulebooks.rulebook(project.rulebook_version_id))
    section, page = next(one for one in found if one[1].key == "people")
    asked = changes.Asked([("people", "5")], "Two more are needed", "Faster", "a-key")
    one = changes.ask(project.id, section, page, asked, by=company.ids["Lea"])
    two = changes.ask(company.project().id, section, page, asked, by=company.ids["Lea"])
    assert one.id == two.id
    said = company["Pat"].open(f"/projects/{company.reference}/changes")
    assert "Two more are needed" in said
    changes.take_back(one.id, by=company.ids["Lea"])
    with pytest.raises(Conflict):
        changes.decide(one.id, approve=True, reason="", by=company.ids["Vik"])


def test_money_is_for_those_involved(arrive: Arrive) -> None:
    company = arrive("in execution")
    ask(company)
    said = company["Pat"].open(f"/projects/{company.reference}/changes")
    assert "95,000" not in said
    assert "Only for those involved" in said


def test_nothing_is_asked_for_before_it_is_signed(arrive: Arrive) -> None:
    company = arrive("planned")
    company["Lea"].open(f"/projects/{company.reference}/changes/new/scope/money", status=404)
    assert "No changes yet" in company["Lea"].open(f"/projects/{company.reference}/changes")


def test_what_was_asked_before_a_project_was_parked_is_not_agreed_meanwhile(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company, budget="40000").id
    company.move("Oli", "park_project", reason="No money this quarter", date="2027-12-04")
    with pytest.raises(Conflict, match="has moved"):
        changes.decide(number, approve=True, reason="", by=company.ids["Vik"])
    assert budget(company) == 9_000_000
    declined = changes.decide(number, approve=False, reason="Not now", by=company.ids["Vik"])
    assert declined == "declined"


def test_whom_a_change_gives_a_part_does_not_sign_it(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in execution")
    number = ask(company, budget="40000").id
    saved = editing.save_agreed

    def and_lead(project: Project, *given: Any, **named: Any) -> Any:
        project.lead_id = company.ids["Vik"]
        return saved(project, *given, **named)

    monkeypatch.setattr(editing, "save_agreed", and_lead)
    assert changes.decide(number, approve=True, reason="", by=company.ids["Vik"]) == "open"
    assert budget(company) == 9_000_000
    assert company.project().lead_id == company.ids["Lea"]
