"""The approval queue and conditions. The deciding page itself is in `stages`."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from okrgate.accounts import directory
from okrgate.approvals import decided as decisions
from okrgate.approvals import queue as waiting
from okrgate.approvals import service
from okrgate.approvals.asking import time_left
from okrgate.approvals.conditions import is_dropped
from okrgate.approvals.stand_ins import stood_in_for as stands_in
from okrgate.database import transaction
from okrgate.projects import permissions
from okrgate.projects import service as projects
from okrgate.web.htmx import render
from okrgate.web.keys import pack, unpack
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Select

blueprint = Blueprint("approvals", __name__)

_YEAR = 365 * 24 * 60 * 60


class CloseConditionForm(FlaskForm):
    """How a condition was met."""

    evidence = TextAreaField(
        "How was it met?",
        description="What was done, and where it can be seen.",
        validators=[
            InputRequired("Say how it was met."),
            Length(min=3, max=4000, message="Use between 3 and 4,000 characters."),
        ],
    )


def badge(person: "int | BindParameter[int]") -> "Select[int]":
    """Return a query for how many decisions wait for somebody, for the menu."""
    return waiting.count(person)


@blueprint.get("/approvals")
@requires(signed_in)
def queue() -> ResponseReturnValue:
    """Show what waits for my decision, a page at a time."""
    wanted = _remembered() if not request.args else waiting.Narrowed.of(request.args)
    after = request.args.get("after", "")[:120]
    rows = waiting.waiting_for(me(), limit=waiting.PAGE + 1, wanted=wanted, after=after)
    shown = rows[: waiting.PAGE]
    page = render(
        "approvals/queue.html",
        rows=shown,
        wanted=wanted,
        narrowed=wanted.words(),
        choices=waiting.choices(me()),
        dues=list(waiting.DUES.items()),
        counts=waiting.counts(me(), wanted),
        most=waiting.MANY,
        whose=list(waiting.WHOSE.items()) if wanted.whose or stands_in(me()) else [],
        time_left=time_left,
        together=waiting.TOGETHER,
        all_chosen="all" in request.args,
        all_url=url_for("approvals.queue", **wanted.words(), after=after or None, all=1),
        conditions=service.conditions_owned(me()) if not after else [],
        first_url=url_for("approvals.queue", **wanted.words()) if after else None,
        next_url=url_for("approvals.queue", **wanted.words(), after=shown[-1].key)
        if len(rows) > len(shown)
        else None,
    )
    return _remember(page, wanted) if request.args else page


def _remembered() -> waiting.Narrowed:
    """Return what somebody narrowed their queue to last, on this device."""
    return waiting.Narrowed.of(dict(parse_qsl(request.cookies.get(_cookie(), "")[:400])))


def _remember(page: ResponseReturnValue, wanted: waiting.Narrowed) -> ResponseReturnValue:
    answer = make_response(page)
    said = {name: value for name, value in wanted.words().items() if name != "meeting"}
    answer.set_cookie(_cookie(), urlencode(said), max_age=_YEAR, samesite="Lax", httponly=True)
    return answer


def _cookie() -> str:
    """Return the name of a person's own cookie: several may share a device."""
    return f"queue-{me()}"


@blueprint.get("/decisions")
@requires(signed_in)
def decided() -> ResponseReturnValue:
    """Show what I decided, with the receipts."""
    before = request.args.get("before", "")
    rows = decisions.by(me(), limit=waiting.PAGE + 1, before=unpack(before))
    shown = rows[: waiting.PAGE]
    return render(
        "approvals/decided.html",
        rows=shown,
        first_url=url_for("approvals.decided") if before else None,
        next_url=url_for("approvals.decided", before=pack(shown[-1].at, shown[-1].id))
        if len(rows) > len(shown)
        else None,
    )


@blueprint.route("/conditions/<int(max=2147483647):condition_id>", methods=["GET", "POST"])
@requires(signed_in)
def close_condition(condition_id: int) -> ResponseReturnValue:
    """Say how a condition was met."""
    condition = service.get_condition(condition_id)
    project = projects.get(condition.project_id)
    permissions.check_visible(project, me(), is_auditor=current_user.is_auditor)
    form = CloseConditionForm()
    if request.method == "POST" and form.validate():
        with transaction():
            service.close_condition(condition_id, by=me(), evidence=form.evidence.data or "")
        return done(
            "The condition is met.", url_for("stages.show_project", reference=project.reference)
        )
    status = 422 if request.method == "POST" else 200
    return render(
        "approvals/condition.html",
        status=status,
        condition=condition,
        project=project,
        mine=condition.owner_id == me(),
        dropped=is_dropped(condition),
        owner=directory.names([condition.owner_id]).get(condition.owner_id, "Somebody"),
        form=form,
        form_errors=form.errors if status == 422 else None,
    )
