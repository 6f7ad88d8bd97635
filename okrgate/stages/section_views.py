"""Every section of every room, with one view: show, edit a page, keep a draft, find a conflict."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from wtforms import FieldList

from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.projects.models import Draft
from okrgate.projects.sections import Page, Section
from okrgate.stages import editing, judging, panel, picture, reading, service
from okrgate.stages.facts import gather
from okrgate.stages.sections import answers_of, section_for
from okrgate.stages.views import blueprint, reader
from okrgate.web.fields import FixedRows
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me, remove_row

_NOT_KEPT = {"csrf_token", "base_version", "add_row", "remove_row", "later", "discard"}
_MOST_ROWS = 100
_KEPT = (
    "Kept as your draft. Nobody else sees it, and no gate counts it, until you save and continue."
)


@blueprint.get("/projects/<reference>/parts/<section>")
@requires(signed_in)
def show_section(reference: str, section: str) -> ResponseReturnValue:
    """Show a section's answers, with a Change link to each page for those who may edit."""
    loaded, found = _find(reference, section)
    refusal = _refusal(loaded, found)
    if not refusal and _is_untouched(loaded, found):
        return edit_page(reference, section, found.pages[0].key)
    private = current_user.is_auditor or loaded.involved
    answers = answers_of(found, loaded.project, loaded.rulebook)
    groups = [
        {
            "title": page.title,
            "url": url_for("stages.edit_page", reference=reference, section=section, page=page.key),
            "rows": [
                {
                    "label": one.label,
                    "value": one.text if private or not one.private else "Only for those involved",
                }
                for one in answers
                if one.page == page.key
            ],
        }
        for page in found.pages
    ]
    return render(
        "stages/section.html",
        loaded=loaded,
        project=loaded.project,
        section=found,
        groups=groups,
        refusal=refusal,
    )


@blueprint.route("/projects/<reference>/parts/<section>/<page>", methods=["GET", "POST"])
@requires(signed_in)
def edit_page(reference: str, section: str, page: str) -> ResponseReturnValue:
    """Edit one page of a section."""
    loaded, found = _find(reference, section)
    wanted = found.page(page)
    if wanted is None:
        raise NotFound
    refusal = _refusal(loaded, found)
    if refusal and request.method == "POST":
        return _too_late(loaded, found, wanted, refusal)
    if refusal:
        raise Forbidden(refusal)
    if request.method == "GET":
        draft = editing.find_draft(loaded.project.id, section, page, me())
        form = _form(wanted, loaded, draft)
        return _answer(loaded, found, wanted, form, base=_base(loaded, section, draft), draft=draft)
    return _posted(loaded, found, wanted)


def _posted(loaded: reading.Loaded, section: Section, page: Page) -> ResponseReturnValue:
    project = loaded.project
    home = url_for("stages.show_project", reference=project.reference)
    base = whole(request.form.get("base_version", "")) or 0
    if "discard" in request.form:
        editing.drop_draft(project.id, section.key, page.key, by=me())
        return done("What you had typed is gone.", _url(project.reference, section, page))
    if "later" in request.form:
        typed = [
            (name, value) for name, value in request.form.items(multi=True) if name not in _NOT_KEPT
        ]
        editing.keep_draft(project.id, section.key, page.key, typed, base_version=base, by=me())
        return done(_KEPT, home)
    form = page.form()
    page.prepare(form, project)
    if _rows_changed(form):
        page.prepare(form, project)
        return _answer(loaded, section, page, form, base=base)
    if not form.validate():
        return _answer(loaded, section, page, form, base=base, status=422)
    try:
        around = gather(project, loaded.rulebook).around
        saved = service.save_page(
            project.id, section, page, form.data, base_version=base, around=around, by=me()
        )
    except Invalid as problem:
        for name, sentence in problem.fields.items():
            if name in form:
                form[name].errors = [*form[name].errors, sentence]
        return _answer(
            loaded, section, page, form, base=base, status=422, sentence=problem.sentence
        )
    except Forbidden as problem:
        return _too_late(loaded, section, page, problem.sentence)
    except Conflict as problem:
        return _conflict(loaded.project.reference, section.key, page, form, problem.sentence)
    following = _next(section, page)
    to = _url(project.reference, section, following) if following else home
    return done(_said(section, saved), to)


def _too_late(
    loaded: reading.Loaded, section: Section, page: Page, refusal: str
) -> ResponseReturnValue:
    """Say why nothing was saved, and give back what was typed: it may be needed elsewhere."""
    form = page.form()
    labels = {field.name: field.label.text for field in _fields_of(form)}
    typed = [
        {"label": labels[name], "value": value}
        for name, value in request.form.items(multi=True)
        if name in labels and value.strip()
    ]
    return render(
        "stages/too_late.html",
        status=403,
        project=loaded.project,
        section=section,
        refusal=refusal,
        typed=typed,
    )


def _fields_of(form: Any) -> list[Any]:
    """Return the fields in which people write, those of rows too."""
    found: list[Any] = []
    for field in form:
        if isinstance(field, FieldList):
            found += [inner for entry in field.entries for inner in _fields_of(entry.form)]
        elif field.type not in {"CSRFTokenField", "HiddenField", "Known"}:
            found.append(field)
    return found


def _answer(
    loaded: reading.Loaded,
    section: Section,
    page: Page,
    form: Any,
    *,
    base: int,
    status: int = 200,
    draft: Draft | None = None,
    **more: Any,
) -> ResponseReturnValue:
    context = {"theirs": None, "sentence": ""} | more
    return render(
        "stages/section_page.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        section=section,
        page_shown=page,
        form=form,
        base=base,
        draft=draft,
        guided=True,
        wanted=panel.wanted_of(loaded, judging.stored(loaded.project.id), section.key),
        number=section.pages.index(page) + 1 if page in section.pages else 1,
        form_errors=form.errors if status == 422 else None,
        **context,
    )


def _conflict(
    reference: str, section: str, page: Page, form: Any, sentence: str
) -> ResponseReturnValue:
    """Show what was typed beside what is stored by now; saving again is a deliberate act."""
    loaded, found = _find(reference, section)
    answers = answers_of(found, loaded.project, loaded.rulebook)
    theirs = [{"label": one.label, "value": one.text} for one in answers if one.page == page.key]
    shown = found.page(page.key)
    if shown is None:
        raise NotFound
    base = _base(loaded, section, None)
    return _answer(
        loaded, found, shown, form, base=base, status=409, theirs=theirs, sentence=sentence
    )


def _find(reference: str, section: str) -> tuple[reading.Loaded, Section]:
    loaded = reading.load(reference, reader())
    used = {key for stage in loaded.rulebook.stages.values() for key in stage.sections}
    found = section_for(loaded.rulebook, section)
    if found is None or section not in used:
        raise NotFound
    return loaded, found


def _refusal(loaded: reading.Loaded, section: Section) -> str:
    """Return why the reader may not edit a section now; nothing when they may."""
    roles = editing.editors(loaded.rulebook, loaded.project.stage, section.key)
    if set(roles) & loaded.roles:
        return ""
    if reading.hang_on_facts(loaded.rulebook, roles):
        around = picture.of(loaded.project, loaded.rulebook).around
    else:
        around = reading.light_surroundings(loaded.project, loaded.unit, loaded.co_editors)
    try:
        editing.check_may_edit(loaded.project, loaded.rulebook, section.key, around, me())
    except Forbidden as refusal:
        return refusal.sentence
    return ""


def _is_untouched(loaded: reading.Loaded, section: Section) -> bool:
    return section.key not in editing.states(loaded.project.id)


def _form(page: Page, loaded: reading.Loaded, draft: Draft | None) -> Any:
    if draft is not None:
        form = page.form(formdata=MultiDict((name, value) for name, value in draft.data))
    else:
        form = page.form(formdata=None, data=dict(page.load(loaded.project)))
        _invite(form)
    page.prepare(form, loaded.project)
    return form


def _invite(form: Any) -> None:
    """Give every empty list one empty row: it says what is wanted better than a button can."""
    for field in form:
        if isinstance(field, FieldList) and not isinstance(field, FixedRows) and not field.entries:
            field.append_entry()


def _base(loaded: reading.Loaded, section: str, draft: Draft | None) -> int:
    if draft is not None:
        return draft.base_version
    state = editing.states(loaded.project.id).get(section)
    return state.version if state else 0


def _rows_changed(form: Any) -> bool:
    """Add or take away a row, if that is what the button asked for."""
    adding, removing = request.form.get("add_row", ""), request.form.get("remove_row", "")
    name = adding or removing.rpartition("-")[0]
    rows = form[name] if name and name in form else None
    if not isinstance(rows, FieldList) or isinstance(rows, FixedRows):
        return False
    if adding:
        if len(rows.entries) < _MOST_ROWS:
            rows.append_entry()
    else:
        remove_row(rows, removing)
    return True


def _next(section: Section, page: Page) -> Page | None:
    keys = [one.key for one in section.pages]
    place = keys.index(page.key) + 1
    return section.pages[place] if place < len(section.pages) else None


def _url(reference: str, section: Section, page: Page) -> str:
    return url_for("stages.edit_page", reference=reference, section=section.key, page=page.key)


def _said(section: Section, saved: editing.Saved) -> str:
    if saved.voided:
        return f"Saved: {section.title}. What was signed has changed, so those who sign are asked again."
    return f"Saved: {section.title}." if saved.changed else f"{section.title}: nothing was changed."
