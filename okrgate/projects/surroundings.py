"""The sections about what lies around a project: what it needs from others, and documents kept elsewhere."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from okrgate.projects.choosing import offer_people, offer_units, person_names, unit_names
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Dependency, Document
from okrgate.projects.rows import RowsPage, listed
from okrgate.projects.scope_forms import DependenciesForm, DocumentsForm
from okrgate.projects.sections import Answer, Gathered, Section
from okrgate.web.filters import show_date

_ACCEPTED = {True: "accepted", False: "refused", None: "not answered yet"}


class DependenciesPage(RowsPage):
    """What is needed from others."""

    key, title, form = "dependencies", "Dependencies", DependenciesForm
    facts = {"dependencies": "dependencies"}
    model, field = Dependency, "dependencies"
    columns = {
        "name": "name",
        "unit": "unit_id",
        "person": "person_id",
        "accepted": "accepted",
        "needed_by": "needed_by",
    }

    def prepare(self, form: Any, project: Project) -> None:
        """Offer units and people."""
        rows = listed(Dependency, project.id)
        offer_units(self.entries(form, "unit"), chosen=[row.unit_id for row in rows])
        offer_people(self.entries(form, "person"), chosen=[row.person_id for row in rows])


class DocumentsPage(RowsPage):
    """Documents that are kept elsewhere."""

    key, title, form = "documents", "Documents", DocumentsForm
    facts = {"files.count": "documents"}
    model, field = Document, "documents"
    columns = {"name": "name", "url": "url"}


def gather_dependencies(project: Project, _today: date) -> Gathered:
    """List what is needed. Whether it was accepted is news, not part of what is signed."""
    rows = listed(Dependency, project.id)
    return Gathered(
        collections={
            "dependencies": [
                {"name": row.name} | ({} if row.accepted is None else {"accepted": row.accepted})
                for row in rows
            ]
        },
        content={
            "dependencies": [
                [
                    row.name,
                    row.unit_id,
                    row.person_id,
                    row.needed_by.isoformat() if row.needed_by else None,
                ]
                for row in rows
            ]
        },
    )


def dependency_answers(project: Project) -> Sequence[Answer]:
    """Return what is needed as people read it."""
    rows = listed(Dependency, project.id)
    units = unit_names(row.unit_id for row in rows)
    people = person_names(row.person_id for row in rows)
    lines = []
    for row in rows:
        sources = " and ".join(one for one in (units[row.unit_id], people[row.person_id]) if one)
        start = f"{row.name} from {sources}" if sources else row.name
        until = f", needed by {show_date(row.needed_by)}" if row.needed_by else ""
        lines.append(f"{start}: {_ACCEPTED[row.accepted]}{until}")
    return (Answer("dependencies", "dependencies", "Dependencies", "\n".join(lines)),)


def gather_documents(project: Project, _today: date) -> Gathered:
    """Count the documents."""
    rows = listed(Document, project.id)
    return Gathered(
        values={"files.count": len(rows)},
        content={"files.count": [[row.name, row.url] for row in rows]},
    )


def document_answers(project: Project) -> Sequence[Answer]:
    """Return the documents as people read them."""
    lines = [f"{row.name}: {row.url}" for row in listed(Document, project.id)]
    return (Answer("documents", "documents", "Documents", "\n".join(lines)),)


DEPENDENCIES = Section(
    "dependencies",
    "Dependencies",
    (DependenciesPage(),),
    gather=gather_dependencies,
    answers=dependency_answers,
    tables=(Dependency,),
)
FILES = Section(
    "files",
    "Documents",
    (DocumentsPage(),),
    gather=gather_documents,
    answers=document_answers,
    tables=(Document,),
)
