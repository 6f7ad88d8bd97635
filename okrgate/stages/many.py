"""Decide on many projects at once: what can be decided together, and then each decision for itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.approvals import entitlement, refusals
from okrgate.approvals import queue as waiting
from okrgate.approvals.models import Round
from okrgate.approvals.queue import TOGETHER, Waiting
from okrgate.approvals.service import MOVING
from okrgate.database import db
from okrgate.errors import Forbidden, Invalid, NotFound, Refused
from okrgate.gates.engine import GateUnjudgeable
from okrgate.gates.model import Rulebook, Transition
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import reading
from okrgate.stages.reading import Reader
from okrgate.stages.signing import decide
from okrgate.stages.standing import Ask
from okrgate.web import again

__all__ = ["MOST", "TOGETHER", "Result", "Selection", "choose", "decide_each"]

log = structlog.get_logger()

MOST = 50
_SPOKEN = {
    "approved": "You approve “{gate}” for {projects}",
    "returned": "You send {projects} back from “{gate}”",
    "held": "You put {projects} on hold at “{gate}”",
}
_ALONE = "Decide it on its own page."
_STRICT = f"This gate asks for your second factor for each decision. {_ALONE}"
_NO_MOVE = {
    "returned": "You cannot send this one back from the list; its own page says what you can do.",
    "held": "You cannot put this one on hold from the list; its own page says what you can do.",
}


@dataclass(frozen=True)
class LeftOut:
    """A project that was chosen and is not decided with the others, and why."""

    round_id: int
    reference: str
    title: str
    because: str


@dataclass(frozen=True)
class Selection:
    """What one person is about to decide together: projects at one gate, and the moves all of them can take.

    Chosen at several gates, `gates` holds (label, round ids) of each and nothing can be decided yet. `gone` counts what
    waits for this person no more.
    """

    decision: str
    rows: tuple[Waiting, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    moves: tuple[Transition, ...] = ()
    gates: tuple[tuple[str, tuple[int, ...]], ...] = ()
    gone: int = 0

    @property
    def sentence(self) -> str:
        """Say what is about to be done, with the gate and the count."""
        count = len(self.rows)
        projects = f"{count} project{'s' if count != 1 else ''}"
        gate = self.rows[0].gate if self.rows else ""
        return _SPOKEN[self.decision].format(gate=gate, projects=projects)

    @property
    def asks(self) -> frozenset[str]:
        """Return what the moves ask for beside a reason."""
        return frozenset(one for move in self.moves for one in move.asks)


@dataclass(frozen=True)
class Result:
    """What became of one project: its receipt, or why nothing was recorded. A hidden project has no name."""

    round_id: int
    reference: str = ""
    title: str = ""
    receipt_id: int | None = None
    refusal: str = ""


def choose(person: int, rounds: Sequence[int], decision: str) -> Selection:
    """Return what of these rounds somebody may decide together. Few questions, however many they are."""
    wanted = list(dict.fromkeys(rounds))[:MOST]
    rows = waiting.waiting_among(person, wanted)
    gone = len(wanted) - len(rows)
    apart = _apart(person, rows)
    out = tuple(LeftOut(one.round_id, one.reference, one.title, why) for one, why in apart)
    rows = [one for one in rows if one not in [left for left, _ in apart]]
    groups: dict[str, list[Waiting]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    if len(groups) > 1:
        gates = tuple((found[0].gate, _ids(found)) for found in groups.values())
        return Selection(decision, left_out=out, gates=gates, gone=gone)
    found = Selection(decision, tuple(rows), left_out=out, gone=gone)
    return _with_moves(person, found) if decision in MOVING and rows else found


def _apart(person: int, rows: Sequence[Waiting]) -> list[tuple[Waiting, str]]:
    """Return what each decision of has to be taken on its own page, and why."""
    own = waiting.own_among(person, [one.round_id for one in rows if one.stands_for])
    found = []
    for one in rows:
        if one.strict:
            found.append((one, _STRICT))
        elif one.stands_for and one.round_id not in own:
            found.append((one, f"You stand in here for {' and '.join(one.stands_for)}. {_ALONE}"))
    return found


def decide_each(
    seen: Mapping[int, str], ask: Ask, reader: Reader, *, key: str
) -> tuple[Result, ...]:
    """Record the same decision in each of these rounds (id → digest of what was seen): each stands or falls alone.

    The same `key` twice decides nothing twice. Raises Invalid when something is missing that would be missing in all.
    """
    found: list[Result] = []
    for number, digest in list(seen.items())[:MOST]:
        own = replace(ask, digest=digest, key=f"{key}-{number}")
        try:
            found.append(_decide_one(number, own, reader))
        except Invalid as problem:
            if not found:
                raise
            said = " ".join(problem.fields.values()) or problem.sentence
            found.append(_named(Result(number, refusal=said), reader))
    return tuple(found)


def _decide_one(number: int, ask: Ask, reader: Reader) -> Result:
    """Decide on one, and say what became of it; nobody learns more of a project than its own page would tell."""
    try:
        loaded, _round = reading.load_round(number, reader)
    except NotFound as missing:
        return Result(number, refusal=missing.sentence)
    result = Result(number, loaded.project.reference, loaded.project.title)
    try:
        return replace(result, receipt_id=_stored(number, ask, reader.id))
    except Invalid:
        raise
    except Refused as refusal:
        db.session().rollback()
        if isinstance(refusal, Forbidden):
            refusals.note(
                db.session().get_one(Round, number), by=reader.id, sentence=refusal.sentence
            )
        return replace(result, refusal=refusal.sentence)
    except GateUnjudgeable as doubt:
        db.session().rollback()
        return replace(result, refusal=f"{doubt} Nothing was changed; tell an administrator.")
    except DBAPIError as problem:
        db.session().rollback()
        log.error("one of many not stored", round=number, problem=str(problem.orig))
        said = "The database could not take this one. Reload this page to try it again."
        return replace(result, refusal=said)


def _stored(number: int, ask: Ask, person: int) -> int:
    """Decide, and again where the database says that the next attempt may well succeed."""
    for _attempt in range(again.TIMES):
        try:
            return decide(number, ask, by=person)
        except DBAPIError as problem:
            if not again.passes(problem):
                raise
            db.session().rollback()
    return decide(number, ask, by=person)


def _named(result: Result, reader: Reader) -> Result:
    try:
        loaded, _ = reading.load_round(result.round_id, reader)
    except NotFound:
        return result
    return replace(result, reference=loaded.project.reference, title=loaded.project.title)


def _with_moves(person: int, found: Selection) -> Selection:
    """Keep the rows whose project this person may move so, and the moves that all of these can take."""
    ways = _ways(person, found.rows, MOVING[found.decision])
    rows = tuple(row for row in found.rows if ways[row.round_id])
    shared = (
        frozenset.intersection(*(frozenset(ways[row.round_id]) for row in rows))
        if rows
        else frozenset()
    )
    out = [row for row in found.rows if row not in rows] if shared else list(found.rows)
    first = ways[rows[0].round_id] if rows else {}
    return replace(
        found,
        rows=rows if shared else (),
        left_out=found.left_out
        + tuple(
            LeftOut(row.round_id, row.reference, row.title, _NO_MOVE[found.decision]) for row in out
        ),
        moves=tuple(first[one] for one in first if one in shared),
    )


def _ways(person: int, rows: Sequence[Waiting], kind: str) -> dict[int, dict[str, Transition]]:
    """Return for each round the moves of this kind that somebody may take. What hangs on teams is left to the project's own page."""
    units = db.session().execute(
        select(Project, OrgUnit)
        .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
        .where(Project.id.in_([row.project_id for row in rows]))
    )
    known = {project.id: (project, unit) for project, unit in units}
    books: dict[int, Rulebook] = {
        project.rulebook_version_id: rulebooks.rulebook(project.rulebook_version_id)
        for project, _ in known.values()
    }
    asked = {role for book in books.values() for role in entitlement.org_roles(book)}
    held = tuple(directory.holdings(sorted(asked), person=person))
    found: dict[int, dict[str, Transition]] = {}
    for row in rows:
        project, unit = known[row.project_id]
        book = books[project.rulebook_version_id]
        around = reading.light_surroundings(project, unit, frozenset())
        roles = entitlement.roles_held(book, held, around, person)
        found[row.round_id] = {
            one.id: one
            for one in book.transitions_from(project.stage)
            if one.kind == kind and roles & set(one.by)
        }
    return found


def _ids(rows: Sequence[Waiting]) -> tuple[int, ...]:
    return tuple(row.round_id for row in rows)
