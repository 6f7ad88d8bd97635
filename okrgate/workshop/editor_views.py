"""Administrators change the rules: edit, check, test, compare.

One form carries the text through every step; each answer shows it again as it was typed.
"""

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.standing import standing
from okrgate.stages import impact
from okrgate.stages.impact_report import KINDS
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, is_own_path, me
from okrgate.workshop import checking, comparing, keeping, meaning
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.forms import RulesForm
from okrgate.workshop.rows import words

_LARGEST_ID = 2**31


@blueprint.get("/rules/<key>/edit")
@requires(admin)
def edit(key: str) -> ResponseReturnValue:
    """Show the text: the administrator's own draft, else the version that binds."""
    draft = drafts.begin(key, by=me())
    return show_editor(key, _filled(draft), kept_at=draft.changed_at)


@blueprint.post("/rules/<key>/edit")
@requires(admin)
def work_on(key: str) -> ResponseReturnValue:
    """Check, test, compare or keep the text as it was typed; nothing here binds anybody."""
    standing(key)
    form = RulesForm()
    if request.form.get("act") == "discard":
        drafts.discard(key, by=me())
        return done("Your draft is thrown away.", url_for("rulebooks.show_rules"))
    if not form.validate_on_submit():
        return show_editor(key, form, status=422)
    asked = "impact" if "before" in request.form else request.form.get("act", "")
    act = _go if "go" in request.form else ACTS.get(asked, _show)
    try:
        return act(key, form)
    except keeping.Newer as newer:
        return newer_page(key, form, newer)


def _show(key: str, form: RulesForm) -> ResponseReturnValue:
    return show_editor(key, form)


def _check(key: str, form: RulesForm) -> ResponseReturnValue:
    found = checking.problems(key, form.text.data or "", thorough=True)
    return show_editor(key, form, problems=found, checked=True)


def _test(key: str, form: RulesForm) -> ResponseReturnValue:
    tested, problems = checking.run_tests(form.text.data or "")
    return show_editor(key, form, problems=problems, tested=tested)


def _compare(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show what changes, in words and line by line; a text that cannot be read only line by line."""
    binding = standing(key)
    text = form.text.data or ""
    difference = comparing.compare(binding.text, text)
    try:
        told = meaning.since(binding, text)
    except RulebookError as error:
        return show_editor(key, form, problems=error.problems, difference=difference)
    return show_editor(key, form, difference=difference, told=told)


def _impact(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show what the text would do to the projects there are, beside what is wrong with it."""
    text = form.text.data or ""
    problems = checking.problems(key, text)
    if not checking.is_readable(key, text):
        return show_editor(key, form, problems=problems, checked=True)
    before = _id_or_none(request.form.get("before", type=int))
    found = impact.of(key, text, reader=me(), before=before)
    return show_editor(key, form, problems=problems, impact=found)


def _id_or_none(number: int | None) -> int | None:
    """Return a number that can be an id: whatever else was sent means the first page."""
    return number if number is not None and 0 < number < _LARGEST_ID else None


def _keep(key: str, form: RulesForm) -> ResponseReturnValue:
    keeping.keep(key, draft_in(form), seen=form.seen.data or "", by=me())
    return done("Your draft is kept. It binds nobody.", url_for(".edit", key=key))


def _go(key: str, form: RulesForm) -> ResponseReturnValue:
    """Keep what was typed, if it says anything new, and go on to another page of the same draft."""
    draft = draft_in(form)
    there = drafts.begin(key, by=me())
    if (there.text, there.note) != (draft.text, draft.note):
        keeping.keep(key, draft, seen=form.seen.data or "", by=me())
    wanted = request.form["go"]
    ours = is_own_path(wanted) and wanted.startswith(f"/rules/{key}/")
    return redirect(wanted if ours else url_for(".edit", key=key), 303)


# Rooms of their own add theirs: what is asked with the button of that name.
ACTS: dict[str, Callable[[str, RulesForm], ResponseReturnValue]] = {
    "check": _check,
    "test": _test,
    "compare": _compare,
    "impact": _impact,
    "keep": _keep,
}


def newer_page(key: str, form: RulesForm, newer: keeping.Newer) -> ResponseReturnValue:
    """Show the draft that is there now beside the text that was typed; nothing is stored."""
    binding = standing(key)
    form.seen.data = keeping.digest(newer.theirs)
    return render(
        "workshop/newer.html",
        status=409,
        key=key,
        form=form,
        binding=binding,
        title=binding.title,
        theirs=newer.theirs,
        difference=comparing.compare(newer.theirs.text, form.text.data or ""),
    )


def without_note(key: str, form: RulesForm) -> ResponseReturnValue:
    """Show the text again, and ask why it changes."""
    form.note.errors = ["Say what changes and why, for everybody who works by these rules."]
    return show_editor(key, form, status=422)


def show_editor(
    key: str, form: RulesForm, *, status: int = 200, problems: Any = (), **shown: Any
) -> ResponseReturnValue:
    """Show the text as it was typed, with what is wrong in it and what else was asked for."""
    binding = standing(key)
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
        title=binding.title,
        errors=errors,
        warnings=[one for one in problems if one.severity == "warning"],
        by_line=_by_line(problems),
        is_without_example=meaning.is_without_example,
        kinds=KINDS,
        words=words.completed(),
        lines=comparing.numbered(form.text.data or "", marked) if problems else [],
        **context,
    )


def _by_line(problems: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for one in problems:
        found.setdefault(one.line, []).append(one)
    return found


def _filled(draft: Draft) -> RulesForm:
    return RulesForm(
        formdata=None,
        text=draft.text,
        note=draft.note,
        based_on=draft.based_on,
        seen=keeping.digest(draft),
    )


def draft_in(form: RulesForm) -> Draft:
    """Return what was typed, as a draft."""
    return Draft(form.text.data or "", form.note.data or "", form.based_on.data or 0)
