"""The list of projects: what its address asks for, its columns, and a page of lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select, true
from sqlalchemy.orm import aliased
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import db
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.projects.plan_models import BacklogPlace, Review, Scope
from okrgate.projects.review_forms import PRIORITIES
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process
from okrgate.rulebooks.standing import has_versions
from okrgate.stages import finding
from okrgate.stages.finding import SORTS, Place, Query
from okrgate.stages.models import StoredVerdict
from okrgate.stages.reading import Reader
from okrgate.web.filters import minor_digits
from okrgate.web.keys import pack, unpack, whole

PAGE = 50
MOST_EXPORTED = 10_000
_LONGEST = 100
SCOPES = ("all", "unit", "mine", "followed")
STATES = ("open", "ended", "all")


@dataclass(frozen=True)
class Column:
    """A column that can be shown. `sort` is the order its head offers, `first` that order's first direction."""

    key: str
    label: str
    sort: str = ""
    first: str = "asc"
    numeric: bool = False
    usual: bool = False


COLUMNS = (
    Column("stage", "Stage", usual=True),
    Column("missing", "Next gate", usual=True),
    Column("lead", "Lead", usual=True),
    Column("unit", "Unit", usual=True),
    Column("days", "Days here", "days", "desc", numeric=True, usual=True),
    Column("priority", "Priority"),
    Column("backlog", "Backlog"),
    Column("budget", "Budget", numeric=True),
    Column("outcome", "Outcome"),
    Column("updated", "Updated", "changed", "desc"),
)
USUAL = tuple(column.key for column in COLUMNS if column.usual)
_KNOWN = tuple(column.key for column in COLUMNS)


@dataclass(frozen=True)
class Wanted:
    """What the address of the list asks for. `view` is the saved view it began with."""

    query: Query = field(default_factory=Query)
    columns: tuple[str, ...] = USUAL
    view: int | None = None


@dataclass(frozen=True)
class Line:
    """A project in a list. The budget is there only for those who may see it (`private`)."""

    id: int
    reference: str
    title: str
    stage_id: str
    stage: str
    lead: str
    unit: str
    missing: int | None
    days: int
    changed_at: datetime
    adopted: bool
    draft: bool
    confidential: bool
    outcome: str | None
    closed: bool
    priority: str
    backlog: str
    rank: int | None
    private: bool
    budget_minor: int | None
    currency: str


@dataclass(frozen=True)
class Found:
    """A page of lines, and where the next one begins."""

    lines: Sequence[Line]
    next: str | None


def read(args: "MultiDict[str, str]") -> Wanted:
    """Read what an address asks for; whatever makes no sense counts as not asked."""
    sort = args.get("sort", "")
    sort = sort if sort in SORTS else "changed"
    first = "asc" if sort in ("title", "reference") else "desc"
    direction = args.get("direction", "")
    query = Query(
        text=args.get("q", "").strip()[:_LONGEST],
        stage=args.get("stage", "")[:60].replace("\0", ""),
        scope=_one_of(args.get("scope", ""), SCOPES),
        state=_one_of(args.get("state", ""), STATES),
        unit_id=whole(args.get("unit", "")),
        lead_id=whole(args.get("lead", "")),
        process_id=whole(args.get("process", "")),
        sort=sort,
        descending=(direction if direction in ("asc", "desc") else first) == "desc",
    )
    named = set(args.getlist("column"))
    columns = tuple(key for key in _KNOWN if key in named)
    return Wanted(query, columns or USUAL, whole(args.get("view", "")))


def arguments(wanted: Wanted, **other: Any) -> dict[str, Any]:
    """Return what an address says that asks for this; `other` replaces or, being None, takes away."""
    query = wanted.query
    said: dict[str, Any] = {
        "q": query.text or None,
        "stage": query.stage or None,
        # Always said: an address that asks for nothing opens with the view to start with.
        "scope": query.scope,
        "state": query.state if query.state != STATES[0] else None,
        "unit": query.unit_id,
        "lead": query.lead_id,
        "process": query.process_id,
        "sort": query.sort if query.sort != "changed" else None,
        "direction": _said_direction(query),
        "column": list(wanted.columns) if wanted.columns != USUAL else None,
        "view": wanted.view,
    }
    return {key: value for key, value in (said | other).items() if value is not None}


def page_of(query: Query, reader: Reader, *, after: str = "", limit: int = PAGE) -> Found:
    """Return a page of projects in the order asked for; `after` is where the page before ended."""
    ids = finding.ids_of(query, reader, after=_place(query, after), limit=limit + 1)
    rows = list(db.session().execute(ids, {"reader": reader.id})) if ids is not None else []
    shown, more = rows[:limit], len(rows) > limit
    lines = {line.id: line for line in lines_of([row.id for row in shown], reader)}
    return Found(
        [lines[row.id] for row in shown if row.id in lines],
        _place_text(shown[-1]) if more else None,
    )


def lines_of(ids: Sequence[int], reader: Reader) -> list[Line]:
    """Return the lines of these projects, in one query. Whether the reader may see them was asked before."""
    if not ids:
        return []
    query = _columns(reader.is_auditor, permissions.registered()).where(Project.id.in_(ids))
    return [_line(row) for row in db.session().execute(query, {"reader": reader.id})]


def all_lines(query: Query, reader: Reader) -> Iterator[Line]:
    """Yield every line that fits, in order, up to what is exported at most, while it is read."""
    ids = finding.ids_of(query, reader, limit=MOST_EXPORTED)
    if ids is None:
        return
    down = finding.order_of(query)[1]
    found = ids.subquery()
    columns = _columns(reader.is_auditor, permissions.registered())
    rows = columns.join(found, found.c.id == Project.id)
    rows = rows.order_by(
        *((each.desc() if down else each.asc()) for each in (found.c.place, found.c.id))
    )
    for row in db.session().execute(rows.execution_options(yield_per=500), {"reader": reader.id}):
        yield _line(row)


def stage_choices() -> list[tuple[str, str]]:
    """Return (id, label) of the stages of every binding rulebook."""
    found: dict[str, str] = {}
    for version in rulebooks.binding():
        for stage in rulebooks.rulebook(version.id).stages.values():
            found.setdefault(stage.id, stage.label)
    return list(found.items())


def process_choices() -> list[tuple[int, str]]:
    """Return (id, title) of every process that projects can be in."""
    rows = db.session().execute(
        select(Process.id, Process.title).where(has_versions(Process.id)).order_by(Process.title)
    )
    return [(row.id, row.title) for row in rows]


def lead_choices(chosen: int | None = None) -> list[tuple[int, str]]:
    """Return (id, name) of those who lead a project, and of whoever is chosen."""
    leads = select(Project.id).where(Project.lead_id == Person.id).exists()
    query = select(Person.id, Person.name).where(or_(leads, Person.id == chosen))
    return [(row.id, row.name) for row in db.session().execute(query.order_by(Person.name))]


def shown(columns: Iterable[str]) -> list[Column]:
    """Return these columns, in the order they have on the page."""
    wanted = set(columns)
    return [column for column in COLUMNS if column.key in wanted]


def header_of(columns: Sequence[Column]) -> list[str]:
    """Return the head of a file with these columns."""
    more = {
        "missing": ("Missing at the next gate",),
        "backlog": ("Backlog", "Rank"),
        "budget": ("Budget", "Currency"),
    }
    heads = [head for column in columns for head in more.get(column.key, (column.label,))]
    return ["Reference", "Title", *heads]


def cells(line: Line, columns: Sequence[Column], zone: tzinfo) -> tuple[object, ...]:
    """Return a line as a row of a file; moments in this zone, to the second."""
    budget = None
    if line.budget_minor is not None:
        budget = Decimal(line.budget_minor).scaleb(-minor_digits(line.currency))
    values: dict[str, tuple[object, ...]] = {
        "stage": (line.stage,),
        "missing": (line.missing,),
        "lead": (line.lead,),
        "unit": (line.unit,),
        "days": (line.days,),
        "priority": (line.priority,),
        "backlog": (line.backlog, line.rank),
        "budget": (budget, line.currency if budget is not None else ""),
        "outcome": (said_outcome(line.outcome),),
        "updated": (line.changed_at.astimezone(zone).replace(tzinfo=None, microsecond=0),),
    }
    found = [value for column in columns for value in values[column.key]]
    return (line.reference, line.title, *found)


def said_outcome(outcome: str | None) -> str:
    """Say how a project ended, in words."""
    return (outcome or "").replace("_", " ").capitalize()


@lru_cache(maxsize=8)
def _columns(is_auditor: bool, _registered: int) -> Select[*tuple[Any, ...]]:
    """Return the query for lines, without saying of which projects. It is built once."""
    lead, backlog = aliased(Person), aliased(OrgUnit)
    missing = (
        select(func.min(StoredVerdict.missing))
        .where(StoredVerdict.project_id == Project.id, StoredVerdict.position == 0)
        .correlate(Project)
        .scalar_subquery()
    )
    private = true() if is_auditor else permissions.reads_all(finding.READER)
    return (
        select(
            Project.id,
            Project.reference,
            Project.title,
            Project.rulebook_version_id,
            Project.stage,
            Project.stage_entered_at,
            Project.changed_at,
            Project.submitted_at,
            Project.closed_at,
            Project.adopted,
            Project.confidential,
            Project.outcome,
            lead.name.label("lead"),
            OrgUnit.name.label("unit"),
            missing.label("missing"),
            Review.priority,
            backlog.name.label("backlog"),
            BacklogPlace.rank,
            private.label("private"),
            Scope.budget_minor,
            Scope.currency,
        )
        .outerjoin(lead, lead.id == Project.lead_id)
        .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
        .outerjoin(Review, Review.project_id == Project.id)
        .outerjoin(
            BacklogPlace,
            and_(BacklogPlace.project_id == Project.id, Project.closed_at.is_(None)),
        )
        .outerjoin(backlog, backlog.id == BacklogPlace.unit_id)
        .outerjoin(Scope, Scope.project_id == Project.id)
    )


def _line(row: Row[*tuple[Any, ...]]) -> Line:
    stage = rulebooks.rulebook(row.rulebook_version_id).stages.get(row.stage)
    return Line(
        id=row.id,
        reference=row.reference,
        title=row.title,
        stage_id=row.stage,
        stage=stage.label if stage else row.stage,
        lead=row.lead or "",
        unit=row.unit or "",
        missing=row.missing,
        days=(clock.now() - row.stage_entered_at).days,
        changed_at=row.changed_at,
        adopted=row.adopted,
        draft=row.submitted_at is None,
        confidential=row.confidential,
        outcome=row.outcome,
        closed=row.closed_at is not None,
        priority=dict(PRIORITIES).get(row.priority or "", ""),
        backlog=row.backlog or "",
        rank=row.rank,
        private=bool(row.private),
        budget_minor=row.budget_minor if row.private else None,
        currency=(row.currency or "") if row.private else "",
    )


def _place_text(row: Row[*tuple[Any, ...]]) -> str:
    if isinstance(row.place, datetime):
        return pack(row.place, row.id)
    return f"{row.place}~{row.id}"


def _place(query: Query, text: str) -> Place | None:
    """Read where the page before ended; nothing for what this order cannot have."""
    if query.sort in finding.MOMENTS:
        return unpack(text)
    value, mark, number = text.rpartition("~")
    row = whole(number)
    return (value[:200], row) if mark and row is not None and "\0" not in value else None


def _said_direction(query: Query) -> str | None:
    usual = query.sort not in ("title", "reference")
    return None if query.descending == usual else "desc" if query.descending else "asc"


def _one_of(said: str, known: Sequence[str]) -> str:
    return said if said in known else known[0]
