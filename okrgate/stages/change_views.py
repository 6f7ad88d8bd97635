"""Changes of what was signed: the list, asking for one, deciding on one."""

import secrets
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from wtforms import FieldList

from okrgate.accounts import directory
from okrgate.database import remembering
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.factors import asking
from okrgate.projects.sections import Page, Section
from okrgate.stages import change_requests as changes
from okrgate.stages import change_rights, change_rows, change_shown, confirm_page, reading
from okrgate.stages.change_models import DECLINED, OPEN, RECALLED, ChangeRequest
from okrgate.stages.forms import ChangeDecisionForm, ChangeForm
from okrgate.stages.opened import rows_changed
from okrgate.stages.sections import section_for
from okrgate.stages.views import blueprint, reader
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

_OURS = {"csrf_token", "key", "why", "effect", "add_row", "remove_row", "preview"}
_MOST = 2000


@blueprint.get("/projects/<reference>/changes")
@requires(signed_in)
def list_changes(reference: str) -> ResponseReturnValue:
    """Show every change that was asked for, and where one can be asked for."""
    loaded = reading.load(reference, reader())
    rows = changes.of_project(loaded.project.id)
    names = directory.names(row.by_id for row in rows)
    can = [
        {
            "label": section.title
            if page.title == section.title
            else f"{section.title}: {page.title}",
            "url": url_for(
                "stages.ask_change", reference=reference, section=section.key, page=page.key
            ),
        }
        for section, page in change_rights.changeable(loaded.project, loaded.rulebook)
        if change_rights.may_ask(loaded.rulebook, section.key, loaded.roles)
    ]
    return render(
        "stages/changes.html",
        loaded=loaded,
        project=loaded.project,
        rows=[change_shown.line(row, reference, names, private=_reads_all(loaded)) for row in rows],
        can=can,
    )


@blueprint.route("/projects/<reference>/changes/new/<section>/<page>", methods=["GET", "POST"])
@requires(signed_in)
def ask_change(reference: str, section: str, page: str) -> ResponseReturnValue:
    """Ask to change one page of what was signed."""
    loaded, part, wanted = _find(reference, section, page)
    words = ChangeForm()
    if request.method == "GET":
        words.key.data = secrets.token_hex(16)
        form = _offered(loaded, part, wanted, words)
        return _ask_page(loaded, part, wanted, form, words)
    form = wanted.form()
    wanted.prepare(form, loaded.project)
    if "preview" in request.form:
        return _drawn(form, request.form["preview"])
    focus_on = rows_changed(form)
    if focus_on:
        wanted.prepare(form, loaded.project)
        return _ask_page(loaded, part, wanted, form, words, focus_on=focus_on)
    # Both are asked, so that everything that is wrong is said at once.
    if not all([form.validate(), words.validate()]):
        return _ask_page(loaded, part, wanted, form, words, status=422)
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in _OURS]
    if len(typed) > _MOST:
        raise Invalid("This is more than one change can hold. Ask for it in two parts.")
    asked = changes.Asked(
        typed, words.why.data or "", words.effect.data or "", (words.key.data or "")[:64]
    )
    if not asked.key:
        raise Invalid("Open the page again: it was sent without its key.")
    try:
        row = changes.ask(loaded.project.id, part, wanted, asked, by=me())
    except Invalid as problem:
        _complain(words, {"reason": "why"}, problem)
        _complain(form, {}, problem)
        return _ask_page(loaded, part, wanted, form, words, status=422, sentence=problem.sentence)
    said = "Asked. Those who sign are told; until they agree, what was signed holds."
    return done(said, url_for("stages.show_change", reference=reference, request_id=row.id))


@blueprint.route(
    "/projects/<reference>/changes/<int(max=2147483647):request_id>", methods=["GET", "POST"]
)
@requires(signed_in)
def show_change(reference: str, request_id: int) -> ResponseReturnValue:
    """Show one change: from, to, why; and take a decision on it."""
    loaded = reading.load(reference, reader())
    row = next((one for one in changes.of_project(loaded.project.id) if one.id == request_id), None)
    if row is None:
        raise NotFound
    here = url_for("stages.show_change", reference=reference, request_id=request_id)
    form, status = ChangeDecisionForm(), 200
    if "take_back" in request.form:
        changes.take_back(row.id, by=me())
        return done("You asked for it no more.", here)
    if request.method == "POST" and form.validate():
        try:
            approve, reason = form.decision.data == "yes", form.reason.data or ""
            proof = asking.proof_in(request.form)
            state = changes.decide(row.id, approve=approve, reason=reason, by=me(), proof=proof)
        except confirm_page.UNPROVED as refusal:
            return confirm_page.for_change(
                loaded, row, refusal, here, approve=approve, reason=reason
            )
        except Invalid as problem:
            _complain(form, {}, problem)
            status = 422
        else:
            said = {
                OPEN: "Noted. Somebody else has to agree as well.",
                "approved": "Agreed. The new values hold from now on.",
            }
            return done(said.get(state, "Declined. What was signed holds."), here)
    elif request.method == "POST":
        if not _waits_for_me(row):
            raise Forbidden("Only those who sign this gate can decide on a change.")
        status = 422
    return _change_page(loaded, row, form, status)


def _change_page(
    loaded: reading.Loaded, row: ChangeRequest, form: ChangeDecisionForm, status: int
) -> ResponseReturnValue:
    is_open = row.state == OPEN
    with remembering({}):
        overtaken = changes.overtaken(loaded.project, loaded.rulebook, row) if is_open else ""
    seats = changes.seats_of(row.id)
    names = directory.names([row.by_id, *(seat.person_id for seat in seats)])
    section = section_for(loaded.rulebook, row.section)
    return render(
        "stages/change.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        row=row,
        line=change_shown.line(row, loaded.project.reference, names, private=_reads_all(loaded)),
        overtaken=overtaken,
        again_url=_again(loaded, row) if overtaken or row.state in (DECLINED, RECALLED) else "",
        on_change=_on_change(section, row),
        section=section.title if section else row.section,
        gate=loaded.rulebook.gates[row.gate].label if row.gate in loaded.rulebook.gates else "",
        said=[
            {
                "who": names.get(seat.person_id, "Somebody"),
                "what": "agreed" if seat.decision == "approved" else "declined",
                "reason": seat.reason,
                "at": seat.at,
            }
            for seat in seats
            if seat.decision
        ],
        waiting=sorted(names.get(one.person_id, "Somebody") for one in seats if not one.decision),
        mine=is_open and any(one.person_id == me() and not one.decision for one in seats),
        own=is_open and row.by_id == me(),
        form=form,
        form_errors=form.errors if status == 422 else None,
    )


def _ask_page(
    loaded: reading.Loaded,
    section: Section,
    page: Page,
    form: Any,
    words: ChangeForm,
    *,
    status: int = 200,
    sentence: str = "",
    focus_on: str = "",
) -> ResponseReturnValue:
    here = url_for(
        "stages.ask_change",
        reference=loaded.project.reference,
        section=section.key,
        page=page.key,
    )
    return render(
        "stages/ask_change.html",
        part="stages/ask_change_form.html",
        status=status,
        here=here,
        # What rows put in or taken out is drawn in place, as where the page is filled in first; nothing is kept.
        draft_url="",
        guided=True,
        focus_on=focus_on,
        loaded=loaded,
        project=loaded.project,
        section=section,
        page_shown=page,
        form=form,
        words=words,
        sentence=sentence,
        form_errors={**form.errors, **words.errors} if status == 422 else None,
    )


def _offered(loaded: reading.Loaded, section: Section, page: Page, words: ChangeForm) -> Any:
    """Return the form with what holds, or with what was asked for once and is asked for again."""
    earlier = _earlier(loaded, section, page)
    if earlier is None:
        with remembering({}):
            return change_rows.stored_form(page, loaded.project)
    form = page.form(formdata=MultiDict((name, value) for name, value in earlier.data))
    words.why.data, words.effect.data = earlier.reason, earlier.effect
    page.prepare(form, loaded.project)
    return form


def _earlier(loaded: reading.Loaded, section: Section, page: Page) -> ChangeRequest | None:
    number = whole(request.args.get("again", ""))
    if number is None:
        return None
    wanted = (number, section.key, page.key)
    rows = changes.of_project(loaded.project.id)
    return next((one for one in rows if (one.id, one.section, one.page) == wanted), None)


def _again(loaded: reading.Loaded, row: ChangeRequest) -> str:
    """Return where the same can be asked for anew, for those who may; nothing is lost when a request is overtaken."""
    can = change_rights.changeable(loaded.project, loaded.rulebook)
    if not any((section.key, page.key) == (row.section, row.page) for section, page in can):
        return ""
    if not change_rights.may_ask(loaded.rulebook, row.section, loaded.roles):
        return ""
    return url_for(
        "stages.ask_change",
        reference=loaded.project.reference,
        section=row.section,
        page=row.page,
        again=row.id,
    )


def _on_change(section: Section | None, row: ChangeRequest) -> str:
    page = section.page(row.page) if section and row.state == OPEN else None
    return page.on_change if page else ""


def _drawn(form: Any, row: str) -> ResponseReturnValue:
    """Draw what stands below one row as it is typed just now. Nothing is stored."""
    for field in form:
        for entry in field.entries if isinstance(field, FieldList) else ():
            if entry.id == row and getattr(entry.form, "part", ""):
                return render(entry.form.part, entry=entry)
    raise NotFound


def _find(reference: str, section: str, page: str) -> tuple[reading.Loaded, Section, Page]:
    loaded = reading.load(reference, reader())
    found = next(
        (
            (one, each)
            for one, each in change_rights.changeable(loaded.project, loaded.rulebook)
            if one.key == section and each.key == page
        ),
        None,
    )
    if found is None:
        raise NotFound
    if not change_rights.may_ask(loaded.rulebook, section, loaded.roles):
        raise Forbidden("Only those who agreed this part can ask to change it.")
    return loaded, *found


def _waits_for_me(row: ChangeRequest) -> bool:
    return any(one.person_id == me() for one in changes.seats_of(row.id))


def _reads_all(loaded: reading.Loaded) -> bool:
    return bool(current_user.is_auditor or loaded.involved)


def _complain(form: Any, names: dict[str, str], problem: Invalid) -> None:
    for name, sentence in problem.fields.items():
        field = names.get(name, name)
        if field in form:
            form[field].errors = [*form[field].errors, sentence]
