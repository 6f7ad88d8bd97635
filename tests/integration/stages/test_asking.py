"""People ask each other from the gate panel: to put something right, and to set it aside."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.measurement.models import Target
from okrgate.projects.plan_models import KeyResultLink
from okrgate.stages import settling
from okrgate.stages.models import FindingRequest
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

WHY = "The weekly report shows it already, we may begin."
WANTED = "metrics-confirmed"


@pytest.fixture
def company(arrive: Arrive) -> Company:
    """Planned, but the steward has not confirmed the metric: only that is missing, and it can be set aside."""
    found = arrive("planned")
    with transaction() as session:
        for target in session.scalars(select(Target)):
            target.confirmed = None
    settling.settle(found.project().id)
    return found


def test_whoever_can_put_it_right_is_named_and_gets_one_mail(company: Company) -> None:
    home = f"/projects/{company.reference}"
    page = text(browser(company, "Lea").get(home))
    assert "Can be put right by Ines" in page
    assert nudge(company, "Lea", "Ines").status_code == 303
    assert company.told()["Nudged"] == ["Ines"]
    letter = next(mail for name, mail in company.letters() if "asks you to look" in mail["Subject"])
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Lea asks you to put something right" in body.get_content()
    shown = text(browser(company, "Lea").get(home))
    assert re.search(r"asked \d\d:\d\d by you", shown)
    assert re.search(r"asked \d\d:\d\d by Lea", text(browser(company, "Sue").get(home)))


def test_nobody_is_asked_twice_a_day(company: Company) -> None:
    nudge(company, "Lea", "Ines")
    again = nudge(company, "Sue", "Ines")
    assert again.status_code == 409
    assert "Once a day is enough" in text(again)
    assert company.told()["Nudged"] == ["Ines"]


@pytest.mark.parametrize(
    ("by", "whom", "status", "sentence"),
    [
        ("Pat", "Ines", 403, "Only those with a part"),
        ("Ines", "Ines", 403, "You can put this right yourself"),
        ("Lea", "Pat", 403, "cannot put it right"),
    ],
)
def test_a_nudge_is_refused_kindly(
    company: Company, by: str, whom: str, status: int, sentence: str
) -> None:
    answer = nudge(company, by, whom)
    assert answer.status_code == status
    assert sentence in text(answer)
    assert "Nudged" not in company.told()


def test_what_is_met_asks_for_nobody(company: Company) -> None:
    answer = browser(company, "Lea").post(
        f"/projects/{company.reference}/nudges/no-such-thing", data={"person": "1"}
    )
    assert answer.status_code == 404


def test_a_waiver_is_asked_for_and_granted(company: Company) -> None:
    home = f"/projects/{company.reference}"
    assert f"{home}/waivers/{WANTED}/ask" in text(browser(company, "Lea").get(home))
    assert ask(company, "Lea").status_code == 303
    assert "Mia" in company.told()["WaiverAsked"]
    assert "You are asked to" in text(browser(company, "Mia").get("/"))
    assert "Set aside: " in text(browser(company, "Mia").get("/"))
    assert "to set it aside" in text(browser(company, "Sue").get(home))
    page = text(browser(company, "Mia").get(f"{home}/waivers/{WANTED}"))
    assert "Lea asks you to set it aside" in page
    assert page.count(WHY) == 2
    granted = browser(company, "Mia").post(f"{home}/waivers/{WANTED}", data={"reason": WHY})
    assert granted.status_code == 303
    assert "Lea" in company.told()["WaiverGranted"]
    assert "Set aside: " not in text(browser(company, "Mia").get("/"))
    assert {row.answer for row in rows()} == {"granted"}


def test_a_waiver_is_refused_and_may_be_asked_for_again(company: Company) -> None:
    home = f"/projects/{company.reference}"
    ask(company, "Lea")
    assert refuse(company, "Sue").status_code == 403
    assert refuse(company, "Mia", "").status_code in {400, 422}
    assert refuse(company, "Mia").status_code == 303
    assert company.told()["WaiverRefused"] == ["Lea"]
    assert "Mia did not set it aside" in text(browser(company, "Lea").get(home))
    assert refuse(company, "Mia").status_code == 409
    assert ask(company, "Sue").status_code == 303


def test_one_request_at_a_time(company: Company) -> None:
    ask(company, "Lea")
    assert ask(company, "Sue").status_code == 409
    assert len({row.by_id for row in rows()}) == 1


@pytest.mark.parametrize("who", ["Pat", "Aud"])
def test_others_cannot_ask_for_a_waiver(company: Company, who: str) -> None:
    answer = ask(company, who)
    assert answer.status_code == 403
    assert rows() == []


def test_a_reason_too_short_for_a_waiver_is_too_short_for_its_request(company: Company) -> None:
    answer = ask(company, "Lea", "Because")
    assert answer.status_code == 422
    assert "Say why in at least" in text(answer)


def test_the_panel_says_when_nothing_is_new(company: Company) -> None:
    client = browser(company, "Lea")
    path = f"/projects/{company.reference}/panel?as=part"
    first = client.get(path)
    assert first.status_code == 200
    assert "<html" not in text(first)
    mark = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=mark).status_code == 304
    nudge(company, "Sue", "Ines")
    after = client.get(path, headers=mark)
    assert after.status_code == 200
    assert "by Sue" in text(after)
    other = browser(company, "Sue").get(path, headers={"If-None-Match": after.headers["ETag"]})
    assert other.status_code == 200


def test_the_page_knows_the_mark_of_its_panel(company: Company) -> None:
    client = browser(company, "Lea")
    page = text(client.get(f"/projects/{company.reference}"))
    found = re.search(r'data-mark="(\w+)"', page)
    assert found is not None
    answer = client.get(
        f"/projects/{company.reference}/panel?as=part",
        headers={"If-None-Match": f'"{found[1]}"'},
    )
    assert answer.status_code == 304


def test_similar_projects_are_those_that_the_reader_may_read(arrive: Arrive) -> None:
    company = arrive("in approval")
    path = "/projects/similar?title=A+renewal+portal"
    assert company.reference in text(browser(company, "Pat").get(path))
    with transaction():
        company.project().confidential = True
    here = f'/projects/{company.reference}"'
    assert here not in text(browser(company, "Pat").get(path))
    assert here in text(browser(company, "Lea").get(path))
    assert here not in text(browser(company, "Lea").get(f"{path}&but={company.reference}"))


def test_a_draft_is_similar_only_to_its_own_people(company: Company) -> None:
    company.begin("Sue", "Weather vanes on every roof")
    path = "/projects/similar?title=Weather+vane"
    assert company.reference in text(browser(company, "Sue").get(path))
    assert company.reference not in text(browser(company, "Aud").get(path))


@pytest.mark.parametrize("title", ["", "a b c", "%", "___ %%% \\\\", "x" * 5000, "the and with"])
def test_any_title_is_taken(company: Company, title: str) -> None:
    answer = browser(company, "Pat").get("/projects/similar", query_string={"title": title})
    assert answer.status_code == 200


def test_whoever_is_asked_about_a_draft_may_read_and_answer_it(arrive: Arrive) -> None:
    company = arrive("told")
    project = company.project()
    with transaction() as session:
        session.execute(delete(KeyResultLink).where(KeyResultLink.project_id == project.id))
    settling.settle(project.id)
    page, waiver = f"/projects/{project.reference}", "/waivers/result-linked"
    assert browser(company, "Rex").get(page).status_code == 404
    asked = browser(company, "Sue").post(page + waiver + "/ask", data={"reason": WHY})
    assert asked.status_code == 303
    assert browser(company, "Rex").get(page).status_code == 200
    assert browser(company, "Pat").get(page).status_code == 404
    assert project.title in browser(company, "Rex").get("/projects").text
    assert project.title not in browser(company, "Pat").get("/projects").text
    granted = browser(company, "Rex").post(page + waiver, data={"reason": WHY})
    assert granted.status_code == 303
    assert browser(company, "Rex").get(granted.location).status_code == 200
    assert browser(company, "Rex").get(page + "/parts/problem/problem").status_code == 403


def browser(company: Company, name: str) -> FlaskClient:
    db.session.rollback()
    return company.factory.browser(db.session.get_one(Person, company.ids[name]))


def nudge(company: Company, by: str, whom: str) -> TestResponse:
    path = f"/projects/{company.reference}/nudges/{WANTED}"
    return browser(company, by).post(path, data={"person": str(company.ids[whom])})


def ask(company: Company, by: str, reason: str = WHY) -> TestResponse:
    path = f"/projects/{company.reference}/waivers/{WANTED}/ask"
    return browser(company, by).post(path, data={"reason": reason})


def refuse(company: Company, by: str, reason: str = "It has to be confirmed.") -> TestResponse:
    path = f"/projects/{company.reference}/waivers/{WANTED}/refuse"
    return browser(company, by).post(path, data={"reason": reason})


def rows() -> list[FindingRequest]:
    db.session.rollback()
    return list(db.session.scalars(select(FindingRequest)))


def text(answer: TestResponse) -> str:
    """Return what an answer says, whatever its lines."""
    return " ".join(answer.get_data(as_text=True).split())


def test_a_typed_title_goes_along_to_similar_projects_and_back(company: Company) -> None:
    client = browser(company, "Pat")
    start = text(client.get("/projects/new"))
    assert 'formmethod="get"' in start
    assert 'formaction="/projects/similar"' in start

    sent = {"csrf_token": "secret", "key": "k", "title": "Weather vanes"}
    answer = client.get("/projects/similar", query_string=sent)
    assert (answer.status_code, answer.location) == (303, "/projects/similar?title=Weather+vanes")

    assert "/projects/new?title=Weather+vanes" in text(client.get(answer.location))
    assert 'value="Weather vanes"' in text(client.get("/projects/new?title=Weather+vanes"))
