"""Standing in: who stands in for me and for whom I stand in, and the same for somebody whom I assist."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.approvals import delegations
from okrgate.approvals.delegation_forms import AssistantForm, StandInForm, put_errors
from okrgate.errors import Conflict, Invalid
from okrgate.projects.choosing import offer_people
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("standing_in", __name__)


@blueprint.route("/standing-in", methods=["GET", "POST"])
@requires(signed_in)
def mine() -> ResponseReturnValue:
    """Show who stands in for me and for whom I do; name somebody."""
    return _arrange(me())


@blueprint.route("/people/<int(max=2147483647):person_id>/standing-in", methods=["GET", "POST"])
@requires(signed_in)
def of_person(person_id: int) -> ResponseReturnValue:
    """Show and arrange the same for somebody else: as their assistant, or as an administrator."""
    delegations.check_may_arrange(person_id, me(), admin=current_user.is_admin)
    return _arrange(person_id)


@blueprint.post("/standing-in/<int(max=2147483647):delegation_id>/end")
@requires(signed_in)
def end(delegation_id: int) -> ResponseReturnValue:
    """End it from now on."""
    delegations.end(delegation_id, by=me(), admin=current_user.is_admin)
    person = whole(request.form.get("person", ""))
    return done("Ended. Both get a mail.", _where(person or me()))


@blueprint.post("/standing-in/assistants")
@requires(signed_in)
def choose_assistants() -> ResponseReturnValue:
    """Name somebody who may arrange it for me, or take them out."""
    leaving = whole(request.form.get("remove", ""))
    if leaving is not None:
        delegations.remove_assistant(me(), leaving, by=me())
        return done("They arrange nothing for you any more.", url_for("standing_in.mine"))
    form = AssistantForm()
    offer_people([form.assistant], chosen=[])
    if form.validate():
        try:
            delegations.name_assistant(me(), form.assistant.data, by=me())
        except Invalid as problem:
            put_errors(form, dict(problem.fields), problem.sentence)
        else:
            return done("They may arrange who stands in for you.", url_for("standing_in.mine"))
    return _page(me(), assistant_form=form, status=422)


def _arrange(person_id: int) -> ResponseReturnValue:
    if request.method == "GET":
        return _page(person_id)
    form = StandInForm()
    form.offer()
    if form.validate() and not _is_doubtful(form):
        try:
            delegations.set_delegation(
                person_id, form.wanted(), by=me(), admin=current_user.is_admin
            )
        except Invalid as problem:
            put_errors(form, dict(problem.fields), problem.sentence)
        except Conflict as problem:
            form.form_errors.append(problem.sentence)
        else:
            return done("Arranged. Both get a mail.", _where(person_id))
    return _page(person_id, form=form, status=422)


def _is_doubtful(form: StandInForm) -> bool:
    """Say once that the stand-in is away, too; who is sure names them all the same."""
    wanted = form.wanted()
    if form.sure.data or not delegations.away_meanwhile(
        wanted.stand_in_id, wanted.starts_on, wanted.ends_on
    ):
        return False
    form.sure.errors = [
        "Somebody stands in for them on some of these days, so they may be away, too. What waits for you is not "
        "passed on to a third person."
    ]
    return True


def _page(
    person_id: int,
    *,
    form: StandInForm | None = None,
    assistant_form: AssistantForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    rows = delegations.of_person(person_id, over=True)
    is_me = person_id == me()
    assistants = delegations.assistants_of(person_id) if is_me else []
    helped = delegations.assists(person_id) if is_me else []
    names = directory.names([person_id, *assistants, *helped])
    before = [one.stand_in_id for one in rows if one.person_id == person_id]
    form = form or StandInForm.blank(before[0] if before else None)
    asking = (assistant_form or AssistantForm(formdata=None)) if is_me else None
    form.offer(*([asking.assistant] if asking is not None else []))
    return render(
        "approvals/standing_in.html",
        status=status,
        person_id=person_id,
        is_me=is_me,
        name=names.get(person_id, "Somebody"),
        away=[one for one in rows if one.person_id == person_id],
        there=[one for one in rows if one.stand_in_id == person_id],
        assistants=[(one, names.get(one, "Somebody")) for one in assistants],
        helped=[(one, names.get(one, "Somebody")) for one in helped],
        form=form,
        assistant_form=asking,
        wrong=(assistant_form or form) if status != 200 else None,
        form_errors=status != 200,
        may_open_person=current_user.is_admin,
    )


def _where(person_id: int) -> str:
    if person_id == me():
        return url_for("standing_in.mine")
    return url_for("standing_in.of_person", person_id=person_id)
