"""All answers on one page before a move, and what happens next after it."""

from okrgate.stages import service
from tests.integration.conftest import Arrive

WORDS = "Orders wait for days because nobody sees that they came in. " * 3


def test_a_change_from_the_check_page_comes_back_to_it(arrive: Arrive) -> None:
    company = arrive("told")
    home = f"/projects/{company.reference}"
    sue = company["Sue"]

    page = sue.open(f"{home}/check")
    assert "Check your answers" in page
    assert f"{home}/check" in sue.open(home)
    change = f"{home}/parts/problem/problem?return_to=check"
    assert change in page

    sue.open(change)
    page = sue.send({"problem": WORDS}, press="Save and go back")
    assert sue.path == f"{home}/check"
    assert WORDS.strip() in page


def test_a_move_forward_ends_on_what_happens_next(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    home = f"/projects/{company.reference}"

    sue.open(f"{home}/check")
    send = next(one for one in sue.forms() if one.action.startswith(f"{home}/moves/"))
    label = next(iter(send.buttons))
    page = sue.send({"version": send.values["version"], "key": send.values["key"]}, press=label)

    assert sue.path == f"{home}/moved"
    assert company.reference in page
    assert "What happens next" in page
    assert "got a mail" in page


def test_before_its_first_move_there_is_nothing_to_confirm(arrive: Arrive) -> None:
    company = arrive("told")
    answer = company["Sue"].client.get(f"/projects/{company.reference}/moved")

    assert (answer.status_code, answer.location) == (303, f"/projects/{company.reference}")


def test_once_sent_the_advice_never_ends_the_project(arrive: Arrive) -> None:
    company = arrive("told")
    company.move("Sue", "submit_idea")
    home = f"/projects/{company.reference}"

    moved = company["Sue"].open(f"{home}/moved")
    page = company["Sue"].open(home)

    assert "Withdraw”" not in moved
    assert "Nothing for you to do here now." in page
    assert "gate-waiting" in page
    assert "What others can do" in page
    assert page.index("Withdraw") < page.index("What others can do") < page.index("Send back")
    assert "gate-closed" in company["Rex"].open(home)
    assert "This ends the project" in company["Sue"].open(f"{home}/moves/withdraw_idea")


def test_of_alternatives_one_is_said_to_be_enough(arrive: Arrive) -> None:
    company = arrive("told")
    rules, sue = company.project().rulebook_version_id, company.ids["Sue"]
    begun = service.start("Empty so far", version_id=rules, home_unit_id=None, by=sue)

    page = company["Sue"].open(f"/projects/{begun.reference}")

    assert page.count("One of these is enough:") == 1
