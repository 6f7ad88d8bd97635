"""The people of a project: hand it over, and choose who writes along."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.errors import Invalid, NotFound
from okrgate.projects.choosing import offer_people
from okrgate.stages import handing, reading
from okrgate.stages.forms import CoEditorForm, HandOverForm
from okrgate.stages.views import blueprint, reader
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me


@blueprint.get("/projects/<reference>/people")
@requires(signed_in)
def show_people(reference: str) -> ResponseReturnValue:
    """Show who has which part, and a form for each that the reader may hand over."""
    return _page(reading.load(reference, reader()))


@blueprint.post("/projects/<reference>/people/<part>")
@requires(signed_in)
def hand_over(reference: str, part: str) -> ResponseReturnValue:
    """Give a part to somebody else."""
    loaded = reading.load(reference, reader())
    if part not in handing.PARTS:
        raise NotFound
    form = _hand_over_form(loaded, part)
    project = loaded.project
    # Whoever gives away what is not for everybody may not see it any more.
    hidden = project.submitted_at is None or project.confidential
    leaves = hidden and getattr(project, handing.PARTS[part]) == me()
    here = url_for("stages.show_people", reference=reference)
    if form.validate():
        try:
            handing.hand_over(
                loaded.project.id,
                part,
                to=form.to.data,
                note=form.note.data or "",
                version=whole(str(form.version.data or "")) or 0,
                by=me(),
                admin=current_user.is_admin,
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            said = f"{reference} has a new {part}. Everybody concerned gets a mail."
            return done(said, url_for("stages.my_work") if leaves else here)
    return _page(loaded, forms={part: form}, status=422)


@blueprint.post("/projects/<reference>/co-editors")
@requires(signed_in)
def choose_co_editors(reference: str) -> ResponseReturnValue:
    """Add somebody who writes along, or take somebody out."""
    loaded = reading.load(reference, reader())
    here = url_for("stages.show_people", reference=reference)
    leaving = whole(request.form.get("remove", ""))
    if leaving is not None:
        handing.remove_co_editor(loaded.project.id, leaving, by=me(), admin=current_user.is_admin)
        return done(
            "They write along no more.", here if leaving != me() else url_for("stages.my_work")
        )
    form = _co_editor_form()
    if form.validate():
        try:
            handing.add_co_editor(
                loaded.project.id, form.co_editor.data, by=me(), admin=current_user.is_admin
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done("They can write along from now on, and get a mail.", here)
    return _page(loaded, co_editor=form, status=422)


def _page(
    loaded: reading.Loaded,
    *,
    forms: dict[str, HandOverForm] | None = None,
    co_editor: CoEditorForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    project = loaded.project
    filled: dict[str, Any] = dict(forms or {})
    parts = []
    for part, column in handing.PARTS.items():
        refused = handing.refusal(
            project, loaded.rulebook, part, loaded.roles, me(), admin=current_user.is_admin
        )
        form = None if refused else filled.get(part) or _hand_over_form(loaded, part, blank=True)
        parts.append(
            {
                "part": part,
                "who": getattr(project, column),
                "name": loaded.name(getattr(project, column)),
                "refusal": refused,
                "form": form,
            }
        )
    wrong = next(iter(filled.values()), co_editor)
    ended = loaded.rulebook.stages[project.stage].terminal
    chooses = not ended and (project.submitter_id == me() or current_user.is_admin)
    return render(
        "stages/people.html",
        status=status,
        loaded=loaded,
        project=project,
        parts=parts,
        writers=sorted((loaded.name(one), one) for one in loaded.co_editors),
        chooses=chooses,
        me=me(),
        co_editor=(co_editor or _co_editor_form(blank=True)) if chooses else None,
        form=wrong,
        form_errors=wrong.errors if wrong is not None else None,
    )


def _hand_over_form(loaded: reading.Loaded, part: str, *, blank: bool = False) -> HandOverForm:
    """Build the form of one part; its fields carry the part's name, so that two stand on one page."""
    form = HandOverForm(formdata=None, prefix=part) if blank else HandOverForm(prefix=part)
    offer_people([form.to], chosen=[])
    if blank:
        form.version.data = str(loaded.project.version)
    return form


def _co_editor_form(*, blank: bool = False) -> CoEditorForm:
    form = CoEditorForm(formdata=None) if blank else CoEditorForm()
    offer_people([form.co_editor], chosen=[])
    return form


def _complain(form: Any, problem: Invalid) -> None:
    for name, sentence in problem.fields.items():
        form[name].errors = [*form[name].errors, sentence]
