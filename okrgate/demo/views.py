"""Pages of the tour. They exist in the demo only."""

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import browsers, sessions
from okrgate.accounts import service as accounts
from okrgate.demo import tour
from okrgate.errors import NotFound
from okrgate.web.htmx import render
from okrgate.web.permissions import requires
from okrgate.web.render import me, safe_next

blueprint = Blueprint("demo", __name__)

_YEAR = 365 * 24 * 3600


def demo_only(**_arguments: Any) -> None:
    """Let everybody in, but only in the demo."""
    if not tour.is_demo():
        raise NotFound


@blueprint.get("/demo/tour")
@requires(demo_only)
def show_tour() -> ResponseReturnValue:
    """Show all steps."""
    return render("demo/tour.html", steps=tour.steps(), tour=None)


@blueprint.post("/demo/tour")
@requires(demo_only)
def keep_step() -> ResponseReturnValue:
    """Go on to a step, or end the tour; the page stays the same."""
    wanted = request.form.get("step", "")
    known = {str(number + 1) for number in range(tour.how_many())} | {tour.ENDED}
    answer = make_response(redirect(safe_next("stages.my_work"), 303))
    if wanted in known:
        _remember(answer, wanted)
    return answer


@blueprint.post("/demo/tour/<int:number>/<int:index>")
@requires(demo_only)
def go(number: int, index: int) -> ResponseReturnValue:
    """Sign in as the person of a step, if it is somebody else, and open its page."""
    found = tour.place(number, index)
    if found is None:
        raise NotFound
    place, email = found
    if not place.mine:
        try:
            token = accounts.sign_in(
                email,
                accounts.DEMO_PASSWORD,
                network=browsers.network(),
                device=browsers.device(),
            )
        except (accounts.TooMany, accounts.WrongPassword) as refusal:
            flash(refusal.sentence, "warning")
            return redirect(url_for("accounts.sign_in"), 303)
        if current_user.is_authenticated:
            accounts.sign_out(current_user.token, by=me())
        sessions.take_into_browser(token)
    answer = make_response(redirect(place.path, 303))
    _remember(answer, str(number))
    return answer


def _remember(answer: Response, step: str) -> None:
    answer.set_cookie(tour.COOKIE, step, max_age=_YEAR, samesite="Lax", httponly=True)
