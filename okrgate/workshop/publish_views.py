"""What becomes of a text: publish it, bring an older one back."""

from flask import url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Conflict
from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import service
from okrgate.stages import impact
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import checking, comparing, editor_views, keeping, meaning, publishing
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.editor_views import draft_in, newer_page, show_editor, without_note
from okrgate.workshop.forms import BackForm, RulesForm


@blueprint.post("/rules/<key>/publish")
@requires(admin)
def publish(key: str) -> ResponseReturnValue:
    """Publish, once the administrator has seen what it changes."""
    service.newest(key)
    form = RulesForm()
    if not form.validate_on_submit():
        return show_editor(key, form, status=422)
    draft = draft_in(form)
    if not draft.note:
        return without_note(key, form)
    try:
        keeping.look(key, draft, seen=form.seen.data or "", by=me())
        version = publishing.publish(key, draft, by=me())
    except RulebookError as error:
        return show_editor(key, form, status=422, problems=error.problems, publishing=True)
    except service.Overtaken:
        return _overtaken(key, form)
    except keeping.Newer as newer:
        return newer_page(key, form, newer)
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return show_editor(key, form, status=409)
    return done(
        f"Version {version.number} is published. It binds every project that starts from now on.",
        url_for("rulebooks.show_version", version_id=version.id),
    )


@blueprint.get("/rules/<int(max=2147483647):version_id>/roll-back")
@requires(admin)
def roll_back_page(version_id: int) -> ResponseReturnValue:
    """Show what would change if an older version came back."""
    version = service.get_version(version_id)
    form = BackForm(formdata=None, based_on=service.newest(version.process).number)
    return _back_page(version, form)


@blueprint.post("/rules/<int(max=2147483647):version_id>/roll-back")
@requires(admin)
def roll_back(version_id: int) -> ResponseReturnValue:
    """Publish the text of an older version again."""
    version = service.get_version(version_id)
    form = BackForm()
    if not form.validate_on_submit():
        return _back_page(version, form, status=422)
    try:
        fresh = publishing.roll_back(
            version, note=form.note.data, based_on=form.based_on.data, by=me()
        )
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        form.based_on.data = service.newest(version.process).number
        return _back_page(version, form, status=409)
    except RulebookError as error:
        form.form_errors += [str(one) for one in error.problems if one.severity == "error"][:20]
        return _back_page(version, form, status=422)
    return done(
        f"The rules of version {version.number} bind again, as version {fresh.number}.",
        url_for("rulebooks.show_version", version_id=fresh.id),
    )


def _confirm(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show what publishing would do; the text goes along."""
    if not (form.note.data or "").strip():
        return without_note(key, form)
    problems = checking.problems(key, form.text.data or "")
    if any(one.severity == "error" for one in problems):
        return show_editor(key, form, status=422, problems=problems, checked=True, publishing=True)
    binding = service.newest(key)
    if binding.number != form.based_on.data:
        return _overtaken(key, form)
    keeping.look(key, draft_in(form), seen=form.seen.data or "", by=me())
    return render(
        "workshop/publish.html",
        key=key,
        form=form,
        binding=binding,
        title=service.rulebook(binding.id).title,
        warnings=[one for one in problems if one.severity == "warning"],
        difference=comparing.compare(binding.text, form.text.data or ""),
        told=meaning.compare(binding.text, form.text.data or ""),
        is_without_example=meaning.is_without_example,
        impact=impact.of(key, form.text.data or "", reader=me(), most=0),
        staying=_staying(key),
    )


editor_views.ACTS["publish"] = _confirm


def _overtaken(key: str, form: RulesForm) -> ResponseReturnValue:
    """Keep the text as a draft, and show what somebody else published meanwhile."""
    keeping.keep(key, draft_in(form), seen=form.seen.data or "", by=me())
    form.seen.data = keeping.digest(draft_in(form))
    theirs = service.newest(key)
    name = directory.names([theirs.published_by_id])
    begun = service.version_of(key, form.based_on.data or 0)
    text = form.text.data or ""
    return render(
        "workshop/overtaken.html",
        status=409,
        key=key,
        form=form,
        theirs=theirs,
        title=service.rulebook(theirs.id).title,
        who=name.get(theirs.published_by_id or 0, "okrgate"),
        their_changes=comparing.compare(begun.text, theirs.text),
        my_changes=comparing.compare(begun.text, text),
        begun=begun.number,
    )


def _back_page(
    version: service.Listed, form: BackForm, *, status: int = 200
) -> ResponseReturnValue:
    binding = service.newest(version.process)
    return render(
        "workshop/roll_back.html",
        status=status,
        form=form,
        form_errors=status != 200,
        version=version,
        binding=binding,
        difference=comparing.compare(binding.text, version.text),
        staying=_staying(version.process),
    )


def _staying(key: str) -> list[tuple[int, int]]:
    """Return (number of a version, open projects that stay with it), of this process."""
    counts = service.open_projects()
    return [
        (one.number, counts[one.id])
        for one in service.versions()
        if one.process == key and counts.get(one.id)
    ]
