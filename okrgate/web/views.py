"""Pages that belong to no room: health, and the choice of light or dark."""

from flask import Blueprint, jsonify, make_response, redirect, request
from flask.typing import ResponseReturnValue

from okrgate.web.permissions import anyone, requires
from okrgate.web.render import safe_next

blueprint = Blueprint("web", __name__)

_YEAR = 365 * 24 * 3600
THEMES = ("light", "dark", "auto")


@blueprint.get("/healthz")
@requires(anyone)
def healthz() -> ResponseReturnValue:
    """Say that this process lives. Whether it can do its work is asked at /readyz."""
    return jsonify(status="ok")


@blueprint.post("/theme")
@requires(anyone)
def set_theme() -> ResponseReturnValue:
    """Remember light, dark or the device's own choice, in a cookie of this browser."""
    theme = request.form.get("theme", "")
    answer = make_response(redirect(safe_next("stages.my_work"), 303))
    if theme in THEMES:
        answer.set_cookie("theme", theme, max_age=_YEAR, samesite="Lax", httponly=True)
    return answer


@blueprint.get("/favicon.ico")
@requires(anyone)
def favicon() -> ResponseReturnValue:
    """Give browsers that ask by habit our icon."""
    return redirect("/static/icons/okrgate.svg", 302)
