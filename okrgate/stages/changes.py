"""What happened to somebody's projects since they last looked, in words; what they did themselves is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import timeline
from okrgate.stages.reading import Reader

DAYS = 14
_ROWS = 200
_PROJECTS = 8
_LINES = 3


@dataclass(frozen=True)
class Watched:
    """A project somebody wants to hear of: up to where they have looked, and whether they read all of it."""

    project: Project
    seen: int
    involved: bool


@dataclass(frozen=True)
class Change:
    """One line: what, by whom, when, and how often when it happened again and again."""

    what: str
    by: str
    at: datetime
    times: int


@dataclass(frozen=True)
class Changed:
    """What is new in one project: the newest lines, how many more, and the row of the record they reach to."""

    project_id: int
    reference: str
    title: str
    lines: tuple[Change, ...]
    more: int
    count: int
    seq: int


def unseen(watched: Sequence[Watched], reader: Reader) -> list[Changed]:
    """Return what is new in these projects within DAYS days, the newest first; one query."""
    known = {one.project.id: one for one in watched}
    rows: dict[int, list[Any]] = {}
    for row in _rows(known, reader.id) if known else ():
        entry: Entry = row.Entry
        if entry.project_id is not None and entry.seq > known[entry.project_id].seen:
            rows.setdefault(entry.project_id, []).append(row)
    found = (_changed(known[one], of_it, reader) for one, of_it in rows.items())
    return [one for one in found if one is not None][:_PROJECTS]


def _rows(known: Mapping[int, Watched], person: int) -> Sequence[Any]:
    actor, absent = aliased(Person), aliased(Person)
    query = (
        select(Entry, actor.name.label("by"), absent.name.label("acting_for"))
        .outerjoin(actor, actor.id == Entry.actor_id)
        .outerjoin(absent, absent.id == Entry.on_behalf_of_id)
        .where(
            Entry.project_id.in_(known),
            Entry.at >= clock.now() - timedelta(days=DAYS),
            or_(Entry.actor_id.is_(None), Entry.actor_id != person),
        )
        .order_by(Entry.seq.desc())
        .limit(_ROWS)
    )
    return db.session().execute(query).all()


def _changed(one: Watched, rows: Sequence[Any], reader: Reader) -> Changed | None:
    names = {row.Entry.actor_id: row.by for row in rows if row.by} | {
        row.Entry.on_behalf_of_id: row.acting_for for row in rows if row.acting_for
    }
    gates = rulebooks.rulebook(one.project.rulebook_version_id).gates
    told = timeline.tell(
        [row.Entry for row in rows],
        names,
        {gate.id: gate.label for gate in gates.values()},
        private=one.involved or reader.is_auditor,
    )
    lines: dict[tuple[str, str], Change] = {}
    for line in told:
        key = (line["what"], line["by"])
        before = lines.get(key)
        at = before.at if before else line["at"]
        lines[key] = Change(line["what"], line["by"], at, before.times + 1 if before else 1)
    if not lines:
        return None
    newest = tuple(lines.values())
    return Changed(
        project_id=one.project.id,
        reference=one.project.reference,
        title=one.project.title,
        lines=newest[:_LINES],
        more=len(newest) - len(newest[:_LINES]),
        count=len(told),
        seq=rows[0].Entry.seq,
    )
