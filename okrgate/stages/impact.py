"""What a draft of the rules would do to the projects there are: judged by the rules each lives under, and by the draft.

Facts are gathered here, slice by slice; both texts are judged in a process of its own (impact_judging.py). A verdict
here binds nobody. What is found is nobody's view yet: impact_telling.py says what somebody may be told of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from okrgate.approvals import entitlement
from okrgate.approvals.entitlement import Surroundings
from okrgate.database import db, remembering
from okrgate.gates.model import Rulebook
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
from okrgate.stages.impact_report import Found, Impact, Sought
from okrgate.stages.impact_telling import tell
from okrgate.stages.replaying import Replayed

PAGE = 50
MOST_OPEN = 1_000
MOST_CLOSED = 500
_STEP = 200
_SECONDS = 60.0
_NAMES = 5
_UNREADABLE = "What is stored about this project cannot be read."


@dataclass(frozen=True)
class Looked:
    """What was found of many projects, the newest first, whoever may read it. `left_out` were not looked at."""

    found: tuple[Found, ...]
    stages: tuple[str, ...]
    left_out: int
    replayed: Replayed


class Look:
    """One draft against projects of its process."""

    def __init__(self, draft: Rulebook) -> None:
        """Begin with no project looked at."""
        self.draft = draft
        self.rulebooks: dict[int, Rulebook] = {}
        self._touched: dict[tuple[int, str, bool], bool] = {}
        self._around: dict[int, Surroundings] = {}

    def at(self, projects: Sequence[Project]) -> list[Found] | str:
        """Return what becomes of each of these projects, or a sentence that says why nothing can be told."""
        self._around = {}
        for version in {one.rulebook_version_id for one in projects} - self.rulebooks.keys():
            self.rulebooks[version] = rulebooks.rulebook(version)
        results = self._results([one for one in projects if self._is_touched(one)])
        if isinstance(results, str):
            return results
        by_id = {one.project_id: one for one in results}
        with remembering({}):
            return [self._found(one, by_id.get(one.id) or Result(one.id, SAME)) for one in projects]

    @property
    def stages(self) -> tuple[str, ...]:
        """Return the labels of all stages there are, in their order."""
        labels = [one.label for book in self.rulebooks.values() for one in book.stages.values()]
        return tuple(dict.fromkeys(labels))

    def _results(self, touched: Sequence[Project]) -> list[Result] | str:
        found: list[Result] = []
        standing: list[Standing] = []
        judgeable = []
        for one in touched:
            if one.closed_at is None and one.stage not in self.draft.stages:
                found.append(Result(one.id, STAGELESS))
            else:
                judgeable.append(one)
        for start in range(0, len(judgeable), _STEP):
            step = judgeable[start : start + _STEP]
            for made in with_facts_of(step, self.rulebooks, self._standing):
                if isinstance(made, Standing):
                    standing.append(made)
                else:
                    found.append(made)
        if not standing:
            return found
        judged = judge_all(self.rulebooks, self.draft, standing, seconds=_SECONDS)
        return judged if isinstance(judged, str) else [*found, *judged]

    def _own(self, project: Project) -> Rulebook:
        return self.rulebooks[project.rulebook_version_id]

    def _is_touched(self, project: Project) -> bool:
        stage, closed = self._stage(project), project.closed_at is not None
        key = project.rulebook_version_id, stage, closed
        if key not in self._touched:
            self._touched[key] = (not closed and stage not in self.draft.stages) or bool(
                pairs(self._own(project), self.draft, stage, closed=closed)
            )
        return self._touched[key]

    def _stage(self, project: Project) -> str:
        """Return the stage whose gates lie ahead: of a project on hold the one it was held in."""
        stage = self._own(project).stages.get(project.stage)
        return (
            project.parked_from
            if stage and stage.holding and project.parked_from
            else project.stage
        )

    def _standing(self, project: Project, snapshot: Snapshot | None) -> Standing | Result:
        if snapshot is None:
            return Result(project.id, UNJUDGED, problem=_UNREADABLE)
        self._around[project.id] = snapshot.around
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

    def _found(self, project: Project, result: Result) -> Found:
        stage = self._own(project).stages.get(project.stage)
        return Found(
            project_id=project.id,
            kind=result.kind,
            closed=project.closed_at is not None,
            stage=stage.label if stage is not None else project.stage,
            private=result.private,
            asked=result.asked,
            dropped=result.dropped,
            needed=tuple(self._sought(project, place) for place in result.places),
            problem=result.problem,
        )

    def _sought(self, project: Project, place: Place) -> Sought:
        around = self._around[project.id]
        held = entitlement.holders(self.draft, place.roles, around)
        never = set(entitlement.barred(project, self.draft, around)).union(
            *(around.people.get(fact, ()) for fact in place.excluded)
        )
        people = sorted(frozenset().union(*held.values()) - never)
        roles = " or ".join(self.draft.roles[role].label for role in place.roles)
        return Sought(place.gate, roles, place.need, tuple(people[:_NAMES]))


def look(key: str, text: str) -> Looked | str:
    """Return what a sound text would do to the newest projects, or a sentence that says why that cannot be told."""
    work = Look(rulebooks.parsed(text))
    mine = Project.process_id == select(Process.id).where(Process.key == key).scalar_subquery()
    is_open = Project.closed_at.is_(None)
    projects = [*_newest(mine & is_open, MOST_OPEN), *_newest(mine & ~is_open, MOST_CLOSED)]
    count = db.session().scalar(select(func.count()).select_from(Project).where(mine)) or 0
    found = work.at(sorted(projects, key=lambda one: -one.id))
    if isinstance(found, str):
        return found
    replayed = replaying.look(key, work.draft)
    return Looked(tuple(found), work.stages, count - len(projects), replayed)


def of(
    key: str, text: str, *, reader: int | None, before: int | None = None, most: int = PAGE
) -> Impact:
    """Return what a sound text would do. `reader` None: whoever runs the installation, who sees all names."""
    looked = look(key, text)
    if isinstance(looked, str):
        return Impact({}, {}, problem=unknown(looked))
    return tell(looked, reader=reader, before=before, most=most)


def looked_at(process_id: int) -> set[int]:
    """Return the open projects that `of` looks at: the newest, as many as it takes."""
    mine = (Project.process_id == process_id) & Project.closed_at.is_(None)
    return {one.id for one in _newest(mine, MOST_OPEN)}


def unknown(problem: str) -> str:
    """Return the sentence that says why there is no answer."""
    return f"The impact could not be worked out: {problem}."


def _newest(condition: ColumnElement[bool], most: int) -> list[Project]:
    query = select(Project).where(condition).order_by(Project.id.desc()).limit(most)
    return list(db.session().scalars(query))
