"""Whatever cannot be judged keeps its gate closed: a clear sentence, no crash, and nothing written."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.gates import engine
from okrgate.gates.engine import EngineDisagreement
from okrgate.gates.verdict import Facts
from okrgate.measurement.models import Target
from okrgate.projects.plan_models import Scope
from okrgate.stages import judging, moving, preparing, service, settling
from okrgate.stages.facts import Snapshot, gather
from okrgate.stages.signing import Ask
from tests.dumps import differences, dump
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

CLOSED = "This gate could not be judged, so it stays closed"

# What an import, a restored table or a slip of a later version may leave where a number was meant.
HOSTILE: dict[str, tuple[str, Any]] = {
    "text for a length": ("problem.length", "100000"),
    "text that is empty": ("problem.length", ""),
    "a list for a length": ("problem.length", [100]),
    "a dictionary for a length": ("problem.length", {"gte": 1}),
    "not a number": ("problem.length", float("nan")),
    "without end": ("problem.length", float("inf")),
    "too large for any column": ("problem.length", 10**400),
    "too large for the engine": ("problem.length", 2**53),
    "a fraction of a character": ("problem.length", 80.5),
    "a yes for a length": ("problem.length", True),
    "a date for a length": ("problem.length", date(2027, 1, 1)),
    "bytes for a length": ("problem.length", b"100"),
    "less than nothing": ("problem.length", -1),
}


@pytest.mark.parametrize("what", HOSTILE, ids=lambda what: what.replace(" ", "-"))
def test_a_value_of_the_wrong_kind_opens_nothing(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    company = arrive("told")
    spoil(monkeypatch, *HOSTILE[what])
    assert_stays(company, lambda: company.move("Sue", "submit_idea", status=422), "intake_form")


ROWS: dict[str, Callable[[Any], Any]] = {
    "a list that is no list": lambda _rows: "two metrics",
    "a row that is no row": lambda rows: [*rows, "churn"],
    "a row with text for its bands": lambda rows: [row | {"success": "good"} for row in rows],
    "a row with a word for yes": lambda rows: [row | {"consistent": "yes"} for row in rows],
    "a row with an unknown field": lambda rows: [row | {"open_gate": True} for row in rows],
    "a list without end": lambda rows: list(rows) * 5000,
}


@pytest.mark.parametrize("what", ROWS, ids=lambda what: what.replace(" ", "-"))
def test_a_list_that_does_not_fit_opens_nothing(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    company = arrive("told")
    real = Snapshot.facts_for

    def spoiled(self: Snapshot, gate: str | None) -> Facts:
        facts = real(self, gate)
        lists = {**facts.collections, "metrics": ROWS[what](facts.collections["metrics"])}
        return Facts(facts.values, lists, facts.signoffs, facts.waivers)

    monkeypatch.setattr(Snapshot, "facts_for", spoiled)
    assert_stays(company, lambda: company.move("Sue", "submit_idea", status=422), "intake_form")


MISSING = ("problem.length", "solution.length", "value.user_length", "project.home_unit")


@pytest.mark.parametrize("name", MISSING)
def test_a_value_that_is_missing_meets_nothing(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    company = arrive("told")
    spoil(monkeypatch, name, None)
    assert_stays(
        company,
        lambda: company.move("Sue", "submit_idea", status=422),
        "intake_form",
        "is still closed",
    )


STORED: dict[str, tuple[str, str]] = {
    "a budget that is text": ("scopes", "budget_minor = 'lots'"),
    "an effort that is text": ("scopes", "effort_days = 'a while'"),
    "a date that is text": ("scopes", "ends_on = 'spring'"),
    "a band that is text": ("targets", "success = 'good'"),
    "a budget taken away": ("scopes", "budget_minor = NULL"),
    "an effort of nothing": ("scopes", "effort_days = 0"),
}


@pytest.mark.parametrize("what", STORED, ids=lambda what: what.replace(" ", "-"))
def test_a_row_that_somebody_spoilt_in_the_database_opens_nothing(
    arrive: Arrive, what: str
) -> None:
    company = arrive("planned")
    if db.engine.dialect.name != "sqlite" and "text" in what:
        pytest.skip("PostgreSQL's columns refuse it themselves.")
    table, change = STORED[what]
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE {tables()[table]} SET {change}"))  # noqa: S608
    company.factory.app.testing = False
    lea = company["Lea"]
    path = f"/projects/{company.reference}/moves/ask_approval"
    before = raw(company)
    answer = lea.client.post(
        path, data={"version": str(before["version"]), "key": "k"}, follow_redirects=True
    )
    assert answer.status_code in {409, 422}, answer.status
    assert "closed" in answer.get_data(as_text=True)
    assert raw(company) == before


ENGINE: dict[str, Callable[..., Any]] = {}


def fault(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name a fault of the engine."""

    def keep(broken: Callable[..., Any]) -> Callable[..., Any]:
        ENGINE[name] = broken
        return broken

    return keep


@fault("raises")
def _raises(*_given: Any) -> Any:
    raise RuntimeError("segment")


@fault("runs out of memory")
def _memory(*_given: Any) -> Any:
    raise MemoryError


@fault("loops until it is stopped")
def _recursion(*_given: Any) -> Any:
    raise RecursionError


@fault("answers nothing")
def _nothing(*_given: Any) -> Any:
    return []


@fault("answers with something else")
def _nonsense(*_given: Any) -> Any:
    return ["open"]


@pytest.mark.parametrize("what", ENGINE, ids=lambda what: what.replace(" ", "-"))
def test_an_engine_that_fails_opens_nothing(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    company = arrive("told")
    monkeypatch.setattr(engine, "ask", ENGINE[what])
    assert_stays(company, lambda: company.move("Sue", "submit_idea", status=422), "intake_form")


def test_judges_that_disagree_open_nothing(arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    company = arrive("told")
    monkeypatch.setattr(engine, "reference_verdict", lambda *_given, **_named: None)
    page = assert_stays(
        company, lambda: company.move("Sue", "submit_idea", status=422), "intake_form"
    )
    assert CLOSED in page


def test_a_failure_is_logged_as_an_incident(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    company = arrive("told")
    monkeypatch.setattr(engine, "ask", _raises)
    company.move("Sue", "submit_idea", status=422)
    assert "gate unjudgeable" in capsys.readouterr().err


def test_a_gate_that_opens_by_itself_stays_closed_when_the_judges_disagree(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("half approved")
    found = db.session.execute(text("SELECT id, digest FROM rounds WHERE closed_at IS NULL")).one()
    vik = company.ids["Vik"]
    with monkeypatch.context() as patch:
        patch.setattr(audit, "_listeners", [])
        service.decide(found.id, Ask("approved", found.digest, "k"), by=vik)
    with monkeypatch.context() as patch:
        patch.setattr(judging, "judge_twice", disagree)
        settling.settle(company.project().id)
        assert company.project().stage == "final_approval"
        settling.sweep()
        assert company.project().stage == "final_approval"
    # Once they agree again, the sweep makes up for it.
    settling.sweep()
    assert company.project().stage == "kick_off"


def test_nobody_signs_what_cannot_be_judged(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in approval")
    found = db.session.execute(text("SELECT id, digest FROM rounds WHERE closed_at IS NULL")).one()
    before = dump(["sign_in_sessions"])
    monkeypatch.setattr(judging, "judge_twice", disagree)
    client = company["Mia"].client
    words = {"decision": "approved", "digest": found.digest, "key": "k"}
    answer = client.post(f"/approvals/{found.id}", data=words)
    assert answer.status_code == 409
    assert "disagree" in answer.get_data(as_text=True)
    assert differences(before, dump(["sign_in_sessions"])) == {}


def test_pages_open_though_the_engine_is_dead(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("in approval")
    monkeypatch.setattr(engine, "ask", _raises)
    settling.settle(company.project().id)
    project = company.project()
    for name in ("Sue", "Mia", "Aud"):
        person = company[name]
        for path in ("/", "/projects", f"/projects/{project.reference}", "/approvals"):
            assert person.client.get(path).status_code == 200, path
    waived = company["Mia"].client.get(f"/projects/{project.reference}/waivers/metrics-confirmed")
    assert waived.status_code == 404


def test_facts_that_change_while_they_are_judged_are_judged_again(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("told")
    project_id = company.project().id
    real = judging.strict_verdict
    judged = []

    def meddle(*given: Any) -> Any:
        verdict = real(*given)
        judged.append(verdict)
        with transaction():
            company_row = preparing.locked(project_id)
            company_row.title = f"Title {'!' * len(judged)}"
            audit.record("project.renamed", by=None, project_id=project_id)
        return verdict

    monkeypatch.setattr(judging, "strict_verdict", meddle)
    with pytest.raises(Conflict):
        moving.move(project_id, "submit_idea", by=company.ids["Sue"])
    assert len(judged) == 3
    assert company.project().stage == "intake_form"


def test_facts_are_read_again_unless_nothing_at_all_was_recorded_since(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = arrive("told")
    project_id, sue = company.project().id, company.ids["Sue"]
    real, read = gather, []

    def count(*given: Any) -> Any:
        read.append(given)
        return real(*given)

    monkeypatch.setattr(preparing, "gather", count)
    prepared = preparing.prepare(project_id, "submit_idea", by=sue, answers=preparing.Answers())
    with transaction():
        assert preparing.still_true(prepared)
    assert len(read) == 1
    with transaction():
        audit.record("metrics.observed", by=None, target="metric:1")
        assert preparing.still_true(prepared)
    assert len(read) == 2


def disagree(*_given: Any, **_named: Any) -> Any:
    """Do what the engine does when the plain judge says something else."""
    raise EngineDisagreement("The rule engine and the plain judge disagree.")


def spoil(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    """Let every snapshot hold this value, as a bad import would; None takes the value away."""
    real = Snapshot.facts_for

    def spoiled(self: Snapshot, gate: str | None) -> Facts:
        facts = real(self, gate)
        values = {**facts.values, name: value}
        if value is None:
            del values[name]
        return Facts(values, facts.collections, facts.signoffs, facts.waivers)

    monkeypatch.setattr(Snapshot, "facts_for", spoiled)


def assert_stays(
    company: Company, act: Callable[[], str], stage: str, sentence: str = CLOSED
) -> str:
    """Act, and check that the project is where it was, that the page says why, and that nothing was written."""
    before = dump(["sign_in_sessions"])
    page = act()
    assert differences(before, dump(["sign_in_sessions"])) == {}
    assert company.project().stage == stage
    assert sentence in page
    settling.settle(company.project().id)
    assert company.project().stage == stage
    return page


def tables() -> dict[str, str]:
    """Return what the tables are called that the tests spoil."""
    return {"scopes": Scope.__tablename__, "targets": Target.__tablename__}


def raw(company: Company) -> dict[str, Any]:
    """Return where the project is, without reading what was spoilt."""
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT stage, version FROM projects")).mappings().one()
        return dict(row)
