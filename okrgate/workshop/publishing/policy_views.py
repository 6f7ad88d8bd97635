"""How publishing rules goes in this company: how many approvals, and whose."""

from dataclasses import replace

from flask import url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Conflict, Invalid
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.publishing import policy
from okrgate.workshop.publishing.policy import Policy
from okrgate.workshop.publishing.publish_forms import PolicyForm


@blueprint.get("/admin/publishing")
@requires(admin)
def publishing_policy() -> ResponseReturnValue:
    """Show how many approvals rules need."""
    last = policy.last_saved()
    return _page(
        PolicyForm(
            formdata=None,
            version=last.version,
            approvals=last.approvals,
            author_approves=last.author_approves,
            one_more=last.one_more,
        )
    )


@blueprint.post("/admin/publishing")
@requires(admin)
def save_publishing_policy() -> ResponseReturnValue:
    """Store it: to ask for more counts at once, to ask for less a day later."""
    form = PolicyForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    if form.approvals.data is None:
        form.approvals.errors = [f"Give a number from 0 to {policy.MOST}."]
        return _page(form, status=422)
    wanted = Policy(
        approvals=form.approvals.data,
        author_approves=form.author_approves.data,
        one_more=form.one_more.data,
        version=form.version.data or 0,
    )
    try:
        saved = policy.save(wanted, by=me())
    except Invalid as refusal:
        form.approvals.errors = [refusal.sentence]
        return _page(form, status=422)
    except Conflict as refusal:
        form.version.data, form.version.raw_data = policy.last_saved().version, None
        form.form_errors.append(refusal.sentence)
        return _page(form, status=409)
    later = replace(saved, version=0) != replace(policy.in_force(), version=0)
    said = (
        "It counts from tomorrow at this time on."
        if later
        else "It counts for what is proposed from now on."
    )
    return done(f"Saved, and every administrator is told. {said}", url_for(".publishing_policy"))


def _page(form: PolicyForm, *, status: int = 200) -> ResponseReturnValue:
    now, last = policy.in_force(), policy.last_saved()
    return render(
        "workshop/policy.html",
        status=status,
        form=form,
        form_errors=status != 200,
        now=now,
        coming=last if last.version != now.version else None,
        admins=len(directory.admins()),
    )
