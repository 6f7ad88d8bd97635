"""The steward's page: which metrics I am asked to confirm."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.errors import Invalid
from okrgate.measurement import service
from okrgate.web.fields import tidy
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("measurement", __name__)

_LONGEST_NOTE = 2000


@blueprint.get("/measurement/confirmations")
@requires(signed_in)
def confirmations() -> ResponseReturnValue:
    """Show what is asked of me as a steward."""
    return _page()


@blueprint.post("/measurement/confirmations/<int(max=2147483647):target_id>")
@requires(signed_in)
def confirm(target_id: int) -> ResponseReturnValue:
    """Say whether a metric can be reported as planned."""
    said, note = request.form.get("confirmed", ""), tidy(request.form.get("note"))
    problem = _problem(said, note)
    if problem:
        return _page(target_id, problem, note)
    service.confirm(target_id, confirmed=said == "yes", note=note, by=me())
    return done("Thank you. The lead has your answer.", url_for("measurement.confirmations"))


def _problem(said: str, note: str) -> str:
    if said not in {"yes", "no"}:
        return "Say whether it can be reported."
    if len(note) > _LONGEST_NOTE:
        return f"Use at most {_LONGEST_NOTE:,} characters."
    if said == "no" and not note:
        return "Say why it cannot be reported as planned."
    return ""


def _page(wrong: int | None = None, problem: str = "", typed: str = "") -> ResponseReturnValue:
    rows = service.asked_of(me())
    if problem and wrong not in {row.target_id for row in rows}:
        raise Invalid(problem)
    return render(
        "measurement/confirmations.html",
        status=422 if problem else 200,
        rows=rows,
        wrong=wrong,
        problem=problem,
        typed=typed,
        form_errors=problem,
    )
