"""What an open page asks every half minute: the numbers of the menu, and whether its project has changed."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from okrgate.audit import service as audit
from okrgate.database import db
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.stages.views import blueprint, reader
from okrgate.web import navigation
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me


@blueprint.get("/pulse")
@requires(signed_in)
def pulse() -> ResponseReturnValue:
    """Answer with {badges, seq}; `seq` is the newest row of the project `of`, or null if the reader may not read it."""
    found = None
    reference = request.args.get("of", "")
    if reference:
        who = reader()
        visible = permissions.visible_clause(who.id, is_auditor=who.is_auditor)
        found = db.session().scalar(
            select(audit.newest_of(Project.id)).where(Project.reference == reference, visible)
        )
    return jsonify(badges=navigation.badges(me()), seq=found)
