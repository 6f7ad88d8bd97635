"""The list of projects, its saved views, its files and its board."""

from collections.abc import Iterator
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate import clock
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import transaction
from okrgate.errors import Invalid
from okrgate.stages import board, listing, saved_views
from okrgate.stages.finding import Query
from okrgate.stages.forms import ViewForm
from okrgate.stages.listing import Line, Wanted
from okrgate.stages.view_models import SavedView
from okrgate.stages.views import blueprint, reader
from okrgate.web.exports import csv_download, xlsx_download
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

_SCOPES = {"all": "All", "unit": "My unit's", "mine": "Mine", "followed": "Followed"}
_STATES = (("open", "Going on"), ("ended", "Ended"), ("all", "All"))
_SORTS = (
    ("changed", "Latest changed"),
    ("days", "Longest in its stage"),
    ("title", "Title"),
    ("reference", "Reference"),
)


@blueprint.get("/projects")
@requires(signed_in)
def list_projects() -> ResponseReturnValue:
    """Show projects, a page at a time."""
    views = saved_views.for_reader(reader())
    wanted = saved_views.wanted(request.args, views)
    query = wanted.query
    found = listing.page_of(query, reader(), after=request.args.get("before", ""))
    processes = listing.process_choices()
    current = next((one for one in views if one.id == wanted.view), None)
    return render(
        "stages/list.html",
        lines=found.lines,
        wanted=wanted,
        query=query,
        tabs=_tabs(wanted, views),
        view=current,
        changed=current is not None and not _same(wanted, current),
        is_own=current is not None and current.person_id == me(),
        stages=listing.stage_choices(),
        units=directory.unit_choices(),
        leads=listing.lead_choices(query.lead_id),
        processes=processes if len(processes) > 1 else [],
        states=_STATES,
        sorts=_SORTS,
        columns=listing.COLUMNS,
        heads=_heads(wanted),
        title_head=_head(wanted, listing.Column("title", "Project", "title")),
        searched=query != Query(scope=query.scope),
        here=listing.arguments(wanted),
        outcome=listing.said_outcome,
        next_url=_address(wanted, before=found.next) if found.next else None,
        first_url=_address(wanted) if "before" in request.args else None,
    )


@blueprint.post("/projects/export")
@requires(signed_in)
def export_projects() -> ResponseReturnValue:
    """Give the list as a file, every page of it; taking it is itself recorded."""
    wanted = listing.read(request.args)
    kind = "xlsx" if request.form.get("format") == "xlsx" else "csv"
    with transaction():
        asked = listing.arguments(wanted, view=None)
        audit.record("projects.exported", by=me(), details={"format": kind, "asked": asked})
    columns = listing.shown(wanted.columns)
    header = listing.header_of(columns)
    rows = _rows(listing.all_lines(wanted.query, reader()), columns)
    name = f"okrgate-projects-{clock.today().isoformat()}.{kind}"
    if kind == "xlsx":
        return xlsx_download(name, header, rows, sheet="Projects")
    return csv_download(name, header, rows)


@blueprint.get("/projects/board")
@requires(signed_in)
def show_board() -> ResponseReturnValue:
    """Show one process as columns of cards, a column for each stage."""
    shown = board.of(whole(request.args.get("process", "")), reader())
    return render("stages/board.html", board=shown)


@blueprint.get("/projects/views")
@requires(signed_in)
def list_views() -> ResponseReturnValue:
    """Show the reader's saved views, and those shared with all."""
    return render(
        "stages/views.html",
        views=saved_views.for_reader(reader()),
        mine=me(),
        may_change_shared=current_user.is_admin,
    )


@blueprint.route("/projects/views/new", methods=["GET", "POST"])
@requires(signed_in)
def save_view() -> ResponseReturnValue:
    """Keep the list, as the address describes it, under a name."""
    form = ViewForm()
    wanted = listing.read(request.args)
    if not current_user.is_admin:
        del form.shared
    status = 200
    if request.method == "GET":
        _offer(form, wanted)
    elif form.validate():
        try:
            view = saved_views.save(
                form.name.data or "",
                wanted,
                shared=_ticked(form, "shared"),
                start=_ticked(form, "start"),
                replace=_ticked(form, "replace"),
                by=reader(),
            )
        except Invalid as problem:
            form.name.errors = [*form.name.errors, problem.sentence]
            status = 422
        else:
            return done(
                f"“{form.name.data}” is kept as a view.",
                url_for("stages.list_projects", view=view),
            )
    else:
        status = 422
    return _view_form(form, status, back=_address(wanted), heading="Save this view")


@blueprint.route("/projects/views/<int(max=2147483647):view_id>", methods=["GET", "POST"])
@requires(signed_in)
def change_view(view_id: int) -> ResponseReturnValue:
    """Give a saved view another name, share it, or start with it."""
    view = saved_views.own(view_id, reader())
    form = ViewForm(obj=view if request.method == "GET" else None)
    del form.replace
    if not current_user.is_admin:
        del form.shared
    if view.person_id != me():
        del form.start
    status = 200
    if request.method == "POST" and form.validate():
        try:
            saved_views.change(
                view_id,
                form.name.data or "",
                shared=_ticked(form, "shared") if "shared" in form else view.shared,
                start=_ticked(form, "start"),
                by=reader(),
            )
        except Invalid as problem:
            form.name.errors = [*form.name.errors, problem.sentence]
            status = 422
        else:
            return done("The view is changed.", url_for("stages.list_views"))
    elif request.method == "POST":
        status = 422
    return _view_form(form, status, back=url_for("stages.list_views"), heading="Change a view")


@blueprint.post("/projects/views/<int(max=2147483647):view_id>/delete")
@requires(signed_in)
def delete_view(view_id: int) -> ResponseReturnValue:
    """Let a saved view go. No project changes."""
    name = saved_views.delete(view_id, by=reader())
    return done(f"The view “{name}” is deleted.", url_for("stages.list_views"))


def _view_form(form: ViewForm, status: int, *, back: str, heading: str) -> ResponseReturnValue:
    return render(
        "stages/view_form.html",
        status=status,
        form=form,
        form_errors=form.errors if status == 422 else None,
        heading=heading,
        back_url=back,
    )


def _offer(form: ViewForm, wanted: Wanted) -> None:
    """Begin with the view the list came from: saving it again replaces it."""
    known = next((one for one in saved_views.for_reader(reader()) if one.id == wanted.view), None)
    if known is not None and known.person_id == me():
        form.name.data, form.replace.data, form.start.data = known.name, True, known.start
        if "shared" in form:
            form.shared.data = known.shared


def _ticked(form: ViewForm, name: str) -> bool:
    return name in form and bool(form[name].data)


def _address(wanted: Wanted, **other: Any) -> str:
    return url_for("stages.list_projects", **listing.arguments(wanted, **other))


def _tabs(wanted: Wanted, views: list[SavedView]) -> list[dict[str, Any]]:
    scopes = [
        {
            "label": label,
            "url": url_for("stages.list_projects", scope=scope),
            "current": wanted.view is None and wanted.query.scope == scope,
        }
        for scope, label in _SCOPES.items()
    ]
    return scopes + [
        {
            "label": view.name,
            "url": url_for("stages.list_projects", view=view.id),
            "current": wanted.view == view.id,
        }
        for view in views
    ]


def _same(wanted: Wanted, view: SavedView) -> bool:
    return listing.arguments(wanted) == listing.arguments(saved_views.as_asked(view))


def _heads(wanted: Wanted) -> list[dict[str, Any]]:
    return [_head(wanted, column) for column in listing.shown(wanted.columns)]


def _head(wanted: Wanted, column: listing.Column) -> dict[str, Any]:
    """Return a column's head; one that sorts turns the order round when it sorts already."""
    query = wanted.query
    now = "desc" if query.descending else "asc"
    turned = "asc" if now == "desc" else "desc"
    said = turned if query.sort == column.sort else column.first
    return {
        "key": column.key,
        "label": column.label,
        "numeric": column.numeric,
        "sort": column.sort,
        "direction": now,
        "url": _address(wanted, sort=column.sort, direction=said) if column.sort else "",
    }


def _rows(lines: Iterator[Line], columns: list[listing.Column]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a file, with moments in the reader's zone."""
    zone = current_user.zone
    for line in lines:
        yield listing.cells(line, columns, zone)
