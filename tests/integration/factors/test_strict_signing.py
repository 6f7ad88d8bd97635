"""A strict gate opens only to a fresh second factor, shown for exactly this decision, in this browser, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.throttle import TooMany
from okrgate.approvals import proofs, receipts
from okrgate.approvals.models import Receipt, SignatureProof, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.factors import challenges, proving
from okrgate.factors.challenges import FactorRefused
from okrgate.factors.models import SecondFactor
from okrgate.factors.proving import FactorNeeded, Proof
from okrgate.gates.model import Rulebook
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import confirming, service, withdrawing
from okrgate.stages.reaching import Reach
from tests.dumps import differences, dump
from tests.integration.conftest import Arrive
from tests.integration.factors.strict import (
    ask_of,
    give_app,
    give_recovery_code,
    proof_for,
    round_of,
    send,
    session_of,
    strict_gate,
    token_in,
)
from tests.integration.journey.company import Company

Strict = Callable[[], Company]
BESIDE = ("sign_in_sessions", "audit_entries", "throttles")


@pytest.fixture
def strict(arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return a company where Vik's word is missing at a gate that is signed strictly."""
    company = arrive("half approved")
    monkeypatch.setitem(*strict_gate(company))
    return company


def test_without_a_factor_nothing_is_decided(strict: Company) -> None:
    before = dump(leave_out=BESIDE)
    with pytest.raises(FactorNeeded):
        service.decide(round_of(strict).id, ask_of(strict), by=strict.ids["Vik"])
    assert differences(before, dump(leave_out=BESIDE)) == {}
    assert confirming.is_strict(*rulebook_and_gate(strict))


def test_the_page_asks_and_the_code_signs(strict: Company) -> None:
    vault = give_app(strict.ids["Vik"])
    client = strict["Vik"].client
    before = dump(leave_out=BESIDE)
    asked = send(client, strict, 200)
    assert "Confirm it is you" in asked
    assert "Vik approved “" in asked
    assert "It pays." in asked
    assert differences(before, dump(leave_out=BESIDE)) == {}, "asking stores nothing"
    token = token_in(asked)
    wrong = send(client, strict, 422, factor_token=token, factor_code="000000x")
    assert "This code is not right" in wrong
    send(client, strict, 303, factor_token=token_in(wrong), factor_code=vault.code())
    shown = proofs.proof_of(signoff(strict).id)
    assert shown is not None
    receipt = strict.receipts()[-1]
    assert (
        "Signed with an authenticator app on"
        in db.session.scalars(
            select(Receipt.meaning).where(Receipt.signoff_id == signoff(strict).id)
        ).one()
    )
    assert receipts.is_intact(receipt)
    page = client.get(f"/receipts/{receipt_of(strict).id}").get_data(as_text=True)
    assert "an authenticator app “Phone”, " in page


def test_who_has_no_factor_is_told_before_and_after(strict: Company) -> None:
    client = strict["Vik"].client
    found = round_of(strict)
    assert "You cannot sign here yet" in client.get(f"/approvals/{found.id}").get_data(as_text=True)
    assert "You cannot sign here yet" in send(client, strict, 200)


def test_an_objection_is_not_taken_back_without_a_factor(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in approval")
    company.sign("Mia", "approved")
    company.sign("Vik", "objected", reason="It is too dear.")
    monkeypatch.setitem(*strict_gate(company))
    words = {row.person_id: row.id for row in db.session.scalars(select(SignoffRow))}
    mia, vik = company.ids["Mia"], company.ids["Vik"]
    with pytest.raises(Conflict, match="an objection stays"):
        withdrawing.withdraw(words[vik], by=vik)
    assert withdrawing.withdraw(words[mia], by=mia), "it can only close the gate"


def test_no_move_leads_past_the_page_that_asks(strict: Company) -> None:
    project, found = strict.project(), round_of(strict)
    rulebook, _ = rulebook_and_gate(strict)
    move = next(one for one in rulebook.transitions_from(project.stage) if one.kind == "return").id
    path = f"/projects/{strict.reference}/moves/{move}"
    vik = strict["Vik"]
    before = dump(leave_out=BESIDE)
    page = vik.open(path)
    assert "Decide on the page of the gate" in page
    assert f'href="/approvals/{found.id}"' in page
    said = {"reason": "Too dear for us.", "key": "k", "version": str(project.version)}
    answer = vik.client.post(path, data=said)
    assert answer.status_code == 403
    assert "Too dear for us." in answer.text
    first = next(name for name, number in strict.ids.items() if number == decider(found.id))
    assert strict[first].client.post(path, data=said).status_code == 403, "has signed already"
    assert differences(before, dump(leave_out=BESIDE)) == {}


def test_a_hold_until_a_key_result_is_bound_too(strict: Company) -> None:
    reach = Reach(7, at_least=True, value=Decimal("3.50"))
    ask = replace(ask_of(strict, decision="held"), reach=reach, date=date(2027, 3, 1))
    act = confirming.act_of(round_of(strict), ask, strict.ids["Vik"])
    assert act["ask"]["reach"] == [7, True, "3.50"]
    assert len(challenges.digest_of(act)) == 64


OTHERS: dict[str, Callable[[Company, Proof], Proof]] = {
    "another browser": lambda company, proof: replace(
        proof, session=session_of(company.ids["Vik"])
    ),
    "another person's challenge": lambda company, proof: replace(
        proof,
        token=proof_for(company, company.ids["Sue"], ask_of(company), proof.session).token,
    ),
    "another decision": lambda company, proof: replace(
        proof,
        token=proof_for(
            company, company.ids["Vik"], ask_of(company, decision="objected"), proof.session
        ).token,
    ),
    "other words": lambda company, proof: replace(
        proof,
        token=proof_for(
            company,
            company.ids["Vik"],
            replace(ask_of(company), reason="It pays well."),
            proof.session,
        ).token,
    ),
    "somebody else's name": lambda company, proof: replace(
        proof,
        token=proof_for(
            company,
            company.ids["Vik"],
            replace(ask_of(company), on_behalf_of=company.ids["Mia"]),
            proof.session,
        ).token,
    ),
    "other content": lambda company, proof: replace(
        proof,
        token=proof_for(
            company,
            company.ids["Vik"],
            replace(ask_of(company), digest="0" * 64),
            proof.session,
        ).token,
    ),
    "a forged challenge": lambda _company, proof: replace(proof, token=proof.token + "x"),
    "no challenge": lambda _company, proof: replace(proof, token=""),
}


@pytest.mark.parametrize("what", OTHERS, ids=lambda what: what.replace(" ", "-"))
def test_a_proof_counts_for_its_own_act_only(strict: Company, what: str) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    proof = proof_for(strict, vik, ask_of(strict), session, code=vault.code())
    stolen = OTHERS[what](strict, proof)
    before = dump(leave_out=BESIDE)
    with pytest.raises(FactorRefused, match="for something else"):
        service.decide(round_of(strict).id, ask_of(strict), by=vik, proof=stolen)
    assert differences(before, dump(leave_out=BESIDE)) == {}
    service.decide(round_of(strict).id, ask_of(strict), by=vik, proof=proof)


def test_another_round_is_another_act(strict: Company) -> None:
    ask, vik = ask_of(strict), strict.ids["Vik"]
    first, second = round_of(strict), round_of(strict)
    assert confirming.act_of(first, ask, vik) == confirming.act_of(second, ask, vik)
    with db.session.no_autoflush:
        act = confirming.act_of(first, ask, vik)
    assert act["round"] == first.id
    assert act["ask"]["digest"] == first.digest


def test_it_is_fresh_for_five_minutes(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    now = clock.now()
    proof = proof_for(strict, vik, ask_of(strict), session)
    with clock.moved_to(now + timedelta(minutes=5, seconds=2)):
        late = replace(proof, code=vault.code())
        with pytest.raises(FactorRefused, match="five minutes"):
            service.decide(round_of(strict).id, ask_of(strict), by=vik, proof=late)
        page = send(strict["Vik"].client, strict, 422, factor_token=late.token, factor_code="1")
    assert "for something else" in page


def test_a_code_counts_once(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    code = vault.code()
    with transaction() as rows:
        step = int(clock.now().timestamp()) // 30
        row = rows.scalars(select(SecondFactor).where(SecondFactor.person_id == vik)).one()
        row.last_step = step + 1
    proof = proof_for(strict, vik, ask_of(strict), session, code=code)
    with pytest.raises(FactorRefused, match="used already"):
        service.decide(round_of(strict).id, ask_of(strict), by=vik, proof=proof)


def test_a_recovery_code_counts_once(strict: Company) -> None:
    vik = strict.ids["Vik"]
    code, session = give_recovery_code(vik), session_of(vik)
    typed = f" {code.lower().replace('-', ' ')} "
    ask = ask_of(strict)
    service.decide(
        round_of(strict).id, ask, by=vik, proof=proof_for(strict, vik, ask, session, code=typed)
    )
    assert ("Vik", "SecondFactorChanged") in strict.mails()
    again = challenges.make("b" * 64, person=vik, session=session)
    with pytest.raises(FactorRefused, match="Take another"):
        proving.check(Proof(again.token, session, "n", code=code), "b" * 64, person=vik)


def test_two_hosts_take_a_code_once(strict: Company) -> None:
    """Two browsers of one person, two acts, one code, at the same moment."""
    vik = strict.ids["Vik"]
    vault = give_app(vik)
    code, start = vault.code(), Barrier(2)
    app, now = strict.factory.app, clock.now()

    def act(binding: str) -> bool:
        with app.app_context(), clock.moved_to(now):
            challenge = challenges.make(binding, person=vik, session=1)
            checked = proving.check(Proof(challenge.token, 1, "n", code=code), binding, person=vik)
            start.wait(30)
            try:
                with transaction():
                    proving.spend(checked)
            except FactorRefused:
                return False
            finally:
                db.session.remove()
            return True

    db.session.rollback()
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(act, ["a" * 64, "b" * 64])) == [False, True]


def test_a_challenge_is_spent_with_the_decision(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    ask = ask_of(strict)
    proof = proof_for(strict, vik, ask, session, code=vault.code())
    act = confirming.act_of(round_of(strict), ask, vik)
    checked = proving.check(proof, challenges.digest_of(act), person=vik)
    with transaction():
        proving.spend(checked)
    with pytest.raises(FactorRefused, match="used already"), transaction():
        proving.spend(replace(checked, step=checked.step + 1))


def test_guessing_is_slowed_down_and_never_shuts_out(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    ask, now = ask_of(strict), clock.now()
    guess = proof_for(strict, vik, ask, session, code="00000x")
    for _ in range(5):
        with pytest.raises(FactorRefused):
            service.decide(round_of(strict).id, ask, by=vik, proof=guess)
    right = proof_for(strict, vik, ask, session, code=vault.code())
    with pytest.raises(TooMany):
        service.decide(round_of(strict).id, ask, by=vik, proof=right)
    assert send(strict["Vik"].client, strict, 200)
    with clock.moved_to(now + timedelta(minutes=16)):
        late = proof_for(strict, vik, ask, session, code=vault.code())
        service.decide(round_of(strict).id, ask, by=vik, proof=late)
    assert db.session.scalars(select(Entry).where(Entry.action == "person.factor_refused")).all()


def test_what_changed_meanwhile_is_a_conflict_and_the_code_stays_good(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    stale = replace(ask_of(strict), digest="0" * 64)
    proof = proof_for(strict, vik, stale, session, code=vault.code())
    with pytest.raises(Conflict):
        service.decide(round_of(strict).id, stale, by=vik, proof=proof)
    ask = ask_of(strict)
    good = proof_for(strict, vik, ask, session, code=vault.code())
    service.decide(round_of(strict).id, ask, by=vik, proof=good)


def test_one_changed_byte_shows(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    ask = ask_of(strict)
    proof = proof_for(strict, vik, ask, session, code=vault.code())
    receipt_id = service.decide(round_of(strict).id, ask, by=vik, proof=proof)
    client, path = strict["Vik"].client, f"/receipts/{receipt_id}"
    assert "no longer what was written" not in client.get(path).get_data(as_text=True)
    assert client.get(f"{path}.pdf").status_code == 200
    with transaction() as rows:
        row = rows.scalars(select(SignatureProof)).one()
        row.act = row.act | {"gate": "another"}
    page = client.get(path).get_data(as_text=True)
    assert "column act: was changed after it was written" in page
    assert "column act: does not match what was confirmed" in page
    with transaction() as rows:
        rows.delete(rows.scalars(select(SignatureProof)).one())
    assert "is gone" in client.get(path).get_data(as_text=True)


def test_the_mail_prints_name_time_and_meaning(strict: Company) -> None:
    vik = strict.ids["Vik"]
    vault, session = give_app(vik), session_of(vik)
    ask = ask_of(strict, decision="objected")
    proof = proof_for(strict, vik, ask, session, code=vault.code())
    service.decide(round_of(strict).id, ask, by=vik, proof=proof)
    letters = [
        letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for _name, letter in strict.letters()
        if "with an authenticator app" in str(letter)
    ]
    assert letters
    assert "Vik objected to “" in " ".join(letters[0].split())
    assert "UTC" in letters[0]


def decider(round_id: int) -> int:
    query = select(SignoffRow.person_id).where(SignoffRow.round_id == round_id)
    return db.session.scalars(query).one()


def signoff(company: Company) -> SignoffRow:
    query = select(SignoffRow).where(SignoffRow.person_id == company.ids["Vik"])
    return db.session.scalars(query.order_by(SignoffRow.id.desc())).first() or SignoffRow()


def receipt_of(company: Company) -> Receipt:
    return db.session.scalars(
        select(Receipt).where(Receipt.signoff_id == signoff(company).id)
    ).one()


def rulebook_and_gate(company: Company) -> tuple[Rulebook, str]:
    return rulebooks.rulebook(company.project().rulebook_version_id), round_of(company).gate
