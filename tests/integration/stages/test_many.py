"""Several projects are decided together: asked once, each judged for itself, each with its own result."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.accounts import roles
from okrgate.accounts.models import RoleGrant
from okrgate.approvals.models import Receipt, Round, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.stages import many, service, settling
from okrgate.stages.standing import Ask
from tests.browsing import Person
from tests.factories import Factory
from tests.integration.several import Several
from tests.integration.test_query_counts import counting


@pytest.fixture
def company(app: Flask, factory: Factory, tmp_path: Path) -> Several:
    """Nothing is asked yet."""
    return Several(factory, tmp_path)


def test_one_confirmation_says_the_gate_and_the_count_and_each_gets_its_receipt(
    company: Several,
) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(3)]
    dan = company["Dan"]
    page = dan.open("/approvals")
    assert page.count('name="round"') == 3
    page = dan.open(together(rounds))
    assert "You approve “Approval” for 3 projects" in page
    page = dan.send({"reason": "All three."}, press="Approve 3 projects")
    assert "3 decisions recorded" in page
    assert [company.project(one).stage for one in rounds] == ["running"] * 3
    rows = db.session.scalars(select(SignoffRow)).all()
    assert {row.reason for row in rows} == {"All three."}
    assert len({row.key for row in rows}) == 3
    assert count(Receipt, Receipt.signoff_id.is_not(None)) == 3


def test_what_changed_meanwhile_is_refused_in_its_row_and_the_others_go_on(
    company: Several,
) -> None:
    same, changed, gone = (company.ask(title) for title in ("Same", "Changed", "Gone"))
    dan = company["Dan"]
    dan.open(together([changed, same, gone]))
    change(company, changed)
    decide(company, "Dora", gone, "returned", move="back", reason="Too early.")
    page = dan.send({"reason": ""}, press="Approve 3 projects")
    assert "1 of 3 recorded" in page
    assert "This round of sign-off is over." in page
    assert "Dora sent it back" in page
    assert company.project(same).stage == "running"
    assert company.project(changed).stage == "asked"
    assert company.project(gone).stage == "idea"


def test_sent_twice_it_is_decided_once_and_says_the_same(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(2)]
    dan = company["Dan"]
    dan.open(together(rounds))
    form = dan.form("reason")
    first = dan.send({"reason": ""}, press="Approve 2 projects")
    data = MultiDict(form.values)
    again = dan.client.post("/approvals/together", data=data).text
    assert "2 decisions recorded" in again
    assert receipts_on(again) == receipts_on(first)
    assert count(SignoffRow) == 2


def test_the_key_of_somebody_else_decides_nothing(company: Several) -> None:
    number = company.ask("Idea")
    dan, dora = company["Dan"], company["Dora"]
    dan.open(together([number]))
    data = MultiDict(dan.form("reason").values)
    dan.send({"reason": ""}, press="Approve 1 project")
    page = dora.client.post("/approvals/together", data=data).text
    assert "Nothing was recorded" in page
    assert count(SignoffRow) == 1


@pytest.mark.parametrize("key", ["", "x", "0" * 31, "0" * 33, "G" * 32])
def test_without_its_key_a_form_is_not_taken(company: Several, key: str) -> None:
    number = company.ask("Idea")
    dan = company["Dan"]
    dan.open(together([number]))
    data = MultiDict(dan.form("reason").values)
    data["key"] = key
    assert dan.client.post("/approvals/together", data=data).status_code == 422
    assert count(SignoffRow) == 0


def test_several_are_sent_back_with_one_reason(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(2)]
    dan = company["Dan"]
    dan.open(together(rounds, "returned"))
    page = dan.send({"reason": "  "}, press="Send back 2 projects", status=422)
    assert "Say why, so that others can act on it." in page
    assert "You send 2 projects back from “Approval”" in page
    dan.send({"reason": "Say what it costs."}, press="Send back 2 projects")
    assert [company.project(one).stage for one in rounds] == ["idea", "idea"]


def test_to_hold_asks_for_a_day_once_and_keeps_what_was_typed(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(2)]
    dan = company["Dan"]
    dan.open(together(rounds, "held"))
    page = dan.send({"reason": "Not this month."}, press="Put on hold 2 projects", status=422)
    assert "Give a day, or say what has to happen first." in page
    assert "Not this month." in page
    day = (clock.today() + timedelta(days=30)).isoformat()
    dan.send({"date": day}, press="Put on hold 2 projects")
    assert [company.project(one).stage for one in rounds] == ["resting", "resting"]


def test_nobody_declines_or_objects_by_the_dozen(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(2)]
    dan = company["Dan"]
    for decision in ("declined", "objected", "approved_with_conditions", "", "x"):
        page = dan.open(together(rounds, decision))
        assert "You approve" in page
    data = MultiDict(dan.form("reason").values)
    data["decision"] = "declined"
    dan.client.post("/approvals/together", data=data)
    decisions = set(db.session.scalars(select(SignoffRow.decision)))
    assert decisions <= {"approved"}


def test_two_gates_are_decided_one_after_the_other(company: Several) -> None:
    asked, board = company.ask("Idea"), company.ask("Plan", stage="board", lead="Pat")
    page = company["Dan"].open(together([asked, board]))
    assert "These wait at different gates" in page
    assert "Word of the board" in page
    assert "Approve 2" not in page


def test_whose_role_cannot_send_back_is_told_so(company: Several) -> None:
    board = [company.ask(f"Plan {number}", stage="board", lead="Pat") for number in range(2)]
    kim = company["Kim"]
    page = kim.open(together(board, "returned"))
    assert "Nothing here to decide together" in page
    assert "You cannot send this one back from the list" in page
    data = {"key": "a" * 32, "decision": "returned", "reason": "Because.", "move": "back"}
    rows = MultiDict([*data.items(), *((("row", f"{one}:{digest(one)}")) for one in board)])
    page = kim.client.post("/approvals/together", data=rows).text
    assert "All" not in re.findall(r"All \d recorded", page)
    assert count(SignoffRow) == 0


def test_what_is_not_mine_is_not_decided_and_what_is_hidden_is_not_named(company: Several) -> None:
    open_one, hidden = company.ask("Open"), company.ask("Secret plan")
    with transaction():
        company.project(hidden).confidential = True
    for name in ("Pat", "Sue", "Kim", "Ada"):
        rows = MultiDict([("key", "b" * 32), ("decision", "approved")])
        for one in (open_one, hidden, 999_999):
            rows.add("row", f"{one}:{digest(one) if one < 999_999 else 'x'}")
        answer = company[name].client.post("/approvals/together", data=rows)
        assert answer.status_code == 200
        assert "Nothing was recorded" in answer.text
        if name != "Sue":
            assert "Secret plan" not in answer.text
        db.session.rollback()
    assert count(SignoffRow) == 0
    refused = db.session.scalars(select(Entry.actor_id).where(Entry.action == "signoff.refused"))
    assert set(refused) >= {company.ids["Pat"], company.ids["Sue"]}


def test_a_role_taken_away_after_the_page_was_opened_no_longer_signs(company: Several) -> None:
    rounds = [company.ask(f"Idea {number}") for number in range(2)]
    dan = company["Dan"]
    dan.open(together(rounds))
    grant = db.session.scalars(
        select(RoleGrant).where(RoleGrant.person_id == company.ids["Dan"])
    ).one()
    roles.revoke(company.ids["Dan"], grant.id, by=company.ids["Ada"])
    page = dan.send({"reason": ""}, press="Approve 2 projects")
    assert "Nothing was recorded" in page
    assert count(SignoffRow) == 0


def test_no_more_than_fifty_at_once(company: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST", 2)
    rounds = [company.ask(f"Idea {number}") for number in range(3)]
    dan = company["Dan"]
    page = dan.open(together(rounds))
    assert "for 2 projects" in page
    assert "the others stay in your queue" in page
    data = MultiDict(dan.form("reason").values)
    data.add("row", f"{rounds[2]}:{digest(rounds[2])}")
    dan.client.post("/approvals/together", data=data)
    assert count(SignoffRow) == 2


def test_the_page_asks_few_questions_however_many_are_chosen(company: Several) -> None:
    rounds = [company.ask(f"Plan {number}", stage="board", lead="Pat") for number in range(6)]
    client = company["Dan"].client
    for decision in ("approved", "held"):
        found = []
        for chosen in (rounds[:2], rounds):
            client.get(together(chosen, decision))
            db.session.remove()
            with counting() as asked:
                assert client.get(together(chosen, decision)).status_code == 200
            found.append(len(asked))
        assert found[1] <= found[0]
        assert found[1] <= 12


def test_choosing_none_leads_back_with_a_word(company: Several) -> None:
    company.ask("Idea")
    assert "Choose at least one project first." in company["Dan"].open("/approvals/together")


def test_all_can_be_chosen_without_scripts(company: Several) -> None:
    for number in range(3):
        company.ask(f"Idea {number}")
    dan: Person = company["Dan"]
    dan.open("/approvals")
    link = next(path for text, path in dan.links() if text == "choose all 3")
    assert dan.open(link).count("checked") == 3


def together(rounds: list[int], decision: str = "approved") -> str:
    """Return the address of the page that asks."""
    return "/approvals/together?" + "&".join(
        [*(f"round={one}" for one in rounds), f"decision={decision}"]
    )


def decide(company: Several, name: str, number: int, decision: str, **said: str) -> None:
    ask = Ask(decision=decision, digest=digest(number), key=f"{name} {number}", **said)  # type: ignore[arg-type]
    service.decide(number, ask, by=company.ids[name])


def digest(number: int) -> str:
    db.session.rollback()
    return db.session.get_one(Round, number).digest


def change(company: Several, number: int) -> None:
    """Change what is signed."""
    with transaction():
        company.project(number).lead_id = company.ids["Pat"]
    settling.settle(company.project(number).id)


def count(table: type, *where: object) -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.count()).select_from(table).where(*where)) or 0)  # type: ignore[arg-type]


def receipts_on(page: str) -> list[str]:
    return re.findall(r"/receipts/(\d+)", page)
