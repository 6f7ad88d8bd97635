"""Sign-off in steps: whoever comes later is not asked, and not let, until what comes first is there."""

import pytest
from sqlalchemy import select

from okrgate.approvals import service as approvals
from okrgate.approvals.models import SeatPerson
from okrgate.database import db, transaction
from okrgate.errors import Forbidden
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service, settling, withdrawing
from okrgate.stages.service import Ask
from tests.factories import SHIPPED
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
