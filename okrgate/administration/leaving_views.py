"""The page on which somebody's work goes to others before they are shut out."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from okrgate.accounts import people
from okrgate.administration import leaving
from okrgate.administration.blueprint import blueprint
from okrgate.administration.leaving import Duty
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.projects.choosing import offer_people
from okrgate.web.fields import Somebody, Text
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me

_ALL = "everything"


@blueprint.route("/admin/people/<int(max=2147483647):person_id>/leave", methods=["GET", "POST"])
@requires(admin)
def leave(person_id: int) -> ResponseReturnValue:
    """Show what waits for somebody, take the successors, and shut them out."""
    record = people.get(person_id)
    if person_id == me():
        raise Forbidden("You cannot deactivate yourself. Ask another administrator.")
    waiting = leaving.duties(person_id)
    form = _form(waiting)
    if request.method == "GET":
        return _page(record, waiting, form)
    try:
        if "at_once" in request.form:
            leaving.shut_out(person_id, form.reason.data or "", by=me())
            problems: list[str] = []
        elif form.validate():
            problems = leaving.leave(person_id, _successors(form, waiting), by=me())
        else:
            return _page(record, waiting, form, status=422)
    except Invalid as problem:
        for name, sentence in problem.fields.items():
            form[name].errors = [*form[name].errors, sentence]
        return _page(record, waiting, form, status=422)
    except Conflict as refusal:
        return _page(record, waiting, form, status=409, problems=[refusal.sentence])
    if problems:
        left = leaving.duties(person_id)
        return _page(record, left, _form(left), status=409, problems=problems)
    return done(
        "Deactivated. They are signed out everywhere, and whoever takes over gets a mail.",
        url_for("accounts.admin_person", person_id=person_id),
    )


def _form(waiting: list[Duty]) -> Any:
    """Build a form with one question for each kind of duty."""
    fields = {
        one.key: Somebody(
            one.label, description=one.note, render_kw={"required": True} if one.needed else {}
        )
        for one in waiting
    }
    kind = type(
        "LeavingForm",
        (FlaskForm,),
        {
            _ALL: Somebody("Who takes over what you do not choose below?"),
            **fields,
            "reason": Text("Why can it not wait?", rows=2),
        },
    )
    form = kind()
    offer_people([form[_ALL], *(form[name] for name in fields)], chosen=[])
    return form


def _successors(form: Any, waiting: list[Duty]) -> dict[str, int]:
    """Return who takes what: as chosen, else whoever takes all that is needed."""
    found: dict[str, int] = {}
    for one in waiting:
        chosen = form[one.key].data or (form[_ALL].data if one.needed else None)
        if chosen is not None:
            found[one.key] = chosen
    return found


def _page(
    record: people.Record,
    waiting: list[Duty],
    form: Any,
    *,
    status: int = 200,
    problems: list[str] | None = None,
) -> ResponseReturnValue:
    return render(
        "administration/leaving.html",
        status=status,
        person=record,
        waiting=waiting,
        form=form,
        problems=problems or [],
        form_errors=status != 200,
    )
