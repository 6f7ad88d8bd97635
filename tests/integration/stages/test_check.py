"""All answers on one page before a move, and what happens next after it."""

from okrgate.database import db
from tests.integration.conftest import Arrive


def test_the_check_page_shows_every_answer_and_comes_back(arrive: Arrive) -> None:
    company = arrive("told")
    home = f"/projects/{company.reference}"
    sue = company["Sue"].client

    page = sue.get(f"{home}/check").text
    assert "Check your answers" in page
    change = f"{home}/parts/problem/problem?return_to=check"
    assert change in page

    form = sue.get(change).text
    assert 'name="return_to" value="check"' in form
    company["Sue"].open(change)
    typed = company["Sue"].form("problem").values | {"problem": "Orders wait for days. " * 10}
    answer = sue.post(f"{home}/parts/problem/problem", data=typed)
    assert (answer.status_code, answer.location) == (303, f"{home}/check")


def test_a_move_ends_on_what_happens_next(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    home = f"/projects/{company.reference}"

    sue.open(f"{home}/check")
    page = sue.client.get(f"{home}/check").text
    assert "Everything is there" in page
    move = next(part for part in page.split('action="') if part.startswith(f"{home}/moves/"))
    address = move.partition('"')[0]
    words = {
        name: move.split(f'name="{name}" value="', 1)[1].partition('"')[0]
        for name in ("version", "key")
    }
    answer = sue.client.post(address, data=words)
    assert (answer.status_code, answer.location) == (303, f"{home}/moved")

    after = sue.client.get(answer.location).text
    db.session.rollback()
    assert company.reference in after
    assert "What happens next" in after
    assert "got a mail" in after


def test_who_has_no_part_sees_no_money_on_the_check_page(arrive: Arrive) -> None:
    company = arrive("planned")
    assert company["Pat"].client.get(f"/projects/{company.reference}/check").status_code in {
        200,
        404,
    }
