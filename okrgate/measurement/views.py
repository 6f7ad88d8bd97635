"""The steward's page: which metrics I am asked to confirm."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.errors import Invalid
from okrgate.measurement import service
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("measurement", __name__)


@blueprint.get("/measurement/confirmations")
@requires(signed_in)
def confirmations() -> ResponseReturnValue:
    """Show what is asked of me as a steward."""
    return render("measurement/confirmations.html", rows=service.asked_of(me()))


@blueprint.post("/measurement/confirmations/<int(max=2147483647):target_id>")
@requires(signed_in)
def confirm(target_id: int) -> ResponseReturnValue:
    """Say whether a metric can be reported as planned."""
    said, note = request.form.get("confirmed", ""), request.form.get("note", "").strip()
    if said not in {"yes", "no"} or len(note) > 2000:
        raise Invalid("Say yes or no, with a note of at most 2,000 characters.")
    if said == "no" and not note:
        raise Invalid("Say why it cannot be reported as planned.")
    service.confirm(target_id, confirmed=said == "yes", note=note, by=me())
    return done("Thank you. The lead has your answer.", url_for("measurement.confirmations"))
