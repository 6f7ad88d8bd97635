"""What a draft of the rules would do to the projects there are: judged by the rules each lives under, and by the draft.

Facts are gathered here, page by page; both texts are judged in a process of its own (impact_judging.py). A verdict here
binds nobody and is kept nowhere.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, func, select

from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals.entitlement import Surroundings
from okrgate.database import db, remembering
from okrgate.gates.model import Rulebook
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process
from okrgate.stages import replaying
from okrgate.stages.facts import Snapshot, answers_to
from okrgate.stages.impact_facts import with_facts_of
from okrgate.stages.impact_judging import (
    SAME,
    STAGELESS,
    UNJUDGED,
    Place,
    Result,
    Standing,
    judge_all,
    pairs,
)
from okrgate.stages.impact_report import Affected, Counted, Impact, Needed

PAGE = 50
MOST_OPEN = 1_000
MOST_CLOSED = 500
_STEP = 200
_SECONDS = 60.0
_NAMES = 5
_UNREADABLE = "What is stored about this project cannot be read."


@dataclass(frozen=True)
class _Known:
    """What is kept of a project until its page is made."""

    project: Project
    around: Surroundings | None = None


class _Work:
    """One draft against the projects of its process."""

    def __init__(self, key: str, text: str) -> None:
        self.draft = rulebooks.parsed(text)
        process = select(Process.id).where(Process.key == key).scalar_subquery()
        mine = Project.process_id == process
        self.is_open = Project.closed_at.is_(None)
        self.projects = [
            *_newest(mine & self.is_open, MOST_OPEN),
            *_newest(mine & ~self.is_open, MOST_CLOSED),
        ]
        count = db.session().scalar(select(func.count()).select_from(Project).where(mine)) or 0
        self.left_out = count - len(self.projects)
        versions = {one.rulebook_version_id for one in self.projects}
        self.rulebooks = {one: rulebooks.rulebook(one) for one in versions}
        self.around: dict[int, Surroundings] = {}
        self._touched: dict[tuple[int, str, bool], bool] = {}

    def results(self) -> list[Result] | str:
        """Return what becomes of every project for which anything may change."""
        found: list[Result] = []
        standing: list[Standing] = []
        touched = []
        for one in self.projects:
            if one.closed_at is None and one.stage not in self.draft.stages:
                found.append(Result(one.id, STAGELESS))
            elif self._is_touched(one):
                touched.append(one)
        for start in range(0, len(touched), _STEP):
            step = touched[start : start + _STEP]
            for made in with_facts_of(step, self.rulebooks, self._standing):
                if isinstance(made, Standing):
                    standing.append(made)
                else:
                    found.append(made)
        if not standing:
            return found
        judged = judge_all(self.rulebooks, self.draft, standing, seconds=_SECONDS)
        return judged if isinstance(judged, str) else [*found, *judged]

    def own(self, project: Project) -> Rulebook:
        """Return the rules a project lives under."""
        return self.rulebooks[project.rulebook_version_id]

    def _is_touched(self, project: Project) -> bool:
        stage, closed = self._stage(project), project.closed_at is not None
        key = project.rulebook_version_id, stage, closed
        if key not in self._touched:
            own = self.own(project)
            self._touched[key] = (not closed and stage not in self.draft.stages) or bool(
                pairs(own, self.draft, stage, closed=closed)
            )
        return self._touched[key]

    def _stage(self, project: Project) -> str:
        """Return the stage whose gates lie ahead: of a project on hold the one it was held in."""
        stage = self.own(project).stages.get(project.stage)
        return (
            project.parked_from
            if stage and stage.holding and project.parked_from
            else project.stage
        )

    def _standing(self, project: Project, snapshot: Snapshot | None) -> Standing | Result:
        if snapshot is None:
            return Result(project.id, UNJUDGED, problem=_UNREADABLE)
        self.around[project.id] = snapshot.around
        return Standing(
            project_id=project.id,
            version=project.rulebook_version_id,
            stage=self._stage(project),
            closed=project.closed_at is not None,
            today=snapshot.today,
            values=dict(snapshot.values),
            answers=answers_to(project, self.draft),
            collections={name: list(rows) for name, rows in snapshot.collections.items()},
            waivers=snapshot.waivers,
            signed=dict(snapshot.signed),
        )


def of(
    key: str, text: str, *, reader: int | None, before: int | None = None, most: int = PAGE
) -> Impact:
    """Return what a sound text would do. `reader` None: whoever runs the installation, who sees all names."""
    work = _Work(key, text)
    results = work.results()
    if isinstance(results, str):
        return Impact({}, {}, problem=f"The impact could not be worked out: {results}.")
    by_id = {one.project_id: one for one in results}
    changed = sorted((one for one in results if one.kind != SAME), key=lambda one: -one.project_id)
    shown = _shown(changed, reader)
    # Of the others not even the place among their neighbours is told: it would say which they are.
    wanted = [one for one in changed if one.project_id in shown]
    wanted = [one for one in wanted if before is None or one.project_id < before]
    page = wanted[:most]
    nameless = [one for one in changed if one.project_id not in shown] if before is None else []
    kinds = {one.id: by_id[one.id].kind if one.id in by_id else SAME for one in work.projects}
    return Impact(
        open=_count(kinds, work.projects, closed=False),
        closed=_count(kinds, work.projects, closed=True),
        stages=tuple(_by_stage(work, kinds)),
        affected=(*_named(work, page), *_nameless(work, nameless)[:most]),
        older=page[-1].project_id if page and len(wanted) > most else None,
        left_out=work.left_out,
        replay=replaying.of(key, work.draft, reader=reader) if before is None else None,
    )


def _newest(condition: ColumnElement[bool], most: int) -> list[Project]:
    query = select(Project).where(condition).order_by(Project.id.desc()).limit(most)
    return list(db.session().scalars(query))


def _count(
    kinds: Mapping[int, str], projects: Iterable[Project], *, closed: bool
) -> Mapping[str, int]:
    return dict(Counter(kinds[one.id] for one in projects if (one.closed_at is not None) == closed))


def _by_stage(work: _Work, kinds: Mapping[int, str]) -> Iterable[Counted]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    order: dict[str, None] = {}
    for rulebook in work.rulebooks.values():
        order.update(dict.fromkeys(stage.label for stage in rulebook.stages.values()))
    for one in work.projects:
        if one.closed_at is None:
            found[_label(work, one)][kinds[one.id]] += 1
    for label in [*order, *(label for label in found if label not in order)]:
        if any(kind != SAME for kind in found.get(label, ())):
            yield Counted(label, dict(found[label]))


def _label(work: _Work, project: Project) -> str:
    stage = work.own(project).stages.get(project.stage)
    return stage.label if stage is not None else project.stage


def _named(work: _Work, page: Sequence[Result]) -> Iterable[Affected]:
    projects = {one.id: one for one in work.projects}
    people = [
        person
        for one in page
        for person in (projects[one.project_id].lead_id, projects[one.project_id].submitter_id)
    ]
    with remembering({}):
        names = directory.names(people)
        for result in page:
            yield _affected(work, result, projects[result.project_id], names)


def _nameless(work: _Work, results: Sequence[Result]) -> list[Affected]:
    projects = {one.id: one for one in work.projects}
    found = []
    for result in results:
        project = projects[result.project_id]
        found.append(Affected(0, result.kind, project.closed_at is not None, _label(work, project)))
    return sorted(found, key=lambda one: (one.stage, one.kind))


def _shown(results: Sequence[Result], reader: int | None) -> set[int]:
    """Return which projects may be named: those somebody may read, all that this turns on included."""
    ids = [one.project_id for one in results]
    if reader is None:
        return set(ids)
    clause = permissions.visible_clause(reader, is_auditor=False)
    query = select(Project.id, permissions.reads_all(reader)).where(Project.id.in_(ids), clause)
    private = {one.project_id for one in results if one.private}
    found = db.session().execute(query)
    return {number for number, reads_all in found if reads_all or number not in private}


def _affected(work: _Work, result: Result, project: Project, names: Mapping[int, str]) -> Affected:
    return Affected(
        project_id=project.id,
        kind=result.kind,
        closed=project.closed_at is not None,
        stage=_label(work, project),
        reference=project.reference,
        title=project.title,
        lead=names.get(project.lead_id or project.submitter_id, ""),
        asked=result.asked,
        dropped=result.dropped,
        needed=tuple(map(partial(_needed, work.draft, project, work.around), result.places)),
        problem=result.problem,
    )


def _needed(
    draft: Rulebook, project: Project, arounds: Mapping[int, Surroundings], place: Place
) -> Needed:
    around = arounds[project.id]
    held = entitlement.holders(draft, place.roles, around)
    never = set(entitlement.barred(project, draft, around)).union(
        *(around.people.get(fact, ()) for fact in place.excluded)
    )
    people = sorted(frozenset().union(*held.values()) - never)
    names = directory.names(people)
    return Needed(
        gate=place.gate,
        roles=" or ".join(draft.roles[role].label for role in place.roles),
        count=place.need,
        holders=tuple(names[one] for one in people[:_NAMES] if one in names),
    )
