"""Add a process beside the others, and throw one away that nobody worked by yet."""

from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from okrgate.errors import Conflict, NotFound
from okrgate.gates.problems import Problem, RulebookError
from okrgate.rulebooks import beginnings, service
from okrgate.rulebooks.standing import standing
from okrgate.web import security
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.processes import beginning_texts
from okrgate.workshop.processes.beginning_texts import Wanted
from okrgate.workshop.processes.forms import COPY, FILE, THIN, AddProcessForm, ThrowAwayForm
from okrgate.workshop.rows.process_names import id_from

security.takes_files("workshop.add_process")


@blueprint.get("/rules/processes/new")
@requires(admin)
def new_process() -> ResponseReturnValue:
    """Ask what it is called and what it begins with."""
    return _page(AddProcessForm(formdata=None, start=THIN))


@blueprint.post("/rules/processes/new")
@requires(admin)
def add_process() -> ResponseReturnValue:
    """Begin it: a draft of a process that has no version yet."""
    form = AddProcessForm()
    _offer(form)
    if not form.validate_on_submit():
        return _page(form, status=422)
    title = form.title.data or ""
    key = form.key.data or id_from(title, _taken())
    try:
        text, origin = _source(form)
        text = beginning_texts.as_beginning(Wanted(text, key, title))
        beginnings.begin(key, title, text, origin=origin, by=me())
    except RulebookError as error:
        return _page(form, status=422, problems=error.problems)
    except Conflict as refusal:
        form.key.errors = [refusal.sentence]
        return _page(form, status=409)
    return done(
        f"{title} is begun. Nobody can start in it before its rules are published.",
        url_for(".show_process", key=key),
    )


@blueprint.get("/rules/<key>/throw-away")
@requires(admin)
def throw_process_away_page(key: str) -> ResponseReturnValue:
    """Say what goes along with it."""
    return _away_page(key, ThrowAwayForm(formdata=None))


@blueprint.post("/rules/<key>/throw-away")
@requires(admin)
def throw_process_away(key: str) -> ResponseReturnValue:
    """Take it away, if nothing waits and nobody else works on it."""
    form = ThrowAwayForm()
    try:
        title = standing(key).title
        beginnings.throw_away(key, by=me())
    except NotFound:
        return redirect(url_for("rulebooks.show_rules"), 303)
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return _away_page(key, form, status=409)
    return done(
        f"{title} is thrown away. Nothing of it binds anybody.", url_for("rulebooks.show_rules")
    )


def _source(form: AddProcessForm) -> tuple[str, str]:
    """Return the text to begin with, and in words where it is from."""
    if form.start.data == COPY:
        base = service.get_version(service.newest(form.copy_of.data).id)
        return base.text, f"Begun as a copy of {base.title}, version {base.number}"
    if form.start.data == FILE:
        return form.text.data or "", "Begun from a file"
    return beginning_texts.thin(), "Begun from the thin process"


def _taken() -> set[str]:
    known = [one.process for one in service.versions()]
    return {*known, *(one.key for one in beginnings.unpublished()), "proposals", "processes"}


def _offer(form: AddProcessForm) -> None:
    binding = [service.rulebook(one.id) for one in service.binding()]
    form.copy_of.choices = [(one.id, one.title) for one in binding]


def _page(
    form: AddProcessForm, *, status: int = 200, problems: tuple[Problem, ...] = ()
) -> ResponseReturnValue:
    _offer(form)
    return render(
        "workshop/process_add.html",
        status=status,
        form=form,
        form_errors=status != 200,
        errors=[one for one in problems if one.severity == "error"],
    )


def _away_page(key: str, form: ThrowAwayForm, *, status: int = 200) -> ResponseReturnValue:
    base: Any = standing(key)
    if base.number:
        raise NotFound
    return render(
        "workshop/process_throw_away.html",
        status=status,
        form=form,
        form_errors=status != 200,
        base=base,
        origin=beginnings.origin_of(base.process_id),
    )
