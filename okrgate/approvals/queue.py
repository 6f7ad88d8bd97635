"""The approval queue: what waits for one person, the most urgent first, and what they decided before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.approvals import stand_ins
from okrgate.approvals.asking import ask, gate_label, sums_of
from okrgate.approvals.changes import changed_names
from okrgate.approvals.models import Round, Seat, SignoffRow
from okrgate.approvals.seating import Seating, Word, seating
from okrgate.database import db
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from okrgate.rulebooks import service as rulebooks
from okrgate.web.keys import pack, unpack, whole

PAGE = 25
CAP = 100
# As many are counted by colour; whoever has more of them waiting needs no exact number.
MANY = 1000
DUES = {"overdue": "Overdue", "week": "Due within a week", "later": "Later, or no date"}
# What may be decided on many at once: to decline is final and to object is about one project, so neither is done by the dozen.
TOGETHER = {"approved": "Approve", "returned": "Send back", "held": "Put on hold"}
WHOSE = {"own": "In my own name", "others": "I stand in"}
_NO_DAY = date.max


@dataclass(frozen=True)
class Waiting:
    """One round that waits for somebody. `changed` names what differs from what they decided on last.

    Those with the same `group` ask for the same gate of the same process.
    `stands_for` names those for whom they may decide in it; at a `strict` gate each decision asks for a second factor.
    """

    round_id: int
    project_id: int
    reference: str
    title: str
    gate: str
    asks: tuple[str, ...]
    submitter: str
    since: datetime
    due: date | None
    late: bool
    number: int
    digest: str
    group: str
    key: str = ""
    ask: str = ""
    sums: tuple[str, ...] = ()
    unit: str = ""
    seats: Seating | None = None
    changed: tuple[str, ...] = ()
    decided_before: bool = False
    stands_for: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True)
class Narrowed:
    """What of the queue is shown: a gate, a unit, one of DUES, one of WHOSE, a stage, from which budget; empty means all.

    `meeting` narrows nothing: it only says from which meeting somebody came to decide, and goes back.
    """

    gate: str = ""
    unit: int | None = None
    due: str = ""
    whose: str = ""
    stage: str = ""
    money: int | None = None
    meeting: int | None = None

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Narrowed":
        """Read it from an address; what makes no sense narrows nothing."""
        due, whose = said.get("due", ""), said.get("whose", "")
        return cls(
            said.get("gate", "")[:60],
            whole(said.get("unit", "")),
            due if due in DUES else "",
            whose if whose in WHOSE else "",
            said.get("stage", "")[:60],
            whole(said.get("money", "")),
            whole(said.get("meeting", "")),
        )

    @property
    def needs_project(self) -> bool:
        """Tell whether it asks for what stands in the project's own row."""
        return self.unit is not None or bool(self.stage)

    def words(self) -> dict[str, Any]:
        """Return what an address must carry to say the same."""
        said = {
            "gate": self.gate,
            "unit": self.unit,
            "due": self.due,
            "whose": self.whose,
            "stage": self.stage,
            "money": self.money,
            "meeting": self.meeting,
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class Choices:
    """What one person's queue can be narrowed to."""

    gates: tuple[tuple[str, str], ...]
    units: tuple[tuple[int, str], ...]
    stages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a round stands in somebody's queue: its neighbours, and the most urgent, as (round id, what it is called)."""

    number: int
    of: int
    previous: tuple[int, str] | None
    next: tuple[int, str] | None
    first: tuple[int, str] | None


def count(person: int | BindParameter[int]) -> Select[int]:
    """Return a query for how many rounds wait for somebody, at most CAP."""
    rounds = stand_ins.rounds_asked(person).limit(CAP)
    return select(func.count()).select_from(rounds.subquery())


def waiting_for(
    person: int, *, limit: int = PAGE, wanted: Narrowed | None = None, after: str = ""
) -> list[Waiting]:
    """Return the rounds that wait for somebody: by due date, then by age; those after the row with key `after`."""
    return _rows(person, _chosen(person, limit, wanted or Narrowed(), after))


def waiting_among(person: int, rounds: Sequence[int]) -> list[Waiting]:
    """Return those of these rounds that wait for somebody, in the order of the queue."""
    return _rows(person, select(Round.id).where(_mine(person), Round.id.in_(rounds)))


def about(person: int, rounds: Sequence[int]) -> list[Waiting]:
    """Return these rounds as this person would read them, whoever they wait for. The caller has checked who may read."""
    return _rows(person, select(Round.id).where(Round.id.in_(rounds)), for_whom=False)


def own_among(person: int, rounds: Sequence[int]) -> set[int]:
    """Return the ids of those of these rounds that wait for somebody in their own name."""
    query = select(Round.id).where(_mine(person, "own"), Round.id.in_(rounds))
    return set(db.session().scalars(query))


def _rows(person: int, chosen: Select[int], *, for_whom: bool = True) -> list[Waiting]:
    query = (
        select(Round, Project, Person.name, OrgUnit.name.label("unit"), Scope)
        .join(Project, Project.id == Round.project_id)
        .join(Person, Person.id == Project.submitter_id)
        .outerjoin(OrgUnit, OrgUnit.id == Project.home_unit_id)
        .outerjoin(Scope, Scope.project_id == Project.id)
        .where(Round.id.in_(chosen))
        .order_by(*_ORDER)
    )
    rows = db.session().execute(query).all()
    rounds = [row.Round for row in rows]
    if not rounds:
        return []
    versions = {one.rulebook_version_id for one in rounds}
    books = {version: rulebooks.rulebook(version) for version in versions}
    stands = _seatings(rounds, books)
    last = last_decided(person, rounds)
    others = _for_whom(person, rounds) if for_whom else {}
    today = clock.today()
    return [
        replace(
            _waiting(row.Round, row.Project, row.name, books, today),
            unit=row.unit or "",
            sums=sums_of(row.Scope),
            seats=stands[row.Round.id],
            asks=stands[row.Round.id].asks,
            changed=_changed(row.Round, last.get(row.Round.project_id), books),
            decided_before=row.Round.project_id in last,
            stands_for=others.get(row.Round.id, ()),
        )
        for row in rows
    ]


def _for_whom(person: int, rounds: Sequence[Round]) -> dict[int, tuple[str, ...]]:
    """Return the names of those for whom somebody may decide in each round. One query, two for a stand-in."""
    found = stand_ins.stands_for(person, [one.id for one in rounds])
    names = directory.names(one for people in found.values() for one in people)
    return {
        number: tuple(names.get(one, "somebody") for one in people)
        for number, people in found.items()
    }


def _chosen(person: int, limit: int, wanted: Narrowed, after: str) -> Select[int]:
    """Return a query for which rounds to show: it sorts numbers only, however many wait."""
    query = select(Round.id).where(_mine(person, wanted.whose), *_conditions(wanted))
    if wanted.needs_project:
        query = query.join(Project, Project.id == Round.project_id)
    since = _unpack(after)
    if since is not None:
        query = query.where(_after(*since))
    return query.order_by(*_ORDER).limit(limit)


def choices(person: int) -> Choices:
    """Return the gates and units that occur in somebody's queue."""
    found = (
        select(Round.gate, Round.rulebook_version_id, Project.home_unit_id, Project.stage)
        .join(Project, Project.id == Round.project_id)
        .where(_mine(person))
        .distinct()
        .subquery()
    )
    rows = db.session().execute(
        select(
            found.c.gate, found.c.rulebook_version_id, found.c.stage, OrgUnit.id, OrgUnit.name
        ).outerjoin(OrgUnit, OrgUnit.id == found.c.home_unit_id)
    )
    gates: dict[str, str] = {}
    units: dict[int, str] = {}
    stages: dict[str, str] = {}
    for gate, version, stage, unit, name in rows:
        book = rulebooks.rulebook(version)
        known, here = book.gates.get(gate), book.stages.get(stage)
        stages[stage] = here.label if here else stage
        gates[gate] = known.label if known else gate
        if unit is not None:
            units[unit] = name
    return Choices(
        tuple(sorted(gates.items(), key=lambda one: one[1])),
        tuple(sorted(units.items(), key=lambda one: one[1].casefold())),
        tuple(sorted(stages.items(), key=lambda one: one[1])),
    )


def counts(person: int, wanted: Narrowed) -> dict[str, int]:
    """Return how many are overdue, due soon and later, whatever due date is asked for; MANY at most. One query."""
    by_due = _by_due()
    query = select(Round.id, _DAY.label("day")).where(
        _mine(person, wanted.whose), *_conditions(replace(wanted, due=""))
    )
    if wanted.needs_project:
        query = query.join(Project, Project.id == Round.project_id)
    rows = query.limit(MANY).subquery()
    days = {
        name: func.sum(case((of(rows.c.day), 1), else_=0)).label(name)
        for name, of in by_due.items()
    }
    found = db.session().execute(select(*days.values())).one()
    return {name: int(found._mapping[name] or 0) for name in by_due}


def place_of(person: int, found: Round, wanted: Narrowed) -> Place:
    """Return where a round stands in somebody's queue, or, once it waits no more, between whom it would."""
    rows = db.session().execute(
        select(Round.id, _DAY, Round.opened_at, Project.reference, Project.title)
        .join(Project, Project.id == Round.project_id)
        .where(_mine(person, wanted.whose), *_conditions(wanted))
        .order_by(*_ORDER)
        .limit(CAP)
    )
    lines = [
        ((row[1], row.opened_at, row.id), (row.id, f"{row.reference} {row.title}")) for row in rows
    ]
    here = (found.due_on or _NO_DAY, found.opened_at, found.id)
    before = [name for key, name in lines if key < here]
    following = [name for key, name in lines if key > here]
    return Place(
        number=len(before) + 1,
        of=len(lines),
        previous=before[-1] if before else None,
        next=following[0] if following else None,
        first=lines[0][1] if lines else None,
    )


def last_decided(person: int, rounds: Sequence[Round]) -> dict[int, Round]:
    """Return, by project, the round in which somebody decided last, among the projects of these rounds."""
    now = {one.id for one in rounds}
    rows = db.session().scalars(
        select(Round)
        .join(SignoffRow, SignoffRow.round_id == Round.id)
        .where(
            SignoffRow.person_id == person,
            SignoffRow.project_id.in_({one.project_id for one in rounds}),
            Round.id.not_in(now),
        )
        .order_by(SignoffRow.id)
    )
    gates = {(one.project_id, one.gate) for one in rounds}
    return {row.project_id: row for row in rows if (row.project_id, row.gate) in gates}


def _mine(person: int, whose: str = "") -> ColumnElement[bool]:
    return and_(Round.id.in_(stand_ins.rounds_asked(person, whose)), Round.closed_at.is_(None))


_DAY: ColumnElement[date] = func.coalesce(Round.due_on, literal(_NO_DAY, Date))
_ORDER = (_DAY, Round.opened_at, Round.id)


def _after(day: date, opened: datetime, number: int) -> ColumnElement[bool]:
    return or_(
        day < _DAY,
        and_(
            _DAY == day,  # noqa: SIM300 a column has to stand first
            or_(
                Round.opened_at > opened,
                and_(Round.opened_at == opened, Round.id > number),
            ),
        ),
    )


def _by_due() -> dict[str, Callable[[ColumnElement[date]], ColumnElement[bool]]]:
    """Return what each of DUES means, asked of a column with a day."""
    today = clock.today()
    week = date.fromordinal(today.toordinal() + 7)
    return {
        "overdue": lambda day: day < today,
        "week": lambda day: day.between(today, week),
        "later": lambda day: day > week,
    }


def _conditions(wanted: Narrowed) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.gate:
        found.append(Round.gate == wanted.gate)
    if wanted.unit is not None:
        found.append(Project.home_unit_id == wanted.unit)
    if wanted.stage:
        found.append(Project.stage == wanted.stage)
    if wanted.money is not None:
        # Nine digits with two more fit into what the column holds.
        rich = select(Scope.project_id).where(Scope.budget_minor >= wanted.money * 100)
        found.append(Round.project_id.in_(rich))
    if wanted.due:
        found.append(_by_due()[wanted.due](_DAY))
    return found


def _unpack(text: str) -> tuple[date, datetime, int] | None:
    day, _, rest = text.partition("~")
    known = unpack(rest)
    try:
        return (date.fromisoformat(day), *known) if known is not None else None
    except ValueError:
        return None


def _seatings(rounds: Sequence[Round], books: Mapping[int, Rulebook]) -> dict[int, Seating]:
    """Return where each round stands. Two queries."""
    ids = [one.id for one in rounds]
    seats: dict[int, list[Seat]] = {}
    for seat in db.session().scalars(select(Seat).where(Seat.round_id.in_(ids)).order_by(Seat.id)):
        seats.setdefault(seat.round_id, []).append(seat)
    words: dict[int, list[Word]] = {}
    for row in db.session().execute(
        select(
            SignoffRow.round_id, SignoffRow.person_id, SignoffRow.roles, SignoffRow.decision
        ).where(SignoffRow.round_id.in_(ids), SignoffRow.withdrawn_at.is_(None))
    ):
        words.setdefault(row.round_id, []).append(
            Word(row.person_id, tuple(row.roles), row.decision)
        )
    return {
        one.id: seating(
            books[one.rulebook_version_id],
            one.gate,
            seats.get(one.id, ()),
            words.get(one.id, ()),
            {},
        )
        for one in rounds
    }


def _changed(found: Round, last: Round | None, books: Mapping[int, Rulebook]) -> tuple[str, ...]:
    if last is None:
        return ()
    return changed_names(books[found.rulebook_version_id], last.content, found.content)


def _waiting(
    found: Round, project: Project, submitter: str, books: Mapping[int, Rulebook], today: date
) -> Waiting:
    rulebook = books[found.rulebook_version_id]
    return Waiting(
        round_id=found.id,
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        gate=gate_label(rulebook, found),
        asks=(),
        submitter=submitter,
        since=found.opened_at,
        due=found.due_on,
        late=found.due_on is not None and found.due_on < today,
        number=found.number,
        digest=found.digest,
        group=f"{project.process_id}:{found.gate}",
        strict=found.gate in rulebook.gates and rulebook.gates[found.gate].strict,
        key=f"{(found.due_on or _NO_DAY).isoformat()}~{pack(found.opened_at, found.id)}",
        ask=ask(rulebook, found, project.title),
    )
