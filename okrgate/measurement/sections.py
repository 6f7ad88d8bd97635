"""The sections about what a project promises to move, how it is measured, and what was read."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.errors import Invalid
from okrgate.events import Event
from okrgate.measurement import effects, history, service
from okrgate.measurement.bands import BANDS, NONE, in_order
from okrgate.measurement.effects import bands_text
from okrgate.measurement.forms import CheckpointsForm, ReportsForm, TargetsForm
from okrgate.measurement.models import BandChange, Checkpoint, Target
from okrgate.measurement.readings import READINGS
from okrgate.metrics import service as metrics
from okrgate.metrics.models import Metric
from okrgate.projects.choosing import offer, offer_people
from okrgate.projects.models import Project
from okrgate.projects.rows import RowsPage, listed
from okrgate.projects.sections import Agreed, Answer, Gathered, Page, Section
from okrgate.web.filters import show_date


class TargetsPage(RowsPage):
    """The target metrics with their bands."""

    key, title, form = "targets", "Target metrics", TargetsForm
    facts = {"metrics.count": "targets", "metrics": "targets"}
    intro = "Say beforehand what will count as success, partial success, no impact and harm."
    on_change = (
        "What was read already keeps the bands it was read against. A metric that comes gets its first checkpoint "
        "a quarter after the change is agreed; with one that goes, its checkpoints go."
    )
    model, field = Target, "targets"
    columns = {
        "metric": "metric_id",
        "mode": "mode",
        "baseline": "baseline",
        "baseline_on": "baseline_on",
        "success": "success",
        "partial": "partial",
        "negative": "negative",
        "owner": "owner_id",
    }

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the metrics and the people."""
        choices = dict(metrics.choices())
        retired = {metric.id: metric.name for _, metric in service.targets(project.id)}
        offer(self.entries(form, "metric"), (retired | choices).items())
        offer_people(
            self.entries(form, "owner"), chosen=[row.owner_id for row in listed(Target, project.id)]
        )
        rows = [entry.form for entry in form.targets]
        known = metrics.with_last(row.metric.data for row in rows if row.metric.data)
        for row in rows:
            if row.metric.data in known:
                row.tell(*known[row.metric.data])

    def is_filled(self, row: Mapping[str, Any]) -> bool:
        """A row without a metric says nothing."""
        return row["metric"] is not None

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the rows. Bands that were frozen or read by leave a row in their history."""
        why = history.Why("It was open for changes again, to be signed anew.", by)
        self._store(project, self._checked(data), why, by=by)
        return ()

    def save_agreed(
        self, project: Project, data: Mapping[str, Any], agreed: Agreed, *, by: int
    ) -> Sequence[Event]:
        """Store the rows, freeze their bands anew, and plan for a metric that came as on the day of approval."""
        before = {metric.id for _, metric in service.targets(project.id)}
        is_planned = bool(service.checkpoints(project.id))
        why = history.Why(agreed.reason, agreed.by, agreed.request)
        self._store(project, self._checked(data), why, by=by)
        effects.freeze_again(project)
        if is_planned:
            effects.create_checkpoints(project, by)
        return effects.ask_steward(project, by, but=before)

    def stands_on(self, project: Project) -> Mapping[str, Any]:
        """Return the rows, and what was read of them."""
        return {"content": self.load(project), "readings": service.what_was_read(project.id)}

    def _store(
        self, project: Project, rows: list[dict[str, Any]], why: history.Why, *, by: int
    ) -> None:
        found = service.targets(project.id)
        read = any(one.value is not None for one in service.checkpoints(project.id))
        is_fixed = read or any(target.frozen_at is not None for target, _ in found)
        before = history.held(found)
        metric_of = {row.get("id"): row["metric"] for row in rows}
        _check_kept(project, metric_of)
        _forget_other_metrics(project, metric_of)
        super().save(project, {"targets": rows}, by=by)
        db.session().flush()
        if is_fixed:
            history.keep(project.id, before, history.held(service.targets(project.id)), why)

    def _checked(self, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that say something; the order of the cut points must fit the metric's direction."""
        rows = [
            dict(row, mode=row["mode"] or "absolute")
            for row in data["targets"]
            if self.is_filled(row)
        ]
        chosen = [row["metric"] for row in rows]
        if len(chosen) != len(set(chosen)):
            raise Invalid("A metric stands there twice.", {"targets": "Name each metric once."})
        known = metrics.describe(chosen)
        for row in rows:
            points = (row["success"], row["partial"], row["negative"])
            metric = known[row["metric"]].metric
            if None not in points and not in_order(*points, metric.direction):
                way = "highest" if metric.direction == "up" else "lowest"
                sentence = f"{metric.name}: success must be the {way} of the three values."
                raise Invalid(sentence, {"targets": sentence})
        return rows


def _check_kept(project: Project, metric_of: Mapping[int | None, int]) -> None:
    """What was read stays: a target with a reading is neither taken away nor moved to another metric."""
    read = {one.target_id for one in service.checkpoints(project.id) if one.value is not None}
    for target, metric in service.targets(project.id):
        if target.id in read and metric_of.get(target.id) != metric.id:
            sentence = f"{metric.name} was read already, so it stays."
            raise Invalid(sentence, {"targets": sentence})


def _forget_other_metrics(project: Project, metric_of: Mapping[int | None, int]) -> None:
    """Drop the checkpoints of targets that go; what a steward said of one metric says nothing of another."""
    for one in service.checkpoints(project.id):
        if one.target_id not in metric_of:
            db.session().delete(one)
    for target, metric in service.targets(project.id):
        if metric_of.get(target.id, metric.id) != metric.id:
            target.confirmed = target.confirmed_by_id = target.confirmed_at = None
            target.confirm_note = target.report_url = ""
    db.session().flush()


class ReportsPage(Page):
    """Where each target's report stands."""

    key, title, form = "reports", "Reports", ReportsForm
    facts = {"metrics.reported": "reports", "metrics.report_attached": "reports"}
    signed = frozenset()

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the targets."""
        offer([entry.form.target for entry in form.reports], _target_choices(project))

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return a row for each target."""
        return {
            "reports": [
                {"id": target.id, "target": target.id, "report": target.report_url}
                for target, _ in service.targets(project.id)
            ]
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the addresses; a target without a row has none."""
        typed = {row["target"]: row["report"] or "" for row in data["reports"] if row["target"]}
        for target, _metric in service.targets(project.id):
            target.report_url = typed.get(target.id, "")
        return ()


class CheckpointsPage(RowsPage):
    """The days on which targets are read."""

    key, title, form = "checkpoints", "Checkpoints", CheckpointsForm
    facts = {"metrics.checkpoints": "checkpoints"}
    signed = frozenset({"checkpoints"})
    on_change = "A checkpoint that was read stays as it is."
    model, field = Checkpoint, "checkpoints"
    columns = {"target": "target_id", "name": "name", "due": "due_on", "owner": "owner_id"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the targets and the people."""
        offer(self.entries(form, "target"), _target_choices(project))
        offer_people(
            self.entries(form, "owner"),
            chosen=[row.owner_id for row in listed(Checkpoint, project.id)],
        )

    def is_filled(self, row: Mapping[str, Any]) -> bool:
        """A row without a metric and a day says nothing."""
        return row["target"] is not None and row["due"] is not None

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the rows; a checkpoint that was read stays on its metric."""
        typed = {row.get("id"): row["target"] for row in data["checkpoints"] if self.is_filled(row)}
        for one in service.checkpoints(project.id):
            if one.value is not None and typed.get(one.id) != one.target_id:
                sentence = f"{one.name} was read already, so it stays with its metric."
                raise Invalid(sentence, {"checkpoints": sentence})
        return super().save(project, data, by=by)

    def stands_on(self, project: Project) -> Mapping[str, Any]:
        """Return the rows, and what was read of them."""
        return {"content": self.load(project), "readings": service.what_was_read(project.id)}


def _target_choices(project: Project) -> list[tuple[int, str]]:
    return [(target.id, metric.name) for target, metric in service.targets(project.id)]


def gather_targets(project: Project, today: date) -> Gathered:
    """Return the target metrics as gates read them."""
    rows, content = [], []
    counts: dict[int, int] = {}
    for one in service.checkpoints(project.id):
        counts[one.target_id] = counts.get(one.target_id, 0) + 1
    found = service.targets(project.id)
    fresh = metrics.describe(metric.id for _, metric in found)
    for target, metric in found:
        points = (target.success, target.partial, target.negative)
        row: dict[str, Any] = {
            "name": metric.name,
            "direction": metric.direction,
            "consistent": None not in points and in_order(*points, metric.direction),  # type: ignore[arg-type]
            "frozen": target.frozen_at is not None,
            "report_attached": bool(target.report_url),
            "confirmed": bool(target.confirmed),
            "checkpoints": counts.get(target.id, 0),
        }
        named = zip(("success", "partial", "negative"), points, strict=True)
        row.update({name: value for name, value in named if value is not None})
        if target.baseline is not None:
            row["baseline"] = target.baseline
        if target.owner_id is not None:
            row["owner"] = str(target.owner_id)
        if metric.steward_id is not None:
            row["steward"] = str(metric.steward_id)
        rows.append(row)
        content.append(
            [
                *(metric.name, metric.direction, metric.unit_of_measure),
                *(target.mode, target.baseline, *points, target.owner_id),
            ]
        )
    changed = any(
        target.frozen_at is not None and target.frozen_bands != bands_text(target)
        for target, _ in found
    )
    return Gathered(
        values={
            "metrics.count": len(rows),
            "metrics.reported": sum(1 for row in rows if row["report_attached"]),
            "metrics.confirmed": sum(1 for row in rows if row["confirmed"]),
            "metrics.stale": sum(1 for _, metric in found if not fresh[metric.id].fresh),
            "bands.changed_since_signoff": changed,
        },
        collections={"metrics": rows},
        content={"metrics": content},
    )


def gather_checkpoints(project: Project, today: date) -> Gathered:
    """Return the checkpoints as gates read them."""
    rows: list[dict[str, Any]] = []
    found = service.checkpoints(project.id)
    for one in found:
        row: dict[str, Any] = {
            "name": one.name,
            "due": one.due_on,
            "read": one.value is not None,
            "written_off": bool(one.written_off.strip()),
        }
        if one.band:
            row["band"] = one.band
        if one.owner_id is not None:
            row["owner"] = str(one.owner_id)
        rows.append(row)
    waiting = [row for row in rows if not row["read"] and not row["written_off"]]
    return Gathered(
        values={
            "checkpoints.unread": len(waiting),
            "checkpoints.due_unread": sum(1 for row in waiting if row["due"] <= today),
        },
        collections={"checkpoints": rows},
        content={"checkpoints": [[one.name, one.due_on, one.target_id] for one in found]},
    )


def target_answers(project: Project) -> Sequence[Answer]:
    """Return the targets as people read them."""
    listed_ones = service.targets(project.id)
    readers = directory.names(target.owner_id for target, _ in listed_ones)
    found = [
        Answer(
            "targets",
            f"target-{target.id}",
            metric.name,
            _words(target, metric, readers.get(target.owner_id or 0, "")),
            bands=_picture(target, metric),
        )
        for target, metric in listed_ones
    ]
    known = history.changes(project.id)
    names = history.metric_names(known)
    found += [
        Answer(
            "targets",
            f"bands-{change.id}",
            f"{names[change.metric_id]}: changed after it was agreed",
            history.in_words(change),
        )
        for change in known
    ]
    return found


def _picture(target: Target, metric: Metric) -> Mapping[str, Any]:
    """Return what the picture of a target's bands needs."""
    bands, moves = history.Bands.of(target), target.mode != "absolute"
    unit = bands.unit_of_points(metric.unit_of_measure)
    return {
        "success": bands.success,
        "partial": bands.partial,
        "negative": bands.negative,
        "direction": metric.direction,
        "unit": f" {unit}" if unit else "",
        "baseline": None if moves else bands.baseline,
        "title": f"{metric.name}, change from the baseline" if moves else metric.name,
        "id": f"target-{target.id}-bands",
    }


def _words(target: Target, metric: Metric, reader: str) -> str:
    text = history.Bands.of(target).in_words(metric.unit_of_measure, target.baseline_on)
    text = f"{text}; read by {reader}" if reader else text
    if target.baseline is None:
        return text
    today = service.band_of(target, metric, target.baseline)
    if today is None or today == NONE:
        return text
    return f"{text}. Look again: today's value counts as {BANDS[today].lower()} already"


def plan_answers(project: Project) -> Sequence[Answer]:
    """Return reports and checkpoints as people read them."""
    found = [
        Answer("reports", f"report-{target.id}", metric.name, target.report_url)
        for target, metric in service.targets(project.id)
    ]
    found += [
        Answer("checkpoints", f"checkpoint-{one.id}", one.name, show_date(one.due_on))
        for one in service.checkpoints(project.id)
    ]
    return found


SECTIONS: tuple[Section, ...] = (
    Section(
        "metrics",
        "Target metrics",
        (TargetsPage(),),
        gather_targets,
        target_answers,
        tables=(Target, Checkpoint, BandChange),
    ),
    Section(
        "measurement",
        "Measurement plan",
        (ReportsPage(), CheckpointsPage()),
        gather_checkpoints,
        plan_answers,
    ),
    READINGS,
)
