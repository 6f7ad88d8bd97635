"""Answer while somebody types: a fragment with what is wrong in the text as it is now. Nothing is stored."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from okrgate.rulebooks.standing import standing
from okrgate.web.permissions import admin, requires
from okrgate.web.render import me
from okrgate.workshop import live_checks
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.forms import as_file


@blueprint.post("/rules/<key>/check")
@requires(admin)
def check_while_typing(key: str) -> ResponseReturnValue:
    """Return what is wrong with the text; nothing (204) when a newer one is being checked."""
    standing(key)
    text = as_file(request.form.get("text"))
    found = live_checks.check(key, text, full="quick" not in request.form, by=me())
    if found is None:
        return "", 204
    return render_template("workshop/_live.html", found=found)
