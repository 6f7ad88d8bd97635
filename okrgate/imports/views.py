"""Projects from a file: bring it, say what its columns are, look at what would come in, take it over."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Conflict, Invalid
from okrgate.imports import runs
from okrgate.imports.detecting import DATES, DELIMITERS, ENCODINGS, Kind, is_workbook
from okrgate.imports.offered import KEY, MOST_FIXED, TITLE
from okrgate.imports.workbook import sheet_names
from okrgate.notifications import worker
from okrgate.web import security
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import me

blueprint = Blueprint("imports", __name__)
security.takes_files("imports.list_files")
worker.errand(runs.work)

_FACTORS = [("1", "as they are"), ("1000", "in thousands"), ("1000000", "in millions")]
_DECIMALS = [(".", "1,234.50"), (",", "1.234,50")]
_STAGES = (
    ("none", "without dates"),
    ("future", "that begin later"),
    ("running", "under way"),
    ("past", "whose end has passed"),
)
_SIMPLE = ("name", "process", "unit", "submitter", "dates", "factor", "decimal")


@blueprint.route("/admin/imports", methods=["GET", "POST"])
@requires(admin)
def list_files() -> ResponseReturnValue:
    """Bring a file, or go on with one."""
    problem = ""
    if request.method == "POST":
        sent = request.files.get("file")
        try:
            content = sent.read(runs.MOST_BYTES + 1) if sent else b""
            file_id = runs.bring((sent.filename if sent else "") or "file", content, by=me())
        except Invalid as refused:
            problem = refused.sentence
        else:
            return redirect(url_for("imports.map_file", file_id=file_id), 303)
    return render(
        "imports/list.html",
        status=422 if problem else 200,
        files=runs.listed(),
        problem=problem,
        form_errors=bool(problem),
    )


@blueprint.route("/admin/imports/<int(max=2147483647):file_id>", methods=["GET", "POST"])
@requires(admin)
def map_file(file_id: int) -> ResponseReturnValue:
    """Say how the file is read and which column fills which field; then have every row tried."""
    if request.method == "GET":
        return _map_page(runs.prepare(file_id, process=request.args.get("process", "")))
    if request.form.get("act") == "kind":
        return _read_anew(file_id)
    prepared = runs.prepare(file_id)
    choices = _chosen(len(prepared.table.header))
    if choices["process"] not in {"", prepared.rulebook.id}:
        return _map_page(runs.prepare(file_id, process=choices["process"]))
    try:
        runs.ask_check(file_id, choices, by=me())
    except Invalid as refused:
        problems = list(refused.fields.values()) or [refused.sentence]
        return _map_page(prepared, choices, problems)
    return _begun(file_id)


@blueprint.route("/admin/imports/<int(max=2147483647):file_id>/run", methods=["GET", "POST"])
@requires(admin)
def show_run(file_id: int) -> ResponseReturnValue:
    """Show how far it is and what came of it; take the rows over, or stop."""
    problem = ""
    if request.method == "POST":
        try:
            if request.form.get("act") == "stop":
                runs.cancel(file_id, by=me())
                return redirect(url_for("imports.show_run", file_id=file_id), 303)
            runs.ask_adopt(
                file_id,
                reason=request.form.get("reason", ""),
                all_or_nothing=request.form.get("which") == "all",
                by=me(),
            )
        except (Invalid, Conflict) as refused:
            problem = next(iter(getattr(refused, "fields", {}).values()), refused.sentence)
        else:
            return _begun(file_id)
    file = runs.get(file_id)
    if file.state == "mapping":
        return redirect(url_for("imports.map_file", file_id=file_id), 303)
    return render(
        "imports/run.html",
        status=422 if problem else 200,
        file=file,
        problem=problem,
        form_errors=bool(problem),
        typed=request.form,
        most_at_once=runs.MOST_AT_ONCE,
        most_shown=runs.MOST_SHOWN,
        columns=runs.column_names(file),
    )


def _begun(file_id: int) -> ResponseReturnValue:
    """Do a little at once, and leave the rest to the worker."""
    runs.advance(file_id)
    if runs.get(file_id).state == "asked":
        worker.run_errands()
    return redirect(url_for("imports.show_run", file_id=file_id), 303)


def _read_anew(file_id: int) -> ResponseReturnValue:
    kind = Kind(
        request.form.get("encoding", ""),
        request.form.get("delimiter", ""),
        request.form.get("sheet", ""),
    )
    if not kind.sheet and (kind.encoding not in ENCODINGS or kind.delimiter not in DELIMITERS):
        raise Invalid("Choose one of the encodings and delimiters offered.")
    try:
        runs.choose_kind(file_id, kind, by=me())
    except Invalid as refused:
        return _map_page(runs.prepare(file_id), None, [refused.sentence])
    return redirect(url_for("imports.map_file", file_id=file_id), 303)


def _chosen(width: int) -> dict[str, Any]:
    """Return what was chosen, as plain values."""
    form = request.form
    return {
        **{name: form.get(name, "")[:200].strip() for name in _SIMPLE},
        "columns": [form.get(f"column-{place}", "")[:120] for place in range(width)],
        "empty": [
            line.strip()[:200] for line in form.get("empty", "").splitlines() if line.strip()
        ][:20],
        "fixed": [
            [
                form.get(f"fixed-field-{place}", "")[:120],
                form.get(f"fixed-value-{place}", "")[:200].strip(),
            ]
            for place in range(MOST_FIXED)
            if form.get(f"fixed-field-{place}")
        ],
        **{f"stage_{name}": form.get(f"stage_{name}", "")[:60] for name, _ in _STAGES},
        **{name: _place(form.get(name, ""), width) for name in ("stage_start", "stage_end")},
    }


def _place(text: str, width: int) -> str:
    return text if text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= width else ""


def _map_page(
    prepared: runs.Prepared,
    choices: Mapping[str, Any] | None = None,
    problems: list[str] | None = None,
) -> ResponseReturnValue:
    table, rulebook = prepared.table, prepared.rulebook
    workbook = is_workbook(prepared.file.content)
    groups: dict[str, list[tuple[str, str]]] = {
        "The project": [(KEY, "What tells the projects apart"), (TITLE, "Title")]
    }
    for offer in prepared.offers:
        groups.setdefault(offer.group, []).append((offer.target, offer.label))
    return render(
        "imports/map.html",
        status=422 if problems else 200,
        file=prepared.file,
        header=table.header,
        samples=[_samples(table.rows, place) for place in range(len(table.header))],
        rows=len(table.rows),
        groups=groups,
        fixed_groups={name: found for name, found in groups.items() if name != "The project"},
        chosen=choices or prepared.choices,
        earlier=prepared.earlier,
        problems=problems or [],
        form_errors=bool(problems),
        workbook=workbook,
        sheets=sheet_names(prepared.file.content) if workbook else [],
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        dates=DATES,
        factors=_FACTORS,
        decimals=_DECIMALS,
        stages=[(one.id, one.label) for one in rulebook.stages.values() if not one.holding],
        stage_kinds=_STAGES,
        most_fixed=MOST_FIXED,
        processes=runs.processes(),
        units=directory.unit_choices(),
        people=directory.people_choices(),
    )


def _samples(rows: Any, place: int) -> list[str]:
    """Return the first different values of a column, short."""
    found: dict[str, None] = {}
    for row in rows[:100]:
        cell = row[place] if place < len(row) else ""
        if cell:
            found.setdefault(cell if len(cell) <= 60 else cell[:57] + "…")
        if len(found) == 3:
            break
    return list(found)
