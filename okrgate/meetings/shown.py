"""A meeting as one person sees it: of a project they may not read they see that there is one, and no more."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.approvals import queue, stand_ins
from okrgate.approvals.models import Round, SignoffRow
from okrgate.approvals.queue import Waiting
from okrgate.database import db
from okrgate.meetings import minutes
from okrgate.meetings.models import (
    CALLED,
    CLOSED,
    DRAFT,
    OPEN,
    AgendaItem,
    Meeting,
    MeetingPerson,
    Minutes,
)
from okrgate.meetings.news import HIDDEN
from okrgate.meetings.rights import leads
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.reading import Reader
from okrgate.stages.standing import SPOKEN

_PAST = 30
_Absent = aliased(Person)


@dataclass(frozen=True)
class Line:
    """One item of the agenda. `row` is what is asked while its round is open; a hidden one has no name and no links."""

    id: int
    title: str
    minutes: int
    notes: str = ""
    reference: str = ""
    gate: str = ""
    reached: bool = False
    current: bool = False
    hidden: bool = False
    row: Waiting | None = None
    state: str = ""
    tone: str = "neutral"
    words: tuple[str, ...] = ()
    project_url: str = ""
    card_url: str = ""
    mine: bool = False


@dataclass(frozen=True)
class Invited:
    """Somebody on the list."""

    id: int
    name: str
    here: bool


@dataclass(frozen=True)
class Shown:
    """A meeting with all that its page says."""

    meeting: Meeting
    chair: str
    leads: bool
    invited: bool
    lines: tuple[Line, ...]
    people: tuple[Invited, ...]
    mark: str

    @property
    def current(self) -> Line | None:
        """Return what the meeting looks at."""
        return next((one for one in self.lines if one.current), None)

    @property
    def place(self) -> int:
        """Return which item of the agenda that is, from 1; 0 for none."""
        return next((number for number, one in enumerate(self.lines, 1) if one.current), 0)

    @property
    def before(self) -> Line | None:
        """Return the item before the current one."""
        return self.lines[self.place - 2] if self.place > 1 else None

    @property
    def after(self) -> Line | None:
        """Return the item after the current one."""
        return self.lines[self.place] if 0 < self.place < len(self.lines) else None

    @property
    def ends(self) -> datetime:
        """Return when the meeting is planned to be over."""
        return self.meeting.starts_at + timedelta(minutes=self.meeting.minutes)

    @property
    def planned(self) -> int:
        """Return how many minutes the agenda takes."""
        return sum(one.minutes for one in self.lines)


def of(meeting: Meeting, reader: Reader, *, brief: bool = False) -> Shown:
    """Return a meeting as this person sees it. Nine queries at most, whatever its size; five for a `brief` one.

    A brief one says of each project only whether it still waits, and not what is asked.
    """
    rows = db.session().execute(_items(meeting.id, reader)).all()
    seen = [row for row in rows if row.visible]
    rounds = _rounds(meeting, [row.AgendaItem for row in seen], reader)
    words = _words(
        meeting, [row.Round.id for row in rounds.values()], [row.Project.id for row in seen]
    )
    open_ones = [row.Round.id for row in rounds.values() if row.Round.closed_at is None]
    about = queue.about(reader.id, open_ones) if open_ones and not brief else []
    asked = {one.round_id: one for one in about}
    people = _people(meeting.id)
    chair = next((one.name for one in people if one.id == meeting.chair_id), "Somebody")
    return Shown(
        meeting=meeting,
        chair=chair,
        leads=leads(meeting, reader),
        invited=any(one.id == reader.id for one in people),
        lines=tuple(_line(meeting, row, rounds, asked, words, reader) for row in rows),
        people=people,
        mark=mark(meeting, reader) if meeting.state == OPEN else "",
    )


def mark(meeting: Meeting, reader: Reader) -> str:
    """Return what is another as soon as the page would say something else. One query."""
    projects = select(AgendaItem.project_id).where(AgendaItem.meeting_id == meeting.id)
    row = (
        db.session()
        .execute(
            select(
                select(func.max(SignoffRow.id))
                .where(SignoffRow.project_id.in_(projects))
                .scalar_subquery(),
                select(func.count(SignoffRow.withdrawn_at))
                .where(SignoffRow.project_id.in_(projects))
                .scalar_subquery(),
                select(func.max(Round.id)).where(Round.project_id.in_(projects)).scalar_subquery(),
                select(func.count(Round.id))
                .where(Round.project_id.in_(projects), Round.closed_at.is_(None))
                .scalar_subquery(),
                select(func.count(Project.id))
                .where(Project.id.in_(projects), Project.confidential)
                .scalar_subquery(),
            )
        )
        .one()
    )
    parts = (meeting.version, reader.id, reader.is_admin, reader.is_auditor, *row)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def listed(reader: Reader) -> tuple[list[tuple[Meeting, str]], list[tuple[Meeting, str]]]:
    """Return the meetings somebody sees, each with its chair's name: those to come, soonest first, and those over."""
    own = select(MeetingPerson.meeting_id).where(MeetingPerson.person_id == reader.id)
    mine = or_(Meeting.chair_id == reader.id, Meeting.called_by_id == reader.id)
    if not reader.is_admin:
        others = Meeting.state != DRAFT
        mine = or_(mine, others if reader.is_auditor else and_(others, Meeting.id.in_(own)))
    query = select(Meeting, Person.name).join(Person, Person.id == Meeting.chair_id)
    if not reader.is_admin:
        query = query.where(mine)
    ahead = Meeting.state.in_((DRAFT, CALLED, OPEN))
    coming = db.session().execute(
        query.where(ahead).order_by(Meeting.starts_at, Meeting.id).limit(100)
    )
    past = db.session().execute(
        query.where(~ahead).order_by(Meeting.starts_at.desc(), Meeting.id.desc()).limit(_PAST)
    )
    return [(row[0], row[1]) for row in coming], [(row[0], row[1]) for row in past]


def kept(meeting: Meeting, reader: Reader) -> dict[str, Any] | None:
    """Return the minutes as this person may read them; None while there are none."""
    found: Minutes | None = minutes.of(meeting.id)
    if found is None:
        return None
    numbers = [one["project"] for one in found.body["items"]]
    visible = permissions.visible_clause(reader.id, is_auditor=reader.is_auditor)
    query = select(Project).where(Project.id.in_(numbers), visible)
    projects = {row.id: row for row in db.session().scalars(query)}
    whole = true() if reader.is_auditor else permissions.reads_all(reader.id)
    private = set(db.session().scalars(select(Project.id).where(Project.id.in_(projects), whole)))
    names = directory.names({*minutes.people_in(found.body), found.body["chair"]})
    items = [_kept_item(one, projects, private, names) for one in found.body["items"]]
    return {
        "intact": minutes.is_intact(found),
        "digest": found.digest,
        "opened": datetime.fromisoformat(found.body["opened"]),
        "closed": datetime.fromisoformat(found.body["closed"]),
        "chair": names.get(found.body["chair"], "Somebody"),
        "here": [names.get(one, "Somebody") for one in found.body["here"]],
        "away": [names.get(one, "Somebody") for one in found.body["away"]],
        "items": [one for one in items if one["reached"]],
        "not_reached": [one for one in items if not one["reached"]],
    }


def _kept_item(
    item: Mapping[str, Any],
    projects: Mapping[int, Project],
    private: Container[int],
    names: Mapping[int, str],
) -> dict[str, Any]:
    project = projects.get(item["project"])
    if project is None:
        return {"title": HIDDEN, "reached": item["reached"], "hidden": True}
    return {
        "title": project.title,
        "reference": project.reference,
        "url": url_for("stages.show_project", reference=project.reference),
        "gate": item["gate_label"],
        "reached": item["reached"],
        "hidden": False,
        "notes": item["notes"],
        "words": [
            {
                "lines": minutes.spoken(one, names, why=project.id in private),
                "decision": one["decision"],
                "at": datetime.fromisoformat(one["at"]),
            }
            for one in item["words"]
        ],
    }


def _items(meeting_id: int, reader: Reader) -> Any:
    return (
        select(
            AgendaItem,
            Project,
            permissions.visible_clause(reader.id, is_auditor=reader.is_auditor).label("visible"),
            permissions.reads_all(reader.id).label("involved"),
        )
        .join(Project, Project.id == AgendaItem.project_id)
        .where(AgendaItem.meeting_id == meeting_id)
        .order_by(AgendaItem.place, AgendaItem.id)
    )


def _rounds(
    meeting: Meeting, items: Sequence[AgendaItem], reader: Reader
) -> dict[tuple[int, str], Any]:
    """Return the newest round of each item, and whether it waits for this person (`mine`)."""
    if not items:
        return {}
    mine = Round.id.in_(stand_ins.rounds_asked(reader.id))
    rows = db.session().execute(
        select(Round, mine.label("mine"))
        .where(
            Round.project_id.in_([one.project_id for one in items]),
            Round.gate.in_({one.gate for one in items}),
        )
        .order_by(Round.id)
    )
    return {(row.Round.project_id, row.Round.gate): row for row in rows}


def _words(
    meeting: Meeting, rounds: Sequence[int], projects: Sequence[int]
) -> dict[tuple[int, str], list[Any]]:
    """Return who decided what: in the newest rounds, and since the meeting began."""
    if not projects:
        return {}
    since = meeting.opened_at or clock.now()
    rows = db.session().execute(
        select(
            SignoffRow.project_id,
            Round.gate,
            SignoffRow.decision,
            Person.name,
            _Absent.name.label("absent"),
        )
        .join(Round, Round.id == SignoffRow.round_id)
        .join(Person, Person.id == SignoffRow.person_id)
        .outerjoin(_Absent, _Absent.id == SignoffRow.on_behalf_of_id)
        .where(
            SignoffRow.project_id.in_(projects),
            or_(SignoffRow.round_id.in_(rounds), SignoffRow.at >= since),
            SignoffRow.withdrawn_at.is_(None),
        )
        .order_by(SignoffRow.id)
    )
    found: dict[tuple[int, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.project_id, row.gate), []).append(row)
    return found


def _people(meeting_id: int) -> tuple[Invited, ...]:
    rows = db.session().execute(
        select(Person.id, Person.name, MeetingPerson.here_at)
        .join(Person, Person.id == MeetingPerson.person_id)
        .where(MeetingPerson.meeting_id == meeting_id)
        .order_by(Person.name, Person.id)
    )
    return tuple(Invited(row.id, row.name, row.here_at is not None) for row in rows)


def _line(
    meeting: Meeting,
    row: Any,
    rounds: Mapping[tuple[int, str], Any],
    asked: Mapping[int, Waiting],
    words: Mapping[tuple[int, str], list[Any]],
    reader: Reader,
) -> Line:
    item, project = row.AgendaItem, row.Project
    plain = Line(
        id=item.id,
        title=HIDDEN,
        minutes=item.minutes,
        reached=item.reached_at is not None,
        current=meeting.state == OPEN and meeting.item_id == item.id,
        hidden=not row.visible,
    )
    if plain.hidden:
        return plain
    key = (item.project_id, item.gate)
    newest = rounds.get(key)
    said = words.get(key, [])
    waits = asked.get(newest.Round.id) if newest is not None else None
    if waits is not None and not (row.involved or reader.is_auditor):
        waits = replace(waits, sums=())
    state, tone = _state(newest.Round if newest is not None else None, waits, said)
    knows = row.involved or reader.is_auditor
    return replace(
        plain,
        title=project.title,
        reference=project.reference,
        gate=_gate(project, item.gate),
        notes=item.notes,
        row=waits,
        state=state,
        tone=tone,
        words=tuple(_spoken(one) for one in said),
        project_url=url_for("stages.show_project", reference=project.reference),
        card_url=url_for("stages.decide", round_id=newest.Round.id, meeting=meeting.id)
        if newest is not None and (knows or newest.mine)
        else "",
        mine=bool(newest is not None and newest.mine and meeting.state != CLOSED),
    )


def _state(found: Round | None, waits: Waiting | None, said: Sequence[Any]) -> tuple[str, str]:
    """Say where an item stands, and in which colour."""
    if found is None:
        return "Nothing is asked here any more", "neutral"
    if waits is not None and waits.seats is not None:
        return f"{waits.seats.have} of {waits.seats.need} sign-offs", "info"
    if found.closed_at is None:
        return "Waits for sign-offs", "info"
    if found.closed_as == "satisfied":
        return "All sign-offs are there", "success"
    last = said[-1].decision if said else ""
    if last in {"returned", "held", "declined"}:
        return {"returned": "Sent back", "held": "On hold", "declined": "Declined"}[last], "warning"
    return "No longer asked", "neutral"


def _spoken(word: Any) -> str:
    who = f"{word.name} for {word.absent}" if word.absent else word.name
    return f"{who} {SPOKEN[word.decision].rstrip(',')}"


def _gate(project: Project, gate: str) -> str:
    known = rulebooks.rulebook(project.rulebook_version_id).gates.get(gate)
    return known.label if known else gate
