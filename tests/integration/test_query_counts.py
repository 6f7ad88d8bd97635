"""However many projects there are, a page asks the database few questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from okrgate.administration import preferences
from okrgate.approvals.models import Receipt, Round, SignoffRow
from okrgate.database import db, transaction
from okrgate.projects.models import Project, Visit
from okrgate.stages import service, settling
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

LARGEST = 20 * 1024  # bytes
MOST = 12
PAGES = {
    "my work": ("Lea", "/"),
    "the list": ("Pat", "/projects"),
    "the list of all": ("Aud", "/projects?state=all&q=Idea"),
    "the list, narrowed": ("Lea", "/projects?scope=unit&q=idea+in&lead=1&unit=1&column=budget"),
    "the board": ("Lea", "/projects/board"),
    "saved views": ("Lea", "/projects/views"),
    "a view to save": ("Lea", "/projects/views/new?scope=mine&view=1"),
    "a new project": ("Sue", "/projects/new"),
    "a project": ("Lea", "/projects/{reference}"),
    "a project, as a signer sees it": ("Mia", "/projects/{reference}"),
    "the comments": ("Pat", "/projects/{reference}/comments"),
    "a section to read": ("Sue", "/projects/{reference}/parts/scope"),
    "a section to edit": ("Lea", "/projects/{planned}/parts/scope/people"),
    "a list to edit": ("Lea", "/projects/{planned}/parts/raci/raci"),
    "all answers to check": ("Lea", "/projects/{planned}/check"),
    "after a move": ("Lea", "/projects/{reference}/moved"),
    "a move": ("Vik", "/projects/{reference}/moves/return_plan"),
    "the deciding page": ("Mia", "/approvals/{round}"),
    "the queue": ("Mia", "/approvals"),
    "many at once": ("Mia", "/approvals/together?round={round}&decision=returned"),
    "meetings": ("Mia", "/meetings"),
    "a meeting to call": ("Mia", "/meetings/new"),
    "what I decided": ("Mia", "/decisions"),
    "a decision to take back": ("Rex", "/signoffs/{signoff}/withdraw"),
    "standing in": ("Mia", "/standing-in"),
    "a receipt": ("Sue", "/receipts/{receipt}"),
    "a receipt, judged again": ("Aud", "/receipts/{receipt}?again=1"),
    "the receipts of a project": ("Sue", "/projects/{reference}/receipts"),
    "a waiver": ("Mia", "/projects/{planned}/waivers/metrics-confirmed"),
    "the summary": ("Sue", "/projects/{reference}/summary"),
    "what stakeholders say": ("Sue", "/projects/{reference}/statements"),
    "my statements": ("Sue", "/statements"),
    "metrics to confirm": ("Ines", "/measurement/confirmations"),
    "objectives": ("Pat", "/okrs"),
    "a key result": ("Oli", "/okrs/key-results/{key_result}"),
    "metrics": ("Pat", "/metrics"),
    "a metric": ("Ines", "/metrics/{metric}"),
    "the record": ("Aud", "/audit"),
    "the checkpoints": ("Aud", "/audit/checkpoints"),
    "the inbox": ("Mia", "/inbox"),
    "the rules": ("Pat", "/rules"),
    "my account": ("Pat", "/account"),
    "my second factor": ("Pat", "/account/second-factor"),
    "confirming who I am": ("Pat", "/account/second-factor/confirm"),
    "somebody's second factor": ("Ada", "/admin/people/1/second-factor"),
    "people": ("Ada", "/admin/people"),
    "a person": ("Ada", "/admin/people/{person}"),
    "somebody leaves": ("Ada", "/admin/people/{person}/leave"),
    "units": ("Ada", "/admin/units"),
    "working days": ("Ada", "/admin/units/1/days"),
    "my mail": ("Ada", "/account/mail"),
    "an administrator's work": ("Ada", "/"),
    "administration": ("Ada", "/admin"),
    "roles nobody holds": ("Ada", "/admin/roles"),
    "settings": ("Ada", "/admin/settings"),
    "who approves rules": ("Ada", "/admin/publishing"),
    "the rules, as an administrator sees them": ("Ada", "/rules"),
    "rules in words": ("Pat", "/rules/1"),
    "a review of the rules": ("Ada", "/rules/okr_delivery/review"),
    "what a draft would do": ("Ada", "/rules/okr_delivery/impact"),
    "what the rules cost": ("Ada", "/rules/okr_delivery/insights"),
    "rules on trial": ("Pat", "/rules/1/trial"),
    "rules in work": ("Ada", "/rules/okr_delivery/edit"),
    "a process to add": ("Ada", "/rules/processes/new"),
    "a process to retire": ("Ada", "/rules/okr_delivery/retire"),
    "what was proposed": ("Ada", "/rules/okr_delivery/proposals"),
    "promises in work": ("Ada", "/rules/okr_delivery/rows/promises"),
    "a promise in work": ("Ada", "/rules/okr_delivery/rows/promises/nothing-closes-unread"),
    "a requirement to move": (
        "Ada",
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable/move",
    ),
    "numbers in work": ("Ada", "/rules/okr_delivery/numbers"),
    "gates in work": ("Ada", "/rules/okr_delivery/rows"),
    "a gate in work": ("Ada", "/rules/okr_delivery/rows/gates/plan_complete"),
    "a requirement in work": (
        "Ada",
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable",
    ),
    "a requirement to take out": (
        "Ada",
        "/rules/okr_delivery/rows/gates/plan_complete/one-accountable/remove",
    ),
    "rows in work": ("Ada", "/rules/okr_delivery/rows/process"),
    "a row in work": ("Ada", "/rules/okr_delivery/rows/process/stage/plan_work"),
    "a stage to add": ("Ada", "/rules/okr_delivery/rows/process/add-stage?at=ask_approval"),
    "a row to take out": ("Ada", "/rules/okr_delivery/rows/process/role/leadership_team/remove"),
    "rules to try": ("Ada", "/rules/okr_delivery/try"),
    "tests of rules": ("Ada", "/rules/okr_delivery/tests"),
    "dead letters": ("Ada", "/admin/dead-letters"),
}


def test_no_page_asks_more_than_it_may(arrive: Arrive) -> None:
    company = arrive("in approval")
    words = crowd(company)
    counted = {}
    for page, (name, path) in PAGES.items():
        client = company[name].client
        address = path.format(**words)
        client.get(address)
        # Each process looks for new settings every few seconds, whatever is asked of it: no page's own question.
        preferences.refresh()
        db.session.remove()
        with counting() as asked:
            answer = client.get(address)
        assert answer.status_code in ({200, 404} if page == "a waiver" else {200}), address
        counted[page] = len(asked)
    assert {page: count for page, count in counted.items() if count > MOST} == {}


def test_rules_at_a_project_read_each_of_its_tables_once(arrive: Arrive) -> None:
    """All its facts are gathered, as for a move: that is more than a page may ask, and no more than that."""
    company = arrive("in approval")
    words = crowd(company)
    address = f"/rules/okr_delivery/try?move=ask_approval&from=project:{words['reference']}"
    client = company["Ada"].client
    client.get(address)
    preferences.refresh()
    db.session.remove()
    with counting() as asked:
        assert client.get(address).status_code == 200
    assert len(asked) <= 2 * MOST


@pytest.mark.parametrize("stop", ["at the kick-off", "in execution", "measuring", "closed"])
def test_a_project_asks_no_more_at_a_later_stop(arrive: Arrive, stop: str) -> None:
    company = arrive(stop)
    last = (
        select(Round.id).where(Round.project_id == company.project().id).order_by(Round.id.desc())
    )
    home = f"/projects/{company.reference}"
    pages = (home, f"{home}/summary", f"{home}/statements", f"/approvals/{db.session.scalar(last)}")
    counted = {}
    for name in ("Lea", "Mia", "Aud"):
        client = company[name].client
        for path in pages:
            client.get(path)
            # Each process looks for new settings every few seconds: no page's own question.
            preferences.refresh()
            db.session.remove()
            with counting() as asked:
                answer = client.get(path)
            assert answer.status_code == 200, path
            counted[f"{path} for {name}"] = len(asked)
    assert {page: count for page, count in counted.items() if count > MOST} == {}


def test_changed_bands_ask_no_more(arrive: Arrive) -> None:
    company = arrive("measuring")
    home = f"/projects/{company.reference}"
    asking = f"{home}/changes/new/metrics/targets"
    for success in ("4", "3"):
        lea = company["Lea"]
        lea.open(asking)
        lea.send({"targets-0-success": success, "why": "It was wrong", "effect": "Nothing else"})
        for name in ("Mia", "Vik") if success == "4" else ():
            person = company[name]
            person.open(f"{home}/changes/1")
            person.send({"decision": "yes"}, press="Decide")
    pages = ["", "/summary", "/parts/metrics", "/parts/readings", "/changes", "/changes/1"]
    own = [*(home + page for page in pages), f"{home}/changes/2"]
    more = [f"{home}/parts/readings/readings", asking, f"{asking}?again=1"]
    counted = {}
    for name, paths in {"Lea": [*own, *more], "Mia": own, "Aud": own}.items():
        client = company[name].client
        for path in paths:
            client.get(path)
            preferences.refresh()
            db.session.remove()
            with counting() as asked:
                answer = client.get(path)
            assert answer.status_code == 200, path
            counted[f"{path} for {name}"] = len(asked)
    assert {page: count for page, count in counted.items() if count > MOST} == {}


@pytest.mark.parametrize("stop", ["in approval", "measuring", "closed"])
def test_a_project_page_is_small_without_its_history(arrive: Arrive, stop: str) -> None:
    company = arrive(stop)
    for name in ("Pat", "Lea", "Mia", "Ada"):
        page = company[name].client.get(f"/projects/{company.reference}").text
        before, heading, after = page.partition("What happened")
        assert heading
        assert len((before + after[after.index("</section>") :]).encode()) <= LARGEST


def test_more_projects_are_not_more_questions(arrive: Arrive) -> None:
    company = arrive("in approval")
    pages = ("/", "/projects", "/projects?state=all", "/approvals", "/inbox", "/audit")
    browsers = {name: company[name].client for name in ("Mia", "Lea", "Aud")}

    def questions() -> dict[str, int]:
        found = {}
        for name, client in browsers.items():
            for path in pages:
                db.session.remove()
                with counting() as asked:
                    client.get(path)
                found[f"{path} for {name}"] = len(asked)
        return found

    questions()
    few = questions()
    crowd(company)
    many = questions()
    grown = {page: (few[page], many[page]) for page in few if many[page] > few[page] + 1}
    assert grown == {}


def crowd(company: Company, number: int = 30) -> dict[str, Any]:
    """Put thirty projects beside the one, in every stage; return the words that addresses are made of."""
    project = company.project()
    rules, unit, made = project.rulebook_version_id, project.home_unit_id, []
    for count in range(number):
        begun = service.start(
            f"Idea {count}",
            version_id=rules,
            home_unit_id=unit,
            by=company.ids["Sue"],
        )
        made.append(begun.id)
    stages = ("intake_form", "opportunity_review", "ranked_backlog", "plan_work", "in_execution")
    with transaction() as session:
        for count, one in enumerate(made):
            row = session.get_one(Project, one)
            row.stage, row.lead_id = stages[count % len(stages)], company.ids["Lea"]
            row.submitted_at = None if row.stage == "intake_form" else row.created_at
            for stay in session.scalars(select(Visit).where(Visit.project_id == one)):
                stay.stage = row.stage
    for one in made:
        settling.settle(one)
    planned = select(Project.reference).where(Project.id.in_(made), Project.stage == "plan_work")
    pick = db.session.scalar
    return {
        "reference": company.reference,
        "planned": pick(planned.limit(1)),
        "round": pick(
            select(Round.id).where(
                Round.project_id == company.project().id, Round.closed_at.is_(None)
            )
        ),
        "receipt": pick(select(Receipt.id)),
        "signoff": pick(select(SignoffRow.id)),
        "metric": company.metric,
        "key_result": company.key_result,
        "person": company.ids["Rex"],
    }


@contextmanager
def counting() -> Iterator[list[str]]:
    """Collect the statements that the database is asked."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
