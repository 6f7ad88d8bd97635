"""Change a signed list, target metrics and their bands above all: row by row, all of it or nothing, and never forgotten."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Receipt, Round
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden
from okrgate.measurement import history
from okrgate.measurement.models import BandChange, Checkpoint, Target
from okrgate.measurement.sections import TargetsPage
from okrgate.metrics import service as metrics
from okrgate.metrics.models import Metric
from okrgate.projects.plan_models import RaciRow
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import change_requests as changes
from okrgate.stages import settling
from okrgate.stages.change_models import ChangeRequest
from okrgate.stages.facts import gather
from okrgate.summaries import looking_back
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

WORDS = {"why": "Trials were counted too", "effect": "The promise is smaller"}
TARGETS = "metrics/targets"


def ask(
    company: Company, page: str = TARGETS, name: str = "Lea", **typed: str | list[str]
) -> ChangeRequest:
    """Lea fills the page as it stands, adds rows where she needs them, and asks."""
    person = company[name]
    person.open(f"/projects/{company.reference}/changes/new/{page}")
    person.make_room(typed)
    person.send({**typed, **WORDS}, press="Ask for this change")
    db.session.rollback()
    return db.session.scalars(select(ChangeRequest).order_by(ChangeRequest.id.desc())).first()  # type: ignore[return-value]


def bands(at: int = 0, **points: str) -> dict[str, Any]:
    return {f"targets-{at}-{name}": value for name, value in points.items()}


def agree(company: Company, number: int) -> str:
    """Mia and Vik agree, at their browsers; return what Vik reads then."""
    page = ""
    for name in ("Mia", "Vik"):
        person = company[name]
        person.open(f"/projects/{company.reference}/changes/{number}")
        page = person.send({"decision": "yes", "reason": ""}, press="Decide")
    db.session.rollback()
    return page


def targets(company: Company) -> list[Target]:
    project = company.project().id
    query = select(Target).where(Target.project_id == project).order_by(Target.position)
    return list(db.session.scalars(query))


def checkpoints(company: Company) -> list[Checkpoint]:
    project = company.project().id
    query = select(Checkpoint).where(Checkpoint.project_id == project).order_by(Checkpoint.position)
    return list(db.session.scalars(query))


def kept(company: Company) -> list[BandChange]:
    return history.changes(company.project().id)


def second_metric(company: Company) -> str:
    return str(
        metrics.register(
            "Calls a week",
            unit_of_measure="calls",
            direction="down",
            cadence="weekly",
            steward_id=company.ids["Ines"],
            source="Telephone",
            by=company.ids["Oli"],
        ).id
    )


NEW = {"baseline": "900", "success": "300", "partial": "500", "negative": "1000"}


@pytest.fixture
def later() -> Iterator[Any]:
    """Return a way to let days pass."""
    moved = []

    def pass_days(days: int) -> None:
        moved.append(clock.moved_to(clock.now() + timedelta(days=days)))
        moved[-1].__enter__()

    yield pass_days
    for one in reversed(moved):
        one.__exit__(None, None, None)


def test_agreed_bands_hold_and_those_before_stay_known(arrive: Arrive) -> None:
    company = arrive("in execution")
    row = ask(company, **bands(success="4", negative="6.5"))
    number = row.id
    (line,) = row.rows
    assert (line["kind"], line["title"]) == ("changed", "Monthly churn (%)")
    assert line["fields"] == [
        {"label": "Success from", "before": "3.5", "after": "4"},
        {"label": "Negative impact from", "before": "6", "after": "6.5"},
    ]
    seen = company["Mia"].open(f"/projects/{company.reference}/changes/{number}")
    assert seen.count('class="bands-picture"') == 2
    assert "success down to 3.5" in seen
    assert "success down to 4" in seen
    assert targets(company)[0].success == Decimal("3.5")

    assert "The new values hold" in agree(company, number)

    (target,) = targets(company)
    assert (target.success, target.negative) == (Decimal(4), Decimal("6.5"))
    (change,) = kept(company)
    assert (change.request_id, change.reason) == (number, WORDS["why"])
    assert change.by_id == company.ids["Vik"]
    assert (change.before["success"], change.after["success"]) == ("3.5", "4")
    project = company.project()
    told = gather(project, rulebooks.rulebook(project.rulebook_version_id))
    assert told.collections["metrics"][0]["frozen"]
    assert told.values.get("bands.changed_since_signoff", False) is False
    assert project.stage == "in_execution"


def test_the_record_says_each_field_and_the_signatures_stand_on_the_new_content(
    arrive: Arrive,
) -> None:
    company = arrive("in execution")
    number = ask(company, **bands(success="4")).id
    agree(company, number)
    saved = [one for one in company.entries() if one.action == "section.saved"][-1]
    assert saved.reason == f"Change request {number}: {WORDS['why']}"
    assert [(one["label"], one["before"], one["after"]) for one in saved.details["changes"]] == [
        ("Monthly churn (%): Success from", "3.5", "4")
    ]
    signed = approvals.last_satisfied(company.project().id)
    assert signed is not None
    assert Decimal(signed.content["metrics"][0][5]) == 4
    receipts = db.session.scalars(select(Receipt).where(Receipt.meaning.contains("change request")))
    assert {one.by_id for one in receipts} == {company.ids["Mia"], company.ids["Vik"]}


def test_it_is_said_where_results_are_read(arrive: Arrive) -> None:
    company = arrive("measuring")
    number = ask(company, **bands(success="4")).id
    agree(company, number)
    said = f"by change request {number}, because: {WORDS['why']}"
    for page in ("parts/metrics", "summary"):
        assert said in company["Lea"].open(f"/projects/{company.reference}/{page}")
    assert said in company["Lea"].open(f"/projects/{company.reference}/parts/readings/readings")
    company.fill(
        "Lea",
        "readings/readings",
        {"readings-0-value": "3.8", "readings-0-evidence": "Billing report"},
    )
    assert checkpoints(company)[0].band == "success"
    shown = company["Pat"].open(f"/projects/{company.reference}/parts/readings")
    assert "judged by the bands as changed on" in shown
    assert f"by change request {number}" in shown


def test_a_metric_comes_with_a_checkpoint_and_its_steward_is_asked(arrive: Arrive) -> None:
    company = arrive("in execution")
    metric = second_metric(company)
    number = ask(company, **bands(1, metric=metric, **NEW)).id
    assert len(targets(company)) == 1
    before = len(company.told().get("ConfirmationAsked", []))
    agree(company, number)
    first, new = targets(company)
    assert (str(new.metric_id), new.success) == (metric, Decimal(300))
    assert new.frozen_at is not None
    assert [one.target_id for one in checkpoints(company)].count(new.id) == 1
    assert company.told()["ConfirmationAsked"][before:] == ["Ines"]
    (change,) = kept(company)
    assert (change.metric_id, change.before) == (new.metric_id, {})
    assert first.success == Decimal("3.5")


def test_a_metric_goes_with_its_checkpoints_and_stays_in_the_history(arrive: Arrive) -> None:
    company = arrive("in execution")
    metric = second_metric(company)
    agree(company, ask(company, **bands(1, metric=metric, **NEW)).id)
    person = company["Lea"]
    person.open(f"/projects/{company.reference}/changes/new/{TARGETS}")
    form = person.form("targets-0-success")
    page = person.client.post(form.action, data={**form.values, "remove_row": "targets-0"})
    person.page = page.get_data(as_text=True)
    person.send(dict(WORDS), press="Ask for this change")
    db.session.rollback()
    row = changes.of_project(company.project().id)[0]
    assert [(one["kind"], one["title"]) for one in row.rows] == [("removed", "Monthly churn (%)")]
    agree(company, row.id)
    (left,) = targets(company)
    assert str(left.metric_id) == metric
    assert {one.target_id for one in checkpoints(company)} == {left.id}
    gone = kept(company)[-1]
    assert (gone.after, gone.before["success"]) == ({}, "3.5")


def test_a_no_leaves_every_row_as_it_was(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company, **bands(success="4")).id
    said = changes.decide(number, approve=False, reason="Keep it", by=company.ids["Vik"])
    assert said == "declined"
    assert targets(company)[0].success == Decimal("3.5")
    assert kept(company) == []
    page = company["Lea"].open(f"/projects/{company.reference}/changes/{number}")
    assert f"?again={number}" in page
    again = company["Lea"]
    again.open(f"/projects/{company.reference}/changes/new/{TARGETS}?again={number}")
    assert again.form("why").values["targets-0-success"] == "4"
    assert again.form("why").values["why"].strip() == WORDS["why"]


def test_who_may_not_ask_or_decide_about_lists(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company, **bands(success="4")).id
    for name in ("Lea", "Sue", "Pat", "Ines", "Ada", "Oli"):
        with pytest.raises(Forbidden):
            changes.decide(number, approve=True, reason="", by=company.ids[name])
    company["Pat"].open(f"/projects/{company.reference}/changes/new/{TARGETS}", status=403)
    assert targets(company)[0].success == Decimal("3.5")


def test_what_was_read_is_not_asked_to_change(arrive: Arrive) -> None:
    company = arrive("measuring")
    for page in ("readings/readings", "measurement/reports"):
        company["Lea"].open(f"/projects/{company.reference}/changes/new/{page}", status=404)


def test_bad_bands_are_refused_where_they_are_typed(arrive: Arrive) -> None:
    company = arrive("in execution")
    lea = company["Lea"]
    lea.open(f"/projects/{company.reference}/changes/new/{TARGETS}")
    said = lea.send(
        {**bands(success="9", partial="8", negative="7"), **WORDS},
        press="Ask for this change",
        status=422,
    )
    assert "success must be the lowest of the three values" in said
    assert "Trials were counted too" in said


def test_a_list_that_changed_meanwhile_closes(arrive: Arrive) -> None:
    company = arrive("in execution")
    first, second = ask(company, **bands(success="4")).id, ask(company, **bands(success="3")).id
    agree(company, first)
    with pytest.raises(Conflict, match="asked for anew"):
        changes.decide(second, approve=True, reason="", by=company.ids["Mia"])
    assert targets(company)[0].success == 4
    page = company["Lea"].open(f"/projects/{company.reference}/changes/{second}")
    assert "cannot be agreed to any more" in page
    assert f"?again={second}" in page
    said = changes.decide(second, approve=False, reason="Overtaken", by=company.ids["Mia"])
    assert said == "declined"


def test_a_row_that_changed_without_a_save_of_the_part_closes_too(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company, **bands(success="4")).id
    with transaction() as session:
        session.get_one(Target, targets(company)[0].id).baseline = Decimal("5.4")
    with pytest.raises(Conflict, match="asked for anew"):
        changes.decide(number, approve=True, reason="", by=company.ids["Vik"])
    assert targets(company)[0].success == Decimal("3.5")


def test_a_checkpoint_read_meanwhile_closes(arrive: Arrive) -> None:
    company = arrive("measuring")
    number = ask(company, **bands(success="4")).id
    changes.decide(number, approve=True, reason="", by=company.ids["Mia"])
    company.fill(
        "Lea",
        "readings/readings",
        {"readings-0-value": "3.8", "readings-0-evidence": "Billing report"},
    )
    vik = company["Vik"]
    said = vik.open(f"/projects/{company.reference}/changes/{number}")
    assert "A checkpoint was read after this was asked for" in said
    with pytest.raises(Conflict, match="A checkpoint was read"):
        changes.decide(number, approve=True, reason="", by=company.ids["Vik"])
    assert targets(company)[0].success == Decimal("3.5")
    assert checkpoints(company)[0].band == "partial"
    assert changes.of_project(company.project().id)[0].state == "open"


def test_a_reading_keeps_the_bands_it_was_read_against(arrive: Arrive, later: Any) -> None:
    company = arrive("measuring")
    point = {"target": company.target(), "name": "After a year", "due": "2028-01-04"}
    number = ask(
        company,
        "measurement/checkpoints",
        **{f"checkpoints-1-{name}": value for name, value in point.items()},
    ).id
    agree(company, number)
    assert [one.due_on for one in checkpoints(company)][-1] == date(2028, 1, 4)
    evidence = {"readings-0-evidence": "Billing report", "readings-1-evidence": ""}
    company.fill("Lea", "readings/readings", {"readings-0-value": "3.8", **evidence})
    later(1)
    number = ask(company, **bands(success="4")).id
    agree(company, number)
    assert [one.band for one in checkpoints(company)] == ["partial", None]

    old = checkpoints(company)[0].observation_id or 0
    metrics.correct(
        old, on=clock.today(), value=Decimal("3.9"), reason="Typo", by=company.ids["Ines"]
    )
    company.fill(
        "Lea",
        "readings/readings",
        {"readings-0-value": "3.7", "readings-1-value": "3.7", "readings-1-evidence": "Report"},
    )

    first, second = checkpoints(company)
    assert (first.value, first.band, first.band_change_id) == (Decimal("3.7"), "partial", None)
    assert (second.band, second.band_change_id) == ("success", kept(company)[-1].id)
    (promise,) = looking_back.promises(company.project().id)
    assert [one.success for one in promise.readings] == [Decimal("3.5"), 4]
    shown = company["Lea"].open(f"/projects/{company.reference}/parts/readings")
    assert "judged by the bands as first agreed" in shown


def test_a_metric_that_was_read_neither_goes_nor_changes_meanwhile(arrive: Arrive) -> None:
    company = arrive("looking back")
    lea = company["Lea"]
    metric = second_metric(company)
    lea.open(f"/projects/{company.reference}/changes/new/{TARGETS}")
    said = lea.send({"targets-0-metric": metric, **WORDS}, press="Ask for this change", status=422)
    assert "was read already, so it stays" in said


def test_all_of_it_or_nothing(arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    company = arrive("in execution")
    number = ask(company, **bands(1, metric=second_metric(company), **NEW)).id
    changes.decide(number, approve=True, reason="", by=company.ids["Mia"])
    entries, rounds = len(company.entries()), len(list(db.session.scalars(select(Round))))

    def breaks(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(changes, "_sign", breaks)
    with pytest.raises(OSError, match="full"):
        changes.decide(number, approve=True, reason="", by=company.ids["Vik"])

    assert len(targets(company)) == 1
    assert len(checkpoints(company)) == 1
    assert kept(company) == []
    assert len(company.entries()) == entries
    assert len(list(db.session.scalars(select(Round)))) == rounds
    row = changes.of_project(company.project().id)[0]
    assert row.state == "open"
    assert sorted(one.decision for one in changes.seats_of(row.id)) == ["", "approved"]


def test_what_cannot_be_stored_any_more_changes_nothing(arrive: Arrive) -> None:
    company = arrive("in execution")
    metric = second_metric(company)
    number = ask(company, **bands(0, success="4") | bands(1, metric=metric, **NEW)).id
    changes.decide(number, approve=True, reason="", by=company.ids["Mia"])
    with transaction() as session:
        session.get_one(Metric, int(metric)).active = False
    with pytest.raises(Conflict, match="cannot be stored any more"):
        changes.decide(number, approve=True, reason="", by=company.ids["Vik"])
    assert [one.success for one in targets(company)] == [Decimal("3.5")]
    assert kept(company) == []


def test_sign_offs_asked_for_on_the_old_content_lapse(arrive: Arrive) -> None:
    company = arrive("in execution")
    number = ask(company, **bands(success="4")).id
    project = company.project()
    gate = approvals.last_satisfied(project.id)
    assert gate is not None
    with settling.put_off():
        with transaction():
            found = approvals.begin_round(
                project,
                gate=gate.gate,
                transition=gate.transition,
                digest="0" * 64,
                content={},
                due_on=None,
            )
        changes.decide(number, approve=True, reason="", by=company.ids["Mia"])
        changes.decide(number, approve=True, reason="", by=company.ids["Vik"])
    db.session.rollback()
    assert db.session.get_one(Round, found.id).closed_as == "voided"
    saved = [one for one in company.entries() if one.action == "section.saved"][-1]
    assert saved.details["voided"] is True


def test_any_list_that_was_signed_changes_row_by_row(arrive: Arrive) -> None:
    company = arrive("in execution")
    row = ask(
        company,
        "raci/raci",
        **{"parts-2-person": str(company.ids["Pat"]), "parts-2-letter": "I"},
    )
    assert [(one["kind"], one["called"]) for one in row.rows] == [("added", "Part")]
    agree(company, row.id)
    people = db.session.scalars(
        select(RaciRow.person_id).where(RaciRow.project_id == company.project().id)
    )
    assert company.ids["Pat"] in set(people)


def test_bands_changed_after_a_return_are_kept_too(arrive: Arrive) -> None:
    company = arrive("in execution")
    (target,) = targets(company)
    row = {
        "id": target.id,
        "metric": target.metric_id,
        "mode": "absolute",
        "baseline": Decimal("5.2"),
        "baseline_on": None,
        "success": Decimal(3),
        "partial": Decimal("4.5"),
        "negative": Decimal(6),
        "owner": None,
    }
    with transaction():
        TargetsPage().save(company.project(), {"targets": [row]}, by=company.ids["Lea"])
    (change,) = kept(company)
    assert (change.request_id, change.after["success"]) == (None, "3")


def test_the_list_of_changes_hides_nothing_that_is_public(arrive: Arrive) -> None:
    company = arrive("in execution")
    ask(company, **bands(success="4"))
    said = company["Pat"].open(f"/projects/{company.reference}/changes")
    assert "Monthly churn" in said
    entry = db.session.scalars(select(Entry).where(Entry.action == "change.asked")).one()
    assert entry.details["changes"][0]["label"] == "Monthly churn (%): Success from"
