"""One page of a section that somebody has open: what its form holds, says about itself, and does with its rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request, url_for
from werkzeug.datastructures import MultiDict
from wtforms import FieldList

from okrgate import clock
from okrgate.database import remembering
from okrgate.projects.models import Draft
from okrgate.projects.sections import Page, Section
from okrgate.stages import drafts, editing, reading
from okrgate.web.fields import FixedRows
from okrgate.web.filters import show_date, show_moment
from okrgate.web.keys import whole
from okrgate.web.render import first_control, me, remove_row

NOT_KEPT = {
    "csrf_token",
    "base_version",
    "began_with",
    "return_to",
    "add_row",
    "remove_row",
    "later",
    "discard",
    "choosing",
    "preview",
}
_MOST_ROWS = 100


@dataclass(frozen=True)
class Opened:
    """A page that the reader may edit."""

    loaded: reading.Loaded
    section: Section
    page: Page

    @property
    def place(self) -> drafts.Place:
        """Return where the reader's draft of it is kept."""
        return drafts.Place(self.loaded.project.id, self.section.key, self.page.key, me())

    @property
    def url(self) -> str:
        """Return its address."""
        return url_of(self.loaded.project.reference, self.section, self.page)


@dataclass(frozen=True)
class Carried:
    """What a form says about itself in hidden fields: on what it was built, by which tab, and where to go after."""

    base: int
    tab: drafts.Tab
    marks: str
    return_to: str


def carried_along() -> Carried:
    """Return what the form that was sent says about itself."""
    said = request.form
    return Carried(
        base=whole(said.get("base_version", "")) or 0,
        tab=drafts.Tab(said.get(drafts.TAB, "")[:40], said.get("began_with", "")[:60]),
        marks=said.get("answers_seen", "")[:4000],
        return_to=said.get("return_to", ""),
    )


def form_of(page: Page, loaded: reading.Loaded, draft: Draft | None) -> Any:
    """Return the form with what is typed in the draft, else with what is stored."""
    if draft is not None:
        form = page.form(formdata=MultiDict((name, value) for name, value in draft.data))
        page.prepare(form, loaded.project)
        return form
    with remembering({}):
        form = page.form(formdata=None, data=dict(page.load(loaded.project)))
        _invite(form)
        page.prepare(form, loaded.project)
    return form


def base_of(loaded: reading.Loaded, section: str, draft: Draft | None) -> int:
    """Return the version of the section on which the form builds."""
    if draft is not None:
        return draft.base_version
    state = editing.states(loaded.project.id).get(section)
    return state.version if state else 0


def rows_changed(form: Any) -> str:
    """Add or take away a row, if that is what the button asked for; return where the focus goes then."""
    adding, removing = request.form.get("add_row", ""), request.form.get("remove_row", "")
    name = adding or removing.rpartition("-")[0]
    rows = form[name] if name and name in form else None
    if not isinstance(rows, FieldList) or isinstance(rows, FixedRows):
        return ""
    if not adding:
        remove_row(rows, removing)
    elif len(rows.entries) < _MOST_ROWS:
        return first_control(rows.append_entry())
    return f"{name}-add"


def typed() -> list[tuple[str, str]]:
    """Return what was typed, for a draft."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_KEPT]


def fields_of(form: Any) -> list[Any]:
    """Return the fields in which people write, those of rows too."""
    found: list[Any] = []
    for field in form:
        if isinstance(field, FieldList):
            found += [inner for entry in field.entries for inner in fields_of(entry.form)]
        elif field.type not in {"CSRFTokenField", "HiddenField", "Known"}:
            found.append(field)
    return found


def when(newer: datetime) -> str:
    """Say a moment as people do: today by its time alone."""
    return show_moment(newer).removeprefix(f"{show_date(clock.now())}, ")


def url_of(reference: str, section: Section, page: Page) -> str:
    """Return the address of a page."""
    return url_for("stages.edit_page", reference=reference, section=section.key, page=page.key)


def _invite(form: Any) -> None:
    """Give every empty list one empty row: it says what is wanted better than a button can."""
    for field in form:
        if isinstance(field, FieldList) and not isinstance(field, FixedRows) and not field.entries:
            field.append_entry()
