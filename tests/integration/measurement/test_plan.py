from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.events import ConfirmationAsked
from okrgate.measurement import service
from okrgate.measurement.effects import ask_steward, create_checkpoints, freeze_bands
from okrgate.measurement.sections import CheckpointsPage, ReportsPage, TargetsPage
from okrgate.metrics import service as metrics
from okrgate.stages.sections import ALL
from tests.factories import Factory
from tests.integration.delivery.saving import form_of, run, save, shown
from tests.integration.measurement.conftest import BANDS, Promise, metric_of, row

TODAY = date(2026, 12, 4)


def facts(promise: Promise) -> Any:
    return ALL["metrics"].gather(promise.project, TODAY)


def plan(promise: Promise) -> Any:
    return ALL["measurement"].gather(promise.project, TODAY)


def test_a_target_is_told_to_the_gates(promise: Promise) -> None:
    assert facts(promise).collections["metrics"] == [
        {
            "name": "Churn",
            "direction": "down",
            "consistent": True,
            "frozen": False,
            "report_attached": False,
            "confirmed": False,
            "checkpoints": 0,
            "success": Decimal(3),
            "partial": Decimal(4),
            "negative": Decimal(6),
            "baseline": Decimal(5),
            "steward": str(promise.steward),
        }
    ]
    assert facts(promise).values["metrics.stale"] == 1


def test_another_spelling_of_a_number_is_the_same_content(app: Flask, promise: Promise) -> None:
    before = facts(promise).content
    typed = row(0, id=promise.target, metric=promise.metric, **BANDS | {"success": "3.000"})

    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    assert str(facts(promise).content) == str(before)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("success", "three", "Enter a number between"),
        ("baseline", "NaN", "Enter a number between"),
        ("partial", "1e99", "Enter a number between"),
        ("negative", "6.0000001", "Use at most 6 decimals."),
        ("success", "5", "Put the three values in order"),
        ("partial", "3.0", "Put the three values in order"),
        ("metric", "999999", "Choose from the list."),
        ("mode", "sideways", "Choose one of the answers."),
        ("baseline_on", "soon", "Enter a date, for example"),
    ],
)
def test_bad_bands_are_refused(
    app: Flask, promise: Promise, field: str, value: str, sentence: str
) -> None:
    typed = row(0, id=promise.target, metric=promise.metric, **BANDS) | {
        f"targets-0-{field}": value
    }

    form = form_of(app, TargetsPage(), promise.project, typed)

    assert sentence in str(form.errors)


def test_bands_must_fit_the_metrics_direction(app: Flask, promise: Promise) -> None:
    typed = row(0, metric=promise.metric, success=6, partial=4, negative=3)

    with pytest.raises(Invalid, match="success must be the lowest"):
        save(app, TargetsPage(), promise.project, by=promise.lead, **typed)


def test_a_metric_is_named_once(app: Flask, promise: Promise) -> None:
    typed = row(0, metric=promise.metric, **BANDS) | row(1, metric=promise.metric, **BANDS)

    with pytest.raises(Invalid, match="twice"):
        save(app, TargetsPage(), promise.project, by=promise.lead, **typed)


def test_a_retired_metric_stays_chosen(app: Flask, promise: Promise) -> None:
    metrics.change(
        promise.metric,
        name="Churn",
        unit_of_measure="%",
        cadence="monthly",
        steward_id=promise.steward,
        source="",
        active=False,
        by=promise.steward,
    )
    typed = row(0, id=promise.target, metric=promise.metric, **BANDS)

    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    assert len(service.targets(promise.project.id)) == 1


def test_a_metric_that_bands_rest_on_keeps_its_unit(app: Flask, promise: Promise) -> None:
    def call_it(unit_of_measure: str) -> None:
        metrics.change(
            promise.metric,
            name="Churn",
            unit_of_measure=unit_of_measure,
            cadence="weekly",
            steward_id=promise.steward,
            source="",
            active=True,
            by=promise.steward,
        )

    with pytest.raises(Invalid, match="agreed on numbers in this unit"):
        call_it("members")
    call_it("%")

    assert metrics.get_metric(promise.metric).cadence == "weekly"


def test_another_metric_must_be_confirmed_anew(app: Flask, promise: Promise) -> None:
    service.confirm(promise.target, confirmed=True, note="Yes", by=promise.steward)
    other = metric_of("Bounce", steward=None, by=promise.lead)

    save(
        app,
        TargetsPage(),
        promise.project,
        by=promise.lead,
        **row(0, id=promise.target, metric=other, **BANDS),
    )

    assert facts(promise).values["metrics.confirmed"] == 0


def test_a_baseline_that_is_a_success_already_is_warned_of(app: Flask, promise: Promise) -> None:
    def words() -> str:
        (answer,) = ALL["metrics"].answers(promise.project)
        return answer.text

    assert words() == "from 5 %; success 3 %, partial success 4 %, negative impact 6 %"
    typed = row(0, id=promise.target, metric=promise.metric, **BANDS | {"baseline": "2.5"})
    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    assert "today's value counts as success already" in words()


def test_frozen_bands_show_a_later_change(app: Flask, promise: Promise) -> None:
    run(promise.project, freeze_bands)
    db.session().expire_all()
    assert facts(promise).values["bands.changed_since_signoff"] is False
    assert facts(promise).collections["metrics"][0]["frozen"]

    for name, value in (("success", "2"), ("baseline", "9"), ("mode", "change")):
        typed = row(0, id=promise.target, metric=promise.metric, **BANDS | {name: value})
        save(app, TargetsPage(), promise.project, by=promise.lead, **typed)
        assert facts(promise).values["bands.changed_since_signoff"] is True

    save(
        app,
        TargetsPage(),
        promise.project,
        by=promise.lead,
        **row(0, id=promise.target, metric=promise.metric, **BANDS),
    )
    assert facts(promise).values["bands.changed_since_signoff"] is False


def test_freezing_twice_keeps_what_was_agreed_first(app: Flask, promise: Promise) -> None:
    run(promise.project, freeze_bands)
    typed = row(0, id=promise.target, metric=promise.metric, **BANDS | {"success": "2"})
    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    run(promise.project, freeze_bands)

    assert facts(promise).values["bands.changed_since_signoff"] is True


def test_each_target_without_a_checkpoint_gets_one(promise: Promise) -> None:
    run(promise.project, create_checkpoints)
    run(promise.project, create_checkpoints)

    (made,) = service.checkpoints(promise.project.id)
    assert (made.name, made.due_on) == ("Churn: first reading", date(2027, 3, 4))


def test_the_steward_is_asked_until_they_answer(promise: Promise) -> None:
    (event,) = run(promise.project, ask_steward)

    assert isinstance(event, ConfirmationAsked)
    assert [one.person_id for one in event.recipients] == [promise.steward]
    assert event.metrics == ("Churn",)
    service.confirm(promise.target, confirmed=False, note="No source", by=promise.steward)
    assert not run(promise.project, ask_steward)


def test_nobody_is_asked_about_a_metric_without_a_steward(app: Flask, promise: Promise) -> None:
    other = metric_of("Bounce", steward=None, by=promise.lead)
    typed = row(0, metric=other, **BANDS)
    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    assert not run(promise.project, ask_steward)


def test_a_report_is_attached_whole(app: Flask, promise: Promise) -> None:
    address = "https://reports.example/" + "x" * 1500
    typed = {
        "reports-0-id": str(promise.target),
        "reports-0-target": str(promise.target),
        "reports-0-report": address,
    }

    save(app, ReportsPage(), promise.project, by=promise.lead, **typed)

    assert service.targets(promise.project.id)[0][0].report_url == address
    assert facts(promise).values["metrics.reported"] == 1
    assert shown(app, ReportsPage(), promise.project).reports[0].form.report.data == address


@pytest.mark.parametrize("address", ["http://a.example", "javascript:alert(1)", "x"])
def test_a_report_needs_a_safe_address(app: Flask, promise: Promise, address: str) -> None:
    typed = {"reports-0-target": str(promise.target), "reports-0-report": address}

    assert form_of(app, ReportsPage(), promise.project, typed).errors


def test_checkpoints_are_kept_and_counted(app: Flask, promise: Promise, checkpoint: int) -> None:
    assert plan(promise).values == {"checkpoints.unread": 1, "checkpoints.due_unread": 1}
    assert plan(promise).collections["checkpoints"] == [
        {"name": "After a month", "due": TODAY, "read": False, "written_off": False}
    ]
    assert facts(promise).collections["metrics"][0]["checkpoints"] == 1


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("target", "Choose the metric that is read."),
        ("name", "Give the checkpoint a name."),
        ("due", "Enter the day on which it is read."),
    ],
)
def test_half_a_checkpoint_is_refused(
    app: Flask, promise: Promise, missing: str, sentence: str
) -> None:
    typed = {"target": str(promise.target), "name": "Later", "due": "2027-01-01"}
    del typed[missing]
    rows = {f"checkpoints-0-{name}": value for name, value in typed.items()}

    assert sentence in str(form_of(app, CheckpointsPage(), promise.project, rows).errors)


def test_a_target_of_another_project_cannot_be_read_here(
    app: Flask, factory: Factory, promise: Promise
) -> None:
    other = factory.project("Other", lead=factory.person())
    rows = {
        "checkpoints-0-target": str(promise.target),
        "checkpoints-0-name": "Mine?",
        "checkpoints-0-due": "2027-01-01",
    }

    assert form_of(app, CheckpointsPage(), other, rows).errors


@pytest.mark.parametrize(("baseline", "is_far"), [("3.2", True), ("3.3", False), ("", False)])
def test_a_baseline_stands_beside_the_last_reading(
    app: Flask, promise: Promise, baseline: str, is_far: bool
) -> None:
    with transaction():
        for day, value in ((13, "5.1"), (14, "3.6")):
            metrics.append(promise.metric, date(2026, 11, day), Decimal(value), "", by=promise.lead)
    typed = row(0, metric=promise.metric, **BANDS | {"baseline": baseline})

    form: Any = form_of(app, TargetsPage(), promise.project, typed)

    help_ = form.targets[0].form.baseline.description
    assert "Last reading: 3.6 % on 14 Nov 2026." in help_
    assert ("more than a tenth away" in help_) is is_far
    assert not form.errors


def test_a_metric_without_readings_says_nothing_of_them(app: Flask, promise: Promise) -> None:
    typed = row(0, metric=promise.metric, **BANDS)

    form: Any = form_of(app, TargetsPage(), promise.project, typed)

    assert "Last reading" not in form.targets[0].form.baseline.description


def test_the_metrics_unit_may_stand_behind_its_numbers(app: Flask, promise: Promise) -> None:
    typed = BANDS | {"baseline": "4,9 %", "success": "2.6 %"}

    save(
        app,
        TargetsPage(),
        promise.project,
        by=promise.lead,
        **row(0, id=promise.target, metric=promise.metric, **typed),
    )

    ((target, _),) = service.targets(promise.project.id)
    assert (target.baseline, target.success) == (Decimal("4.9"), Decimal("2.6"))
    form = form_of(
        app, TargetsPage(), promise.project, row(0, metric=promise.metric, success="2.6 days")
    )
    assert "Enter a number between" in str(form.errors)


def test_an_answer_names_unit_day_and_reader_and_has_a_picture(
    app: Flask, promise: Promise
) -> None:
    typed = BANDS | {"baseline_on": "2026-11-01", "owner": promise.lead}
    save(
        app,
        TargetsPage(),
        promise.project,
        by=promise.lead,
        **row(0, id=promise.target, metric=promise.metric, **typed),
    )

    (answer,) = ALL["metrics"].answers(promise.project)

    assert answer.text.startswith("from 5 % on 1 Nov 2026; success 3 %")
    assert answer.text.endswith("read by Lea Lead")
    assert answer.bands is not None
    assert (answer.bands["success"], answer.bands["unit"]) == (Decimal(3), " %")
