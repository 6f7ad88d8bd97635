"""The kick-off: the session, who was there, the tasks and the sprints."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select

from okrgate import clock
from okrgate.database import db
from okrgate.delivery.forms import HeldForm, SessionForm, SprintsForm, TasksForm
from okrgate.delivery.models import SPRINT, TASK, Attendee, Kickoff, WorkItem
from okrgate.delivery.people import about, names_for, stakeholders, told
from okrgate.delivery.rows import day_or, offer_people, store_rows
from okrgate.events import Event, KickoffInvited
from okrgate.projects import together
from okrgate.projects.models import Project
from okrgate.projects.rows import find_one, listed
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.web.filters import show_date


def kickoff_of(project_id: int) -> Kickoff | None:
    """Return a project's kick-off, once something is known of it."""
    return find_one(Kickoff, project_id)


def items_of(project_id: int, *kinds: str) -> list[WorkItem]:
    """Return a project's tasks, sprints or blockers in their order."""
    found = together.many(
        WorkItem,
        project_id,
        lambda: list(db.session().scalars(_ITEMS, {"project": project_id})),
    )
    return [row for row in found if row.kind in kinds]


_ITEMS = (
    select(WorkItem)
    .where(WorkItem.project_id == bindparam("project"))
    .order_by(WorkItem.kind, WorkItem.position, WorkItem.id)
)


def attendees_of(project_id: int) -> list[Attendee]:
    """Return who is expected at the kick-off, in their order."""
    return listed(Attendee, project_id)


def invitation(
    project: Project, kickoff: Kickoff, by: int | None, people: Mapping[int, str]
) -> KickoffInvited:
    """Return the news of a planned kick-off for these people."""
    if kickoff.starts_at is None:
        raise ValueError("A kick-off without a start cannot be announced.")
    ends = kickoff.starts_at + timedelta(minutes=kickoff.minutes)
    return KickoffInvited(
        **about(project, by),
        recipients=told(people),
        starts=kickoff.starts_at.isoformat(),
        ends=ends.isoformat(),
        place=kickoff.place,
        sequence=kickoff.sequence,
    )


class SessionPage(Page):
    """When and where the kick-off is, and what is expected."""

    key, title, form = "session", "The session", SessionForm

    def prepare(self, form: Any, project: Project) -> None:
        """Say whose clock is meant; an invitation that is out keeps its date."""
        form.starts.description = (
            f"Date and time in {clock.company_zone().key}, the company's time zone."
        )
        found = kickoff_of(project.id)
        form.invited = found is not None and found.announced_at is not None

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is planned."""
        found = kickoff_of(project.id)
        if found is None:
            return {"minutes": 60}
        return {
            "starts": _local(found.starts_at),
            "minutes": found.minutes,
            "place": found.place,
            "timeline": found.timeline,
            "expectations": found.expectations,
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the plan; invite when it is new or changed."""
        kickoff = _kickoff_for(project.id)
        kickoff.timeline, kickoff.expectations = data["timeline"] or "", data["expectations"] or ""
        planned = (_moment(data["starts"]), data["minutes"] or 60, data["place"] or "")
        if planned == (kickoff.starts_at, kickoff.minutes, kickoff.place):
            return ()
        kickoff.starts_at, kickoff.minutes, kickoff.place = planned
        if kickoff.starts_at is None or kickoff.starts_at <= clock.now():
            return ()
        if kickoff.announced_at is not None:
            kickoff.sequence += 1
        kickoff.announced_at = clock.now()
        people = stakeholders(project)
        kickoff.invited = sorted(people)
        return (invitation(project, kickoff, by, people),)


class HeldPage(Page):
    """Whether the session took place, and who was there."""

    key, title, form = "held", "Who was there", HeldForm
    facts = {"kickoff.held_on": "held_on", "kickoff.attendees": "attendees"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the people."""
        offer_people(
            [entry.form.person for entry in form.attendees],
            also=lambda: [row.person_id for row in attendees_of(project.id)],
        )

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return who was there; before anything is said, those who are invited."""
        found = kickoff_of(project.id)
        rows = [
            {"id": row.id, "person": row.person_id, "name": row.name, "attended": row.attended}
            for row in attendees_of(project.id)
        ] or [{"person": person} for person in stakeholders(project)]
        return {"held_on": found.held_on if found else None, "attendees": rows}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the day and the list."""
        kickoff = _kickoff_for(project.id)
        if kickoff.held_on != data["held_on"]:
            kickoff.held_on = data["held_on"]
        session = db.session()

        def make() -> Attendee:
            row = Attendee(project_id=project.id, position=-1)
            session.add(row)
            return row

        def fill(row: Attendee, typed: Mapping[str, Any]) -> None:
            row.person_id, row.name = typed["person"], typed["name"] or ""
            row.attended = bool(typed["attended"])

        rows = [row for row in data["attendees"] if row["person"] is not None or row["name"]]
        store_rows(attendees_of(project.id), rows, make=make, fill=fill, drop=session.delete)
        return ()


class ItemsPage(Page):
    """A list of work items of one kind; subclasses say how a row of the form maps to one."""

    kind: str
    field: str

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the owners."""
        owners = [entry.form.owner for entry in form[self.field] if "owner" in entry.form]
        if owners:
            offer_people(
                owners, also=lambda: [row.owner_id for row in items_of(project.id, self.kind)]
            )

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the rows."""
        return {
            self.field: [
                {"id": row.id, "name": row.name, "done": not row.open, **self.show(row)}
                for row in items_of(project.id, self.kind)
            ]
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the rows."""
        session = db.session()

        def make() -> WorkItem:
            row = WorkItem(project_id=project.id, kind=self.kind, position=-1)
            session.add(row)
            return row

        def fill(row: WorkItem, typed: Mapping[str, Any]) -> None:
            row.name, row.open = typed["name"], not typed["done"]
            self.take(row, typed)

        rows = [row for row in data[self.field] if row["name"]]
        store_rows(items_of(project.id, self.kind), rows, make=make, fill=fill, drop=session.delete)
        return ()

    def show(self, row: WorkItem) -> Mapping[str, Any]:
        """Return the other fields of a row as the form shows them."""
        raise NotImplementedError

    def take(self, row: WorkItem, typed: Mapping[str, Any]) -> None:
        """Store the other fields of a row."""
        raise NotImplementedError


class TasksPage(ItemsPage):
    """What has to be done."""

    key, title, form = "tasks", "Tasks", TasksForm
    facts = {"kickoff.tasks_unowned": "tasks", "tasks.open": "tasks", "tasks": "tasks"}
    kind, field = TASK, "tasks"

    def show(self, row: WorkItem) -> Mapping[str, Any]:
        """Return owner and due date."""
        return {"owner": row.owner_id, "due": row.ends_on}

    def take(self, row: WorkItem, typed: Mapping[str, Any]) -> None:
        """Store owner and due date."""
        row.owner_id, row.ends_on = typed["owner"], typed["due"]


class SprintsPage(ItemsPage):
    """When it is worked on."""

    key, title, form = "sprints", "Sprints", SprintsForm
    facts = {"sprints.count": "sprints", "sprints.undated": "sprints", "sprints": "sprints"}
    kind, field = SPRINT, "sprints"

    def show(self, row: WorkItem) -> Mapping[str, Any]:
        """Return first and last day."""
        return {"start": row.starts_on, "end": row.ends_on}

    def take(self, row: WorkItem, typed: Mapping[str, Any]) -> None:
        """Store first and last day."""
        row.starts_on, row.ends_on = typed["start"], typed["end"]


def gather(project: Project, _today: date) -> Gathered:
    """Count who was there and what is planned."""
    found = kickoff_of(project.id)
    held_on = found.held_on if found is not None else None
    attended = sum(1 for row in attendees_of(project.id) if row.attended)
    items = items_of(project.id, TASK, SPRINT)
    tasks = [row for row in items if row.kind == TASK]
    sprints = [row for row in items if row.kind == SPRINT]
    values: dict[str, Any] = {
        "kickoff.attendees": attended,
        "kickoff.tasks_unowned": sum(1 for row in tasks if row.owner_id is None),
        "tasks.open": sum(1 for row in tasks if row.open),
        "sprints.count": len(sprints),
        "sprints.undated": sum(
            1 for row in sprints if row.starts_on is None or row.ends_on is None
        ),
    }
    if held_on is not None:
        values["kickoff.held_on"] = held_on
    return Gathered(
        values=values,
        collections={
            "tasks": [item_fact(row, due=row.ends_on) for row in tasks],
            "sprints": [item_fact(row, start=row.starts_on, end=row.ends_on) for row in sprints],
        },
        content={
            "tasks": [_agreed(row) for row in tasks],
            "sprints": [_agreed(row) for row in sprints],
        },
    )


def item_fact(row: WorkItem, **dates: date | None) -> dict[str, Any]:
    """Return a work item as gates see it; what is not filled in is left out."""
    fact: dict[str, Any] = {"name": row.name, "open": row.open}
    if row.owner_id is not None:
        fact["owner"] = str(row.owner_id)
    return fact | {name: value for name, value in dates.items() if value is not None}


def answers(project: Project) -> Sequence[Answer]:
    """Return the kick-off as people read it."""
    return (*session_answers(project), *work_answers(project))


def session_answers(project: Project) -> Sequence[Answer]:
    """Return plan and attendance."""
    found = kickoff_of(project.id) or Kickoff(minutes=60, place="", timeline="", expectations="")
    rows = attendees_of(project.id)
    names = names_for(row.person_id for row in rows)
    there = [
        f"{row.name or names[row.person_id]}{'' if row.attended else ' (was not there)'}"
        for row in rows
    ]
    when = _local(found.starts_at)
    length = f", {found.minutes} minutes" if when else ""
    return (
        Answer(
            "session",
            "starts",
            "Planned for",
            f"{show_date(when)}, {when:%H:%M}{length}" if when else "",
        ),
        Answer("session", "place", "Where", found.place),
        Answer("session", "timeline", "Timeline", found.timeline),
        Answer("session", "expectations", "Expectations", found.expectations),
        Answer("held", "held_on", "Held on", day_or(found.held_on, "")),
        Answer("held", "attendees", "Attendees", "\n".join(there)),
    )


def work_answers(project: Project) -> Sequence[Answer]:
    """Return tasks and sprints."""
    items = items_of(project.id, TASK, SPRINT)
    names = names_for(row.owner_id for row in items)
    tasks = [
        f"{row.name}: {names[row.owner_id]}, {_due(row)}, {state(row)}"
        for row in items
        if row.kind == TASK
    ]
    sprints = [
        f"{row.name}: {day_or(row.starts_on, 'no start')} to {day_or(row.ends_on, 'no end')}, {state(row)}"
        for row in items
        if row.kind == SPRINT
    ]
    return (
        Answer("tasks", "tasks", "Tasks", "\n".join(tasks)),
        Answer("sprints", "sprints", "Sprints", "\n".join(sprints)),
    )


def state(row: WorkItem) -> str:
    """Say whether a work item is open."""
    return "open" if row.open else "done"


def _due(row: WorkItem) -> str:
    return f"due {show_date(row.ends_on)}" if row.ends_on else "no due date"


def _agreed(row: WorkItem) -> list[Any]:
    """Return what a signature on the plan covers: not whether it is done."""
    dates = [day.isoformat() if day else None for day in (row.starts_on, row.ends_on)]
    return [row.name, row.owner_id, *dates]


def _kickoff_for(project_id: int) -> Kickoff:
    found = kickoff_of(project_id)
    if found is None:
        found = Kickoff(
            project_id=project_id,
            minutes=60,
            place="",
            sequence=0,
            invited=[],
            expectations="",
            timeline="",
        )
        db.session().add(found)
    return found


def _local(value: datetime | None) -> datetime | None:
    return value.astimezone(clock.company_zone()).replace(tzinfo=None) if value else None


def _moment(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=clock.company_zone()).astimezone(UTC) if value else None


KICKOFF = Section(
    "kickoff",
    "Kick-off",
    (SessionPage(), HeldPage(), TasksPage(), SprintsPage()),
    gather=gather,
    answers=answers,
    tables=(Kickoff, Attendee, WorkItem),
)
