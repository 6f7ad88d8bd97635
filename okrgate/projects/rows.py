"""How one row of a section and how lists of rows are read and written."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from sqlalchemy import Select, bindparam, select

from okrgate.database import Model, db
from okrgate.events import Event
from okrgate.projects import together
from okrgate.projects.models import Project
from okrgate.projects.sections import Page

Row = TypeVar("Row", bound=Model)


def find_one(model: type[Row], project_id: int) -> Row | None:
    """Return the one row that a table has for a project, if it has one."""
    if together.is_keyed(model):
        return together.one(model, project_id, lambda: db.session().get(model, project_id))
    return together.one(
        model, project_id, lambda: db.session().scalar(_only(model), {"project": project_id})
    )


@cache
def _only(model: Any) -> Select[Any]:
    return select(model).where(model.project_id == bindparam("project"))


def one_for(model: type[Row], project_id: int) -> Row:
    """Return the one row of a project for writing; make it if there is none."""
    found = find_one(model, project_id)
    if found is None:
        found = model(project_id=project_id)
        db.session().add(found)
        db.session().flush()
    return found


def listed(model: type[Row], project_id: int) -> list[Row]:
    """Return a project's rows in their order."""
    return together.many(
        model,
        project_id,
        lambda: list(db.session().scalars(_in_order(model), {"project": project_id})),
    )


@cache
def _in_order(model: Any) -> Select[Any]:
    query: Select[Any] = select(model).where(model.project_id == bindparam("project"))
    return query.order_by(model.position, model.id)


def change(row: Model, values: Mapping[str, Any]) -> None:
    """Set these columns; those that hold the value already are left alone."""
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


class RowsPage(Page):
    """A page with one list. `columns` says which column each field of a row fills."""

    model: ClassVar[type[Any]]
    field: ClassVar[str]
    columns: ClassVar[Mapping[str, str]]

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the rows."""
        return {
            self.field: [
                {
                    "id": row.id,
                    **{name: getattr(row, column) for name, column in self.columns.items()},
                }
                for row in listed(self.model, project.id)
            ]
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Make the stored rows be the typed ones, in their order. A row keeps its identity by its hidden id."""
        known = {row.id: row for row in listed(self.model, project.id)}
        typed = [row for row in data[self.field] if self.is_filled(row)]
        for position, row in enumerate(typed):
            stored = known.pop(row.get("id"), None)
            values = {column: row[name] for name, column in self.columns.items()}
            if stored is None:
                db.session().add(self.model(project_id=project.id, position=position, **values))
            else:
                change(stored, {"position": position, **values})
        for gone in known.values():
            db.session().delete(gone)
        return ()

    def is_filled(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row says anything."""
        return any(row[name] not in (None, "", False) for name in self.columns)

    def entries(self, form: Any, name: str) -> list[Any]:
        """Return one field of every row of the form."""
        return [entry.form[name] for entry in form[self.field]]
