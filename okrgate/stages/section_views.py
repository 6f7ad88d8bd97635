"""Every section of every room, with one view: show, edit a page, keep a draft, find a conflict."""

import secrets
from dataclasses import replace
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import FieldList

from okrgate.comments import service as comments
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.projects.models import Draft
from okrgate.projects.sections import Page, Section
from okrgate.stages import (
    comparing,
    drafts,
    editing,
    judging,
    leading,
    panel,
    picture,
    reading,
    service,
)
from okrgate.stages.facts import gather
from okrgate.stages.opened import (
    NOT_KEPT,
    Carried,
    Opened,
    base_of,
    carried_along,
    fields_of,
    form_of,
    rows_changed,
    typed,
    url_of,
    when,
)
from okrgate.stages.sections import answers_of, asked_for, section_for
from okrgate.stages.views import blueprint, reader
from okrgate.web.errors import tell_of_denial
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

_STATE = "stages/section_draft.html"
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
        return _edited(Opened(loaded, found, found.pages[0]))
    private = current_user.is_auditor or loaded.involved
    answers = answers_of(found, loaded.project, loaded.rulebook)
    groups = [
        {
            "title": page.title,
            "url": url_for(
                "stages.edit_page",
                reference=reference,
                section=section,
                page=page.key,
                return_to="part",
            ),
            "rows": [
                {
                    "label": one.label,
                    "value": one.text if private or not one.private else "Only for those involved",
                    "bands": one.bands,
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
        said=comments.count_about(loaded.project.id, section, private=private),
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
    open_page = Opened(loaded, found, wanted)
    if request.method == "POST":
        return _posted(open_page)
    return _edited(open_page)


def _edited(open_page: Opened) -> ResponseReturnValue:
    """Show a page's form to somebody who may edit it."""
    loaded, draft = open_page.loaded, drafts.find(open_page.place)
    form = form_of(open_page.page, loaded, draft)
    carried = Carried(
        base=base_of(loaded, open_page.section.key, draft),
        tab=drafts.Tab(secrets.token_hex(8), drafts.stamp(draft)),
        marks=drafts.typed_value(draft, "answers_seen") or comparing.seen(form),
        return_to=request.args.get("return_to", ""),
    )
    return _answer(open_page, form, carried, draft=draft)


@blueprint.post("/projects/<reference>/parts/<section>/<page>/draft")
@requires(signed_in)
def keep_draft(reference: str, section: str, page: str) -> ResponseReturnValue:
    """Keep what is being typed, and say when in one sentence. It is no save: no gate sees it, no error is shown."""
    loaded, found = _find(reference, section)
    wanted = found.page(page)
    if wanted is None:
        raise NotFound
    refusal = _refusal(loaded, found)
    if refusal:
        raise Forbidden(refusal)
    place = Opened(loaded, found, wanted).place
    carried = carried_along()
    try:
        drafts.check_not_saved_since(place, carried.base)
        kept = drafts.keep(place, typed(), base_version=carried.base, tab=carried.tab).saved_at
    except drafts.Newer as newer:
        return render(
            _STATE, status=409, here=url_of(reference, found, wanted), newer=when(newer.at)
        )
    return render(_STATE, kept=when(kept), newer="")


def _posted(opened: Opened) -> ResponseReturnValue:
    loaded, page = opened.loaded, opened.page
    carried = carried_along()
    if "discard" in request.form:
        drafts.drop(opened.place)
        return done("What you had typed is gone.", opened.url)
    if "later" in request.form:
        return _kept_for_later(opened, carried)
    form = page.form()
    page.prepare(form, loaded.project)
    if "choosing" in request.form:
        stored = form_of(page, loaded, None)
        form = page.form(formdata=comparing.merged(request.form, form, stored))
        page.prepare(form, loaded.project)
        if request.form["choosing"] == "edit":
            return _answer(opened, form, carried)
    if "preview" in request.form:
        return _preview(form, request.form["preview"])
    focus_on = rows_changed(form)
    if focus_on:
        page.prepare(form, loaded.project)
        return _answer(opened, form, carried, focus_on=focus_on)
    if not form.validate():
        return _answer(opened, form, carried, status=422)
    return _saved(opened, form, carried)


def _preview(form: Any, row: str) -> ResponseReturnValue:
    """Draw what stands below one row as it is typed just now. Nothing is stored."""
    for field in form:
        for entry in field.entries if isinstance(field, FieldList) else ():
            if entry.id == row and getattr(entry.form, "part", ""):
                return render(entry.form.part, entry=entry, anew=True)
    raise NotFound


def _kept_for_later(opened: Opened, carried: Carried) -> ResponseReturnValue:
    try:
        drafts.keep(opened.place, typed(), base_version=carried.base, tab=carried.tab)
    except drafts.Newer as newer:
        form = opened.page.form()
        opened.page.prepare(form, opened.loaded.project)
        # Whoever presses again means it.
        known = drafts.Tab(carried.tab.name, newer.at.isoformat())
        return _answer(opened, form, replace(carried, tab=known), status=409, newer=when(newer.at))
    return done(_KEPT, url_for("stages.show_project", reference=opened.loaded.project.reference))


def _saved(opened: Opened, form: Any, carried: Carried) -> ResponseReturnValue:
    loaded, section, page = opened.loaded, opened.section, opened.page
    try:
        around = gather(loaded.project, loaded.rulebook).around
        saved = service.save_page(
            loaded.project.id,
            section,
            page,
            form.data,
            base_version=carried.base,
            around=around,
            by=me(),
            tab=carried.tab,
        )
    except Invalid as problem:
        for name, sentence in problem.fields.items():
            if name in form:
                form[name].errors = [*form[name].errors, sentence]
        return _answer(opened, form, carried, status=422, sentence=problem.sentence)
    except Forbidden as problem:
        return _too_late(loaded, section, page, problem.sentence)
    except Conflict as problem:
        return _conflict(opened, form, carried, problem.sentence)
    tone = "success" if saved.changed else "info"
    following = _after(opened, carried)
    said = f"{_said(section, saved)} Next: {following.part}." if following.part else None
    return done(said or _said(section, saved), following.url, tone=tone)


def _after(opened: Opened, carried: Carried) -> leading.Onward:
    """Return where a save leads: back to where the reader came from, else to the next page, else to the next part."""
    reference, section = opened.loaded.project.reference, opened.section
    if carried.return_to == "check":
        return leading.Onward(url_for("stages.check", reference=reference))
    if carried.return_to == "part":
        part = url_for("stages.show_section", reference=reference, section=section.key)
        return leading.Onward(part)
    following = _next(section, opened.page)
    if following:
        return leading.Onward(url_of(reference, section, following))
    return leading.onward(opened.loaded, section)


def _conflict(opened: Opened, form: Any, carried: Carried, sentence: str) -> ResponseReturnValue:
    """Show what was typed beside what is stored by now. Where nobody changed the same page, save it after all."""
    loaded, section = _find(opened.loaded.project.reference, opened.section.key)
    page = section.page(opened.page.key)
    if page is None:
        raise NotFound
    again = Opened(loaded, section, page)
    stored = form_of(page, loaded, None)
    now = replace(carried, base=base_of(loaded, section.key, None))
    found = comparing.differences(form, stored, carried.marks)
    if not found and carried.marks and now.base != carried.base:
        return _saved(again, form, replace(now, marks=""))
    return render(
        "stages/section_conflict.html",
        status=409,
        project=loaded.project,
        section=section,
        page_shown=page,
        here=again.url,
        sentence=sentence,
        differences=found,
        carried=now,
        marks=comparing.seen(stored),
        sent=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if name not in NOT_KEPT | {"answers_seen", drafts.TAB}
            and not name.startswith(comparing.CHOICE)
        ],
    )


def _too_late(
    loaded: reading.Loaded, section: Section, page: Page, refusal: str
) -> ResponseReturnValue:
    """Say why nothing was saved, and give back what was typed: it may be needed elsewhere."""
    form = page.form()
    labels = {field.name: field.label.text for field in fields_of(form)}
    typed = [
        {"label": labels[name], "value": value}
        for name, value in request.form.items(multi=True)
        if name in labels and value.strip()
    ]
    shown = render(
        "stages/too_late.html",
        status=403,
        project=loaded.project,
        section=section,
        refusal=refusal,
        typed=typed,
    )
    tell_of_denial(refusal)
    return shown


def _answer(
    opened: Opened,
    form: Any,
    carried: Carried,
    *,
    status: int = 200,
    draft: Draft | None = None,
    **more: Any,
) -> ResponseReturnValue:
    loaded, section, page = opened.loaded, opened.section, opened.page
    context = {"sentence": "", "newer": "", "focus_on": ""} | more
    reference = loaded.project.reference
    return render(
        "stages/section_page.html",
        part="stages/section_form.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        section=section,
        page_shown=page,
        form=form,
        carried=carried,
        draft=draft,
        guided=True,
        asked_for=asked_for(page, loaded.rulebook),
        # A part nobody filled in yet shows its first page under its own address, which takes no answers.
        here=opened.url,
        home=url_for("stages.show_project", reference=reference),
        draft_url=url_for(
            "stages.keep_draft", reference=reference, section=section.key, page=page.key
        ),
        wanted=panel.wanted_of(loaded, judging.stored(loaded.project.id), section.key),
        number=section.pages.index(page) + 1 if page in section.pages else 1,
        form_errors=form.errors if status == 422 else None,
        **context,
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


def _next(section: Section, page: Page) -> Page | None:
    keys = [one.key for one in section.pages]
    place = keys.index(page.key) + 1
    return section.pages[place] if place < len(section.pages) else None


def _said(section: Section, saved: editing.Saved) -> str:
    if saved.voided:
        return f"Saved: {section.title}. What was signed has changed, so those who sign are asked again."
    return f"Saved: {section.title}." if saved.changed else f"{section.title}: nothing was changed."
