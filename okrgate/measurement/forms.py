"""The questions about target metrics, checkpoints and readings."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms.validators import ValidationError

from okrgate.measurement.bands import in_order
from okrgate.metrics.fields import Value as Value
from okrgate.metrics.models import Metric, Observation
from okrgate.projects.sections import RowForm, SectionForm
from okrgate.web.fields import (
    Choice,
    Day,
    Known,
    Line,
    Listed,
    Somebody,
    Text,
    WebAddress,
    complain,
    rows_of,
)
from okrgate.web.filters import show_date, show_number

# A baseline that is more than one part in so many away from the last reading deserves a second look.
_FAR = 10


class TargetRow(RowForm):
    """One target metric."""

    called = "Target metric"
    part = "measurement/target_bands.html"

    id = Known()
    metric = Listed("Metric")
    mode = Choice(
        "What is compared?",
        (
            ("absolute", "The value itself"),
            ("change", "Its change since the baseline"),
            ("percent", "Its change since the baseline, in percent"),
        ),
        undecided=None,
        default="absolute",
    )
    baseline = Value("Baseline", description="The value today, in the unit of the metric.")
    baseline_on = Day("Baseline read on")
    success = Value("Success from", description="At this value or better it is a success.")
    partial = Value(
        "Partial success from", description="Between this and success it worked in part."
    )
    negative = Value("Negative impact from", description="At this value or worse it did harm.")
    owner = Somebody("Who reads it?")

    def tell(self, metric: Metric, last: Observation | None) -> None:
        """Say which metric was chosen: its unit may stand behind a number, and its last reading below the baseline."""
        self.told, unit = metric, metric.unit_of_measure
        self.baseline.in_unit(unit)
        for field in (self.success, self.partial, self.negative):
            field.in_unit(unit, "%" if self.mode.data == "percent" else unit)
        if last is not None:
            self.baseline.description = _beside_last(self.baseline, unit, last.on, last.value)

    def unread(self) -> list[str]:
        """Say of each number that is typed and cannot be read what is wrong with it."""
        fields = (self.baseline, self.success, self.partial, self.negative)
        return [
            f"{one.label.text}: {one.process_errors[0]}" for one in fields if one.process_errors
        ]

    def bands(self) -> Mapping[str, Any] | None:
        """Return the metric and the four bands, as far as they are typed."""
        if self.told is None:
            return None
        points = {
            name: None if self[name].data is None else f"{self[name].data:f}"
            for name in ("baseline", "success", "partial", "negative")
        }
        return {
            "metric": self.told.name,
            "direction": self.told.direction,
            "unit": self.told.unit_of_measure,
            "mode": self.mode.data or "absolute",
            **points,
        }

    def validate_success(self, field: Any) -> None:
        """The three cut points leave four bands only in strict order."""
        success, partial, negative = field.data, self.partial.data, self.negative.data
        if success is None or partial is None or negative is None:
            return
        ways = ("up", "down")
        if not any(in_order(success, partial, negative, way) for way in ways):
            raise ValidationError(
                "Put the three values in order: success, then partial success, then negative impact, all different."
            )


def _beside_last(baseline: Value, unit: str, on: date, value: Decimal) -> str:
    """Return the words below the baseline: the last reading, and advice where the two are far apart."""
    read = f"{show_number(value)} {unit}".strip()
    said = f"{baseline.description} Last reading: {read} on {show_date(on)}."
    if baseline.data is None or abs(baseline.data - value) <= abs(value) / _FAR:
        return said
    return (
        f"{said} Your baseline is more than a tenth away from it. Check which of the two is meant."
    )


class TargetsForm(SectionForm):
    """The target metrics."""

    targets = rows_of(
        TargetRow,
        "Target metrics",
        description="What must move if this works, agreed before the work.",
    )


class ReportRow(RowForm):
    """Where a target's report stands."""

    called = "Report"

    id = Known()
    target = Listed("Target metric")
    report = WebAddress("Report", description="The https address of the report that shows it.")


class CheckpointRow(RowForm):
    """One day on which a target is read."""

    called = "Checkpoint"
    titled = ("target", "name")

    id = Known()
    target = Listed("Target metric")
    name = Line("Name", description="For example: after one quarter.", most=120)
    due = Day("Read on")
    owner = Somebody("Who reads it?")

    def validate(self, extra_validators: Any = None) -> bool:
        """A checkpoint needs its metric, its name and its day."""
        sound = bool(super().validate(extra_validators))
        if not (self.target.data or self.name.data or self.due.data):
            return sound
        for field, sentence in (
            (self.target, "Choose the metric that is read."),
            (self.name, "Give the checkpoint a name."),
            (self.due, "Enter the day on which it is read."),
        ):
            if not field.data and not field.errors:
                sound = complain(field, sentence)
        return sound


class ReportsForm(SectionForm):
    """The reports."""

    reports = rows_of(ReportRow, "Reports", fixed=True)


class CheckpointsForm(SectionForm):
    """The checkpoints."""

    checkpoints = rows_of(CheckpointRow, "Checkpoints")


class ReadingRow(RowForm):
    """What was read at one checkpoint, or why it never will be."""

    called = "Checkpoint"

    id = Known()
    value = Value("Value read")
    evidence = Text("Where can it be seen?", rows=2)
    written_off = Text("Or: why can it not be read?", rows=2)

    def validate(self, extra_validators: Any = None) -> bool:
        """A value needs its evidence, and is not written off as well."""
        sound = bool(super().validate(extra_validators))
        if self.value.data is None:
            return sound
        if not self.evidence.data and not self.evidence.errors:
            sound = complain(self.evidence, "Say where the value can be seen.")
        if self.written_off.data:
            sentence = "Give the value, or say why it cannot be read; not both."
            sound = complain(self.written_off, sentence)
        return sound


class ReadingsForm(SectionForm):
    """The readings."""

    readings = rows_of(ReadingRow, "Readings", fixed=True)
