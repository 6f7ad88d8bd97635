"""What was read at the checkpoints: the section, and what follows when a value is corrected later."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import db
from okrgate.errors import Invalid
from okrgate.events import CheckpointRead, Event, Recipient, publish
from okrgate.measurement import history, service
from okrgate.measurement.bands import BANDS
from okrgate.measurement.forms import ReadingsForm
from okrgate.measurement.models import BandChange, Checkpoint, Target
from okrgate.metrics import service as metrics
from okrgate.metrics.models import Metric, Observation
from okrgate.projects.models import Project
from okrgate.projects.sections import Answer, Page, Section
from okrgate.web.filters import show_date, show_number


class ReadingsPage(Page):
    """What was read at each checkpoint."""

    key, title, form = "readings", "Readings", ReadingsForm
    facts = {
        "checkpoints.due_unread": "readings",
        "checkpoints.unread": "readings",
        "checkpoints": "readings",
    }
    signed = frozenset()
    intro = "One row for each checkpoint, in their order."

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return a row for each checkpoint."""
        return {
            "readings": [
                {
                    "id": one.id,
                    "value": one.value,
                    "evidence": one.evidence,
                    "written_off": one.written_off,
                }
                for one in service.checkpoints(project.id)
            ]
        }

    def prepare(self, form: Any, project: Project) -> None:
        """Say beside each row which checkpoint it is."""
        of = {target.id: (target, metric) for target, metric in service.targets(project.id)}
        known = history.changes(project.id)
        names = {
            one.id: _named(one, *of[one.target_id], known)
            for one in service.checkpoints(project.id)
        }
        units = {
            one.id: of[one.target_id][1].unit_of_measure for one in service.checkpoints(project.id)
        }
        for entry in form.readings:
            name = names.get(entry.form.id.data or 0)
            if name:
                entry.form.value.in_unit(units[entry.form.id.data])
                entry.form.value.description = name

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Append an observation for each new value and say which band it falls into."""
        known = {one.id: one for one in service.checkpoints(project.id)}
        targets = {target.id: (target, metric) for target, metric in service.targets(project.id)}
        told: list[Event] = []
        for row in data["readings"]:
            one = known.get(row.get("id") or 0)
            if one is None:
                continue
            if row["value"] is None and one.value is not None:
                sentence = f"{one.name} was read; correct the value, it cannot be taken away."
                raise Invalid(sentence, {"readings": sentence})
            one.evidence, one.written_off = row["evidence"] or "", row["written_off"] or ""
            if row["value"] is not None and row["value"] != one.value:
                target, metric = targets[one.target_id]
                _read(one, target, metric, row["value"], by)
                told.append(_news(project, one, metric, by))
        return told


def _named(one: Checkpoint, target: Target, metric: Metric, known: Sequence[BandChange]) -> str:
    name = f"{metric.name}: {one.name}, due {show_date(one.due_on)}"
    own = [change for change in known if change.metric_id == target.metric_id]
    if not own:
        return name
    bands = history.judging(one, target, known).in_words()
    return f"{name}. Bands: {bands}. {history.told(own[-1])}"


def _read(one: Checkpoint, target: Target, metric: Metric, value: Decimal, by: int) -> None:
    """Put a value on a checkpoint as an observation. A correction keeps its day and the bands it was read against."""
    known = history.changes(one.project_id)
    band = service.band_within(history.judging(one, target, known), metric, value)
    if band is None:
        sentence = f"{metric.name} has no agreed bands or no baseline, so a value cannot be judged."
        raise Invalid(sentence, {"readings": sentence})
    on, reason = clock.today(), ""
    if one.observation_id is not None:
        on, reason = metrics.get_observation(one.observation_id).on, one.evidence
    row = metrics.append(
        metric.id, on, value, one.evidence, by=by, supersedes=one.observation_id, reason=reason
    )
    if one.value is None:
        one.band_change_id = history.last_id(target, known)
    one.value, one.observation_id, one.band = value, row.id, band
    one.read_at = one.read_at or clock.now()


def follow_correction(old_id: int, row: Observation, by: int) -> None:
    """Judge again what was read from a value that is corrected now, by the bands it was read against.

    It is recorded, and told to those who were told.
    """
    found = db.session().execute(
        select(Checkpoint, Target, Metric, Project)
        .join(Target, Target.id == Checkpoint.target_id)
        .join(Metric, Metric.id == Target.metric_id)
        .join(Project, Project.id == Checkpoint.project_id)
        .where(Checkpoint.observation_id == old_id)
    )
    for one, target, metric, project in found.all():
        value, band = one.value, one.band
        bands = history.judging(one, target, history.changes(project.id))
        one.observation_id, one.value = row.id, row.value
        one.band = service.band_within(bands, metric, row.value) or band
        audit.record(
            "measurement.reading_corrected",
            by=by,
            project_id=project.id,
            target=f"checkpoint:{one.id}",
            reason=row.reason,
            details={"value": [str(value), str(row.value)], "band": [band, one.band]},
        )
        if (value, band) != (one.value, one.band):
            publish(_news(project, one, metric, by))


metrics.on_corrected(follow_correction)


def _news(project: Project, one: Checkpoint, metric: Metric, by: int) -> Event:
    parts = (project.submitter_id, project.lead_id, project.sponsor_id)
    people = {person for person in parts if person} - {by}
    return CheckpointRead(
        recipients=tuple(Recipient(person, "you have a part in it") for person in sorted(people)),
        by=directory.names([by]).get(by, "Somebody"),
        by_id=by,
        path=f"/projects/{project.reference}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        metric=metric.name,
        value=show_number(one.value),
        band=one.band or "",
        late=clock.today() > one.due_on,
    )


def reading_answers(project: Project) -> Sequence[Answer]:
    """Return what was read as people read it."""
    known = history.changes(project.id)
    target_of = {target.id: target for target, _ in service.targets(project.id)} if known else {}
    return [
        Answer(
            "readings",
            f"reading-{one.id}",
            one.name,
            _words(one, history.named(one, target_of[one.target_id], known) if known else ""),
        )
        for one in service.checkpoints(project.id)
    ]


def _words(one: Checkpoint, judged: str) -> str:
    if one.band is None:
        return f"Cannot be read: {one.written_off}" if one.written_off else ""
    seen = f" ({one.evidence})" if one.evidence else ""
    text = f"{show_number(one.value)}: {BANDS[one.band]}{seen}"
    return f"{text}, {judged}" if judged else text


READINGS = Section(
    "readings",
    "Checkpoint readings",
    (ReadingsPage(),),
    answers=reading_answers,
    tables=(BandChange,),
)
