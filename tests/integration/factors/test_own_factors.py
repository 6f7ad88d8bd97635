"""My account, second factor: added, shown once, removed, reset; told, recorded, and nowhere written down."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from fido2.utils import websafe_encode
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import passwords, people
from okrgate.accounts.models import Person, SignInSession
from okrgate.audit.models import Entry
from okrgate.config import BadSettings
from okrgate.database import db, transaction
from okrgate.errors import Forbidden
from okrgate.factors import challenges, codes, passkeys, proving, service
from okrgate.factors.challenges import FactorRefused
from okrgate.factors.models import RecoveryCode, SecondFactor
from okrgate.factors.proving import Proof
from okrgate.notifications.models import MAIL, OutboxRow
from tests.dumps import dump
from tests.factories import Factory
from tests.integration.factors.strict import Vault, give_app, give_recovery_code, token_in

PASSWORD = "seven quiet green lamps"
ROOM = "/account/second-factor"


@pytest.fixture
def pat(factory: Factory) -> Person:
    person = factory.person("Pat")
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = passwords.hash_of(PASSWORD)
    return person


@pytest.fixture
def client(factory: Factory, pat: Person) -> FlaskClient:
    return factory.browser(pat)


def post(client: FlaskClient, path: str, status: int, **data: str) -> str:
    answer = client.post(path, data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, page.partition("<main")[2][:900]
    return page


def confirm(client: FlaskClient, **shown: str) -> None:
    page = client.get(f"{ROOM}/confirm").get_data(as_text=True)
    post(client, f"{ROOM}/confirm", 303, factor_token=token_in(page), **shown)


def add_app(client: FlaskClient, person: int) -> tuple[Vault, list[str]]:
    page = client.get(f"{ROOM}/app").get_data(as_text=True)
    secret = re.sub(r"\s", "", re.findall(r'factor-key">([^<]+)<', page)[0])
    vault = Vault(person, secret)
    sent = {"factor_token": token_in(page), "label": "Phone"}
    assert "This code is not right" in post(client, f"{ROOM}/app", 422, factor_code="1", **sent)
    shown = post(client, f"{ROOM}/app", 200, factor_code=vault.code(), **sent)
    return vault, re.findall(r"<li><code>([^<]+)</code>", shown)


def told(person: int) -> list[str]:
    query = select(OutboxRow).where(OutboxRow.channel == MAIL, OutboxRow.person_id == person)
    rows = db.session.scalars(query.order_by(OutboxRow.id))
    return [row.snapshot["kind"] for row in rows if row.event == "SecondFactorChanged"]


def test_an_app_is_added_shows_codes_once_and_is_removed(
    client: FlaskClient, factory: Factory, pat: Person
) -> None:
    number = pat.id
    other = factory.browser(pat)
    assert client.get(f"{ROOM}/app").location.startswith(f"{ROOM}/confirm")
    wrong = post(client, f"{ROOM}/confirm", 422, current_password="not it")
    assert "This is not your password" in wrong
    confirm(client, current_password=PASSWORD)
    vault, shown = add_app(client, number)
    assert len(set(shown)) == 10
    assert other.get("/account").status_code == 303, "every other browser is signed out"
    assert shown[0] not in client.get(ROOM).get_data(as_text=True)
    assert told(number) == ["added"]
    with clock.moved_to(clock.now() + timedelta(minutes=11)):
        first = db.session.scalars(select(SecondFactor)).one().id
        assert post(client, f"{ROOM}/{first}/remove", 303) is not None
        assert service.of_person(number), "what was confirmed is old by now"
        page = post(client, f"{ROOM}/confirm", 422, current_password=PASSWORD)
        assert "Show your second factor" in page
        confirm(client, factor_code=vault.code())
        post(client, f"{ROOM}/{first}/remove", 303)
    assert service.of_person(number) == []
    assert service.codes_left(number) == 0
    assert told(number) == ["added", "removed"]


def test_confirming_gives_the_session_a_new_name(client: FlaskClient, pat: Person) -> None:
    number = pat.id
    before = client.get_cookie("okrgate")
    assert before is not None
    confirm(client, current_password=PASSWORD)
    copied = client.application.test_client()
    copied.set_cookie("okrgate", before.value)
    assert copied.get(ROOM).status_code == 303, "a copy of the cookie before is dead"
    ended = select(SignInSession.ended_at).where(SignInSession.person_id == number)
    assert db.session.scalars(ended.order_by(SignInSession.id)).first() is not None


def test_nobody_touches_the_factors_of_another(
    client: FlaskClient, factory: Factory, pat: Person
) -> None:
    owner = factory.person("Sue")
    give_app(owner.id)
    theirs = db.session.scalars(select(SecondFactor.id)).one()
    confirm(client, current_password=PASSWORD)
    post(client, f"{ROOM}/{theirs}/remove", 404)
    post(client, f"/admin/people/{owner.id}/second-factor", 403)
    assert not service.lacking([owner.id])


def test_an_administrator_resets_all_but_their_own(factory: Factory, pat: Person) -> None:
    ada, eve = factory.person("Ada", admin=True), factory.person("Eve", admin=True)
    with transaction() as session:
        for one in (ada, eve):
            session.get_one(Person, one.id).password_hash = "x"
    number = pat.id
    give_app(number), give_recovery_code(number), give_app(ada.id)
    his = factory.browser(pat)
    post(factory.browser(ada), f"/admin/people/{number}/second-factor", 303)
    assert service.lacking([number]) == {number}
    assert his.get(ROOM).status_code == 303, "signed out"
    assert told(number) == ["reset"]
    assert (told(ada.id), told(eve.id)) == (["reset"], ["reset"])
    entry = db.session.scalars(select(Entry).where(Entry.action == "person.factors_reset")).one()
    assert entry.actor_id == ada.id
    with pytest.raises(Forbidden):
        service.reset(ada.id, by=ada.id)


def test_who_is_forgotten_leaves_no_factor(factory: Factory, pat: Person) -> None:
    ada = factory.person("Ada", admin=True)
    number, by = pat.id, ada.id
    give_app(number), give_recovery_code(number)
    people.deactivate(number, by=by)
    people.erase(number, by=by)
    assert list(db.session.scalars(select(SecondFactor))) == []
    assert list(db.session.scalars(select(RecoveryCode))) == []


def test_no_secret_is_written_down(
    client: FlaskClient, pat: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    number = pat.id
    confirm(client, current_password=PASSWORD)
    vault, shown = add_app(client, number)
    page = client.get(f"{ROOM}/confirm").get_data(as_text=True)
    for guess in ("AAAA-BBBB-CCCC-DDDD", shown[0]):
        client.post(f"{ROOM}/confirm", data={"factor_token": token_in(page), "factor_code": guess})
    everything = repr(dump()) + "".join(capsys.readouterr())
    for canary in (vault.secret, shown[0], codes.plain(shown[0]), shown[1], PASSWORD):
        assert canary not in everything
    assert "factor_refused" in everything


def test_a_new_secret_of_okrgate_keeps_the_apps(app: Flask, pat: Person) -> None:
    number = pat.id
    vault = give_app(number)
    settings = app.extensions["okrgate.settings"]
    fresh = "Zr5Tb1Nc6Hy4Dm0Pgk3-9fJq_7sLx2Vw8"
    app.extensions["okrgate.settings"] = replace(settings, secret_key=fresh)
    assert not service.of_person(number)[0].readable
    assert service.unreadable() == 1
    both = replace(settings, secret_key=fresh, secret_key_before=settings.secret_key)
    app.extensions["okrgate.settings"] = both
    use(number, vault.code())
    app.extensions["okrgate.settings"] = replace(settings, secret_key=fresh)
    assert service.of_person(number)[0].readable, "sealed anew when it was used"
    with pytest.raises(FactorRefused, match="used already"):
        use(number, vault.code())
    with pytest.raises(BadSettings):
        replace(settings, secret_key_before="too short")


def test_a_secret_in_another_row_opens_nothing(factory: Factory, pat: Person) -> None:
    vault, other = give_app(pat.id), factory.person("Sue").id
    with transaction() as session:
        session.scalars(select(SecondFactor)).one().person_id = other
    with pytest.raises(FactorRefused, match="not right"):
        use(other, vault.code())


def test_what_no_app_and_no_browser_sends_is_refused_kindly(client: FlaskClient) -> None:
    confirm(client, current_password=PASSWORD)
    token = token_in(client.get(f"{ROOM}/app").get_data(as_text=True))
    sent = {"label": "Phone", "factor_code": "é12345"}
    assert "This code is not right" in post(client, f"{ROOM}/app", 422, factor_token=token, **sent)
    for body in ("A", "é", ""):
        post(client, f"{ROOM}/app", 422, factor_token=f"{token.partition('.')[0]}.{body}", **sent)


@pytest.mark.parametrize("cbor", [b"\x81" * 9000, b"\x19\x01", b"\xfb\x00", b"", b"\xa1"])
def test_a_passkey_that_cannot_be_read_is_none(app: Flask, pat: Person, cbor: bytes) -> None:
    challenge = challenges.make("b" * 64, person=pat.id, session=1)
    settings = app.extensions["okrgate.settings"]
    said = {
        "type": "webauthn.create",
        "challenge": websafe_encode(challenge.to_sign),
        "origin": settings.base_url,
    }
    response = {
        "clientDataJSON": websafe_encode(json.dumps(said).encode()),
        "attestationObject": websafe_encode(cbor),
    }
    answer = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response}
    for sent in ("[" * 19_999, json.dumps(answer)):
        assert passkeys.made(sent, challenge) is None
        assert passkeys.answered(sent, challenge, []) is None


def use(person: int, code: str) -> None:
    challenge = challenges.make("b" * 64, person=person, session=1)
    proof = Proof(challenge.token, 1, "192.0.2.1", code=code)
    checked = proving.check(proof, "b" * 64, person=person)
    with transaction():
        proving.spend(checked)
