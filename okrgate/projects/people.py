"""The section that says where a project belongs and who stands behind it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.events import Event
from okrgate.projects import together
from okrgate.projects.choosing import offer_people, offer_units, person_names
from okrgate.projects.models import CoEditor, Project
from okrgate.projects.naming import named
from okrgate.projects.raci_forms import CoEditorsForm, HomeForm, PartsForm
from okrgate.projects.rows import change
from okrgate.projects.sections import Answer, Gathered, Page, Section

_PARTS = (
    ("lead", "lead_id", "lead"),
    ("sponsor", "sponsor_id", "sponsor"),
    ("benefits_owner", "benefits_owner_id", "benefits owner"),
)


class HomePage(Page):
    """The unit it belongs to, and who may read."""

    key, title, form = "home", "Unit and readers", HomeForm
    facts = {
        "project.home_unit": "home_unit",
        "project.domain": "home_unit",
        "project.confidential": "confidential",
    }

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the units."""
        offer_units((form.home_unit,), chosen=[project.home_unit_id])

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        return {"home_unit": project.home_unit_id, "confidential": project.confidential}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it on the project."""
        confidential = bool(data["confidential"])
        change(project, {"home_unit_id": data["home_unit"], "confidential": confidential})
        return ()


class PartsPage(Page):
    """Lead, sponsor, benefits owner."""

    key, title, form = "parts", "People", PartsForm
    facts = {
        "project.lead": "lead",
        "project.sponsor": "sponsor",
        "project.benefits_owner": "benefits_owner",
    }

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the people."""
        chosen = [getattr(project, column) for _, column, _ in _PARTS]
        offer_people([form[field] for field, _, _ in _PARTS], chosen=chosen)

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return who they are."""
        return {field: getattr(project, column) for field, column, _ in _PARTS}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store them on the project; tell those who are new."""
        events: list[Event] = []
        for field, column, part in _PARTS:
            if getattr(project, column) != data[field]:
                setattr(project, column, data[field])
                events += named(project, data[field], part, by=by)
        return events


class CoEditorsPage(Page):
    """Who may edit what the submitter may."""

    key, title, form = "co_editors", "Co-editors", CoEditorsForm

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the people."""
        fields = [entry.form.person for entry in form.co_editors]
        offer_people(fields, chosen=[row.person_id for row in _co_editors(project)])

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return who they are."""
        return {"co_editors": [{"person": row.person_id} for row in _co_editors(project)]}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store who they are; tell those who are new. The submitter need not be one."""
        known = {row.person_id: row for row in _co_editors(project)}
        wanted = {row["person"] for row in data["co_editors"]} - {None, project.submitter_id}
        for person, row in known.items():
            if person not in wanted:
                db.session().delete(row)
        events: list[Event] = []
        for person in sorted(wanted - set(known)):
            db.session().add(CoEditor(project_id=project.id, person_id=person))
            events += named(project, person, "co-editor", by=by)
        return events


def gather(project: Project, _today: date) -> Gathered:
    """Return home, confidentiality and people."""
    unit = directory.unit(project.home_unit_id)
    values: dict[str, Any] = {"project.confidential": project.confidential}
    if unit is not None:
        values["project.home_unit"] = unit.name
        if unit.domain:
            values["project.domain"] = unit.domain
    for field, column, _ in _PARTS:
        if getattr(project, column) is not None:
            values[f"project.{field}"] = str(getattr(project, column))
    return Gathered(
        values=values,
        content={"project.home_unit": project.home_unit_id, "project.domain": project.home_unit_id},
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return home, confidentiality and people as they are read."""
    unit, editors = directory.unit(project.home_unit_id), _co_editors(project)
    people = [getattr(project, column) for _, column, _ in _PARTS]
    names = person_names([*people, *(row.person_id for row in editors)])
    return (
        Answer("home", "home_unit", "Unit", unit.name if unit else ""),
        Answer("home", "confidential", "Confidential", "Yes" if project.confidential else "No"),
        *(
            Answer("parts", field, part.capitalize(), names[getattr(project, column)])
            for field, column, part in _PARTS
        ),
        Answer(
            "co_editors",
            "co_editors",
            "Co-editors",
            ", ".join(sorted(names[row.person_id] for row in editors)),
        ),
    )


def _co_editors(project: Project) -> list[CoEditor]:
    query = select(CoEditor).where(CoEditor.project_id == project.id).order_by(CoEditor.id)
    return together.many(CoEditor, project.id, lambda: list(db.session().scalars(query)))


PEOPLE = Section(
    "people",
    "People and unit",
    (HomePage(), PartsPage(), CoEditorsPage()),
    gather=gather,
    answers=answers,
    tables=(CoEditor,),
)
