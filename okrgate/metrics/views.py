"""The metric registry: the list, one metric with its values, a new one, a change, a correction."""

from datetime import date
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.errors import Invalid
from okrgate.metrics import chart, service
from okrgate.metrics.forms import (
    ChangeMetricForm,
    CorrectionForm,
    MetricForm,
    ObservationForm,
)
from okrgate.web.fields import one_line
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@requires(signed_in)
def list_metrics() -> ResponseReturnValue:
    """Show the registry by name, a page at a time."""
    text = one_line(request.args.get("q"))[:100]
    steward, state = whole(request.args.get("steward", "")), request.args.get("state", "")
    after = one_line(request.args.get("after"))[:200]
    found = service.page_of(text, after=after, steward_id=steward, retired=state == "retired")
    more = len(found) > service.PAGE
    lines = found[: service.PAGE]
    recent = service.recent(line.metric.id for line in lines)
    return render(
        "metrics/list.html",
        lines=lines,
        text=text,
        steward=steward,
        state=state,
        filtered=bool(text or steward or state),
        stewards=service.stewards(),
        names=directory.names(line.metric.steward_id for line in lines),
        lately={metric: chart.draw_small(seen) for metric, seen in recent.items()},
        last={metric: max(seen) for metric, seen in recent.items()},
        next_url=url_for(
            "metrics.list_metrics",
            q=text or None,
            steward=steward,
            state=state or None,
            after=lines[-1].metric.name,
        )
        if more
        else None,
    )


@blueprint.route("/metrics/new", methods=["GET", "POST"])
@requires(signed_in)
def new_metric() -> ResponseReturnValue:
    """Register a metric; whoever registers it owns it."""
    form: Any = MetricForm()
    _offer_stewards(form, None)
    if request.method == "POST" and form.validate():
        try:
            metric = service.register(
                form.name.data,
                unit_of_measure=form.unit_of_measure.data,
                direction=form.direction.data,
                cadence=form.cadence.data,
                steward_id=form.steward.data,
                source=form.source.data,
                by=me(),
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done(
                "The metric is registered.", url_for("metrics.show_metric", metric_id=metric.id)
            )
    return _form(form, "New metric", "Register the metric", back=url_for("metrics.list_metrics"))


@blueprint.route("/metrics/<int(max=2147483647):metric_id>/edit", methods=["GET", "POST"])
@requires(signed_in)
def edit_metric(metric_id: int) -> ResponseReturnValue:
    """Change a metric's words, steward or use."""
    metric = service.get_metric(metric_id)
    service.check_may_change(metric, me())
    back = url_for("metrics.show_metric", metric_id=metric_id)
    stored = {
        "name": metric.name,
        "unit_of_measure": metric.unit_of_measure,
        "cadence": metric.cadence,
        "steward": metric.steward_id,
        "source": metric.source,
        "active": metric.active,
    }
    form: Any = ChangeMetricForm(data=stored)
    _offer_stewards(form, metric.steward_id)
    if request.method == "POST" and form.validate():
        try:
            service.change(
                metric_id,
                name=form.name.data,
                unit_of_measure=form.unit_of_measure.data,
                cadence=form.cadence.data,
                steward_id=form.steward.data,
                source=form.source.data,
                active=form.active.data,
                by=me(),
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done("The metric is changed.", back)
    return _form(form, "Change the metric", "Save", back=back)


@blueprint.route("/metrics/<int(max=2147483647):metric_id>", methods=["GET", "POST"])
@requires(signed_in)
def show_metric(metric_id: int) -> ResponseReturnValue:
    """Show a metric's values, and take a new one."""
    metric = service.get_metric(metric_id)
    form: Any = ObservationForm()
    form.value.in_unit(metric.unit_of_measure)
    if request.method == "POST":
        service.check_may_observe(metric, me())
        if form.validate():
            try:
                service.observe(metric_id, form.on.data, form.value.data, form.note.data, by=me())
            except Invalid as problem:
                _complain(form, problem)
            else:
                return done(
                    "The value is added.", url_for("metrics.show_metric", metric_id=metric_id)
                )
    return _page(metric_id, form)


@blueprint.route(
    "/metrics/values/<int(max=2147483647):observation_id>/correct", methods=["GET", "POST"]
)
@requires(signed_in)
def correct_value(observation_id: int) -> ResponseReturnValue:
    """Correct a value, with a reason; the old one stays in the history."""
    old = service.get_observation(observation_id)
    metric = service.get_metric(old.metric_id)
    service.check_may_observe(metric, me())
    back = url_for("metrics.show_metric", metric_id=metric.id)
    form: Any = CorrectionForm(data={"on": old.on, "value": old.value})
    form.value.in_unit(metric.unit_of_measure)
    if request.method == "POST" and form.validate():
        try:
            service.correct(
                observation_id,
                on=form.on.data,
                value=form.value.data,
                reason=form.reason.data,
                by=me(),
            )
        except Invalid as problem:
            _complain(form, problem)
        else:
            return done("The value is corrected. The old one stays in the history.", back)
    return _form(form, f"Correct a value of {metric.name}", "Correct the value", back=back)


def _page(metric_id: int, form: Any) -> ResponseReturnValue:
    metric = service.get_metric(metric_id)
    before = _unpack(request.args.get("before", ""))
    found = service.page_of_values(metric_id, before=before)
    more = len(found) > service.PAGE
    values = found[: service.PAGE]
    earlier = service.earlier(metric_id, values)
    people = [metric.owner_id, metric.steward_id, *(one.by_id for one in values)]
    people += [one.by_id for chain in earlier.values() for one in chain]
    return render(
        "metrics/show.html",
        status=422 if request.method == "POST" else 200,
        metric=metric,
        values=values,
        earlier=earlier,
        chart=chart.draw([(one.on, one.value) for one in service.series(metric_id)]),
        height=chart.HEIGHT,
        names=directory.names(people),
        form=form,
        form_errors=form.errors,
        may_add=service.may_observe(metric, me(), is_admin=current_user.is_admin),
        may_change=service.may_change(metric, me(), is_admin=current_user.is_admin),
        older=before is not None,
        next_url=url_for(
            "metrics.show_metric",
            metric_id=metric_id,
            before=f"{values[-1].on.isoformat()}~{values[-1].id}",
        )
        if more
        else None,
    )


def _unpack(text: str) -> tuple[date, int] | None:
    """Read where a page of values ended; nothing for anything else."""
    day, _, row = text.partition("~")
    number = whole(row)
    try:
        return (date.fromisoformat(day), number) if number is not None else None
    except ValueError:
        return None


def _offer_stewards(form: Any, chosen: int | None) -> None:
    people = dict(directory.people_choices())
    people |= directory.names({chosen} - set(people))
    form.steward.choices = [("", "Nobody yet"), *people.items()]


def _complain(form: Any, problem: Invalid) -> None:
    for name, sentence in problem.fields.items():
        form[name].errors = [sentence]


def _form(form: Any, title: str, button: str, *, back: str) -> ResponseReturnValue:
    return render(
        "metrics/form.html",
        status=422 if request.method == "POST" else 200,
        form=form,
        form_errors=form.errors,
        title=title,
        button=button,
        back=back,
    )
