"""A gate meeting: planned, called, held, kept. Everybody decides for themselves, and sees what they may."""

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from okrgate.approvals.models import Round, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import NotFound
from okrgate.meetings import running
from okrgate.meetings.models import Meeting, MeetingPerson, Minutes
from okrgate.projects.models import Project
from okrgate.stages import service, settling, withdrawing
from okrgate.stages.reading import Reader
from okrgate.stages.standing import Ask
from tests.factories import Factory
from tests.integration.meetings.gathering import (
    calendar_of,
    held,
    letters,
    plan,
    press,
    put,
    row,
    text_of,
)
from tests.integration.several import Several
from tests.integration.test_query_counts import counting


@pytest.fixture
def company(app: Flask, factory: Factory, tmp_path: Path) -> Several:
    """Nothing is planned yet."""
    return Several(factory, tmp_path)


def test_only_what_waits_for_nothing_but_words_can_be_put_on_the_agenda(company: Several) -> None:
    ready = company.ask("Ready", stage="board", lead="Pat")
    unready = company.ask("No lead yet", stage="board")
    meeting = plan(company)
    page = company["Dan"].open(f"/meetings/{meeting}/agenda")
    assert "Ready" in page
    assert "No lead yet" not in page
    press(company, "Dan", f"/meetings/{meeting}/agenda", status=409, act=f"add:{unready}")
    assert len(put(company, meeting, ready, ready)) == 1


def test_the_agenda_is_put_in_order_with_buttons(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(3)]
    meeting = plan(company)
    first, second, third = put(company, meeting, *rounds)
    path = f"/meetings/{meeting}/agenda"
    press(company, "Dan", path, act=f"up:{third}")
    press(company, "Dan", path, act=f"down:{first}")
    press(company, "Dan", path, act=f"up:{third}")
    assert put(company, meeting) == [third, first, second]
    press(company, "Dan", path, act=f"remove:{first}")
    press(company, "Dan", path, {f"minutes-{second}": "25"}, act="minutes")
    press(company, "Dan", path, {f"minutes-{second}": "0"}, status=422, act="minutes")
    press(company, "Dan", path, status=404, act=f"up:{first}")
    press(company, "Dan", path, status=422, act="burn:1")
    page = company["Dan"].open(path)
    assert "35 of 60 minutes" in page
    assert put(company, meeting) == [third, second]


def test_nobody_is_invited_before_it_is_called(company: Several) -> None:
    meeting = plan(company)
    put(company, meeting, company.ask("Idea"))
    assert letters(company, "MeetingCalled") == []
    company["Kim"].open(f"/meetings/{meeting}", status=404)
    press(company, "Dan", f"/meetings/{meeting}/call")
    [(name, letter)] = letters(company, "MeetingCalled")
    assert name == "Kim"
    text = calendar_of(letter)
    assert f"UID:meeting-{meeting}@" in text
    assert "METHOD:REQUEST" in text
    assert "SEQUENCE:0" in text
    assert re.search(r"DTSTART:\d{8}T1[23]0000Z", text)
    assert "Idea" in text_of(letter)
    company["Kim"].open(f"/meetings/{meeting}")
    press(company, "Dan", f"/meetings/{meeting}/call", status=409)


def test_a_change_moves_the_entry_and_tells_each_what_concerns_them(company: Several) -> None:
    meeting = plan(company, people=("Kim", "Pat"))
    press(company, "Dan", f"/meetings/{meeting}/call")
    dan = company["Dan"]
    dan.open(f"/meetings/{meeting}/edit")
    dan.send({"place": "Room 5", "people-1-person": str(company.ids["Dora"])})
    changed, cancelled = letters(company, "MeetingChanged"), letters(company, "MeetingCancelled")
    assert [name for name, _ in changed] == ["Kim"]
    assert [name for name, _ in cancelled] == ["Pat"]
    assert [name for name, _ in letters(company, "MeetingCalled")][2:] == ["Dora"]
    assert "SEQUENCE:1" in calendar_of(changed[0][1])
    assert "METHOD:CANCEL" in calendar_of(cancelled[0][1])
    assert "STATUS:CANCELLED" in calendar_of(cancelled[0][1])
    dan.open(f"/meetings/{meeting}/edit")
    dan.send({"title": "Approvals of the week"})
    assert row(meeting).sequence == 1, "nothing in the calendars moved"
    company["Pat"].open(f"/meetings/{meeting}", status=404)


def test_two_who_change_it_at_once_do_not_overwrite_each_other(company: Several) -> None:
    meeting = plan(company)
    dan, ada = company["Dan"], company["Ada"]
    dan.open(f"/meetings/{meeting}/edit")
    ada.open(f"/meetings/{meeting}/edit")
    ada.send({"place": "Room 9"})
    dan.send({"place": "Room 1"}, status=409)
    assert row(meeting).place == "Room 9"


def test_called_off_it_leaves_the_calendars_with_a_reason(company: Several) -> None:
    meeting = plan(company)
    press(company, "Dan", f"/meetings/{meeting}/call")
    page = press(company, "Dan", f"/meetings/{meeting}/cancel", status=422, reason="")
    assert "Say why, so that nobody waits for it." in page
    press(company, "Dan", f"/meetings/{meeting}/cancel", reason="Nothing is ready.")
    [(name, letter)] = letters(company, "MeetingCancelled")
    assert name == "Kim"
    assert "Nothing is ready." in text_of(letter)
    assert "METHOD:CANCEL" in calendar_of(letter)
    press(company, "Dan", f"/meetings/{meeting}/begin", status=409)
    assert "METHOD:CANCEL" in company["Kim"].open(f"/meetings/{meeting}/meeting.ics")


def test_each_signer_decides_on_their_own_card_and_comes_back(company: Several) -> None:
    number = company.ask("Plan", stage="board", lead="Pat")
    meeting, _ = held(company, number)
    kim = company["Kim"]
    kim.open(f"/meetings/{meeting}")
    path = next(path for text, path in kim.links() if text == "Decide")
    page = kim.open(path)
    assert "Back to the meeting" in page
    page = kim.send({"decision": "approved", "reason": ""})
    assert any(path == f"/meetings/{meeting}" for _, path in kim.links())
    page = company["Dan"].open(f"/meetings/{meeting}")
    assert "Kim approved" in page
    assert "1 of 2 sign-offs" in page


def test_to_be_in_a_meeting_gives_no_vote_and_no_view(company: Several) -> None:
    secret, other = company.ask("Secret plan", stage="board", lead="Dora"), company.ask("Open idea")
    with transaction():
        company.project(secret).confidential = True
    meeting, items = held(company, secret, other, people=("Kim", "Pat"))
    pat = company["Pat"]
    page = pat.open(f"/meetings/{meeting}")
    assert "A confidential project" in page
    assert "Secret plan" not in page
    assert "Secret plan" in company["Kim"].open(f"/meetings/{meeting}")
    assert "Secret plan" not in pat.open(f"/meetings/{meeting}/live")
    pat.open(f"/approvals/{secret}", status=404)
    pat.open(f"/approvals/{other}", status=404)
    press(company, "Dan", f"/meetings/{meeting}/items/{items[0]}/notes", noted("Whisper"))
    press(company, "Dan", f"/meetings/{meeting}/end")
    page = pat.open(f"/meetings/{meeting}")
    assert "Secret plan" not in page
    assert "Whisper" not in page
    assert "Whisper" in company["Kim"].open(f"/meetings/{meeting}")
    for kind in ("MeetingCalled", "MinutesSent"):
        for name, letter in letters(company, kind):
            text = text_of(letter)
            assert ("Secret plan" in text) == (name in {"Dora", "Sue"}), (kind, name)


def test_money_is_for_those_with_a_part(company: Several) -> None:
    number = company.ask("Idea")
    with transaction() as session:
        from okrgate.projects.plan_models import Scope

        session.add(
            Scope(project_id=company.project(number).id, budget_minor=1234500, currency="EUR")
        )
    meeting, _ = held(company, number, people=("Pat",))
    assert "12,345" in company["Dan"].open(f"/meetings/{meeting}")
    assert "12,345" not in company["Pat"].open(f"/meetings/{meeting}")


def test_the_chair_steps_and_whoever_saw_less_is_told(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(3)]
    meeting, (first, second, third) = held(company, *rounds)
    path = f"/meetings/{meeting}/step"
    press(company, "Dan", path, seen=str(first), to=str(second))
    page = press(company, "Ada", path, status=409, seen=str(first), to=str(third))
    assert "Somebody stepped on already" in page
    assert row(meeting).item_id == second
    press(company, "Kim", path, status=403, seen=str(second), to=str(third))
    press(company, "Dan", path, status=404, seen=str(second), to="99999")


def test_who_is_here_is_said_by_everybody_for_themselves(company: Several) -> None:
    meeting, _ = held(company, company.ask("Idea"), people=("Kim", "Dora"))
    path = f"/meetings/{meeting}/here"
    press(company, "Kim", path)
    press(company, "Kim", path, status=403, person=str(company.ids["Dora"]))
    press(company, "Dan", path, person=str(company.ids["Dora"]))
    press(company, "Aud", path, status=403)
    db.session.rollback()
    here = select(MeetingPerson.person_id).where(MeetingPerson.here_at.is_not(None))
    assert set(db.session.scalars(here)) == {company.ids[one] for one in ("Dan", "Kim", "Dora")}


def test_the_minutes_hold_what_the_record_holds_and_stay_so(company: Several) -> None:
    decided, spoken, later = (
        company.ask(title, stage="board", lead="Pat") for title in ("Decided", "Spoken", "Later")
    )
    meeting, items = held(company, decided, spoken, later)
    decide(company, "Dan", decided, "approved", reason="Worth it.")
    press(company, "Dan", f"/meetings/{meeting}/step", seen=str(items[0]), to=str(items[1]))
    press(
        company,
        "Dan",
        f"/meetings/{meeting}/items/{items[1]}/notes",
        noted("Ask legal."),
    )
    page = company["Dan"].open(f"/meetings/{meeting}/end")
    assert "Later" in page
    press(company, "Dan", f"/meetings/{meeting}/end")
    press(company, "Dan", f"/meetings/{meeting}/end", status=409)
    decide(company, "Kim", decided, "approved")
    page = company["Kim"].open(f"/meetings/{meeting}")
    assert "Dan approved: Worth it." in page
    assert "Ask legal." in page
    assert "Kim approved" not in page, "that was afterwards"
    assert page.index("Not reached") < page.index("Later")
    told = {name: text_of(letter) for name, letter in letters(company, "MinutesSent")}
    assert set(told) == {"Kim", "Pat", "Sue"}
    assert "Dan approved: Worth it." in told["Pat"]
    assert "Here: Dan" in told["Kim"]
    kept = db.session.scalars(select(Minutes)).one()
    entry = db.session.scalars(select(Entry).where(Entry.action == "meeting.ended")).one()
    assert entry.details["minutes"] == kept.digest
    with transaction() as session:
        found = session.get_one(Minutes, meeting)
        found.body = {**found.body, "place": "Elsewhere"}
    assert "These minutes were changed" in company["Aud"].open(f"/meetings/{meeting}")


def test_reasons_are_for_those_with_a_part(company: Several) -> None:
    number = company.ask("Idea", stage="board", lead="Dora")
    meeting, _ = held(company, number, people=("Kim", "Pat"))
    decide(company, "Dan", number, "approved", reason="It pays for itself.")
    press(company, "Dan", f"/meetings/{meeting}/end")
    page = company["Pat"].open(f"/meetings/{meeting}")
    assert "Dan approved" in page
    assert "It pays" not in page
    for name in ("Kim", "Aud"):
        assert "It pays for itself." in company[name].open(f"/meetings/{meeting}"), name
    told = {name: text_of(letter) for name, letter in letters(company, "MinutesSent")}
    assert "Dan approved" in told["Pat"]
    assert "It pays" not in told["Pat"] + told["Kim"]
    assert "Dan approved: It pays for itself." in told["Dora"]


def test_a_mail_that_waits_names_what_its_reader_may_read_when_it_goes(company: Several) -> None:
    number, left = company.ask("Secret plan"), company.ask("Secret too")
    meeting, _ = held(company, number, left, people=("Pat",))
    decide(company, "Dan", number, "approved")
    press(company, "Dan", f"/meetings/{meeting}/end")
    kinds = ("MeetingCalled", "MinutesSent")
    before = [
        text_of(letter)
        for kind in kinds
        for name, letter in letters(company, kind)
        if name == "Pat"
    ]
    assert [("Secret plan" in text, "Secret too" in text) for text in before] == [(True, True)] * 2
    with transaction() as session:
        session.execute(update(Project).values(confidential=True))
    after = [
        text_of(letter)
        for kind in kinds
        for name, letter in letters(company, kind)
        if name == "Pat"
    ]
    for text in after:
        assert "Secret" not in text
        assert "Dan approved" not in text
        assert "A confidential project" in text


def test_what_was_taken_back_is_in_no_minutes(company: Several) -> None:
    number = company.ask("Idea", stage="board", lead="Pat")
    meeting, _ = held(company, number)
    decide(company, "Dan", number, "approved")
    kim, path = company["Kim"], f"/meetings/{meeting}/live"
    before = kim.client.get(path)
    assert "Dan approved" in before.text
    taken = db.session.scalars(select(SignoffRow.id)).one()
    withdrawing.withdraw(taken, by=company.ids["Dan"])
    after = kim.client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "Dan approved" not in after.text
    press(company, "Dan", f"/meetings/{meeting}/end")
    page = kim.open(f"/meetings/{meeting}")
    assert "Dan approved" not in page
    assert "Nothing was decided" in page


def test_whoever_leads_may_not_read_notes_of_what_is_hidden(company: Several) -> None:
    number = company.ask("Secret plan", stage="board", lead="Dora")
    meeting, (item,) = held(company, number)
    path = f"/meetings/{meeting}/items/{item}/notes"
    press(company, "Dan", path, noted("Whisper"))
    with transaction():
        company.project(number).confidential = True
    assert "Whisper" in company["Dan"].open(path)
    company["Ada"].open(path, status=404)
    reader = Reader(company.ids["Ada"], is_admin=True)
    with pytest.raises(NotFound):
        running.note(meeting, item, "", reader, was=noted("Whisper")["was"])


def test_what_was_not_reached_is_offered_first_next_time(company: Several) -> None:
    reached, left = company.ask("Reached"), company.ask("Left")
    meeting, _ = held(company, reached, left)
    press(company, "Dan", f"/meetings/{meeting}/end")
    page = company["Dan"].open(f"/meetings/{plan(company)}/agenda")
    assert page.index("Left") < page.index("Not reached last time") < page.index("Reached</a>")


def test_notes_of_two_do_not_overwrite_each_other(company: Several) -> None:
    meeting, (item,) = held(company, company.ask("Idea"))
    path = f"/meetings/{meeting}/items/{item}/notes"
    empty = noted("First")
    press(company, "Dan", path, empty)
    page = press(
        company, "Ada", path, {**empty, "notes": "Second, and a little longer"}, status=409
    )
    assert "Second, and a little longer" in page, "what was typed is not lost"


def test_a_part_that_says_nothing_new_is_not_sent(company: Several) -> None:
    number = company.ask("Plan", stage="board", lead="Pat")
    meeting, _ = held(company, number)
    client = company["Kim"].client
    path = f"/meetings/{meeting}/live"
    mark = client.get(path).headers["ETag"]
    db.session.remove()
    with counting() as asked:
        answer = client.get(path, headers={"If-None-Match": mark})
    assert answer.status_code == 304
    assert len(asked) <= 7
    decide(company, "Dan", number, "approved")
    assert client.get(path, headers={"If-None-Match": mark}).status_code == 200


def test_pages_ask_few_questions_however_long_the_agenda_is(company: Several) -> None:
    rounds = [company.ask(f"Plan {number}", stage="board", lead="Pat") for number in range(6)]
    meeting, _ = held(company, *rounds, people=("Kim", "Dora", "Pat"))
    browsers = {name: company[name].client for name in ("Dan", "Kim")}
    for path in (f"/meetings/{meeting}", f"/meetings/{meeting}/agenda", "/meetings"):
        for name, client in browsers.items():
            known = client.get(path).status_code
            db.session.remove()
            with counting() as asked:
                assert client.get(path).status_code == known
            assert len(asked) <= 12, (path, name)


def test_whoever_may_not_call_one_is_told_who_may(company: Several) -> None:
    for name in ("Pat", "Sue", "Aud"):
        assert "Whoever signs at a gate" in company[name].open("/meetings/new", status=403)
        assert "Call a meeting" not in company[name].open("/meetings")
    company["Kim"].open("/meetings/new")
    company["Ada"].open("/meetings/new")


def test_a_chair_who_is_replaced_no_longer_leads(company: Several) -> None:
    number = company.ask("Idea")
    meeting = plan(company, "Ada", chair="Dan")
    put(company, meeting, number, name="Dan")
    ada = company["Ada"]
    ada.open(f"/meetings/{meeting}/edit")
    ada.send({"chair": str(company.ids["Dora"])})
    company["Dan"].open(f"/meetings/{meeting}/agenda", status=404)
    press(company, "Dora", f"/meetings/{meeting}/call")
    assert row(meeting).state == "called"


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": ""},
        {"starts": "soon"},
        {"minutes": ""},
        {"minutes": "0"},
        {"minutes": "x"},
        {"chair": ""},
        {"chair": "99999"},
        {"gates": "7:nowhere"},
        {"gates": ""},
        {"zone": "Nowhere/Else"},
        {"title": ""},
        {"title": "x" * 201},
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_lost(
    company: Several, wrong: dict[str, str]
) -> None:
    dan = company["Dan"]
    dan.open("/meetings/new")
    data = dict(dan.form("title").values) | {
        "title": "Board",
        "starts": "2030-01-01T10:00",
        "place": "Room 12345",
    }
    answer = dan.client.post("/meetings/new", data=data | wrong)
    assert answer.status_code == 422
    assert "Room 12345" in answer.text
    assert db.session.scalars(select(Meeting)).all() == []


def noted(text: str) -> dict[str, str]:
    """Return the form of somebody's first notes."""
    from okrgate.meetings.minutes import digest_of

    return {"was": digest_of({"notes": ""}), "notes": text}


def decide(company: Several, name: str, number: int, decision: str, reason: str = "") -> None:
    db.session.rollback()
    digest = db.session.get_one(Round, number).digest
    ask = Ask(decision=decision, digest=digest, key=f"{name} {number}", reason=reason)
    service.decide(number, ask, by=company.ids[name])
    settling.settle(company.project(number).id)
    assert db.session.scalars(select(SignoffRow.id)).all()
