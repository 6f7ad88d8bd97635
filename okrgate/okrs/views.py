"""Objectives and key results: the list, one objective, what is new, what changes, a check-in, a period."""

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.errors import Invalid, NotFound
from okrgate.okrs import objective as objectives
from okrgate.okrs import service
from okrgate.okrs.forms import (
    ChangeObjectiveForm,
    CheckInForm,
    KeyResultForm,
    NewObjectiveForm,
    PeriodForm,
)
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import admin, requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("okrs", __name__)


@blueprint.get("/okrs")
@requires(signed_in)
def list_objectives() -> ResponseReturnValue:
    """Show key results by unit and period, a page at a time."""
    period, unit = _asked("period"), _asked("unit")
    found = service.page_of(period_id=period, unit_id=unit, before=_asked("before"))
    more = len(found) > service.PAGE
    lines = found[: service.PAGE]
    return render(
        "okrs/list.html",
        lines=lines,
        periods=service.period_choices(),
        units=directory.unit_choices(),
        period=period,
        unit=unit,
        filtered=period is not None or unit is not None,
        may_check_in=lambda line: current_user.is_admin or line.owner_id == me(),
        next_url=url_for("okrs.list_objectives", period=period, unit=unit, before=lines[-1].id)
        if more
        else None,
    )


@blueprint.get("/okrs/<int(max=2147483647):objective_id>")
@requires(signed_in)
def show_objective(objective_id: int) -> ResponseReturnValue:
    """Show an objective: its key results, who contributes, and what was checked in."""
    shown = objectives.load(
        objective_id,
        reader=me(),
        is_auditor=current_user.is_auditor,
        before=_asked("before"),
    )
    check_ins = shown.check_ins[: objectives.CHECK_INS]
    more = len(shown.check_ins) > objectives.CHECK_INS
    return render(
        "okrs/objective.html",
        shown=shown,
        check_ins=check_ins,
        may_change=current_user.is_admin or shown.objective.owner_id == me(),
        older=request.args.get("before") is not None,
        next_url=url_for("okrs.show_objective", objective_id=objective_id, before=check_ins[-1].id)
        if more
        else None,
    )


@blueprint.route("/okrs/new", methods=["GET", "POST"])
@requires(signed_in)
def new_objective() -> ResponseReturnValue:
    """Set an objective with its first key result; whoever sets it owns it."""
    form: Any = NewObjectiveForm()
    periods = _offer(form)
    if request.method == "POST" and form.validate():
        try:
            made = service.begin(
                form.title.data,
                period_id=form.period.data,
                unit_id=form.unit.data,
                goal=_goal(form),
                by=me(),
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done(
                "The objective is set.", url_for("okrs.show_objective", objective_id=made.id)
            )
    return _form(form, "New objective", "Set the objective", without_period=not periods)


@blueprint.route("/okrs/<int(max=2147483647):objective_id>/edit", methods=["GET", "POST"])
@requires(signed_in)
def edit_objective(objective_id: int) -> ResponseReturnValue:
    """Change an objective's words, place or owner."""
    found = service.get_objective(objective_id)
    service.check_may_change(found, me())
    back = url_for("okrs.show_objective", objective_id=objective_id)
    stored = {
        "title": found.title,
        "unit": found.unit_id,
        "period": found.period_id,
        "owner": found.owner_id,
    }
    form: Any = ChangeObjectiveForm(data=stored)
    _offer(form, unit_id=found.unit_id)
    people = dict(directory.people_choices()) | directory.names([found.owner_id])
    form.owner.choices = [("", "Choose an owner"), *people.items()]
    if request.method == "POST" and form.validate():
        service.change_objective(
            objective_id,
            title=form.title.data,
            period_id=form.period.data,
            unit_id=form.unit.data,
            owner_id=form.owner.data,
            by=me(),
        )
        return done("The objective is changed.", back)
    return _form(form, "Change the objective", "Save", back=back)


@blueprint.route(
    "/okrs/<int(max=2147483647):objective_id>/key-results/new", methods=["GET", "POST"]
)
@requires(signed_in)
def new_key_result(objective_id: int) -> ResponseReturnValue:
    """Set one more key result."""
    service.check_may_change(service.get_objective(objective_id), me())
    back = url_for("okrs.show_objective", objective_id=objective_id)
    form: Any = KeyResultForm()
    if request.method == "POST" and form.validate():
        try:
            service.add_goal(objective_id, _goal(form), by=me())
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done("The key result is set.", back)
    return _form(form, "New key result", "Set the key result", back=back)


@blueprint.route(
    "/okrs/key-results/<int(max=2147483647):key_result_id>/edit", methods=["GET", "POST"]
)
@requires(signed_in)
def edit_key_result(key_result_id: int) -> ResponseReturnValue:
    """Change a key result's words, baseline, target or weight."""
    line = _line(key_result_id)
    back = url_for("okrs.show_objective", objective_id=line.objective_id)
    stored = {
        "key_result": line.name,
        "measure": line.unit_of_measure,
        "baseline": line.baseline,
        "target": line.target,
        "weight": line.weight,
    }
    form: Any = KeyResultForm(data=stored)
    if request.method == "POST" and form.validate():
        try:
            service.change_key_result(key_result_id, _goal(form), by=me())
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done("The key result is changed.", back)
    return _form(form, "Change the key result", "Save", back=back)


@blueprint.route("/okrs/key-results/<int(max=2147483647):key_result_id>", methods=["GET", "POST"])
@requires(signed_in)
def check_in(key_result_id: int) -> ResponseReturnValue:
    """Record where a key result stands."""
    line = _line(key_result_id)
    back = url_for("okrs.show_objective", objective_id=line.objective_id)
    form: Any = CheckInForm()
    form.value.in_unit(line.unit_of_measure)
    form.confidence.in_unit("%")
    if request.method == "POST" and form.validate():
        service.check_in(
            key_result_id,
            form.value.data,
            form.note.data,
            confidence=_whole(form.confidence.data),
            by=me(),
        )
        return done("Checked in.", back)
    return _form(form, line.name, "Check in", back=back)


@blueprint.route("/okrs/periods/new", methods=["GET", "POST"])
@requires(admin)
def new_period() -> ResponseReturnValue:
    """Add a period."""
    form: Any = PeriodForm()
    if request.method == "POST" and form.validate():
        try:
            service.add_period(
                form.label.data, form.kind.data, form.starts_on.data, form.ends_on.data, by=me()
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done("The period is there.", url_for("okrs.list_objectives"))
    return _form(form, "New period", "Add the period")


def _asked(name: str) -> int | None:
    return whole(request.args.get(name, ""))


def _line(key_result_id: int) -> service.KeyResultLine:
    """Return a key result that the reader may change. Raises NotFound or Forbidden."""
    line = service.describe([key_result_id]).get(key_result_id)
    if line is None:
        raise NotFound
    service.check_may_change(service.get_objective(line.objective_id), me())
    return line


def _offer(form: Any, *, unit_id: int | None = None) -> bool:
    """Offer units (one that is chosen already, too) and periods; tell whether there is any period."""
    units = dict(directory.unit_choices())
    units |= {one: unit.name for one, unit in directory.units({unit_id} - set(units)).items()}
    periods = service.period_choices()
    form.unit.choices = [("", "Choose a unit"), *units.items()]
    form.period.choices = [("", "Choose a period"), *periods]
    return bool(periods)


def _goal(form: Any) -> service.Goal:
    return service.Goal(
        title=form.key_result.data,
        baseline=form.baseline.data,
        target=form.target.data,
        unit_of_measure=form.measure.data,
        weight=int(form.weight.data) if "weight" in form else 1,
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _complain(form: Any, problem: Invalid) -> None:
    if not problem.fields:
        form.form_errors.append(problem.sentence)
    for name, sentence in problem.fields.items():
        form[name].errors = [sentence]


def _form(
    form: Any, title: str, button: str, *, back: str = "", without_period: bool = False
) -> ResponseReturnValue:
    return render(
        "okrs/form.html",
        status=422 if request.method == "POST" else 200,
        form=form,
        form_errors=form.errors,
        title=title,
        button=button,
        back=back or url_for("okrs.list_objectives"),
        without_period=without_period,
    )
