"""Retire a process, so that no new project starts in it, and bring it back."""

from flask import url_for
from flask.typing import ResponseReturnValue

from okrgate.errors import Conflict, NotFound
from okrgate.rulebooks import retiring, service
from okrgate.rulebooks.standing import standing
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.processes.forms import RetireForm


@blueprint.get("/rules/<key>/retire")
@requires(admin)
def retire_page(key: str) -> ResponseReturnValue:
    """Say what retiring a process means, or bringing it back."""
    return _page(key, RetireForm(formdata=None))


@blueprint.post("/rules/<key>/retire")
@requires(admin)
def retire_process(key: str) -> ResponseReturnValue:
    """Let no new project start in it."""
    form = RetireForm()
    if not form.validate_on_submit():
        return _page(key, form, status=422)
    try:
        retiring.retire(key, by=me(), reason=form.reason.data or "")
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return _page(key, form, status=409)
    return done(
        "It is retired: no new project starts in it. Those under way go on.",
        url_for("rulebooks.show_rules"),
    )


@blueprint.post("/rules/<key>/bring-back")
@requires(admin)
def bring_process_back(key: str) -> ResponseReturnValue:
    """Let projects start in it again."""
    form = RetireForm()
    if not form.validate_on_submit():
        return _page(key, form, status=422)
    try:
        retiring.bring_back(key, by=me(), reason=form.reason.data or "")
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return _page(key, form, status=409)
    return done("It is back: projects can start in it again.", url_for("rulebooks.show_rules"))


def _page(key: str, form: RetireForm, *, status: int = 200) -> ResponseReturnValue:
    base = standing(key)
    if not base.number:
        raise NotFound
    counts = service.open_projects()
    return render(
        "workshop/process_retire.html",
        status=status,
        form=form,
        form_errors=status != 200,
        base=base,
        retired=retiring.retired().get(base.process_id),
        under_way=sum(
            counts.get(one.id, 0) for one in service.versions() if one.process_id == base.process_id
        ),
    )
