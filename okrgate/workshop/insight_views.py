"""What the rules cost, and what is on trial: read-only pages about the rules at work."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.rulebooks import service
from okrgate.stages import insights
from okrgate.web.htmx import render
from okrgate.web.permissions import auditor, requires, signed_in
from okrgate.web.render import me
from okrgate.workshop.blueprint import blueprint

_SPANS = [
    ("", "All time"),
    ("30", "Begun in the last 30 days"),
    ("90", "Begun in the last 90 days"),
    ("365", "Begun in the last year"),
]


@blueprint.get("/rules/<key>/insights")
@requires(auditor)
def show_insights(key: str) -> ResponseReturnValue:
    """Show of each requirement what it costs, the dearest first."""
    version = service.newest(key)
    rulebook = service.rulebook(version.id)
    chosen = request.args.get("days", "")
    days = int(chosen) if chosen in dict(_SPANS) and chosen else None
    found = insights.of_process(version.process_id, rulebook, days=days)
    return render(
        "workshop/insights.html",
        key=key,
        version=version,
        title=rulebook.title,
        spans=_SPANS,
        chosen=str(days or ""),
        used=[one for one in found if one.projects or one.granted or one.objections],
        unused=[one for one in found if not (one.projects or one.granted or one.objections)],
    )


@blueprint.get("/rules/<int(max=2147483647):version_id>/trial")
@requires(signed_in)
def show_trial(version_id: int) -> ResponseReturnValue:
    """Show what is on trial in these rules: whom it would have stopped so far."""
    version = service.get_version(version_id)
    rulebook = service.rulebook(version_id)
    return render(
        "workshop/trial.html",
        version=version,
        trials=insights.trials(
            version_id, rulebook, reader=me(), is_auditor=current_user.is_auditor
        ),
    )
