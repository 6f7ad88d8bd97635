"""Objectives and key results: the list, a new one, a check-in, a period."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.errors import Invalid, NotFound
from okrgate.okrs import service
from okrgate.okrs.forms import CheckInForm, ObjectiveForm, PeriodForm
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("okrs", __name__)


@blueprint.get("/okrs")
@requires(signed_in)
def list_objectives() -> ResponseReturnValue:
    """Show key results by period, a page at a time."""
    period = request.args.get("period", type=int)
    found = service.page_of(period_id=period, before=request.args.get("before", type=int))
    more = len(found) > service.PAGE
    lines = found[: service.PAGE]
    return render(
        "okrs/list.html",
        lines=lines,
        periods=service.period_choices(),
        period=period,
        may_check_in=lambda line: current_user.is_admin or line.owner_id == me(),
        next_url=url_for("okrs.list_objectives", period=period, before=lines[-1].id)
        if more
        else None,
    )


@blueprint.route("/okrs/new", methods=["GET", "POST"])
@requires(signed_in)
def new_objective() -> ResponseReturnValue:
    """Set an objective with its first key result; whoever sets it owns it."""
    form = ObjectiveForm()
    form.unit.choices = [("", "Choose a unit"), *directory.unit_choices()]
    form.period.choices = [("", "Choose a period"), *service.period_choices()]
    if request.method == "POST" and form.validate():
        if form.baseline.data == form.target.data:
            form.target.errors = ["The target must differ from the baseline."]
        else:
            objective = service.add_objective(
                form.title.data or "",
                period_id=form.period.data,
                unit_id=form.unit.data,
                owner_id=me(),
                by=me(),
            )
            service.add_key_result(
                objective.id,
                form.key_result.data or "",
                baseline=form.baseline.data,
                target=form.target.data,
                unit_of_measure=form.measure.data or "",
                by=me(),
            )
            return done("The objective is set.", url_for("okrs.list_objectives"))
    status = 422 if request.method == "POST" else 200
    return render(
        "okrs/form.html",
        status=status,
        form=form,
        title="New objective",
        button="Set the objective",
    )


@blueprint.route("/okrs/key-results/<int(max=2147483647):key_result_id>", methods=["GET", "POST"])
@requires(signed_in)
def check_in(key_result_id: int) -> ResponseReturnValue:
    """Record where a key result stands."""
    line = service.describe([key_result_id]).get(key_result_id)
    if line is None:
        raise NotFound
    form = CheckInForm()
    if request.method == "POST" and form.validate():
        service.check_in(key_result_id, form.value.data, form.note.data or "", by=me())
        return done("Checked in.", url_for("okrs.list_objectives"))
    status = 422 if request.method == "POST" else 200
    return render("okrs/form.html", status=status, form=form, title=line.name, button="Check in")


@blueprint.route("/okrs/periods/new", methods=["GET", "POST"])
@requires(admin)
def new_period() -> ResponseReturnValue:
    """Add a period."""
    form = PeriodForm()
    if request.method == "POST" and form.validate():
        try:
            service.add_period(
                form.label.data or "", "quarter", form.starts_on.data, form.ends_on.data, by=me()
            )
        except Invalid as problem:
            for name, sentence in problem.fields.items():
                form[name].errors = [sentence]
        else:
            return done("The period is there.", url_for("okrs.list_objectives"))
    status = 422 if request.method == "POST" else 200
    return render(
        "okrs/form.html", status=status, form=form, title="New period", button="Add the period"
    )
