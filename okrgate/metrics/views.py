"""The metric registry: the list, one metric with its values, a new one."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from okrgate.accounts import directory
from okrgate.errors import Invalid
from okrgate.metrics import service
from okrgate.metrics.forms import MetricForm, ObservationForm
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@requires(signed_in)
def list_metrics() -> ResponseReturnValue:
    """Show the registry by name, a page at a time."""
    text = request.args.get("q", "").strip()[:100]
    found = service.page_of(text, after=request.args.get("after", ""))
    more = len(found) > service.PAGE
    lines = found[: service.PAGE]
    return render(
        "metrics/list.html",
        lines=lines,
        text=text,
        names=directory.names(line.metric.steward_id for line in lines),
        next_url=url_for("metrics.list_metrics", q=text, after=lines[-1].metric.name)
        if more
        else None,
    )


@blueprint.route("/metrics/new", methods=["GET", "POST"])
@requires(signed_in)
def new_metric() -> ResponseReturnValue:
    """Register a metric; whoever registers it owns it."""
    form = MetricForm()
    form.steward.choices = [
        SelectChoice("", "Nobody yet"),
        *(SelectChoice(*one) for one in directory.people_choices()),
    ]
    if request.method == "POST" and form.validate():
        try:
            metric = service.register(
                (form.name.data or "").strip(),
                unit_of_measure=form.unit_of_measure.data or "",
                direction=form.direction.data,
                cadence=form.cadence.data,
                steward_id=form.steward.data,
                source=form.source.data or "",
                by=me(),
            )
        except Invalid as problem:
            for name, sentence in problem.fields.items():
                form[name].errors = [sentence]
        else:
            return done(
                "The metric is registered.", url_for("metrics.show_metric", metric_id=metric.id)
            )
    status = 422 if request.method == "POST" else 200
    return render("metrics/form.html", status=status, form=form)


@blueprint.route("/metrics/<int(max=2147483647):metric_id>", methods=["GET", "POST"])
@requires(signed_in)
def show_metric(metric_id: int) -> ResponseReturnValue:
    """Show a metric's values, and take a new one."""
    metric = service.get_metric(metric_id)
    form = ObservationForm()
    if request.method == "POST" and form.validate():
        try:
            service.observe(metric_id, form.on.data, form.value.data, form.note.data or "", by=me())
        except Invalid as problem:
            for name, sentence in problem.fields.items():
                form[name].errors = [sentence]
        else:
            return done("The value is added.", url_for("metrics.show_metric", metric_id=metric_id))
    status = 422 if request.method == "POST" else 200
    return render(
        "metrics/show.html",
        status=status,
        metric=metric,
        values=service.series(metric_id, limit=100),
        names=directory.names([metric.owner_id, metric.steward_id]),
        form=form,
        may_add=me() in (metric.owner_id, metric.steward_id),
    )
