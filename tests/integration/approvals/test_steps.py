"""Sign-off in steps: whoever comes later is not asked, and not let, until what comes first is there."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate.accounts.models import RoleGrant
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round, SeatPerson
from okrgate.database import db, transaction
from okrgate.errors import Forbidden
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service, settling, withdrawing
from okrgate.stages.service import Ask
from tests.factories import SHIPPED, Factory
from tests.integration import several
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

FIRST = """      - id: vice-president-first
        message: A Vice President signs first
        severity: hard
        when: {fact: scope.budget, gt: $big_budget}
        if: {signoff: {role: vice_president, quorum: 1}}
      - id: both-executives
        after: vice-president-first
"""


def in_steps(company: Company) -> None:
    """Let the project go by rules in which the Vice President signs before the Managing Director is asked."""
    text = SHIPPED.read_text().partition("\ntests:\n")[0]
    written = "      - id: both-executives\n"
    assert text.count(written) == 1
    rulebooks.publish(text.replace(written, FIRST), by=None)
    with transaction():
        project = company.project()
        project.rulebook_version_id = rulebooks.binding()[0].id
        found = approvals.open_round(project.id)
        assert found is not None
        approvals.close_round(found, closed_as="voided", by=None)
    settling.settle(company.project().id)


def waiting(company: Company) -> set[str]:
    """Return whom the open round waits for."""
    db.session.rollback()
    names = company.names()
    return {names[one] for one in db.session.scalars(select(SeatPerson.person_id))}


def decide(company: Company, name: str, key: str) -> int:
    found = approvals.open_round(company.project().id)
    assert found is not None
    return service.decide(found.id, Ask("approved", found.digest, key), by=company.ids[name])


def test_whoever_comes_later_is_asked_later(arrive: Arrive) -> None:
    company = arrive("in approval")
    before = company.told()["SignoffAsked"].count("Mia")
    in_steps(company)
    assert waiting(company) == {"Vik"}
    assert company.told()["SignoffAsked"].count("Mia") == before
    with pytest.raises(Forbidden, match="First: A Vice President signs first"):
        decide(company, "Mia", "too early")
    found = approvals.open_round(company.project().id)
    assert found is not None
    assert "It is not your turn yet" in company["Mia"].open(f"/approvals/{found.id}")
    page = company["Vik"].open(f"/approvals/{found.id}")
    assert "asked after “A Vice President signs first”" in page
    decide(company, "Vik", "first")
    assert waiting(company) == {"Mia"}
    assert company.told()["SignoffAsked"].count("Mia") == before + 1
    decide(company, "Mia", "then")
    assert company.project().stage == "kick_off"


def test_a_step_that_is_taken_back_is_waited_for_again(arrive: Arrive) -> None:
    company = arrive("in approval")
    in_steps(company)
    decide(company, "Vik", "first")
    found = approvals.open_round(company.project().id)
    assert found is not None
    (row,) = approvals.decisions_of(company.project().id)[:1]
    withdrawing.withdraw(row["id"], by=company.ids["Vik"])
    assert waiting(company) == {"Vik"}
    with pytest.raises(Forbidden, match="not your turn yet"):
        decide(company, "Mia", "too early")


BOTH = "      - {id: both-approve, message: A director and a keeper have to approve, severity: hard, if: {all: [{signoff: {role: director, quorum: 1}}, {signoff: {role: keeper, quorum: 1}}]}}\n"
STEPS = """      - {id: director-first, message: A director first, severity: hard, if: {signoff: {role: director, quorum: 1}}}
      - {id: keeper-then, after: director-first, message: A keeper then, severity: hard, if: {signoff: {role: keeper, quorum: 1}}}
"""


def test_who_holds_the_roles_of_two_steps_speaks_once_for_both(
    app: Flask, factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert several.RULES.count(BOTH) == 1
    monkeypatch.setattr(several, "RULES", several.RULES.replace(BOTH, STEPS))
    company = several.Several(factory, tmp_path)
    with transaction() as session:
        for held in session.scalars(
            select(RoleGrant).where(RoleGrant.person_id == company.ids["Kim"])
        ):
            held.person_id = company.ids["Dan"]
    number = company.ask("Idea", stage="board", lead="Pat")
    found = db.session.get_one(Round, number)
    service.decide(number, Ask("approved", found.digest, "both"), by=company.ids["Dan"])
    assert company.project(number).stage == "running"
