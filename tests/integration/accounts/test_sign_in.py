"""Come in, stay in, go out."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from okrgate import clock
from okrgate.accounts import passwords, sessions
from okrgate.accounts.models import Person, SignInSession, Throttle
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from tests.factories import Factory
from tests.integration.accounts.conftest import PASSWORD, Joined


def enter(client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def is_in(client: FlaskClient) -> bool:
    # Each request begins without an open transaction, as it does outside tests.
    db.session.rollback()
    return client.get("/account").status_code == 200


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("okrgate")
    return found.value if found else ""


def test_the_right_password_lets_in(client: FlaskClient, joined: Joined) -> None:
    person = joined("Ada Lovelace")

    answer = enter(client, person.email.upper())

    assert answer.status_code == 303
    assert "Ada Lovelace" in client.get("/account").text


def test_sign_in_goes_back_to_where_one_wanted_to_go(client: FlaskClient, joined: Joined) -> None:
    asked = client.get("/account/password?x=1")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/account/password?x%3D1"

    answer = enter(client, joined().email, next="/account/password?x=1")

    assert answer.location == "/account/password?x=1"


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_sign_in_never_leads_to_another_site(
    client: FlaskClient, joined: Joined, elsewhere: str
) -> None:
    assert "evil" not in client.get("/sign-in", query_string={"next": elsewhere}).text

    answer = enter(client, joined().email, next=elsewhere)

    assert "evil" not in answer.location


def test_known_and_unknown_people_get_the_same_answer_for_the_same_work(
    client: FlaskClient, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, uninvited = joined(), "nobody@example.com"
    invited = joined()
    gone = joined()
    with transaction() as session:
        session.get_one(Person, invited.id).password_hash = None
        session.get_one(Person, gone.id).active = False
    work: list[str] = []
    real = PasswordHasher.verify

    def verify(self: PasswordHasher, stored: str, given: str) -> bool:
        work.append(stored)
        return bool(real(self, stored, given))

    monkeypatch.setattr(PasswordHasher, "verify", verify)

    answers = {
        email: enter(client, email, "wrong but long enough")
        for email in (known.email, invited.email, gone.email, uninvited)
    }

    assert len(work) == 4
    assert {answer.status_code for answer in answers.values()} == {422}
    texts = {
        answer.text.replace(email, "").split('name="csrf_token"')[0].partition("Request")[0]
        for email, answer in answers.items()
    }
    assert len(texts) == 1


def test_a_failed_sign_in_is_recorded_without_what_was_typed(
    client: FlaskClient, joined: Joined
) -> None:
    person = joined()

    enter(client, person.email, "canary-password-4711")
    enter(client, "canary@example.com", "canary-password-4711")

    rows = db.session.scalars(select(Entry).where(Entry.action == "person.sign_in_failed")).all()
    assert [row.target for row in rows] == [f"person:{person.id}", ""]
    assert "canary" not in repr([(row.target, row.reason, row.details) for row in rows])


def test_the_page_after_a_wrong_password_keeps_the_address_and_not_the_password(
    client: FlaskClient, joined: Joined
) -> None:
    person = joined()

    answer = enter(client, person.email, "wrong but long enough")

    assert person.email in answer.text
    assert "wrong but long enough" not in answer.text
    assert "<title>Error: Sign in" in answer.text


@pytest.mark.parametrize("email", ["", "x" * 500, "=1@", "ada@example.com'--"])
def test_odd_addresses_are_refused_kindly(client: FlaskClient, email: str) -> None:
    assert enter(client, email).status_code == 422


def test_a_password_is_hashed_again_when_hashes_get_better(
    client: FlaskClient, joined: Joined
) -> None:
    person = joined()
    weaker = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = weaker

    enter(client, person.email)

    db.session.expire_all()
    stored = db.session.get_one(Person, person.id).password_hash
    assert stored is not None
    assert stored != weaker
    assert passwords.fits(stored, PASSWORD)


def test_guessing_an_account_is_slowed_down_and_never_forbidden_for_good(
    app: Flask, client: FlaskClient, joined: Joined
) -> None:
    person, now = joined(), clock.now()
    other_place = app.test_client()
    with clock.moved_to(now):
        for _ in range(5):
            assert enter(client, person.email, "wrong but long enough").status_code == 422
        blocked = other_place.post(
            "/sign-in",
            data={"email": person.email, "password": PASSWORD},
            environ_base={"REMOTE_ADDR": "192.0.2.9"},
        )
    assert blocked.status_code == 429
    assert int(blocked.headers["Retry-After"]) >= 1

    with clock.moved_to(now + timedelta(minutes=16)):
        assert enter(client, person.email).status_code == 303


def test_waits_grow_but_end_after_a_quarter_of_an_hour(client: FlaskClient) -> None:
    waits = []
    moment = clock.now()
    for _ in range(20):
        with clock.moved_to(moment):
            answer = enter(client, "nobody@example.com", "wrong but long enough")
            if answer.status_code == 429:
                waits.append(int(answer.headers["Retry-After"]))
                moment += timedelta(seconds=waits[-1] + 1)

    assert waits == sorted(waits)
    assert waits[-1] > waits[0]
    assert max(waits) <= 15 * 60


def test_guessing_many_accounts_from_one_place_is_slowed_down(client: FlaskClient) -> None:
    with clock.moved_to(clock.now()):
        answers = [
            enter(client, f"somebody{number}@example.com", "wrong but long enough").status_code
            for number in range(32)
        ]

    assert answers[:30] == [422] * 30
    assert 429 in answers[30:]


def test_signing_in_rightly_many_times_slows_nobody_down(
    client: FlaskClient, joined: Joined
) -> None:
    person = joined()

    assert {enter(client, person.email).status_code for _ in range(40)} == {303}


def test_what_is_counted_names_no_address(client: FlaskClient) -> None:
    enter(client, "canary@example.com", "wrong but long enough")

    keys = db.session.scalars(select(Throttle.key)).all()
    assert len(keys) == 2
    assert "canary" not in repr(keys)


def test_a_cookie_copied_before_sign_out_is_dead_after_it(
    app: Flask, client: FlaskClient, joined: Joined
) -> None:
    enter(client, joined().email)
    thief = app.test_client()
    thief.set_cookie("okrgate", cookie_of(client))
    assert is_in(thief)

    answer = client.post("/sign-out")

    assert answer.status_code == 303
    assert not is_in(client)
    assert not is_in(thief)


def test_signing_in_gives_a_new_session_and_ends_the_one_before(
    app: Flask, client: FlaskClient, joined: Joined
) -> None:
    first, second = joined(), joined()
    with client.session_transaction() as cookie:
        cookie["planted"] = "before sign-in"
    enter(client, first.email)
    copied = app.test_client()
    copied.set_cookie("okrgate", cookie_of(client))

    enter(client, second.email)

    with client.session_transaction() as cookie:
        assert "planted" not in cookie
    assert second.name in client.get("/account").text
    assert not is_in(copied)


def test_the_table_of_sessions_holds_no_token(client: FlaskClient, joined: Joined) -> None:
    enter(client, joined().email)

    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    stored = db.session.execute(text("SELECT * FROM sign_in_sessions")).all()
    assert token not in repr(stored)


@pytest.mark.parametrize(
    ("steps", "hours", "still_in"),
    [(1, 11, True), (1, 13, False), (10, 11, True), (16, 11, False)],
    ids=["used lately", "idle too long", "used every day", "older than a week"],
)
def test_a_session_ends_when_idle_and_after_a_week(
    client: FlaskClient, joined: Joined, steps: int, hours: int, still_in: bool
) -> None:
    start = clock.now()
    enter(client, joined().email)

    for step in range(1, steps + 1):
        with clock.moved_to(start + timedelta(hours=hours * step)):
            result = is_in(client)

    assert result is still_in


def test_reading_writes_the_last_use_at_most_once_a_minute(
    client: FlaskClient, joined: Joined
) -> None:
    start = clock.now()
    with clock.moved_to(start):
        enter(client, joined().email)
    seen = []
    for seconds in (10, 59, 61, 90, 125):
        with clock.moved_to(start + timedelta(seconds=seconds)):
            assert is_in(client)
        db.session.rollback()
        last = db.session.scalars(select(SignInSession.seen_at)).one()
        seen.append(round((last - start).total_seconds()))

    assert seen == [0, 0, 61, 61, 125]


def test_somebody_deactivated_is_out_at_the_next_request(factory: Factory, joined: Joined) -> None:
    boss, person = joined(admin=True), joined()
    browser = factory.browser(person)
    assert is_in(browser)

    factory.browser(boss).post(f"/admin/people/{person.id}/deactivate")

    assert not is_in(browser)
    assert enter(browser, person.email).status_code == 422


def test_somebody_may_end_other_sessions_but_not_those_of_others(
    factory: Factory, joined: Joined
) -> None:
    person, other = joined(), joined()
    here, there, stranger = (
        factory.browser(person),
        factory.browser(person),
        factory.browser(other),
    )
    ids = {
        row.person_id: row.id
        for row in db.session.scalars(select(SignInSession).order_by(SignInSession.id.desc()))
    }

    here.post(f"/account/sessions/{ids[other.id]}/end")
    assert is_in(stranger)
    here.post("/account/sessions/end-others")

    assert is_in(here)
    assert not is_in(there)


def test_a_forged_or_damaged_token_lets_nobody_in(client: FlaskClient, joined: Joined) -> None:
    for token in ("", "x", "1", str(joined().id), "\udcff", "é" * 500):
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
        assert not is_in(client)


def test_a_form_sent_after_the_session_ended_is_kept_until_signed_in_again(
    client: FlaskClient, joined: Joined
) -> None:
    person = joined("Ada Lovelace")
    answer = client.post("/account", data={"name": "Ada King", "timezone": "Europe/London"})
    assert answer.status_code == 401
    assert 'name="carried:name" value="Ada King"' in answer.text

    again = enter(
        client,
        person.email,
        **{"next": "/account", "carried:name": "Ada King", "carried:timezone": "Europe/London"},
    )

    assert again.status_code == 200
    assert 'action="/account"' in again.text
    assert 'name="name" value="Ada King"' in again.text
    db.session.rollback()
    assert db.session.get_one(Person, person.id).name == "Ada Lovelace"


def test_passwords_are_never_kept_for_later(client: FlaskClient) -> None:
    answer = client.post(
        "/account/password", data={"current": "canary one", "password": "canary two"}
    )

    assert answer.status_code == 401
    assert "canary" not in answer.text


def test_a_page_with_a_token_for_forms_works_right_after_sign_in(
    app: Flask, client: FlaskClient, joined: Joined
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    person = joined()

    def token_in(text: str) -> str:
        return text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]

    first = token_in(client.get("/sign-in").text)
    assert enter(client, person.email).status_code == 400
    answer = client.post(
        "/sign-in",
        data={
            "email": person.email,
            "password": PASSWORD,
            "csrf_token": first,
            "next": "/account",
            "carried:name": "Ada King",
            "carried:timezone": "",
        },
    )
    sent = client.post(
        "/account",
        data={"name": "Ada King", "timezone": "", "csrf_token": token_in(answer.text)},
    )

    assert sent.status_code == 303


def test_the_password_changes_only_with_the_one_before_and_ends_other_sessions(
    factory: Factory, joined: Joined
) -> None:
    person = joined()
    here, there = factory.browser(person), factory.browser(person)
    with here.session_transaction() as cookie:
        before = cookie["_user_id"]
    new = "eight loud violet doors"

    wrong = here.post("/account/password", data={"current": "not it at all", "password": new})
    weak = here.post("/account/password", data={"current": PASSWORD, "password": "too short"})
    right = here.post("/account/password", data={"current": PASSWORD, "password": new})

    assert (wrong.status_code, weak.status_code, right.status_code) == (422, 422, 303)
    assert is_in(here)
    assert not is_in(there)
    assert sessions.find(before, factory.app.extensions["okrgate.settings"]) is None
    assert enter(there, person.email, new).status_code == 303


def test_guessing_the_password_of_an_open_browser_is_slowed_down(
    factory: Factory, joined: Joined
) -> None:
    browser = factory.browser(joined())
    given = {"current": "not it at all", "password": "eight loud violet doors"}

    with clock.moved_to(clock.now()):
        answers = [browser.post("/account/password", data=given).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_every_page_here_can_be_shown(factory: Factory, joined: Joined) -> None:
    browser = factory.browser(joined())

    pages = ("/account", "/account/password", "/account/email")
    assert [browser.get(page).status_code for page in pages] == [200] * 3
    assert browser.get("/sign-in").status_code == 303


def test_what_is_held_on_me_is_handed_over_and_that_is_recorded(
    factory: Factory, joined: Joined
) -> None:
    person = joined("Ada Lovelace")

    answer = factory.browser(person).post("/account/export")

    assert answer.mimetype == "application/json"
    assert answer.json is not None
    assert answer.json["person"]["name"] == "Ada Lovelace"
    assert answer.json["acts"][0]["what"] == "person.exported"
    assert "argon2" not in answer.text
