"""What is typed is never lost: drafts, two tabs, two people, and a session that ended."""

from sqlalchemy import select

from okrgate.database import db
from okrgate.projects.models import Draft, SectionState
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

FIRST = "Orders wait for days because nobody sees that they came in, week after week."
SECOND = "Orders wait for days, and the customers who wait call us to ask where they are."


def page_of(company: Company) -> str:
    return f"/projects/{company.reference}/parts/problem/problem"


def drafts() -> list[dict[str, str]]:
    db.session.rollback()
    return [dict(data) for data in db.session.scalars(select(Draft.data))]


def versions() -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(select(SectionState.section, SectionState.version))
    return {row.section: row.version for row in rows}


def test_a_draft_is_kept_offered_and_discarded_and_is_no_save(arrive: Arrive) -> None:
    company = arrive("told")
    company.begin("Sue", "A second idea")
    sue, path = company["Sue"], page_of(company)
    sue.open(path)
    before = versions()

    kept = sue.client.post(
        f"{path}/draft", data=dict(sue.form("problem").values) | {"problem": FIRST}
    )
    assert kept.status_code == 200
    assert "Draft kept" in kept.text
    assert "Only you see it" in kept.text
    assert versions() == before

    later = company["Sue"]
    assert FIRST in later.open(path)
    assert "You were here before" in later.page
    later.client.post(path, data={"discard": "1"})
    assert drafts() == []
    assert FIRST not in later.open(path)


def test_bad_answers_are_kept_without_a_word(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    path = f"/projects/{company.reference}/parts/metrics/targets"
    sue.open(path)

    kept = sue.client.post(
        f"{path}/draft", data=dict(sue.form("base_version").values) | {"targets-0-success": "a lot"}
    )

    assert kept.status_code == 200
    assert "number" not in kept.text
    assert "a lot" in sue.open(path)


def test_an_older_tab_never_replaces_a_newer_draft(arrive: Arrive) -> None:
    company = arrive("told")
    company.begin("Sue", "A second idea")
    sue, path = company["Sue"], page_of(company)
    sue.open(path)
    older = dict(sue.form("problem").values)
    sue.open(path)
    newer = dict(sue.form("problem").values)

    for words in (SECOND, SECOND + " Again."):
        assert sue.client.post(f"{path}/draft", data=newer | {"problem": words}).status_code == 200
    told = sue.client.post(f"{path}/draft", data=older | {"problem": FIRST})

    assert told.status_code == 409
    assert "another tab" in told.text
    assert drafts()[0]["problem"] == SECOND + " Again."

    page = sue.client.post(path, data=older | {"problem": FIRST, "later": "1"})
    assert page.status_code == 409
    assert FIRST in page.text
    sue.page = page.text
    sue.send({"problem": FIRST}, press="Keep as a draft")
    assert drafts()[0]["problem"] == FIRST


def test_what_was_saved_in_another_tab_is_not_hidden_by_an_old_draft(arrive: Arrive) -> None:
    company = arrive("told")
    sue, path = company["Sue"], page_of(company)
    sue.open(path)
    older = dict(sue.form("problem").values)
    sue.send({"problem": SECOND}, press="Save and continue")

    told = sue.client.post(f"{path}/draft", data=older | {"problem": FIRST})

    assert told.status_code == 409
    assert drafts() == []


def test_two_people_choose_answer_by_answer(arrive: Arrive) -> None:
    company = arrive("told")
    sue, other, path = company["Sue"], company["Sue"], page_of(company)
    sue.open(path)
    other.open(path)
    other.send({"problem": SECOND, "affected": "All of them"}, press="Save and continue")

    page = sue.send({"problem": FIRST}, press="Save and continue", status=409)
    assert FIRST in page
    assert SECOND in page
    assert "you did not change it" in page

    sue.send({"choose-problem": "mine", "choose-affected": "theirs"}, press="Save what is chosen")
    page = sue.open(f"/projects/{company.reference}/parts/problem")
    assert FIRST in page
    assert "All of them" in page


def test_the_form_can_be_put_together_by_hand(arrive: Arrive) -> None:
    company = arrive("told")
    sue, other, path = company["Sue"], company["Sue"], page_of(company)
    sue.open(path)
    other.open(path)
    other.send({"problem": SECOND}, press="Save and continue")
    sue.send({"problem": FIRST}, press="Save and continue", status=409)

    page = sue.send({"choose-problem": "theirs"}, press="Put it together in the form")

    assert SECOND in page
    assert 'name="problem"' in page
    sue.send({"problem": SECOND + " Both."}, press="Save and continue")


def test_a_lost_session_brings_the_text_back(arrive: Arrive) -> None:
    company = arrive("told")
    sue, path = company["Sue"], page_of(company)
    sue.open(path)
    typed = dict(sue.form("problem").values) | {"problem": FIRST}
    stranger = company.factory.app.test_client()

    assert stranger.post(f"{path}/draft", data=typed).status_code == 401
    asked = stranger.post(path, data=typed)

    assert asked.status_code == 401
    assert f'name="carried:problem" value="{FIRST}"' in asked.text
