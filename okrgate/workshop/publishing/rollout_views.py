"""How a version reached the projects that were under way: who moved, who is left, who stayed and why."""

from flask.typing import ResponseReturnValue

from okrgate.rulebooks import service
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import me
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.publishing import proposal_reading, rollouts


@blueprint.get("/rules/<int(max=2147483647):version_id>/rollout")
@requires(admin)
def show_rollout(version_id: int) -> ResponseReturnValue:
    """Show how far projects have moved."""
    version = service.get_version(version_id)
    rollout = rollouts.of(version_id)
    found = rollouts.progress(rollout, reader=me()) if rollout is not None else None
    return render(
        "workshop/rollout.html",
        version=version,
        rollout=rollout,
        found=found,
        proposal_id=proposal_reading.of_version(version_id),
    )
