"""A change of what was signed strictly is agreed to as strictly."""

import pytest
from sqlalchemy import select

from okrgate.approvals import checking
from okrgate.approvals.models import Receipt
from okrgate.database import db
from okrgate.factors.proving import FactorNeeded
from okrgate.stages import change_requests
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
