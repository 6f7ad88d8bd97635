"""What no page would send: refused in a sentence, nothing stored, nothing typed lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier

from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.approvals.models import Condition, Round, WaiverRow
from okrgate.database import db, transaction
from okrgate.errors import Refused
from okrgate.measurement.models import Target
from okrgate.metrics.models import Metric
from okrgate.projects.models import Draft, Project, Visit
from okrgate.stages import service, settling
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.machine import PATIENCE

HUGE = ("9" * 19, "9" * 5000, "2147483648", "-1", "٣", "x")


def test_a_page_below_any_row_can_be_asked_for(arrive: Arrive) -> None:
    company = arrive("in review")
    sue = company["Sue"]
    for number in HUGE:
        sue.open(f"/projects/{company.reference}?before={number}")
        sue.open(f"/inbox?before={number}")


def test_a_list_may_begin_at_the_end_of_the_calendar(arrive: Arrive) -> None:
    sue = arrive("in review")["Sue"]
    for before in (
        "0001-01-01T00:00:00+23:59~1",
        "9999-12-31T23:59:59-23:59~1",
        "2027-01-01T00:00:00~1",
        "2027-01-01T00:00:00+00:00~999999999999999",
    ):
        answer = sue.client.get("/projects", query_string={"before": before})
        assert answer.status_code == 200, before


def test_a_draft_keeps_its_words_whatever_version_it_names(arrive: Arrive) -> None:
    company = arrive("told")
    path = f"/projects/{company.reference}/parts/problem/problem"
    sue = company["Sue"].client
    for version in HUGE:
        words = {"base_version": version, "problem": f"Kept {version[:9]}", "later": "1"}
        assert sue.post(path, data=words).status_code == 303
        db.session.rollback()
        assert ["problem", words["problem"]] in db.session.scalars(select(Draft.data)).one()


def test_a_draft_keeps_every_row(arrive: Arrive) -> None:
    company = arrive("planned")
    path = f"/projects/{company.reference}/parts/raci/raci"
    typed = {f"parts-{row}-activity": f"Activity {row}" for row in range(100)}
    typed |= {f"parts-{row}-letter": "R" for row in range(100)}
    typed |= {f"parts-{row}-person": str(company.ids["Ines"]) for row in range(100)}
    typed |= {f"parts-{row}-id": "" for row in range(100)}
    lea = company["Lea"].client
    assert lea.post(path, data=typed | {"base_version": "1", "later": "1"}).status_code == 303
    assert "Activity 99" in lea.get(path).get_data(as_text=True)


def test_taking_away_a_row_that_is_not_there_changes_nothing(arrive: Arrive) -> None:
    company = arrive("told")
    path = f"/projects/{company.reference}/parts/metrics/targets"
    for row in (f"targets-{HUGE[1]}", "targets-", "targets-٣"):
        words = {"remove_row": row, "targets-0-baseline": "5.2", "base_version": "1"}
        answer = company["Sue"].client.post(path, data=words)
        assert answer.status_code == 200
        assert 'value="5.2"' in answer.get_data(as_text=True)


def test_a_move_that_names_no_version_is_not_taken(arrive: Arrive) -> None:
    company = arrive("told")
    path = f"/projects/{company.reference}/moves/submit_idea"
    for version in HUGE:
        answer = company["Sue"].client.post(path, data={"version": version, "key": "k"})
        assert answer.status_code in {409, 422}
    assert company.project().stage == "intake_form"


def test_a_reason_for_a_move_that_cannot_be_taken_any_more_is_shown_again(arrive: Arrive) -> None:
    company = arrive("planned")
    path = f"/projects/{company.reference}/moves/return_idea"
    reason = "Say more about what it costs. " * 300
    answer = company["Rex"].client.post(path, data={"version": "1", "reason": reason})
    assert answer.status_code == 422
    assert reason.strip() in answer.text


def test_a_file_is_no_text(arrive: Arrive) -> None:
    company = arrive("told")
    pages = (f"/projects/{company.reference}/parts/problem/problem", "/projects/new", "/account")
    for path in pages:
        data = {name: (BytesIO(b"text"), "text.txt") for name in ("name", "title", "problem")}
        answer = company["Sue"].client.post(path, data=data)
        assert answer.status_code == 422
        assert "takes files" in answer.get_data(as_text=True)


def test_a_project_begins_with_a_title_and_a_unit(arrive: Arrive) -> None:
    company = arrive("told")
    words = {"title": "An idea", "home_unit": str(company.unit.id), "key": "k"}
    sue = company["Sue"]
    sue.open("/projects/new")
    words["rulebook"] = sue.form("title").values["rulebook"]
    for asked in ({"title": "   "}, {"title": "\r\n\t"}, {"home_unit": "x"}):
        assert sue.client.post("/projects/new", data=words | asked).status_code == 422
    assert (
        sue.client.post("/projects/new", data=words | {"title": "One\r\nline"}).status_code == 303
    )
    db.session.rollback()
    newest = select(Project.title).order_by(Project.id.desc()).limit(1)
    assert db.session.scalar(newest) == "One line"


def test_the_same_page_sent_at_once_begins_one_project(arrive: Arrive) -> None:
    company = arrive("told")
    version, unit = company.project().rulebook_version_id, company.unit.id
    sue = company.ids["Sue"]

    def begin() -> str:
        made = service.start("Twins", version_id=version, home_unit_id=unit, by=sue, key="twice")
        return str(made.reference)

    assert len(set(at_once(company, [begin] * 4))) == 1
    count = select(func.count()).select_from(Project).where(Project.title == "Twins")
    assert db.session.scalar(count) == 1


def test_a_requirement_is_set_aside_once(arrive: Arrive) -> None:
    company = arrive("planned")
    with transaction() as session:
        for target in session.scalars(select(Target)):
            target.confirmed = None
    project, mia = company.project().id, company.ids["Mia"]
    settling.settle(project)
    why = "The weekly report shows it already, we may begin."
    results = at_once(
        company, [lambda: service.waive(project, "metrics-confirmed", reason=why, by=mia)] * 3
    )
    assert sorted(map(type, results), key=str) != [type(None)] * 3
    assert len(db.session.scalars(select(WaiverRow)).all()) == 1
    granted = [entry for entry in company.entries() if entry.action == "waiver.granted"]
    assert len(granted) == 1


def test_whoever_decides_too_late_is_told_who_was_faster(arrive: Arrive) -> None:
    company = arrive("in review")
    with transaction() as session:
        found = session.scalars(select(Round).where(Round.closed_at.is_(None))).one().id
    company.factory.grant(
        db.session.get_one(Person, company.ids["Pat"]), "mgmt_reviewer", company.unit
    )
    settling.settle(company.project().id)
    pat = company["Pat"]
    pat.open(f"/approvals/{found}")
    words = {"decision": "returned", "reason": "Cheaper, please.", "key": "late"}
    words["digest"] = pat.form("decision").values["digest"]
    company.sign("Rex", "returned", reason="Not now.")
    answer = pat.client.post(f"/approvals/{found}", data=words)
    assert answer.status_code == 409
    assert "Rex sent" in answer.get_data(as_text=True)
    assert "Rex sent" in pat.open(f"/approvals/{found}")
    company["Led"].open(f"/approvals/{found}", status=404)


def test_sending_back_twice_leads_to_the_same_receipt(arrive: Arrive) -> None:
    company = arrive("in review")
    found = db.session.scalars(select(Round.id).where(Round.closed_at.is_(None))).one()
    rex = company["Rex"]
    rex.open(f"/approvals/{found}")
    values = rex.form("decision").values
    words = {"decision": "returned", "reason": "Say more.", "key": "twice"}
    words |= {"digest": values["digest"], "move": ""}
    first = rex.client.post(f"/approvals/{found}", data=words)
    second = rex.client.post(f"/approvals/{found}", data=words)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location


def test_a_metric_that_changes_begins_the_round_anew(arrive: Arrive) -> None:
    company = arrive("in approval")
    old = db.session.scalars(select(Round.id).where(Round.closed_at.is_(None))).one()
    mia = company["Mia"]
    mia.open(f"/approvals/{old}")
    words = {"decision": "approved", "key": "k", "digest": mia.form("decision").values["digest"]}
    with transaction() as session:
        session.get_one(Metric, int(company.metric)).unit_of_measure = "members"
    assert mia.client.post(f"/approvals/{old}", data=words).status_code == 409
    db.session.rollback()
    assert db.session.scalars(select(Round.id).where(Round.closed_at.is_(None))).one() != old
    company.sign("Mia", "approved")
    company.sign("Vik", "approved")
    assert company.project().stage == "kick_off"


def test_whoever_has_a_condition_to_meet_can_open_it(arrive: Arrive) -> None:
    company = arrive("in approval")
    with transaction():
        company.project().confidential = True
    company["Pat"].open(f"/projects/{company.reference}", status=404)
    asked = {"conditions-0-text": "Ask the works council", "reason": "Not without them."}
    asked |= {"conditions-0-owner": str(company.ids["Pat"])}
    found = db.session.scalars(select(Round.id).where(Round.closed_at.is_(None))).one()
    mia = company["Mia"]
    mia.open(f"/approvals/{found}")
    mia.send({"decision": "approved_with_conditions", **asked})
    condition = db.session.scalars(select(Condition.id)).one()
    pat = company["Pat"]
    pat.open(f"/conditions/{condition}")
    pat.send({"evidence": "They agreed on Monday."})
    assert db.session.get_one(Condition, condition, populate_existing=True).closed_at is not None


def test_the_key_of_a_move_is_no_hindrance_to_a_decision(arrive: Arrive) -> None:
    company = arrive("in review")
    rex = company["Rex"]
    with transaction() as session:
        session.scalars(select(Visit).where(Visit.left_at.is_not(None))).one().key = "known"
    found = db.session.scalars(select(Round.id).where(Round.closed_at.is_(None))).one()
    rex.open(f"/approvals/{found}")
    rex.send({"decision": "returned", "reason": "Say more.", "key": "known"})
    assert company.project().stage == "intake_form"


def at_once(company: Company, acts: list[Callable[[], object]]) -> list[object]:
    """Run each in a thread of its own; return what it gave, or why it was refused."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        with company.factory.app.app_context(), clock.moved_to(now):
            ready.wait(PATIENCE)
            try:
                return act()
            except Refused as problem:
                return problem
            finally:
                db.session.remove()

    now = clock.now()
    db.session.rollback()
    with ThreadPoolExecutor(len(acts)) as pool:
        results = list(pool.map(run, acts))
    db.session.rollback()
    return results
