"""A process beside the others, from a page: begun, worked on, agreed to, published; or thrown away again."""

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.errors import Conflict, Invalid
from okrgate.gates.examining import check_thoroughly
from okrgate.gates.language import load_rulebook
from okrgate.imports.proposing import processes
from okrgate.notifications.models import OutboxRow
from okrgate.rulebooks import beginnings, drafts, retiring, service
from okrgate.rulebooks.models import Beginning, Process
from okrgate.rulebooks.standing import standing
from okrgate.stages import service as stages
from okrgate.workshop import keeping
from okrgate.workshop.processes import beginning_texts
from okrgate.workshop.processes.beginning_texts import Wanted, named
from okrgate.workshop.publishing import merging, proposals
from okrgate.workshop.publishing.models import Proposal
from okrgate.workshop.rows import process_draft
from okrgate.workshop.trials import testing, trying
from tests.factories import Factory
from tests.integration.workshop.small import KEY, TEXT, hurry, settle_on

NEW = "/rules/processes/new"


@pytest.fixture
def ada(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    hurry(monkeypatch)
    for module in (beginning_texts, process_draft, trying, testing, merging):
        monkeypatch.setattr(module, "in_child", lambda work, given, _seconds: work(given))
    path = tmp_path / "rules.yaml"
    path.write_text(f"# Ours.\n{TEXT}", encoding="utf-8")
    factory.rulebook(path)
    return factory.person("Ada", admin=True)


@pytest.fixture
def otto(ada: Person, factory: Factory) -> Person:
    return factory.person("Otto", admin=True)


def added(client: FlaskClient, **more: str) -> str:
    answer = client.post(NEW, data={"title": "Vendors", "key": "", "start": "thin"} | more)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def test_the_thin_one_passes_every_check() -> None:
    found = named(Wanted(beginning_texts.thin(), "any_key", "Any: title #1"))
    assert not found.problems
    assert check_thoroughly(found.text) == ()
    rulebook = load_rulebook(found.text)
    assert (rulebook.id, rulebook.title) == ("any_key", "Any: title #1")
    assert "# A process to begin with" in found.text


@pytest.mark.parametrize(
    "text", ["", "a: [", "just words", "ruleset: 5", "ruleset: {id: a}", "x: 1"]
)
def test_what_is_no_rules_file_is_said(text: str) -> None:
    assert named(Wanted(text, "vendors", "Vendors")).problems


def test_from_nothing_to_the_first_project(ada: Person, otto: Person, factory: Factory) -> None:
    settle_on(ada, approvals=1, one_more=True)
    uma = factory.person("Uma", admin=True)
    hers, his = factory.browser(ada), factory.browser(otto)
    here = added(hers)
    assert here == "/rules/vendors/rows/process"
    pages = (
        "rows",
        "rows/process",
        "numbers",
        "edit",
        "try",
        "tests",
        "review",
        "rows/promises",
        "impact",
    )
    for page in pages:
        assert hers.get(f"/rules/vendors/{page}").status_code == 200, page
    assert "No version yet" not in his.get("/rules").get_data(as_text=True)
    assert "Not published yet" in his.get("/rules").get_data(as_text=True)
    anybody = factory.browser(factory.person("Sue"))
    assert "Vendors" not in anybody.get("/rules").get_data(as_text=True)
    assert "Vendors" not in anybody.get("/projects/new").get_data(as_text=True)
    assert "Vendors" not in anybody.get("/projects").get_data(as_text=True)
    draft = drafts.begin("vendors", by=ada.id)
    asked = hers.post(
        "/rules/vendors/review",
        data={"seen": keeping.digest(draft), "note": "A way for vendors.", "act": "publish"},
    ).get_data(as_text=True)
    assert "Publish this process?" in asked
    assert "This needs 2 approvals" in asked
    answer = hers.post(
        "/rules/vendors/publish",
        data={
            "text": draft.text,
            "note": "A way for vendors.",
            "based_on": "0",
            "in_flight": "keep",
        },
    )
    proposal = db.session.scalars(select(Proposal)).one()
    assert answer.headers["Location"] == f"/rules/proposals/{proposal.id}"
    assert (proposal.based_on, proposal.needed, proposal.loosens) == (0, 2, True)
    page = his.get(answer.headers["Location"]).get_data(as_text=True)
    assert "A new process" in page
    assert "Say in at least 40 characters" in page
    for person in (otto, uma):
        assert "Vendors" not in anybody.get("/projects/new").get_data(as_text=True)
        proposals.decide(proposal.id, by=person.id, approves=True, words="", digest=proposal.sha256)
    version = service.newest("vendors")
    assert (version.number, version.published_by_id) == (1, ada.id)
    assert "Vendors" in anybody.get("/projects/new").get_data(as_text=True)
    assert "Vendors" in anybody.get("/projects").get_data(as_text=True)
    begun = stages.start("A vendor", version_id=version.id, home_unit_id=None, by=ada.id)
    assert begun.process_id == version.process_id
    assert drafts.begin("vendors", by=ada.id).changed_at is None
    assert hers.get("/rules/vendors/throw-away").status_code == 404
    assert hers.get(answer.headers["Location"]).status_code == 200


def test_the_author_alone_publishes_no_process_where_another_is(ada: Person, otto: Person) -> None:
    beginnings.begin("vendors", "Vendors", _thin(), origin="Begun", by=ada.id)
    asked = proposals.propose("vendors", drafts.Draft(_thin(), "New.", 0), by=ada.id)
    assert (asked.state, asked.needed) == ("waiting", 1)


def test_the_only_administrator_publishes_it(ada: Person) -> None:
    beginnings.begin("vendors", "Vendors", _thin(), origin="Begun", by=ada.id)
    asked = proposals.propose("vendors", drafts.Draft(_thin(), "New.", 0), by=ada.id)
    assert asked.state == "published"
    assert service.newest("vendors").number == 1


def test_a_copy_keeps_its_comments(ada: Person, factory: Factory) -> None:
    added(factory.browser(ada), start="copy", copy_of=KEY)
    base = standing("vendors")
    assert base.text.startswith("# Ours.\n")
    assert (base.number, base.title) == (0, "Vendors")
    assert load_rulebook(base.text).id == "vendors"
    assert drafts.begin("vendors", by=ada.id).text == base.text
    assert "a copy of Small, version 1" in factory.browser(ada).get("/rules").get_data(as_text=True)


def test_a_file_that_is_none_is_said_and_kept(ada: Person, factory: Factory) -> None:
    client = factory.browser(ada)
    sent = {"title": "Vendors", "key": "", "start": "file", "text": "stages: [x"}
    answer = client.post(NEW, data=sent)
    assert answer.status_code == 422
    assert "stages: [x" in answer.get_data(as_text=True)
    assert ", column " in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(Process)) == 1
    added(client, start="file", text=TEXT.replace("\n", "\r\n"))
    assert standing("vendors").text.endswith("\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"key": "No Key"},
        {"key": "proposals"},
        {"start": "nothing"},
        {"start": "copy", "copy_of": "unknown"},
        {"start": "file", "text": ""},
    ],
)
def test_what_is_missing_is_asked_for(ada: Person, factory: Factory, wrong: dict[str, str]) -> None:
    data = {"title": "Vendors", "key": "vendors", "start": "thin"} | wrong
    assert factory.browser(ada).post(NEW, data=data).status_code == 422
    assert db.session.scalar(select(func.count()).select_from(Beginning)) == 0


def test_the_second_with_a_key_is_told(ada: Person, otto: Person, factory: Factory) -> None:
    added(factory.browser(ada), key="vendors")
    answer = factory.browser(otto).post(
        NEW, data={"title": "Suppliers", "key": "vendors", "start": "thin"}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Ada has just added a process with the key vendors" in page
    assert "Suppliers" in page
    assert standing("vendors").title == "Vendors"
    taken = factory.browser(otto).post(NEW, data={"title": "X", "key": KEY, "start": "thin"})
    assert taken.status_code == 409


def test_of_two_at_once_one_wins(app: Flask, ada: Person, otto: Person) -> None:
    came: list[str] = []
    gate, ids = threading.Barrier(2), (ada.id, otto.id)

    def add(by: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                beginnings.begin("vendors", "Vendors", _thin(), origin="Begun", by=by)
                came.append("won")
            except Conflict as refusal:
                came.append(refusal.sentence.split()[1])

    both = [threading.Thread(target=add, args=(one,)) for one in ids]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(came) == ["has", "won"]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Beginning)) == 1


def test_it_can_be_thrown_away_and_begun_anew(ada: Person, otto: Person, factory: Factory) -> None:
    client, away = factory.browser(ada), "/rules/vendors/throw-away"
    added(client)
    drafts.keep("vendors", drafts.Draft("His own work", "", 0), by=otto.id)
    refused = client.post(away)
    assert refused.status_code == 409
    assert "Otto works on it too" in refused.get_data(as_text=True)
    drafts.discard("vendors", by=otto.id)
    asked = proposals.propose("vendors", drafts.Draft(_thin(), "New.", 0), by=ada.id)
    assert "Withdraw that first" in client.post(away).get_data(as_text=True)
    proposals.withdraw(asked.id, by=ada.id)
    assert client.get(away).status_code == 200
    assert client.post(away).headers["Location"] == "/rules"
    assert client.post(away).status_code == 303
    assert client.get("/rules/vendors/rows").status_code == 404
    assert client.get(f"/rules/proposals/{asked.id}").status_code == 200
    actions = select(Entry.action).where(Entry.action.like("rulebook.process_%"))
    assert list(db.session.scalars(actions.order_by(Entry.seq))) == [
        "rulebook.process_added",
        "rulebook.process_thrown_away",
    ]
    added(factory.browser(otto), title="Vendors again", key="vendors")
    assert standing("vendors").title == "Vendors again"


def test_a_draft_of_the_first_version_that_came_second_loses_nothing(
    ada: Person, otto: Person, factory: Factory
) -> None:
    settle_on(ada, approvals=0)
    beginnings.begin("vendors", "Vendors", _thin(), origin="Begun", by=ada.id)
    mine = _thin().replace("Finished", "Over")
    drafts.keep("vendors", drafts.Draft(mine, "Mine.", 0), by=otto.id)
    proposals.propose("vendors", drafts.Draft(_thin(), "First.", 0), by=ada.id)
    seen = keeping.digest(drafts.begin("vendors", by=otto.id))
    typed = {"text": mine, "note": "Mine.", "based_on": "0", "seen": seen}
    client = factory.browser(otto)
    late = client.post("/rules/vendors/publish", data=typed | {"in_flight": "keep"})
    assert late.status_code == 409
    assert "Version 1 came first" in late.get_data(as_text=True)
    merged = client.post(
        "/rules/vendors/edit", data=typed | {"based_on": "1", "began": "0", "act": "merge"}
    )
    assert merged.status_code == 303
    assert "Over" in drafts.begin("vendors", by=otto.id).text


def _thin() -> str:
    return named(Wanted(beginning_texts.thin(), "vendors", "Vendors")).text


@pytest.fixture
def vendors(ada: Person, tmp_path: Path, factory: Factory) -> str:
    path = tmp_path / "vendors.yaml"
    path.write_text(_thin(), encoding="utf-8")
    factory.rulebook(path)
    return "vendors"


def test_none_starts_in_a_retired_one(
    ada: Person, otto: Person, vendors: str, factory: Factory
) -> None:
    client = factory.browser(ada)
    version = service.newest(vendors)
    begun = stages.start("A vendor", version_id=version.id, home_unit_id=None, by=ada.id)
    page = client.get("/rules/vendors/retire").get_data(as_text=True)
    assert "1 open project goes on" in page
    assert client.post("/rules/vendors/retire", data={"reason": ""}).status_code == 422
    assert client.post("/rules/vendors/retire", data={"reason": "Over."}).status_code == 303
    assert client.post("/rules/vendors/retire", data={"reason": "Over."}).status_code == 303
    assert "Vendors" not in client.get("/projects/new").get_data(as_text=True)
    with pytest.raises(Invalid):
        stages.start("Another", version_id=version.id, home_unit_id=None, by=ada.id)
    assert [one for one, _ in processes()] == [KEY]
    assert "Vendors" in client.get("/projects").get_data(as_text=True)
    assert client.get(f"/projects/{begun.reference}").status_code == 200
    assert client.get("/rules/vendors/rows").status_code == 200
    assert "No new project starts in it" in client.get("/rules").get_data(as_text=True)
    told = select(OutboxRow.person_id).where(OutboxRow.event == "ProcessRetired")
    assert set(db.session.scalars(told)) == {otto.id}
    assert client.post("/rules/vendors/bring-back", data={"reason": "Again."}).status_code == 303
    assert "Vendors" in client.get("/projects/new").get_data(as_text=True)
    actions = select(Entry.action).where(Entry.action.like("rulebook.process_%"))
    assert list(db.session.scalars(actions.order_by(Entry.seq))) == [
        "rulebook.process_retired",
        "rulebook.process_brought_back",
    ]


def test_one_process_always_stays(ada: Person, vendors: str, factory: Factory) -> None:
    retiring.retire(KEY, by=ada.id, reason="Over.")
    answer = factory.browser(ada).post("/rules/vendors/retire", data={"reason": "Over."})
    assert answer.status_code == 409
    assert "the only process in which projects can start" in answer.get_data(as_text=True)
    beginnings.begin("more", "More", _thin(), origin="Begun", by=ada.id)
    with pytest.raises(Conflict):
        retiring.retire("more", by=ada.id, reason="Over.")


def test_of_two_retired_at_once_one_stays(
    app: Flask, ada: Person, otto: Person, vendors: str
) -> None:
    gate, asked = threading.Barrier(2), ((KEY, ada.id), (vendors, otto.id))

    def go(key: str, by: int) -> None:
        with app.app_context():
            gate.wait()
            with suppress(Conflict):
                retiring.retire(key, by=by, reason="Over.")

    both = [threading.Thread(target=go, args=one) for one in asked]
    for one in both:
        one.start()
    for one in both:
        one.join()
    db.session.rollback()
    assert len(retiring.retired()) == 1


def test_beside_a_file_none_is_added(
    app: Flask, ada: Person, tmp_path: Path, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["okrgate.settings"]
    source = replace(settings, rules_source=tmp_path / "rules.yaml")
    monkeypatch.setitem(app.extensions, "okrgate.settings", source)
    client = factory.browser(ada)
    page = client.get(NEW).get_data(as_text=True)
    assert "The rules come from the file rules.yaml" in page
    assert "Begin the process" not in page
    answer = client.post(NEW, data={"title": "Vendors", "key": "", "start": "thin"})
    assert answer.status_code == 409
    assert "The rules come from the file rules.yaml" in answer.get_data(as_text=True)
    assert client.post(f"/rules/{KEY}/retire", data={"reason": "Over."}).status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Beginning)) == 0
