"""The one-page summary for leadership."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.delivery.service import find_project
from okrgate.summaries import service, wording
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me

blueprint = Blueprint("summaries", __name__)


@blueprint.get("/projects/<reference>/summary")
@requires(signed_in)
def show_summary(reference: str) -> ResponseReturnValue:
    """Show the summary on one page, ready to print; the ratings only to those involved and to auditors."""
    seen = find_project(reference, reader=me(), is_auditor=current_user.is_auditor)
    return render(
        "summaries/summary.html",
        project=seen.project,
        may_read=seen.involved,
        summary=service.summary_for(seen.project),
        wording=wording,
    )
