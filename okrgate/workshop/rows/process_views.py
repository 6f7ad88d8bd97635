"""The rows of a process: its stages, moves, roles and questions in words, each with its own page to change it."""

from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.gates.revising import Change, Move
from okrgate.gates.vocabulary import SECTIONS
from okrgate.notifications import messages
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import process_changes as changes_of
from okrgate.workshop.rows import process_words
from okrgate.workshop.rows.mail_preview import preview
from okrgate.workshop.rows.process_draft import Findings, Opened
from okrgate.workshop.rows.process_forms import (
    FORMS,
    DraftPart,
    QuestionForm,
    RowForm,
    SigningForm,
    offer,
    people_facts,
)
from okrgate.workshop.rows.process_names import id_from
from okrgate.workshop.rows.process_pages import (
    binding_rules,
    found_in,
    kept,
    open_draft,
    show,
    with_readable_draft,
)
from okrgate.workshop.rows.process_rows import (
    GROUPS,
    editors,
    fact_label,
    group,
    section_label,
    text,
    words,
)

_STEPS = {"up": -1, "down": 1}
_BINDING = {"stage": "stages", "move": "transitions", "role": "roles", "question": "questions"}
_MOST_NAME = 60


@blueprint.get("/rules/<key>/rows/process")
@requires(admin)
@with_readable_draft
def show_process(key: str) -> ResponseReturnValue:
    """Show everything of the process in words, with what the check finds in each row."""
    opened = open_draft(key)
    return _rows_page(key, opened, DraftPart(formdata=None, seen=opened.seen))


@blueprint.post("/rules/<key>/rows/process")
@requires(admin)
@with_readable_draft
def act_on_row(key: str) -> ResponseReturnValue:
    """Move a row up or down, or copy it."""
    opened, form = open_draft(key), DraftPart()
    act, _, rest = request.form.get("act", "").partition(" ")
    kind, _, name = rest.partition(" ")
    known = kind in FORMS and opened.process.one(kind, name) is not None
    if not form.validate_on_submit() or not known or act not in {*_STEPS, "copy"}:
        form.form_errors.append("This row is not there any more.")
        return _rows_page(key, opened, form, status=422)
    label = opened.process.label(kind, name)
    if act == "copy":
        name, changes = changes_of.copied(opened.process, kind, name)
        said = f"“{label}” is copied: change what is different."
    else:
        changes = [Move((GROUPS[kind], name), _STEPS[act])]
        said = f"“{label}” stands one row {'higher' if act == 'up' else 'lower'}."
    status = kept(key, form, changes)
    if status:
        return _rows_page(key, open_draft(key), form, status=status)
    if act == "copy":
        return done(said, url_for(".edit_row", key=key, kind=kind, name=name))
    return done(said, url_for(".show_process", key=key, _anchor=f"{kind}-{name}"))


@blueprint.get("/rules/<key>/rows/process/new/<kind>")
@requires(admin)
@with_readable_draft
def new_row(key: str, kind: str) -> ResponseReturnValue:
    """Ask what a new row says."""
    opened = open_draft(key)
    form = _filled(opened, kind, _suggested(kind))
    return _row_page(key, opened, kind, "", form)


@blueprint.post("/rules/<key>/rows/process/new/<kind>")
@requires(admin)
@with_readable_draft
def add_row(key: str, kind: str) -> ResponseReturnValue:
    """Add a row."""
    opened, form = open_draft(key), FORMS[kind]()
    form.offer(opened.process, {})
    taken = opened.process.named(kind)
    if not form.validate_on_submit():
        return _row_page(key, opened, kind, "", form, status=422)
    name = form.id.data or id_from(form.label.data, taken)
    if name in taken:
        form.id.errors = ["Something else of this kind has this name in the file."]
        return _row_page(key, opened, kind, "", form, status=422)
    status = kept(key, form, _added(opened, kind, name, form))
    if status:
        return _row_page(key, open_draft(key), kind, "", form, status=status)
    return done(
        f"“{form.label.data}” is in your draft.",
        url_for(".edit_row", key=key, kind=kind, name=name),
    )


@blueprint.get("/rules/<key>/rows/process/<kind>/<name>")
@requires(admin)
@with_readable_draft
def edit_row(key: str, kind: str, name: str) -> ResponseReturnValue:
    """Show one row to change."""
    opened = open_draft(key)
    return _row_page(key, opened, kind, name, _filled(opened, kind, _entry(opened, kind, name)))


@blueprint.post("/rules/<key>/rows/process/<kind>/<name>")
@requires(admin)
@with_readable_draft
def save_row(key: str, kind: str, name: str) -> ResponseReturnValue:
    """Change one row."""
    opened, form = open_draft(key), _known_only(FORMS[kind]())
    form.offer(opened.process, _entry(opened, kind, name))
    if not form.validate_on_submit():
        return _row_page(key, opened, kind, name, form, status=422)
    to = form.id.data if _may_rename(key, kind, name) else ""
    if to and to != name and to in opened.process.named(kind):
        form.id.errors = ["Something else of this kind has this name in the file."]
        return _row_page(key, opened, kind, name, form, status=422)
    changes = changes_of.edited(opened.process, kind, name, form.wanted(), to=to or "")
    status = kept(key, form, changes)
    if status:
        return _row_page(key, open_draft(key), kind, name, form, status=status)
    return done("Kept in your draft.", url_for(".edit_row", key=key, kind=kind, name=to or name))


@blueprint.get("/rules/<key>/rows/process/stage/<name>/sections")
@requires(admin)
@with_readable_draft
def show_sections(key: str, name: str) -> ResponseReturnValue:
    """Show which parts of the form are open in a stage, and to whom."""
    opened = open_draft(key)
    before = editors(_entry(opened, "stage", name))
    form = DraftPart(formdata=None, seen=opened.seen)
    return _sections_page(key, opened, name, form, before)


@blueprint.post("/rules/<key>/rows/process/stage/<name>/sections")
@requires(admin)
@with_readable_draft
def save_sections(key: str, name: str) -> ResponseReturnValue:
    """Open parts of the form in a stage to roles."""
    opened, form = open_draft(key), DraftPart()
    before = editors(_entry(opened, "stage", name))
    roles = set(opened.process.named("role"))
    ticked: dict[str, list[str]] = {}
    for box in request.form.getlist("open"):
        section, _, role = box.partition(" ")
        if section not in SECTIONS or role not in roles:
            form.form_errors.append("Choose from the parts and roles that are shown.")
            return _sections_page(key, opened, name, form, before, status=422)
        ticked.setdefault(section, []).append(role)
    if not form.validate_on_submit():
        return _sections_page(key, opened, name, form, ticked, status=422)
    changes = changes_of.stage_sections(opened.process, name, ticked, list(SECTIONS))
    status = kept(key, form, changes)
    if status:
        return _sections_page(key, open_draft(key), name, form, ticked, status=status)
    return done("Kept in your draft.", url_for(".edit_row", key=key, kind="stage", name=name))


@blueprint.get("/rules/<key>/rows/process/signing")
@requires(admin)
@with_readable_draft
def show_signing(key: str) -> ResponseReturnValue:
    """Show who never signs."""
    opened = open_draft(key)
    never = _never(opened)
    form = SigningForm(formdata=None, seen=opened.seen, never=never)
    offer(form.never, people_facts(), never)
    return show("workshop/process_signing.html", key, form=form)


@blueprint.post("/rules/<key>/rows/process/signing")
@requires(admin)
@with_readable_draft
def save_signing(key: str) -> ResponseReturnValue:
    """Say who never signs."""
    opened, form = open_draft(key), SigningForm()
    offer(form.never, people_facts(), _never(opened))
    status = 422
    if form.validate_on_submit():
        changes = changes_of.never_sign(opened.process, form.never.data)
        status = kept(key, form, changes)
        if not status:
            return done("Kept in your draft.", url_for(".show_process", key=key, _anchor="signing"))
    return show("workshop/process_signing.html", key, status=status, form=form)


def _entry(opened: Opened, kind: str, name: str) -> Any:
    entry = opened.process.one(kind, name)
    if entry is None:
        abort(404)
    return entry


def _never(opened: Opened) -> list[str]:
    return words(group(opened.process.whole.get("signing")).get("never"))


def _suggested(kind: str) -> dict[str, Any]:
    """Return what a link to a new row already knows: the stage it is about."""
    stage = request.args.get("stage", "")[:_MOST_NAME]
    if not stage:
        return {}
    return {"move": {"from": stage}, "question": {"stage": stage}}.get(kind, {})


def _filled(opened: Opened, kind: str, entry: Any) -> RowForm:
    plain = FORMS[kind](formdata=None)
    form = FORMS[kind](formdata=None, seen=opened.seen, **plain.show(entry))
    form.offer(opened.process, entry)
    return form


def _known_only(form: RowForm) -> RowForm:
    """Leave out what only a new row is asked."""
    if isinstance(form, QuestionForm):
        form.roles.data, form.must.data = [], False
    return form


def _added(opened: Opened, kind: str, name: str, form: RowForm) -> list[Change]:
    process, wanted = opened.process, form.wanted()
    changes = changes_of.added(process, kind, name, wanted, after=_behind(opened, kind, wanted))
    if isinstance(form, QuestionForm):
        stage, section = form.stage.data, form.section.data
        changes += changes_of.opened_to(process, stage, section, form.roles.data)
        if form.must.data:
            changes += changes_of.answer_asked(process, name, wanted)
    return changes


def _behind(opened: Opened, kind: str, wanted: dict[str, Any]) -> str | None:
    """A move stands behind the last one that leaves the same stage."""
    if kind != "move":
        return None
    first = words(wanted["from"])[0]
    near = [
        name
        for name, one in opened.process.named("move").items()
        if words(one.get("from"))[:1] == [first]
    ]
    return near[-1] if near else None


def _may_rename(key: str, kind: str, name: str) -> bool:
    """Only what nobody works by yet can get another id: projects and people keep the one they know."""
    return bool(name) and name not in getattr(binding_rules(key), _BINDING[kind])


def _rows_page(
    key: str, opened: Opened, form: DraftPart, *, status: int = 200
) -> ResponseReturnValue:
    process = opened.process
    return show(
        "workshop/process.html",
        key,
        status=status,
        form=form,
        kept_at=opened.draft.changed_at,
        rows={kind: process_words.rows(process, kind) for kind in FORMS},
        never=[fact_label(one) for one in _never(opened)],
        findings=found_in(opened),
    )


def _row_page(
    key: str, opened: Opened, kind: str, name: str, form: RowForm, *, status: int = 200
) -> ResponseReturnValue:
    process = opened.process
    shown = {row.id: row for row in process_words.rows(process, kind)} if name else {}
    findings = found_in(opened) if name else Findings({}, [])
    found = findings.of(kind, name)
    return show(
        "workshop/process_row.html",
        key,
        status=status,
        form=form,
        kind=kind,
        name=name,
        row=shown.get(name),
        may_rename=_may_rename(key, kind, name) if name else True,
        found=found,
        elsewhere=findings.errors - sum(one.severity == "error" for one in found),
        moves=_moves_of(opened, name) if kind == "stage" else [],
        editors=_editors_words(opened, kind, name),
        mail=_mail(opened, name) if kind == "move" and name else None,
    )


def _mail(opened: Opened, name: str) -> tuple[str, str]:
    one = current_user
    reader = messages.Reader(one.id, one.name, one.email, one.zone)
    return preview(opened.process, name, reader=reader)


def _moves_of(opened: Opened, stage: str) -> list[process_words.Row]:
    moves = opened.process.named("move")
    return [
        row
        for row in process_words.rows(opened.process, "move")
        if stage in {*words(moves[row.id].get("from")), text(moves[row.id].get("to"))}
    ]


def _editors_words(opened: Opened, kind: str, name: str) -> list[dict[str, str]]:
    """Return who fills in what in a stage: each group of roles with its parts of the form."""
    if kind != "stage" or not name:
        return []
    process = opened.process
    found: dict[str, list[str]] = {}
    for section, roles in editors(process.one("stage", name) or {}).items():
        who = process.labels("role", roles) or "Nobody"
        found.setdefault(who, []).append(section_label(section))
    return [{"label": who, "value": ", ".join(parts)} for who, parts in found.items()]


def _sections_page(
    key: str,
    opened: Opened,
    name: str,
    form: DraftPart,
    ticked: dict[str, list[str]],
    *,
    status: int = 200,
) -> ResponseReturnValue:
    return show(
        "workshop/process_sections.html",
        key,
        status=status,
        form=form,
        name=name,
        stage=opened.process.label("stage", name),
        roles=opened.process.choices("role"),
        sections=SECTIONS,
        ticked=ticked,
    )
