"""The section that says who is responsible, accountable, consulted and informed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from okrgate.database import db
from okrgate.events import Event
from okrgate.projects.choosing import offer_people, person_names
from okrgate.projects.models import Project
from okrgate.projects.naming import named
from okrgate.projects.plan_models import RaciRow
from okrgate.projects.raci_forms import WHOLE, RaciForm, activity_of
from okrgate.projects.rows import RowsPage, listed
from okrgate.projects.sections import Answer, Gathered, Section

_COUNTED = {"R": "responsible", "A": "accountable", "C": "consulted", "I": "informed"}


class RaciPage(RowsPage):
    """Rows of activity, person and part."""

    key, title, form = "raci", "RACI", RaciForm
    facts = {"raci.accountable": "parts", "raci": "parts"}
    model, field = RaciRow, "parts"
    columns = {"activity": "activity", "person": "person_id", "letter": "letter"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the people."""
        chosen = [row.person_id for row in listed(RaciRow, project.id)]
        offer_people(self.entries(form, "person"), chosen=chosen)

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the rows, the whole project by its name; one to begin with when there is none."""
        rows = super().load(project)[self.field]
        named_rows = [{**row, "activity": row["activity"] or WHOLE} for row in rows]
        return {self.field: named_rows or [{"activity": WHOLE}]}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the rows; tell those who became accountable."""
        before = _accountable(listed(RaciRow, project.id))
        rows = _one_spelling(row for row in data[self.field] if row["person"] is not None)
        super().save(project, {self.field: rows}, by=by)
        db.session().flush()
        after = _accountable(listed(RaciRow, project.id))
        return [
            event
            for person, activities in after.items()
            if person not in before
            for event in named(project, person, "accountable", by=by, detail=", ".join(activities))
        ]


def gather(project: Project, _today: date) -> Gathered:
    """Count the parts in each activity, the whole project first and always."""
    rows = listed(RaciRow, project.id)
    counted: dict[str, Counter[str]] = {"": Counter()}
    for row in rows:
        counted.setdefault(row.activity, Counter())[_COUNTED[row.letter]] += 1
    accountable = tuple(str(person) for person in sorted(_accountable(rows)))
    return Gathered(
        # Several people in one fact: the floor of who never signs reads them all.
        values={"raci.accountable": accountable} if accountable else {},  # type: ignore[dict-item]
        collections={
            "raci": [
                {
                    "activity": activity or WHOLE,
                    **{part: counts[part] for part in _COUNTED.values()},
                }
                for activity, counts in counted.items()
            ]
        },
        content={"raci": sorted([row.activity, row.person_id, row.letter] for row in rows)},
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return who has which part, activity by activity."""
    rows = listed(RaciRow, project.id)
    names = person_names(row.person_id for row in rows)
    by_activity: dict[str, list[str]] = {"": []}
    for row in rows:
        part = f"{names[row.person_id]} ({_COUNTED[row.letter]})"
        by_activity.setdefault(row.activity, []).append(part)
    lines = [
        f"{activity or WHOLE}: {', '.join(parts)}"
        for activity, parts in by_activity.items()
        if parts
    ]
    return (Answer("raci", "parts", "Who has which part", "\n".join(lines)),)


def accountable_people(project_id: int) -> set[int]:
    """Return everybody who is accountable for the project or an activity in it."""
    return set(_accountable(listed(RaciRow, project_id)))


def _accountable(rows: Sequence[RaciRow]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in rows:
        if row.letter == "A":
            found.setdefault(row.person_id, []).append(row.activity or WHOLE)
    return found


def _one_spelling(rows: Any) -> list[dict[str, Any]]:
    """Spell each activity as it is spelt first."""
    spelt: dict[str, str] = {}
    found = []
    for row in rows:
        activity = activity_of(row["activity"])
        found.append({**row, "activity": spelt.setdefault(activity.casefold(), activity)})
    return found


RACI = Section("raci", "RACI", (RaciPage(),), gather=gather, answers=answers, tables=(RaciRow,))
