"""What an open page asks by itself: the numbers of the menu, and whether its project has changed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import SignInSession
from okrgate.database import db, transaction
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company


@pytest.fixture
def company(arrive: Arrive) -> Company:
    """One project waits for Mia and Vik."""
    return arrive("in approval")


def pulse(company: Company, name: str, of: str = "") -> Any:
    """Return what a page of somebody's is answered."""
    answer = company[name].client.get(f"/pulse?of={of}", headers={"X-By-Itself": "1"})
    assert answer.status_code == 200
    return answer.json


def test_the_pulse_tells_of_every_change(company: Company) -> None:
    before = pulse(company, "Vik", company.reference)
    assert before["badges"]["approvals"] == 1
    page = company["Vik"].open(f"/projects/{company.reference}")
    assert f'data-seq="{before["seq"]}"' in page
    company.sign("Mia", "approved")
    after = pulse(company, "Vik", company.reference)
    assert after["seq"] > before["seq"]
    assert pulse(company, "Mia")["badges"]["approvals"] == 0


def test_the_pulse_says_nothing_of_what_one_may_not_read(company: Company) -> None:
    with transaction():
        company.project().confidential = True
    assert pulse(company, "Pat", company.reference)["seq"] is None
    assert pulse(company, "Pat", "OKR-999")["seq"] is None
    assert pulse(company, "Pat")["seq"] is None


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> set[object]:
        found: set[object] = set(db.session.scalars(select(SignInSession.seen_at)))
        db.session.rollback()
        return found

    client = company["Mia"].client
    client.get("/approvals")
    before, later = seen(), clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    client.get("/pulse", headers={"X-By-Itself": "1"})
    assert seen() == before
    client.get("/approvals")
    assert later in seen()
