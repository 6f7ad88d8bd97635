"""A project as its pages show it: drawn after every change, kept in one row, read without gathering.

What decides never looks here: a crossing, a sign-off and a waiver gather what is stored and judge it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, String, and_, cast, delete, exists, func, literal, or_, select

from okrgate import clock
from okrgate.approvals.entitlement import Surroundings
from okrgate.approvals.models import RoundReading
from okrgate.audit.models import Entry
from okrgate.database import ask, check_writing, db, remembering, replace_in
from okrgate.gates.model import Rulebook
from okrgate.measurement.models import Target
from okrgate.okrs.models import KeyResult
from okrgate.projects.models import Project
from okrgate.projects.plan_models import KeyResultLink
from okrgate.stages.card import key_facts
from okrgate.stages.facts import Snapshot, gather
from okrgate.stages.models import ProjectReading
from okrgate.stages.sections import ALL, answers_of

log = structlog.get_logger()

_EVERYWHERE = ("unit.changed", "unit.opened", "unit.closed", "person.erased")
_BESIDE = (
    "metrics.changed",
    "metrics.observed",
    "metrics.corrected",
    "okrs.key_result_changed",
    "okrs.objective_changed",
)


@dataclass(frozen=True)
class Line:
    """One answer as people read it."""

    label: str
    text: str
    private: bool


@dataclass(frozen=True)
class Picture:
    """What pages show of a project. `parts` are its sections with answers, `settled` when each gate was signed by all.

    `snapshot` is there when it was drawn just now: then what was judged earlier is older than this.
    """

    facts: tuple[tuple[str, str], ...]
    parts: Mapping[str, tuple[Line, ...]]
    around: Surroundings
    settled: Mapping[str, datetime]
    snapshot: Snapshot | None = None


def of(project: Project, rulebook: Rulebook) -> Picture:
    """Return the kept picture while it is true, else draw it now. One query, or some sixty.

    A changed name of a person shows at the next change of the project, or the next day.
    """
    kept = db.session().scalar(
        select(ProjectReading)
        .join(Project, Project.id == ProjectReading.project_id)
        .where(ProjectReading.project_id == project.id, fresh())
    )
    return _kept(kept) if kept is not None else draw(project, rulebook, gather(project, rulebook))


def draw(project: Project, rulebook: Rulebook, snapshot: Snapshot) -> Picture:
    """Read every part as people read it, beside facts that were gathered just now: from what was read for them."""
    with remembering(snapshot.memory):
        return _draw(project, rulebook, snapshot)


def _draw(project: Project, rulebook: Rulebook, snapshot: Snapshot) -> Picture:
    used = dict.fromkeys(key for stage in rulebook.stages.values() for key in stage.sections)
    parts = {
        key: tuple(
            Line(one.label, one.text, one.private)
            for one in answers_of(ALL[key], project, rulebook)
            if one.text
        )
        for key in used
        if key in ALL
    }
    return Picture(
        facts=key_facts(project, snapshot),
        parts={key: lines for key, lines in parts.items() if lines},
        around=snapshot.around,
        settled=snapshot.settled,
        snapshot=snapshot,
    )


def try_to_draw(project: Project, rulebook: Rulebook, snapshot: Snapshot) -> Picture | None:
    """Return the picture, or nothing when a part cannot be read: no verdict may be lost by that."""
    try:
        return draw(project, rulebook, snapshot)
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:
        log.error("picture unreadable", project=project.id, exc_info=problem)
        return None


def store(project: Project, picture: Picture | None, snapshot: Snapshot, seq: int) -> None:
    """Keep a picture, in the open transaction that made sure that it is true. `seq` 0 counts as old."""
    check_writing()
    if picture is None:
        db.session().execute(delete(ProjectReading).where(ProjectReading.project_id == project.id))
        return
    values = {
        "project_id": project.id,
        "seq": seq,
        "through": snapshot.through,
        "version": project.version,
        "rulebook_version_id": project.rulebook_version_id,
        "judged_for": snapshot.today,
        "facts": [list(pair) for pair in picture.facts],
        "parts": {
            key: [[one.label, one.text, one.private] for one in lines]
            for key, lines in picture.parts.items()
        },
        "around": _plain(picture.around),
        "settled": {gate: at.isoformat() for gate, at in picture.settled.items()},
    }
    ask(replace_in(ProjectReading, "project_id"), values)


def fresh() -> ColumnElement[bool]:
    """Return what makes a kept picture true, in a query that has Project and ProjectReading.

    Nothing was recorded of the project since, nothing was changed beside it (a unit, a metric, a key result, a name
    forgotten), and the day is the same. After its end a project shows metrics and key results as they were then.
    """
    newest = (
        select(func.coalesce(func.max(Entry.seq), 0))
        .where(Entry.project_id == Project.id)
        .correlate(Project)
        .scalar_subquery()
    )
    return and_(
        ProjectReading.seq == newest,
        ProjectReading.version == Project.version,
        ProjectReading.rulebook_version_id == Project.rulebook_version_id,
        or_(ProjectReading.judged_for == clock.today(), Project.closed_at.is_not(None)),
        ~_changed_beside(),
    )


def forget_names() -> None:
    """Drop every picture, and all that rounds keep in words, from before somebody was forgotten: their name may stand there."""
    erased = select(func.max(Entry.seq)).where(Entry.action == "person.erased").scalar_subquery()
    for kept in (ProjectReading, RoundReading):
        db.session().execute(delete(kept).where(kept.through < erased))


def holds_names() -> bool:
    """Tell whether there is such a picture."""
    erased = select(func.max(Entry.seq)).where(Entry.action == "person.erased").scalar_subquery()
    return any(
        db.session().scalar(select(kept.through).where(kept.through < erased).limit(1)) is not None
        for kept in (ProjectReading, RoundReading)
    )


def _changed_beside() -> ColumnElement[bool]:
    linked = (
        select(KeyResult)
        .join(KeyResultLink, KeyResultLink.key_result_id == KeyResult.id)
        .where(KeyResultLink.project_id == Project.id)
        .correlate(Project)
    )
    targets = (
        select(literal("metric:") + cast(Target.metric_id, String))
        .where(Target.project_id == Project.id)
        .correlate(Project),
        linked.with_only_columns(literal("key_result:") + cast(KeyResult.id, String)),
        linked.with_only_columns(literal("objective:") + cast(KeyResult.objective_id, String)),
    )
    since = Entry.seq > ProjectReading.through
    everywhere = exists().where(Entry.action.in_(_EVERYWHERE), since).correlate(ProjectReading)
    others = (
        exists()
        .where(
            Entry.action.in_(_BESIDE), since, or_(*(Entry.target.in_(query) for query in targets))
        )
        .correlate(ProjectReading, Project)
    )
    return or_(everywhere, and_(Project.closed_at.is_(None), others))


def _kept(row: ProjectReading) -> Picture:
    around = row.around
    return Picture(
        facts=tuple((label, value) for label, value in row.facts),
        parts={key: tuple(Line(*one) for one in lines) for key, lines in row.parts.items()},
        around=Surroundings(
            home_path=around["home_path"],
            team_paths=tuple(around["team_paths"]),
            people={name: frozenset(ids) for name, ids in around["people"].items()},
            co_editors=frozenset(around["co_editors"]),
            edited={
                int(person): datetime.fromisoformat(at) for person, at in around["edited"].items()
            },
        ),
        settled={gate: datetime.fromisoformat(at) for gate, at in row.settled.items()},
    )


def _plain(around: Surroundings) -> dict[str, Any]:
    return {
        "home_path": around.home_path,
        "team_paths": list(around.team_paths),
        "people": {name: sorted(ids) for name, ids in around.people.items()},
        "co_editors": sorted(around.co_editors),
        "edited": {str(person): at.isoformat() for person, at in (around.edited or {}).items()},
    }
