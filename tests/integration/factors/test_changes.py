"""A change of what was signed strictly is agreed to as strictly."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from okrgate.accounts.models import RoleGrant
from okrgate.approvals import checking
from okrgate.approvals.models import Receipt
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden
from okrgate.factors.proving import FactorNeeded
from okrgate.stages import change_requests, confirming
from tests.factories import SHIPPED
from tests.integration.conftest import Arrive
from tests.integration.factors.strict import give_app, strict_gate, token_in
from tests.integration.stages.test_change_requests import ask, budget


def test_a_change_is_agreed_to_with_a_second_factor(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in execution")
    monkeypatch.setitem(*strict_gate(company))
    number = ask(company, budget="40000").id
    vik = company.ids["Vik"]
    with pytest.raises(FactorNeeded):
        change_requests.decide(number, approve=True, reason="", by=vik)
    vault, client = give_app(vik), company["Vik"].client
    path = f"/projects/{company.reference}/changes/{number}"
    asked = client.post(path, data={"decision": "yes", "reason": ""}).get_data(as_text=True)
    assert f"Vik agrees to change {number} of" in asked
    assert budget(company) == 9_000_000
    proof = {"factor_token": token_in(asked), "factor_code": vault.code()}
    turned = client.post(path, data={"decision": "no", "reason": "Too much."} | proof)
    assert "for something else" in turned.get_data(as_text=True)
    assert budget(company) == 9_000_000
    assert client.post(path, data={"decision": "yes", "reason": ""} | proof).status_code == 303
    assert budget(company) == 4_000_000
    receipt = db.session.scalars(
        select(Receipt).where(Receipt.meaning.contains("change request"))
    ).one()
    assert "Signed with an authenticator app on" in receipt.meaning
    looked = checking.look(receipt.id)
    assert looked is not None
    assert looked.faults == ()
    assert looked.signature is not None


def test_rules_that_came_meanwhile_are_not_passed_by(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    company = arrive("in execution")
    number = ask(company, budget="40000").id
    path = tmp_path / "newer.yaml"
    path.write_text(f"{SHIPPED.read_text(encoding='utf-8')}\n# Newer.\n", encoding="utf-8")
    newer = company.factory.rulebook(path).id
    asked = confirming.confirmed

    def meanwhile(*given: Any) -> Any:
        found = asked(*given)
        with transaction():
            company.project().rulebook_version_id = newer
        return found

    monkeypatch.setattr(confirming, "confirmed", meanwhile)
    with pytest.raises(Conflict, match="rules of this project changed"):
        change_requests.decide(number, approve=True, reason="", by=company.ids["Vik"])
    assert budget(company) == 9_000_000


def test_a_seat_lost_meanwhile_decides_nothing(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in execution")
    number, vik = ask(company, budget="40000").id, company.ids["Vik"]
    asked = confirming.confirmed

    def meanwhile(*given: Any) -> Any:
        found = asked(*given)
        with transaction() as session:
            session.execute(delete(RoleGrant).where(RoleGrant.person_id == vik))
        return found

    monkeypatch.setattr(confirming, "confirmed", meanwhile)
    with pytest.raises(Forbidden):
        change_requests.decide(number, approve=True, reason="", by=vik)
    assert budget(company) == 9_000_000
