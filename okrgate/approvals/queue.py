"""The approval queue: what waits for one person, the most urgent first."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.approvals.models import Round, Seat, SeatPerson
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks

PAGE = 50
CAP = 100


@dataclass(frozen=True)
class Waiting:
    """One round that waits for somebody."""

    round_id: int
    reference: str
    title: str
    gate: str
    asks: tuple[str, ...]
    submitter: str
    since: datetime
    due: date | None
    late: bool
    number: int


def count(person: int) -> Select[int]:
    """Return a query for how many rounds wait for somebody, at most CAP."""
    rounds = select(SeatPerson.round_id).where(SeatPerson.person_id == person).distinct().limit(CAP)
    return select(func.count()).select_from(rounds.subquery())


def waiting_for(person: int, *, limit: int = PAGE) -> list[Waiting]:
    """Return the rounds that wait for somebody: by due date, then by age."""
    since = func.min(SeatPerson.waiting_since)
    mine = (
        select(SeatPerson.round_id, since.label("since"))
        .where(SeatPerson.person_id == person)
        .group_by(SeatPerson.round_id)
        .subquery()
    )
    query = (
        select(Round, Project, Person.name, mine.c.since)
        .join(mine, mine.c.round_id == Round.id)
        .join(Project, Project.id == Round.project_id)
        .join(Person, Person.id == Project.submitter_id)
        .where(Round.closed_at.is_(None))
        .order_by(Round.due_on.is_(None), Round.due_on, Round.opened_at, Round.id)
        .limit(limit)
    )
    rows = db.session().execute(query).all()
    seats = _asks([row.Round.id for row in rows])
    return [_waiting(row.Round, row.Project, row.name, seats.get(row.Round.id, ())) for row in rows]


def _asks(rounds: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    if rounds:
        rows = db.session().execute(
            select(Seat.round_id, Seat.label).where(Seat.round_id.in_(rounds)).order_by(Seat.id)
        )
        for row in rows:
            found.setdefault(row.round_id, []).append(row.label)
    return {key: tuple(dict.fromkeys(labels)) for key, labels in found.items()}


def _waiting(found: Round, project: Project, submitter: str, asks: tuple[str, ...]) -> Waiting:
    gates = rulebooks.rulebook(found.rulebook_version_id).gates
    return Waiting(
        round_id=found.id,
        reference=project.reference,
        title=project.title,
        gate=gates[found.gate].label if found.gate in gates else found.gate,
        asks=asks,
        submitter=submitter,
        since=found.opened_at,
        due=found.due_on,
        late=found.due_on is not None and found.due_on < clock.today(),
        number=found.number,
    )
