from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate import clock
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.errors import Invalid
from okrgate.events import CheckpointRead
from okrgate.measurement import service
from okrgate.measurement.models import Checkpoint
from okrgate.measurement.readings import ReadingsPage
from okrgate.measurement.sections import CheckpointsPage, TargetsPage
from okrgate.metrics import service as metrics
from okrgate.stages.sections import ALL
from tests.integration.delivery.saving import form_of, save, shown, told
from tests.integration.measurement.conftest import BANDS, Promise, metric_of, row

TODAY = date(2026, 12, 4)


def reading(checkpoint: int, **typed: str) -> dict[str, str]:
    return {
        "readings-0-id": str(checkpoint),
        **{f"readings-0-{name}": value for name, value in typed.items()},
    }


def read(app: Flask, promise: Promise, checkpoint: int, value: str) -> CheckpointRead:
    typed = reading(checkpoint, value=value, evidence="Billing report")
    (event,) = save(app, ReadingsPage(), promise.project, by=promise.lead, **typed)
    assert isinstance(event, CheckpointRead)
    return event


def stored(checkpoint: int) -> Checkpoint:
    db.session().expire_all()
    return db.session().get_one(Checkpoint, checkpoint)


@pytest.mark.parametrize(
    ("value", "band"),
    [
        ("3.0", "success"),
        ("3.1", "partial"),
        ("4", "partial"),
        ("4.01", "none"),
        ("5.99", "none"),
        ("6", "negative"),
    ],
)
def test_a_reading_falls_into_its_band(
    app: Flask, promise: Promise, checkpoint: int, value: str, band: str
) -> None:
    event = read(app, promise, checkpoint, value)

    assert (event.band, event.metric, event.late) == (band, "Churn", False)
    assert told([event]) == {promise.project.submitter_id}
    assert stored(checkpoint).band == band
    gathered = ALL["measurement"].gather(promise.project, TODAY)
    assert gathered.values == {"checkpoints.unread": 0, "checkpoints.due_unread": 0}
    assert gathered.collections["checkpoints"][0]["band"] == band


def test_a_reading_is_an_observation(app: Flask, promise: Promise, checkpoint: int) -> None:
    read(app, promise, checkpoint, "3.2")

    (one,) = metrics.series(promise.metric)
    assert (one.id, one.on, one.value) == (stored(checkpoint).observation_id, TODAY, Decimal("3.2"))


def test_a_change_is_judged_against_the_baseline(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    bands = {
        "mode": "percent",
        "baseline": "5",
        "success": "-20",
        "partial": "-10",
        "negative": "10",
    }
    typed = row(0, id=promise.target, metric=promise.metric, **bands)
    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    assert read(app, promise, checkpoint, "4").band == "success"
    assert read(app, promise, checkpoint, "4.5").band == "partial"


def test_the_same_reading_again_says_nothing(app: Flask, promise: Promise, checkpoint: int) -> None:
    read(app, promise, checkpoint, "3.2")
    typed = reading(checkpoint, value="3.20", evidence="Billing report")

    assert not save(app, ReadingsPage(), promise.project, by=promise.lead, **typed)
    assert len(metrics.series(promise.metric)) == 1


def test_a_corrected_reading_keeps_its_day_and_the_old_value(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    read(app, promise, checkpoint, "3.2")
    with clock.moved_to(datetime(2027, 1, 10, 12, tzinfo=UTC)):
        event = read(app, promise, checkpoint, "2.9")

    assert (event.band, event.late) == ("success", True)
    (one,) = metrics.series(promise.metric)
    assert (one.on, one.value) == (TODAY, Decimal("2.9"))
    assert [old.value for old in metrics.earlier(promise.metric, [one])[one.id]] == [Decimal("3.2")]


def test_a_value_corrected_in_the_registry_is_judged_again(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    read(app, promise, checkpoint, "3.2")
    old = stored(checkpoint).observation_id or 0

    new = metrics.correct(old, on=TODAY, value=Decimal(7), reason="Typo", by=promise.steward)

    found = stored(checkpoint)
    assert (found.observation_id, found.value, found.band) == (new.id, Decimal(7), "negative")
    query = select(Entry).where(Entry.action == "measurement.reading_corrected")
    entry = db.session().scalars(query).one()
    assert (entry.project_id, entry.reason) == (promise.project.id, "Typo")
    assert entry.details == {"value": ["3.2", "7"], "band": ["partial", "negative"]}
    assert read(app, promise, checkpoint, "3").band == "success"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"value": "3.2"}, "Say where the value can be seen."),
        ({"value": "good", "evidence": "x"}, "Enter a number between"),
        ({"value": "inf", "evidence": "x"}, "Enter a number between"),
        ({"value": "3", "evidence": "x", "written_off": "y"}, "not both"),
    ],
)
def test_bad_readings_are_refused(
    app: Flask, promise: Promise, checkpoint: int, typed: dict[str, str], sentence: str
) -> None:
    form = form_of(app, ReadingsPage(), promise.project, reading(checkpoint, **typed))

    assert sentence in str(form.errors)


def test_a_reading_is_not_taken_away(app: Flask, promise: Promise, checkpoint: int) -> None:
    read(app, promise, checkpoint, "3.2")

    with pytest.raises(Invalid, match="cannot be taken away"):
        save(app, ReadingsPage(), promise.project, by=promise.lead, **reading(checkpoint, value=""))


def test_what_was_read_stays_in_the_plan(app: Flask, promise: Promise, checkpoint: int) -> None:
    read(app, promise, checkpoint, "3.2")
    other = metric_of("Bounce", steward=None, by=promise.lead)

    with pytest.raises(Invalid, match="read already"):
        save(app, CheckpointsPage(), promise.project, by=promise.lead)
    with pytest.raises(Invalid, match="read already"):
        save(app, TargetsPage(), promise.project, by=promise.lead)
    typed = row(0, id=promise.target, metric=other, **BANDS)
    with pytest.raises(Invalid, match="read already"):
        save(app, TargetsPage(), promise.project, by=promise.lead, **typed)


def test_without_bands_a_value_cannot_be_judged(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    typed = row(0, id=promise.target, metric=promise.metric, success="3")
    save(app, TargetsPage(), promise.project, by=promise.lead, **typed)

    with pytest.raises(Invalid, match="no agreed bands"):
        read(app, promise, checkpoint, "3")
    assert not metrics.series(promise.metric)


def test_a_checkpoint_is_written_off_with_a_reason(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    typed = reading(checkpoint, written_off="The system was switched off.")

    save(app, ReadingsPage(), promise.project, by=promise.lead, **typed)

    assert ALL["measurement"].gather(promise.project, TODAY).values["checkpoints.unread"] == 0
    (answer,) = ALL["readings"].answers(promise.project)
    assert answer.text == "Cannot be read: The system was switched off."


def test_a_checkpoint_of_another_project_is_left_alone(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    typed = reading(checkpoint + 99, value="3", evidence="x")

    assert not save(app, ReadingsPage(), promise.project, by=promise.lead, **typed)
    assert stored(checkpoint).value is None


def test_each_row_says_which_checkpoint_it_is(
    app: Flask, promise: Promise, checkpoint: int
) -> None:
    (entry,) = shown(app, ReadingsPage(), promise.project).readings

    assert entry.form.value.description == "Churn: After a month, due 4 Dec 2026"


def test_a_reading_is_told_in_words(app: Flask, promise: Promise, checkpoint: int) -> None:
    read(app, promise, checkpoint, "3.2")

    (answer,) = ALL["readings"].answers(promise.project)
    assert answer.text == "3.2: Partial success (Billing report)"
    (line,) = service.target_lines(promise.project.id)
    assert line.checkpoints == (("After a month", TODAY, Decimal("3.2"), "partial"),)
