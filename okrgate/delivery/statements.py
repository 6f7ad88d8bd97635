"""Ask the stakeholders how it went, remind them, and keep what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import check_writing, db, transaction
from okrgate.delivery.models import Statement
from okrgate.delivery.people import about, name_of, stakeholders
from okrgate.errors import Conflict, Forbidden, NotFound
from okrgate.events import Event, Recipient, StatementAsked, StatementGiven, publish
from okrgate.projects import together
from okrgate.projects.models import Project

_DAYS_TO_ANSWER = 10
_SHOWN = 50
_ASKED = "you have a part in this project"


@dataclass(frozen=True)
class Words:
    """What a stakeholder says: 1 (badly) to 5 (very well), and in their own words."""

    rating: int
    went_well: str = ""
    went_badly: str = ""
    again: bool | None = None


@dataclass(frozen=True)
class Asked:
    """A statement as its pages show it. `words` is None until there is an answer, or if they are not for you."""

    id: int
    reference: str
    title: str
    person_id: int
    name: str
    due: date
    late: bool
    reminders: int
    answered_at: datetime | None
    second_hand: bool
    entered_by: str
    words: Words | None
    mine: bool
    lead_is_me: bool
    may_answer: bool
    refuse_reminder: str


@dataclass(frozen=True)
class Average:
    """How those who answered rated it."""

    asked: int
    answered: int
    second_hand: int
    rating: float | None


def rows_of(project_id: int) -> list[tuple[Statement, str]]:
    """Return a project's statements with the names of those asked, in the order they were asked."""
    return together.many(Statement, project_id, lambda: _rows_of(project_id), "names")


def _rows_of(project_id: int) -> list[tuple[Statement, str]]:
    query = (
        select(Statement, Person.name)
        .join(Person, Person.id == Statement.person_id)
        .where(Statement.project_id == project_id)
        .order_by(Statement.id)
    )
    return [(row, name) for row, name in db.session().execute(query)]


def ask(project: Project, people: Mapping[int, str], *, by: int | None) -> Sequence[Event]:
    """Ask those of these people (person id → why they) who were not asked yet, in the open transaction."""
    check_writing()
    session = db.session()
    known = set(
        session.scalars(select(Statement.person_id).where(Statement.project_id == project.id))
    )
    parts = stakeholders(project)
    rows = [
        Statement(
            project_id=project.id,
            person_id=person_id,
            asked_at=clock.now(),
            due=clock.today() + timedelta(days=_DAYS_TO_ANSWER),
            reminders=0,
        )
        for person_id in people
        if person_id not in known
    ]
    session.add_all(rows)
    session.flush()
    return [
        _asked(project, row, by=by, why=people[row.person_id] or parts.get(row.person_id, _ASKED))
        for row in rows
    ]


def mine(person_id: int) -> list[Asked]:
    """Return what this person is or was asked: open ones first, the most urgent on top; at most 50 answered ones."""
    query = (
        select(Statement, Project)
        .join(Project, Project.id == Statement.project_id)
        .where(Statement.person_id == person_id)
    )
    open_ones = query.where(Statement.answered_at.is_(None)).order_by(Statement.due, Statement.id)
    answered = query.where(Statement.answered_at.is_not(None)).order_by(Statement.id.desc())
    session = db.session()
    rows = [
        *session.execute(open_ones.limit(4 * _SHOWN)),
        *session.execute(answered.limit(_SHOWN)),
    ]
    names = directory.names([person_id, *(row.entered_by_id for row, _ in rows)])
    return [_shown(row, project, reader=person_id, names=names, read=True) for row, project in rows]


def open_count(person_id: int) -> int:
    """Return how many statements wait for this person."""
    query = select(func.count()).where(
        Statement.person_id == person_id, Statement.answered_at.is_(None)
    )
    return db.session().scalar(query) or 0


def of_project(project: Project, *, reader: int, read: bool) -> list[Asked]:
    """Return everybody asked about a project; `read` says whether the reader may see their words."""
    rows = rows_of(project.id)
    names = directory.names(row.entered_by_id for row, _ in rows)
    names |= {row.person_id: name for row, name in rows}
    return [_shown(row, project, reader=reader, names=names, read=read) for row, _ in rows]


def average_of(asked: Sequence[Asked]) -> Average:
    """Return how many were asked and answered, and the mean of their ratings (1 to 5) if those may be read."""
    ratings = [one.words.rating for one in asked if one.words is not None]
    return Average(
        asked=len(asked),
        answered=sum(1 for one in asked if one.answered_at is not None),
        second_hand=sum(1 for one in asked if one.second_hand),
        rating=sum(ratings) / len(ratings) if ratings else None,
    )


def find(statement_id: int, *, reader: int) -> Asked:
    """Return a statement to the one who is asked or to the lead; for anybody else it does not exist."""
    row, project = _load(statement_id)
    _check_reader(row, project, reader)
    names = directory.names([row.person_id, row.entered_by_id])
    return _shown(row, project, reader=reader, names=names, read=True)


def answer(statement_id: int, words: Words, *, by: int) -> None:
    """Store an answer and tell the lead. From the lead it is marked second-hand, and the person may still answer.

    Raises NotFound for anybody else, Conflict once the person has answered.
    """
    with transaction() as session:
        row, project = _load(statement_id, lock=True)
        _check_reader(row, project, by)
        own = by == row.person_id
        if row.answered_at is not None and not (own and row.second_hand):
            raise Conflict("This was answered already; an answer that was given is not changed.")
        if not own and not _is_lead(project, by):
            raise Forbidden("Only the person asked, or the lead for them, can answer.")
        row.answered_at = clock.now()
        row.rating, row.again = words.rating, words.again
        row.went_well, row.went_badly = words.went_well, words.went_badly
        row.second_hand, row.entered_by_id = not own, by
        session.flush()
        audit.record(
            "statement.given",
            by=by,
            project_id=project.id,
            target=f"statement:{row.id}",
            details={"person": row.person_id, "second_hand": row.second_hand},
        )
        if project.lead_id is not None:
            publish(
                StatementGiven(
                    **about(project, by, f"/projects/{project.reference}/statements"),
                    recipients=(Recipient(project.lead_id, "you lead this project"),),
                    stakeholder=name_of(row.person_id),
                )
            )


def remind(statement_id: int, *, by: int) -> str:
    """Remind somebody who has not answered; return their name. Only the lead, and at most once a day."""
    with transaction() as session:
        row, project = _load(statement_id, lock=True)
        _check_reader(row, project, by)
        refusal = _reminder_refusal(row, project, by)
        if refusal:
            raise (Forbidden if not _is_lead(project, by) else Conflict)(refusal)
        row.reminders += 1
        row.reminded_at = clock.now()
        session.flush()
        audit.record(
            "statement.reminded",
            by=by,
            project_id=project.id,
            target=f"statement:{row.id}",
            details={"person": row.person_id, "reminders": [row.reminders - 1, row.reminders]},
        )
        why = stakeholders(project).get(row.person_id, _ASKED)
        publish(_asked(project, row, by=by, why=why))
        return name_of(row.person_id)


def _load(statement_id: int, *, lock: bool = False) -> tuple[Statement, Project]:
    session = db.session()
    row = session.get(Statement, statement_id, with_for_update=lock or None, populate_existing=lock)
    project = session.get(Project, row.project_id) if row is not None else None
    if row is None or project is None:
        raise NotFound
    return row, project


def _check_reader(row: Statement, project: Project, reader: int) -> None:
    if reader != row.person_id and not _is_lead(project, reader):
        raise NotFound


def _is_lead(project: Project, person_id: int) -> bool:
    return project.lead_id is not None and project.lead_id == person_id


def _reminder_refusal(row: Statement, project: Project, reader: int) -> str:
    """Return why this person cannot be reminded now; empty when they can."""
    if not _is_lead(project, reader):
        return "Only the lead can remind."
    if row.answered_at is not None:
        return "The answer is here already."
    if row.reminded_at is not None and _day(row.reminded_at) == clock.today():
        return "Reminded today already; the next reminder can go out tomorrow."
    return ""


def _asked(project: Project, row: Statement, *, by: int | None, why: str) -> StatementAsked:
    return StatementAsked(
        **about(project, by, f"/statements/{row.id}"),
        recipients=(Recipient(row.person_id, why, asked=True),),
        due=row.due.isoformat(),
        reminder=row.reminders,
    )


def _shown(
    row: Statement, project: Project, *, reader: int, names: Mapping[int, str], read: bool
) -> Asked:
    own = reader == row.person_id
    words = None
    if row.answered_at is not None and row.rating is not None and (read or own):
        words = Words(row.rating, row.went_well, row.went_badly, row.again)
    lead = _is_lead(project, reader)
    return Asked(
        id=row.id,
        reference=project.reference,
        title=project.title,
        person_id=row.person_id,
        name=names.get(row.person_id, "Somebody"),
        due=row.due,
        late=row.answered_at is None and row.due < clock.today(),
        reminders=row.reminders,
        answered_at=row.answered_at,
        second_hand=row.second_hand,
        entered_by=names.get(row.entered_by_id or 0, "Somebody") if row.entered_by_id else "",
        words=words,
        mine=own,
        lead_is_me=lead,
        may_answer=(own and (row.answered_at is None or row.second_hand))
        or (lead and row.answered_at is None),
        refuse_reminder=_reminder_refusal(row, project, reader),
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(clock.company_zone()).date()
