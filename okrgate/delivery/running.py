"""The work itself: how it goes, what is in the way, what came out already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.database import db
from okrgate.delivery import kickoff
from okrgate.delivery.forms import FOCUS, STATUSES, BlockersForm, IncrementsForm, UpdateForm
from okrgate.delivery.models import BLOCKER, Increment, StatusUpdate, WorkItem
from okrgate.delivery.people import about, names_for, stakeholders, told
from okrgate.delivery.rows import day_or, store_rows
from okrgate.events import Event, StatusPosted
from okrgate.projects import together
from okrgate.projects.models import Project
from okrgate.projects.rows import listed
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.web.filters import show_date

_SHOWN = 10


@dataclass(frozen=True)
class Posted:
    """A status update as people read it."""

    at: datetime
    by: str
    status: str
    note: str
    focus: str
    why: str

    @property
    def label(self) -> str:
        """Return the status as people read it."""
        return dict(STATUSES).get(self.status, self.status)


def updates(project_id: int, *, limit: int = _SHOWN) -> list[Posted]:
    """Return a project's status updates, newest first."""
    rows = _updates(project_id, limit)
    names = names_for(row.by_id for row in rows)
    return [posted(row, names[row.by_id]) for row in rows]


def posted(row: StatusUpdate, name: str | None) -> Posted:
    """Return an update with the name of who gave it."""
    return Posted(row.at, name or "Somebody", row.status, row.note, row.focus, row.why)


def increments_of(project_id: int) -> list[Increment]:
    """Return a project's increments in their order."""
    return listed(Increment, project_id)


class UpdatePage(Page):
    """One more status update. The form is always empty; leaving it empty posts nothing."""

    key, title, form = "update", "Status update", UpdateForm
    intro = "Everybody with a part in the project is told. Leave it empty to post nothing."

    def load(self, project: Project) -> Mapping[str, Any]:
        """Start empty."""
        return {}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Add the update and tell the stakeholders; the same one sent twice counts once."""
        if not data["status"]:
            return ()
        said = (by, data["status"], data["note"] or "", data["focus"], data["why"] or "")
        last = next(iter(_updates(project.id, 1)), None)
        if last is not None and _day(last.at) == clock.today() and said == _said(last):
            return ()
        _by, status, note, focus, why = said
        db.session().add(
            StatusUpdate(
                project_id=project.id,
                at=clock.now(),
                by_id=by,
                status=status,
                note=note,
                focus=focus,
                why=why,
            )
        )
        in_words = dict(FOCUS)[focus]
        return (
            StatusPosted(
                **about(project, by),
                recipients=told(stakeholders(project)),
                status=status,
                note=note,
                focus=f"{in_words}: {why}" if why else in_words,
            ),
        )


class BlockersPage(kickoff.ItemsPage):
    """What is in the way."""

    key, title, form = "blockers", "Blockers", BlockersForm
    facts = {"blockers.open": "blockers", "blockers": "blockers"}
    kind, field = BLOCKER, "blockers"

    def show(self, row: WorkItem) -> Mapping[str, Any]:
        """Return owner and dates."""
        return {"owner": row.owner_id, "since": row.starts_on, "due": row.ends_on}

    def take(self, row: WorkItem, typed: Mapping[str, Any]) -> None:
        """Store owner and dates; a blocker is in the way since today unless said otherwise."""
        row.owner_id, row.ends_on = typed["owner"], typed["due"]
        row.starts_on = typed["since"] or clock.today()


class IncrementsPage(Page):
    """What is of use before all is done."""

    key, title, form = "increments", "Increments", IncrementsForm
    intro = "Get it out quickly: what can be of use before all of it is done, and when?"

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the rows."""
        return {
            "increments": [
                {"id": row.id, "value": row.value, "on": row.on, "released": row.released}
                for row in increments_of(project.id)
            ]
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the rows."""
        session = db.session()

        def make() -> Increment:
            row = Increment(project_id=project.id, position=-1)
            session.add(row)
            return row

        def fill(row: Increment, typed: Mapping[str, Any]) -> None:
            row.value, row.on, row.released = typed["value"], typed["on"], bool(typed["released"])

        rows = [row for row in data["increments"] if row["value"]]
        store_rows(increments_of(project.id), rows, make=make, fill=fill, drop=session.delete)
        return ()


def gather(project: Project, _today: date) -> Gathered:
    """Count what is in the way."""
    rows = kickoff.items_of(project.id, BLOCKER)
    return Gathered(
        values={"blockers.open": sum(1 for row in rows if row.open)},
        collections={"blockers": [kickoff.item_fact(row, due=row.ends_on) for row in rows]},
        content={"blockers": [[row.name, row.owner_id] for row in rows]},
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return updates, work, blockers and increments as people read them."""
    blockers = kickoff.items_of(project.id, BLOCKER)
    names = names_for(row.owner_id for row in blockers)
    return (
        Answer("update", "status", "Status updates", "\n".join(_update_lines(project))),
        *kickoff.work_answers(project),
        Answer(
            "blockers",
            "blockers",
            "Blockers",
            "\n".join(
                f"{row.name}: {names[row.owner_id]}, since {day_or(row.starts_on, 'an unknown day')}, "
                f"{'in the way' if row.open else 'gone'}"
                for row in blockers
            ),
        ),
        Answer(
            "increments",
            "increments",
            "Increments",
            "\n".join(
                f"{row.value}: {day_or(row.on, 'no date')}, {'released' if row.released else 'not released yet'}"
                for row in increments_of(project.id)
            ),
        ),
    )


def _update_lines(project: Project) -> list[str]:
    statuses, focus = dict(STATUSES), dict(FOCUS)
    return [
        f"{show_date(_day(one.at))}, {one.by}: {statuses[one.status]}. "
        f"{one.note + ' ' if one.note else ''}Focus on value: {focus[one.focus].lower()}"
        f"{', ' + one.why if one.why else ''}"
        for one in updates(project.id)
    ]


def _said(row: StatusUpdate) -> tuple[int, str, str, str, str]:
    return (row.by_id, row.status, row.note, row.focus, row.why)


def _updates(project_id: int, limit: int) -> list[StatusUpdate]:
    def read() -> list[StatusUpdate]:
        query = select(StatusUpdate).where(StatusUpdate.project_id == project_id)
        return list(db.session().scalars(query.order_by(StatusUpdate.id.desc()).limit(limit)))

    return together.many(StatusUpdate, project_id, read, limit)


def _day(moment: datetime) -> date:
    return moment.astimezone(clock.company_zone()).date()


DELIVERY = Section(
    "delivery",
    "Delivery",
    (UpdatePage(), kickoff.TasksPage(), kickoff.SprintsPage(), BlockersPage(), IncrementsPage()),
    gather=gather,
    answers=answers,
    tables=(StatusUpdate, WorkItem, Increment),
)
