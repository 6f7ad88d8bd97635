"""Projects from a file: bring it, say what its columns are, look at what would come in, take it over."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Conflict, Invalid
from okrgate.imports import previewing, proposing, running, runs, words
from okrgate.imports.detecting import DATES, DELIMITERS, ENCODINGS, Kind, is_workbook
from okrgate.imports.mapping import LEAD
from okrgate.imports.offered import BOTH, MOST_FIXED, OWN, SAME
from okrgate.imports.workbook import sheet_names
from okrgate.notifications import worker
from okrgate.web import security
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import me

blueprint = Blueprint("imports", __name__)
security.takes_files("imports.list_files")
worker.errand(running.work)

# What a list is like, whichever process its projects go through.
_KEPT = ("name", "unit", "submitter", "dates", "factor", "decimal", "empty")
_CHOSEN = ("process", "unit", "submitter", "dates", "factor", "decimal")


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
        return _map_page(_prepared(file_id, request.args.get("process", "")))
    if request.form.get("act") == "kind":
        return _read_anew(file_id)
    prepared = _prepared(file_id)
    choices = _chosen(len(prepared.table.header))
    if choices["process"] not in {"", prepared.rulebook.id}:
        fresh = _prepared(file_id, choices["process"])
        return _map_page(fresh, {**fresh.choices, **{name: choices[name] for name in _KEPT}})
    try:
        runs.ask_check(file_id, choices, seen=_seen(), by=me())
    except Invalid as refused:
        problems = list(refused.fields.values()) or [refused.sentence]
        return _map_page(prepared, choices, problems)
    except Conflict as refused:
        return _overtaken(file_id, choices, refused.sentence)
    return _begun(file_id)


@blueprint.route("/admin/imports/<int(max=2147483647):file_id>/run", methods=["GET", "POST"])
@requires(admin)
def show_run(file_id: int) -> ResponseReturnValue:
    """Show how far it is and what came of it; take the rows over, or stop."""
    if request.method == "GET":
        if runs.get(file_id).state == "mapping" and not _read_before():
            return redirect(url_for("imports.map_file", file_id=file_id), 303)
        return _run_page(file_id)
    try:
        if request.form.get("act") == "stop":
            runs.cancel(file_id, seen=_seen(), by=me())
            return redirect(url_for("imports.show_run", file_id=file_id), 303)
        runs.ask_adopt(
            file_id,
            reason=request.form.get("reason", ""),
            all_or_nothing=request.form.get("which") == "all",
            seen=_seen(),
            by=me(),
        )
    except Invalid as refused:
        return _run_page(file_id, next(iter(refused.fields.values()), refused.sentence))
    except Conflict as refused:
        return _run_page(file_id, refused.sentence, status=409)
    return _begun(file_id)


def _prepared(file_id: int, process: str = "") -> proposing.Prepared:
    return proposing.prepare(runs.get(file_id), process=process)


def _seen() -> str:
    """Return the stamp of what the sent page was made of."""
    return request.form.get("stamp", "")


def _read_before() -> str:
    """Return how the file was read when a page that asks for news of itself was opened."""
    return request.args.get("read", "")


def _run_page(file_id: int, problem: str = "", *, status: int = 422) -> ResponseReturnValue:
    """Show a run. A page that was overtaken starts from what holds now; one with a mistake, from what it was made of."""
    file = runs.get(file_id)
    prepared = proposing.prepare(file)
    overtaken = bool(problem) and status == 409
    return render(
        "imports/run.html",
        status=status if problem else 200,
        file=file,
        stamp=_seen() if problem and not overtaken else runs.stamp(file),
        problem=problem,
        overtaken=overtaken,
        read_before=_read_before() or runs.reading(file),
        changed=_read_before() not in {"", runs.reading(file)},
        form_errors=bool(problem),
        typed=request.form,
        read_as=[
            {"label": name, "value": said}
            for name, said in (
                words.in_words(prepared, file.choices).items() if file.choices else ()
            )
        ],
        kind=words.kind_in_words(Kind(**file.kind)),
        coming=previewing.first_projects(file) if file.state == "checked" else [],
        has_leads=LEAD in words.filled(file.choices),
        most_at_once=runs.MOST_AT_ONCE,
        most_shown=running.MOST_SHOWN,
        columns=words.column_names(prepared),
    )


def _begun(file_id: int) -> ResponseReturnValue:
    """Do a little at once, and leave the rest to the worker."""
    running.advance(file_id)
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
        runs.choose_kind(file_id, kind, seen=_seen(), by=me())
    except Invalid as refused:
        return _map_page(_prepared(file_id), None, [refused.sentence])
    except Conflict as refused:
        return _overtaken(file_id, None, refused.sentence, kind)
    return redirect(url_for("imports.map_file", file_id=file_id), 303)


def _chosen(width: int) -> dict[str, Any]:
    """Return what was chosen, as plain values. What was typed is kept as it is, so that it can be given back."""
    form = request.form
    return {
        "name": form.get("name", "").strip(),
        **{name: form.get(name, "")[:200].strip() for name in _CHOSEN},
        "columns": [form.get(f"column-{place}", "")[:120] for place in range(width)],
        "empty": [line.strip() for line in form.get("empty", "").splitlines() if line.strip()],
        "fixed": [
            [
                form.get(f"fixed-field-{place}", "")[:120],
                form.get(f"fixed-value-{place}", "").strip(),
            ]
            for place in range(MOST_FIXED)
            if form.get(f"fixed-field-{place}") or form.get(f"fixed-value-{place}", "").strip()
        ],
        **{f"stage_{name}": form.get(f"stage_{name}", "")[:60] for name in words.STAGE_KINDS},
        **{name: _place(form.get(name, ""), width) for name in ("stage_start", "stage_end")},
    }


def _place(text: str, width: int) -> str:
    if text == SAME:
        return SAME
    return text if text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= width else ""


def _overtaken(
    file_id: int, choices: Mapping[str, Any] | None, sentence: str, kind: Kind | None = None
) -> ResponseReturnValue:
    """Show what was chosen beside what holds now. Sent once more, what was chosen holds."""
    prepared = _prepared(file_id)
    return _map_page(
        prepared,
        choices,
        [sentence],
        kind=kind,
        status=409,
        now=words.kind_in_words(Kind(**prepared.file.kind)),
        differences=words.differences(prepared, choices) if choices else [],
    )


def _map_page(
    prepared: proposing.Prepared,
    choices: Mapping[str, Any] | None = None,
    problems: list[str] | None = None,
    *,
    kind: Kind | None = None,
    status: int = 422,
    now: str = "",
    differences: Sequence[words.Difference] = (),
) -> ResponseReturnValue:
    table, rulebook = prepared.table, prepared.rulebook
    workbook = is_workbook(prepared.file.content)
    groups: dict[str, list[tuple[str, str]]] = {"The project": list(OWN.items())}
    for offer in prepared.offers:
        groups.setdefault(offer.group, []).append((offer.target, offer.label))
    return render(
        "imports/map.html",
        status=status if problems else 200,
        file=prepared.file,
        stamp=runs.stamp(prepared.file) if now or not _seen() else _seen(),
        kind=kind or Kind(**prepared.file.kind),
        now=now,
        differences=differences,
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
        factors=words.FACTORS.items(),
        decimals=words.DECIMALS.items(),
        stages=[(one.id, one.label) for one in rulebook.stages.values() if not one.holding],
        title_as_key=OWN[BOTH],
        same_columns=words.same_columns(prepared.offers),
        stage_kinds=words.STAGE_KINDS.items(),
        most_fixed=MOST_FIXED,
        processes=proposing.processes(),
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
