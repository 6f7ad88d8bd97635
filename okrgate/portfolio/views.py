"""The overview: one page about all projects, for leadership and everybody else."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.measurement.bands import BANDS
from okrgate.portfolio import service
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me

blueprint = Blueprint("portfolio", __name__)


@blueprint.get("/overview")
@requires(signed_in)
def show_overview() -> ResponseReturnValue:
    """Show where all projects are, how they ended and what they moved."""
    unit = whole(request.args.get("unit", ""))
    return render(
        "portfolio/overview.html",
        seen=service.overview(me(), is_auditor=current_user.is_auditor, unit_id=unit),
        units=directory.unit_choices(),
        unit=unit,
        bands=BANDS,
    )
