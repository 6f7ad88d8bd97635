"""The whole draft before it is published: what is wrong with it, what it changes, whom it concerns. No file needed."""

from dataclasses import replace

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.standing import standing
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import checking, comparing, keeping, meaning
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.impact_views import begin
from okrgate.workshop.publishing.publish_forms import PublishForm, ReviewForm
from okrgate.workshop.publishing.publish_views import confirm


@blueprint.get("/rules/<key>/review")
@requires(admin)
def review(key: str) -> ResponseReturnValue:
    """Show what somebody's draft changes, beside what is wrong with it."""
    draft = drafts.begin(key, by=me())
    return _page(key, draft, _filled(draft))


@blueprint.post("/rules/<key>/review")
@requires(admin)
def decide(key: str) -> ResponseReturnValue:
    """Work out the impact, keep the note, throw the draft away, or go on to publishing."""
    form = ReviewForm()
    draft = drafts.begin(key, by=me())
    if draft.changed_at is None and draft.based_on:
        return done("You have no draft of these rules.", url_for(".review", key=key))
    if not form.validate_on_submit():
        return _page(key, draft, form, status=422)
    try:
        draft = keeping.opened(key, seen=form.seen.data or "", by=me())
        if request.form.get("act") == "discard":
            drafts.discard(key, by=me())
            return done("Your draft is thrown away.", url_for("rulebooks.show_rules"))
        noted = replace(draft, note=form.note.data or "")
        keeping.keep(key, noted, seen=form.seen.data or "", by=me())
    except keeping.Newer as newer:
        return _overtaken(key, form, newer)
    form.seen.data = keeping.digest(noted)
    if request.form.get("act") == "publish":
        return _publish(key, noted, form)
    if not checking.is_readable(key, noted.text):
        return _page(key, noted, form, status=422)
    return begin(key, noted.text)


def _publish(key: str, draft: Draft, form: ReviewForm) -> ResponseReturnValue:
    if not draft.note:
        form.note.errors = ["Say what changes and why, for everybody who works by these rules."]
        return _page(key, draft, form, status=422)
    if any(one.severity == "error" for one in checking.problems(key, draft.text)):
        form.form_errors.append("The errors below have to be mended first. Nothing was published.")
        return _page(key, draft, form, status=422)
    text = PublishForm(
        formdata=None,
        text=draft.text,
        note=draft.note,
        based_on=draft.based_on,
        seen=keeping.digest(draft),
    )
    return confirm(key, text)


def _overtaken(key: str, form: ReviewForm, newer: keeping.Newer) -> ResponseReturnValue:
    """Show the draft that is there now, with the note that was typed."""
    form.seen.data = keeping.digest(newer.theirs)
    form.form_errors.append(
        "Your draft was changed elsewhere since this page was opened. This is how it stands now; your note is kept."
    )
    return _page(key, newer.theirs, form, status=409)


def _page(key: str, draft: Draft, form: ReviewForm, *, status: int = 200) -> ResponseReturnValue:
    binding = standing(key)
    begun = draft.changed_at is not None or not binding.number
    problems = checking.problems(key, draft.text) if begun else ()
    told = None
    if begun:
        try:
            told = meaning.since(binding, draft.text)
        except RulebookError as error:
            problems = problems or error.problems
    return render(
        "workshop/review.html",
        status=status,
        key=key,
        form=form,
        form_errors=status != 200,
        binding=binding,
        title=binding.title,
        draft=draft,
        begun=begun,
        errors=[one for one in problems if one.severity == "error"],
        warnings=[one for one in problems if one.severity == "warning"],
        difference=comparing.compare(binding.text, draft.text) if begun else None,
        is_without_example=meaning.is_without_example,
        told=told,
    )


def _filled(draft: Draft) -> ReviewForm:
    return ReviewForm(formdata=None, note=draft.note, seen=keeping.digest(draft))
