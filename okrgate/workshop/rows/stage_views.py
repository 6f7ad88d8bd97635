"""Put a stage between two others, step by step; and take rows out of a process, seeing first what that comes to."""

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import process_draft, process_removing
from okrgate.workshop.rows.process_draft import Findings, Opened, Unchangeable
from okrgate.workshop.rows.process_forms import FORMS, DraftPart
from okrgate.workshop.rows.process_names import id_from
from okrgate.workshop.rows.process_pages import (
    found_in,
    kept,
    open_draft,
    show,
    with_readable_draft,
)
from okrgate.workshop.rows.process_rows import text
from okrgate.workshop.rows.process_words import between
from okrgate.workshop.rows.stage_adding import changes_for, positions, side_moves
from okrgate.workshop.rows.stage_forms import AddStageForm


@blueprint.get("/rules/<key>/rows/process/add-stage")
@requires(admin)
@with_readable_draft
def add_stage_page(key: str) -> ResponseReturnValue:
    """Ask where the stage stands; then what it is."""
    opened = open_draft(key)
    at = request.args.get("at", "")
    if at not in opened.process.forward:
        places = positions(opened.process)
        return show("workshop/stage_place.html", key, places=places)
    move = opened.process.forward[at]
    form = AddStageForm(
        formdata=None,
        seen=opened.seen,
        at=at,
        into_label=opened.process.label("move", at),
        onward_label=f"Go on to {opened.process.target(move)}",
        told_in=["+"],
        also=[one.id for one in side_moves(opened.process, at) if one.likely],
    )
    form.offer(opened.process, at)
    return _stage_page(key, opened, form)


@blueprint.post("/rules/<key>/rows/process/add-stage")
@requires(admin)
@with_readable_draft
def add_stage(key: str) -> ResponseReturnValue:
    """Add the stage, its moves, its gate and its role to the draft in one go."""
    opened, form = open_draft(key), AddStageForm()
    process = opened.process
    if form.at.data not in process.forward:
        return show("workshop/stage_place.html", key, status=422, places=positions(process))
    form.offer(process, form.at.data)
    if not form.validate_on_submit():
        return _stage_page(key, opened, form, status=422)
    name = id_from(form.label.data, process.named("stage"))
    status = kept(key, form, changes_for(process, form.wanted(process, name)))
    if status:
        return _stage_page(key, open_draft(key), form, status=status)
    return done(
        f"“{form.label.data}” stands in your draft, {between(process, form.at.data)}.",
        url_for(".edit_row", key=key, kind="stage", name=name),
    )


@blueprint.get("/rules/<key>/rows/process/<kind>/<name>/remove")
@requires(admin)
@with_readable_draft
def remove_row_page(key: str, kind: str, name: str) -> ResponseReturnValue:
    """Show what taking a row out comes to."""
    opened = _with_row(key, kind, name)
    usual = process_removing.usual_replacement(opened.process, kind, name)
    form = DraftPart(formdata=None, seen=opened.seen)
    return _remove_page(key, opened, (kind, name), form, usual)


@blueprint.post("/rules/<key>/rows/process/<kind>/<name>/remove")
@requires(admin)
@with_readable_draft
def remove_row(key: str, kind: str, name: str) -> ResponseReturnValue:
    """Take a row out, or look at it again with something else in its place."""
    opened, form = _with_row(key, kind, name), DraftPart()
    row, instead = (kind, name), request.form.get("instead", "")
    known = dict(process_removing.replacements(opened.process, kind, name))
    if not form.validate_on_submit() or (instead and instead not in known):
        form.form_errors.append("Choose from the list.")
        return _remove_page(key, opened, row, form, "", status=422)
    if request.form.get("act") != "remove":
        return _remove_page(key, opened, row, form, instead)
    planned = process_removing.plan(opened.process, kind, name, instead)
    if planned.open_:
        form.form_errors = [*form.form_errors, *planned.open_]
        return _remove_page(key, opened, row, form, instead, status=422)
    status = kept(key, form, planned.changes)
    if status:
        return _remove_page(key, _with_row(key, kind, name), row, form, instead, status=status)
    label = opened.process.label(kind, name)
    return done(f"“{label}” is out of your draft.", url_for(".show_process", key=key))


def _with_row(key: str, kind: str, name: str) -> Opened:
    opened = open_draft(key)
    if kind not in FORMS or opened.process.one(kind, name) is None:
        abort(404)
    return opened


def _stage_page(
    key: str, opened: Opened, form: AddStageForm, *, status: int = 200
) -> ResponseReturnValue:
    move = opened.process.forward.get(form.at.data)
    return show(
        "workshop/stage_new.html",
        key,
        status=status,
        form=form,
        place=between(opened.process, form.at.data) if move else "",
        target=opened.process.target(move) if move else "",
        move=opened.process.label("move", text(form.at.data)),
    )


def _remove_page(
    key: str,
    opened: Opened,
    row: tuple[str, str],
    form: DraftPart,
    instead: str,
    *,
    status: int = 200,
) -> ResponseReturnValue:
    kind, name = row
    planned = process_removing.plan(opened.process, kind, name, instead)
    return show(
        "workshop/process_remove.html",
        key,
        status=status,
        form=form,
        kind=kind,
        name=name,
        label=opened.process.label(kind, name),
        choices=process_removing.replacements(opened.process, kind, name),
        instead=instead,
        planned=planned,
        then=None if planned.open_ else _then(opened, planned),
    )


def _then(opened: Opened, planned: process_removing.Plan) -> Findings | None:
    """Return what the check would find once a row is gone; nothing where it cannot be taken out this way."""
    try:
        after = process_draft.revised(opened.draft.text, planned.changes)
    except Unchangeable:
        return None
    return found_in(opened, text=after)
