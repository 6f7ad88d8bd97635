"""A stakeholder's own pages, the list of a project's statements, and the kick-off for a calendar."""

from email.utils import parseaddr
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.config import Settings
from okrgate.delivery import service, statements
from okrgate.delivery.calendar import Mailbox
from okrgate.delivery.forms import StatementForm
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("delivery", __name__)

_STATEMENT = "/statements/<int(max=2147483647):statement_id>"


@blueprint.get("/statements")
@requires(signed_in)
def my_statements() -> ResponseReturnValue:
    """Show what I am or was asked, open ones first."""
    found = statements.mine(me())
    return render(
        "delivery/my_statements.html",
        waiting=[one for one in found if one.answered_at is None],
        answered=[one for one in found if one.answered_at is not None],
    )


@blueprint.get(_STATEMENT)
@requires(signed_in)
def show_statement(statement_id: int) -> ResponseReturnValue:
    """Show the form to the one who is asked (or to the lead for them), or the answer once it is given."""
    return _statement(statements.find(statement_id, reader=me()), StatementForm(formdata=None))


@blueprint.post(_STATEMENT)
@requires(signed_in)
def answer_statement(statement_id: int) -> ResponseReturnValue:
    """Store an answer."""
    asked = statements.find(statement_id, reader=me())
    form = StatementForm()
    if not form.validate_on_submit():
        return _statement(asked, form, status=422)
    words = statements.Words(
        rating=int(form.rating.data),
        went_well=form.went_well.data,
        went_badly=form.went_badly.data,
        again=form.again.data,
    )
    statements.answer(statement_id, words, by=me())
    if asked.mine:
        return done("Thank you. The lead has your answer.", url_for("delivery.my_statements"))
    return done(
        f"Stored, as told to you by {asked.name}.",
        url_for("delivery.project_statements", reference=asked.reference),
    )


@blueprint.post(f"{_STATEMENT}/remind")
@requires(signed_in)
def remind(statement_id: int) -> ResponseReturnValue:
    """Remind somebody who has not answered."""
    asked = statements.find(statement_id, reader=me())
    name = statements.remind(statement_id, by=me())
    return done(
        f"{name} is reminded by mail.",
        url_for("delivery.project_statements", reference=asked.reference),
    )


@blueprint.get("/projects/<reference>/statements")
@requires(signed_in)
def project_statements(reference: str) -> ResponseReturnValue:
    """Show who was asked how a project went; their words only to those involved and to auditors."""
    seen = service.find_project(reference, reader=me(), is_auditor=current_user.is_auditor)
    asked = statements.of_project(seen.project, reader=me(), read=seen.involved)
    return render(
        "delivery/project_statements.html",
        project=seen.project,
        may_read=seen.involved,
        statements=asked,
        average=statements.average_of(asked),
    )


@blueprint.get("/projects/<reference>/kickoff.ics")
@requires(signed_in)
def kickoff_calendar(reference: str) -> ResponseReturnValue:
    """Give the planned kick-off as a file for a calendar."""
    seen = service.find_project(reference, reader=me(), is_auditor=current_user.is_auditor)
    settings: Settings = current_app.extensions["okrgate.settings"]
    text = service.kickoff_file(
        seen.project,
        organizer=parseaddr(settings.mail.sender)[1],
        link=f"{settings.base_url}/projects/{seen.project.reference}",
        attendee=Mailbox(current_user.name, current_user.email),
    )
    response = Response(text.encode(), content_type="text/calendar; charset=utf-8; method=REQUEST")
    response.headers["Content-Disposition"] = 'attachment; filename="kick-off.ics"'
    return response


def _statement(asked: statements.Asked, form: Any, *, status: int = 200) -> ResponseReturnValue:
    return render(
        "delivery/statement.html",
        status=status,
        asked=asked,
        form=form,
        correcting=asked.second_hand and asked.mine and request.method == "GET",
        form_errors=form.errors if status == 422 else None,
    )
