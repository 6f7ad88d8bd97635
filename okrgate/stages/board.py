"""The board: one process as columns of cards, a column for each stage. Few queries, however many projects."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.approvals import entitlement
from okrgate.database import db
from okrgate.gates.model import Rulebook, Stage
from okrgate.projects import permissions
from okrgate.projects.models import CoEditor, Project
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages import listing, reading
from okrgate.stages.models import StoredVerdict
from okrgate.stages.reading import Move, Reader

CARDS = 20
MOST_COUNTED = 1000
_VERSIONS = 10


@dataclass(frozen=True)
class Card:
    """A project on the board, and where it can go from here."""

    reference: str
    title: str
    lead: str
    days: int
    missing: int | None
    draft: bool
    moves: Sequence[Move]


@dataclass(frozen=True)
class Stack:
    """A stage with its newest cards. `count` ends at MOST_COUNTED; `aside` are stages off the way, shown folded."""

    id: str
    label: str
    count: int
    cards: Sequence[Card]
    aside: bool

    @property
    def more(self) -> int:
        """Return how many projects are there besides the cards."""
        return self.count - len(self.cards)

    @property
    def is_all(self) -> bool:
        """Tell whether everything was counted."""
        return self.count < MOST_COUNTED


@dataclass(frozen=True)
class Board:
    """A process (none: there is none yet), its stacks, and the others to choose from."""

    process_id: int | None
    processes: Sequence[tuple[int, str]]
    stacks: Sequence[Stack]


def of(process_id: int | None, reader: Reader) -> Board:
    """Return the board of a process, of the first one if this is none."""
    processes = listing.process_choices()
    known = [one for one, _title in processes]
    chosen = process_id if process_id in known else (known[0] if known else None)
    stages = _stages(chosen) if chosen is not None else {}
    if chosen is None or not stages:
        return Board(chosen, processes, ())
    counts = _counts(chosen, list(stages), reader)
    cards = _cards(chosen, [one for one in stages if counts[one]], reader)
    return Board(
        chosen,
        processes,
        [
            Stack(
                one, stage.label, counts[one], cards.get(one, ()), stage.holding or stage.terminal
            )
            for one, stage in stages.items()
            if counts[one] or not (stage.holding or stage.terminal)
        ],
    )


def _stages(process_id: int) -> dict[str, Stage]:
    """Return the stages of a process: those of its newest rules, then any that only older ones have."""
    versions = db.session().scalars(
        select(RulebookVersion.id)
        .where(
            RulebookVersion.process_id == process_id,
            RulebookVersion.effective_from <= clock.now(),
        )
        .order_by(RulebookVersion.number.desc())
        .limit(_VERSIONS)
    )
    found: dict[str, Stage] = {}
    for version in list(versions):
        for stage in rulebooks.rulebook(version).stages.values():
            found.setdefault(stage.id, stage)
    return found


def _seen(process_id: int, stage: str, reader: Reader) -> Select[int]:
    clause = permissions.visible_clause(reader.id, is_auditor=reader.is_auditor)
    return select(Project.id).where(
        Project.stage == stage, Project.process_id == process_id, clause
    )


def _counts(process_id: int, stages: Sequence[str], reader: Reader) -> dict[str, int]:
    counted = (
        select(func.count())
        .select_from(_seen(process_id, one, reader).limit(MOST_COUNTED).subquery())
        .scalar_subquery()
        for one in stages
    )
    return dict(zip(stages, db.session().execute(select(*counted)).one(), strict=True))


def _cards(process_id: int, stages: Sequence[str], reader: Reader) -> Mapping[str, list[Card]]:
    """Return the cards of each stage, the latest changed first."""
    if not stages:
        return {}
    newest = (
        _seen(process_id, one, reader)
        .order_by(Project.changed_at.desc(), Project.id.desc())
        .limit(CARDS)
        .subquery()
        for one in stages
    )
    ids = union_all(*(select(one.c.id) for one in newest))
    lead = aliased(Person)
    rows = list(
        db.session().execute(
            select(Project, lead.name, OrgUnit)
            .outerjoin(lead, lead.id == Project.lead_id)
            .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
            .where(Project.id.in_(ids))
            .order_by(Project.changed_at.desc(), Project.id.desc())
        )
    )
    books = {row[0].rulebook_version_id for row in rows}
    held = _held([rulebooks.rulebook(one) for one in books], reader)
    shown = [row[0].id for row in rows]
    editors, verdicts = _co_editors(shown), _verdicts(shown)
    found: dict[str, list[Card]] = defaultdict(list)
    now = clock.now()
    for project, lead_name, unit in rows:
        around = reading.light_surroundings(project, unit, editors.get(project.id, frozenset()))
        found[project.stage].append(
            _card(project, lead_name, verdicts.get(project.id, []), held, around, reader, now)
        )
    return found


def _card(
    project: Project,
    lead: str | None,
    verdicts: Sequence[Any],
    held: Sequence[directory.Holding],
    around: entitlement.Surroundings,
    reader: Reader,
    now: datetime,
) -> Card:
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    roles = entitlement.roles_held(rulebook, held, around, reader.id)
    missing = [row.missing for row in verdicts if row.position == 0]
    return Card(
        reference=project.reference,
        title=project.title,
        lead=lead or "",
        days=(now - project.stage_entered_at).days,
        missing=min(missing) if missing else None,
        draft=project.submitted_at is None,
        moves=reading.moves_from(rulebook, project.stage, roles, verdicts),
    )


def _held(books: Sequence[Rulebook], reader: Reader) -> Sequence[directory.Holding]:
    roles = {role for book in books for role in entitlement.org_roles(book)}
    return directory.holdings(roles, person=reader.id) if roles else []


def _co_editors(ids: Sequence[int]) -> dict[int, frozenset[int]]:
    rows = db.session().execute(
        select(CoEditor.project_id, CoEditor.person_id).where(CoEditor.project_id.in_(ids))
    )
    found: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        found[row.project_id].add(row.person_id)
    return {project: frozenset(people) for project, people in found.items()}


def _verdicts(ids: Sequence[int]) -> dict[int, list[Any]]:
    """Return how each move was last judged, without what the verdicts say."""
    rows = db.session().execute(
        select(
            StoredVerdict.project_id,
            StoredVerdict.transition,
            StoredVerdict.position,
            StoredVerdict.allowed,
            StoredVerdict.missing,
        ).where(StoredVerdict.project_id.in_(ids))
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.project_id].append(row)
    return found
