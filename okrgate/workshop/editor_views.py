"""Administrators change the rules: edit, check, test, compare, publish, roll back.

One form carries the text through every step; each answer shows it again as it was typed.
"""

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Conflict
from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.drafts import Draft
from okrgate.stages import impact
from okrgate.stages.impact_report import KINDS
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import checking, comparing, meaning, publishing
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.forms import BackForm, RulesForm

_LARGEST_ID = 2**31


@blueprint.get("/rules/<key>/edit")
@requires(admin)
def edit(key: str) -> ResponseReturnValue:
    """Show the text: the administrator's own draft, else the version that binds."""
    draft = drafts.begin(key, by=me())
    return _editor(key, _filled(draft), kept_at=draft.changed_at)


@blueprint.post("/rules/<key>/edit")
@requires(admin)
def work_on(key: str) -> ResponseReturnValue:
    """Check, test, compare or keep the text as it was typed; nothing here binds anybody."""
    service.newest(key)
    form = RulesForm()
    if request.form.get("act") == "discard":
        drafts.discard(key, by=me())
        return done("Your draft is thrown away.", url_for("rulebooks.show_rules"))
    if not form.validate_on_submit():
        return _editor(key, form, status=422)
    asked = "impact" if "before" in request.form else request.form.get("act", "")
    act = _ACTS.get(asked, _show)
    return act(key, form)


@blueprint.post("/rules/<key>/publish")
@requires(admin)
def publish(key: str) -> ResponseReturnValue:
    """Publish, once the administrator has seen what it changes."""
    service.newest(key)
    form = RulesForm()
    if not form.validate_on_submit():
        return _editor(key, form, status=422)
    draft = _draft_in(form)
    if not draft.note:
        return _without_note(key, form)
    try:
        version = publishing.publish(key, draft, by=me())
    except RulebookError as error:
        return _editor(key, form, status=422, problems=error.problems, publishing=True)
    except service.Overtaken:
        return _overtaken(key, form)
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return _editor(key, form, status=409)
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


def _show(key: str, form: RulesForm) -> ResponseReturnValue:
    return _editor(key, form)


def _check(key: str, form: RulesForm) -> ResponseReturnValue:
    return _editor(key, form, problems=checking.problems(key, form.text.data or ""), checked=True)


def _test(key: str, form: RulesForm) -> ResponseReturnValue:
    tested, problems = checking.run_tests(form.text.data or "")
    return _editor(key, form, problems=problems, tested=tested)


def _compare(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show what changes, in words and line by line; a text that cannot be read only line by line."""
    binding = service.newest(key)
    text = form.text.data or ""
    difference = comparing.compare(binding.text, text)
    try:
        told = meaning.compare(binding.text, text)
    except RulebookError as error:
        return _editor(key, form, problems=error.problems, difference=difference)
    return _editor(key, form, difference=difference, told=told)


def _impact(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show what the text would do to the projects there are, beside what is wrong with it."""
    text = form.text.data or ""
    problems = checking.problems(key, text)
    if not checking.is_readable(key, text):
        return _editor(key, form, problems=problems, checked=True)
    before = _id_or_none(request.form.get("before", type=int))
    found = impact.of(key, text, reader=me(), before=before)
    return _editor(key, form, problems=problems, impact=found)


def _id_or_none(number: int | None) -> int | None:
    """Return a number that can be an id: whatever else was sent means the first page."""
    return number if number is not None and 0 < number < _LARGEST_ID else None


def _keep(key: str, form: RulesForm) -> ResponseReturnValue:
    drafts.keep(key, _draft_in(form), by=me())
    return done("Your draft is kept. It binds nobody.", url_for(".edit", key=key))


def _confirm(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show what publishing would do; the text goes along."""
    if not (form.note.data or "").strip():
        return _without_note(key, form)
    problems = checking.problems(key, form.text.data or "")
    if any(one.severity == "error" for one in problems):
        return _editor(key, form, status=422, problems=problems, checked=True, publishing=True)
    binding = service.newest(key)
    if binding.number != form.based_on.data:
        return _overtaken(key, form)
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


_ACTS: dict[str, Callable[[str, RulesForm], ResponseReturnValue]] = {
    "check": _check,
    "test": _test,
    "compare": _compare,
    "impact": _impact,
    "keep": _keep,
    "publish": _confirm,
}


def _overtaken(key: str, form: RulesForm) -> ResponseReturnValue:
    """Keep the text as a draft, and show what somebody else published meanwhile."""
    drafts.keep(key, _draft_in(form), by=me())
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


def _without_note(key: str, form: RulesForm) -> ResponseReturnValue:
    form.note.errors = ["Say what changes and why, for everybody who works by these rules."]
    return _editor(key, form, status=422)


def _editor(
    key: str, form: RulesForm, *, status: int = 200, problems: Any = (), **shown: Any
) -> ResponseReturnValue:
    binding = service.newest(key)
    errors = [one for one in problems if one.severity == "error"]
    context: dict[str, Any] = {
        "checked": False,
        "publishing": False,
        "tested": None,
        "difference": None,
        "told": None,
        "impact": None,
        "kept_at": None,
    } | shown
    marked = {one.line for one in problems}
    return render(
        "workshop/edit.html",
        status=422 if errors else status,
        key=key,
        form=form,
        form_errors=bool(errors) or status != 200,
        binding=binding,
        title=service.rulebook(binding.id).title,
        errors=errors,
        warnings=[one for one in problems if one.severity == "warning"],
        by_line=_by_line(problems),
        is_without_example=meaning.is_without_example,
        kinds=KINDS,
        lines=comparing.numbered(form.text.data or "", marked) if problems else [],
        **context,
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


def _by_line(problems: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for one in problems:
        found.setdefault(one.line, []).append(one)
    return found


def _staying(key: str) -> list[tuple[int, int]]:
    """Return (number of a version, open projects that stay with it), of this process."""
    counts = service.open_projects()
    return [
        (one.number, counts[one.id])
        for one in service.versions()
        if one.process == key and counts.get(one.id)
    ]


def _filled(draft: Draft) -> RulesForm:
    return RulesForm(formdata=None, text=draft.text, note=draft.note, based_on=draft.based_on)


def _draft_in(form: RulesForm) -> Draft:
    return Draft(form.text.data or "", form.note.data or "", form.based_on.data or 0)
