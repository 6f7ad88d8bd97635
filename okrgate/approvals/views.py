"""The approval queue, receipts and conditions. The deciding page itself is in `stages`."""

from typing import TYPE_CHECKING

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from okrgate.accounts import directory
from okrgate.approvals import decided as decisions
from okrgate.approvals import queue as waiting
from okrgate.approvals import receipts, service
from okrgate.approvals.asking import time_left
from okrgate.approvals.conditions import is_dropped
from okrgate.database import canonical_json, transaction
from okrgate.errors import NotFound
from okrgate.projects import permissions
from okrgate.projects import service as projects
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.web.htmx import render
from okrgate.web.keys import pack, unpack
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Select

blueprint = Blueprint("approvals", __name__)


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
    wanted = waiting.Narrowed.of(request.args)
    after = request.args.get("after", "")[:120]
    rows = waiting.waiting_for(me(), limit=waiting.PAGE + 1, wanted=wanted, after=after)
    shown = rows[: waiting.PAGE]
    return render(
        "approvals/queue.html",
        rows=shown,
        wanted=wanted,
        narrowed=wanted.words(),
        choices=waiting.choices(me()),
        dues=list(waiting.DUES.items()),
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


@blueprint.get("/receipts/<int(max=2147483647):receipt_id>")
@requires(signed_in)
def show_receipt(receipt_id: int) -> ResponseReturnValue:
    """Show the proof of a decision, and whether it is still what was written."""
    receipt = receipts.get_receipt(receipt_id)
    project = projects.get(receipt.project_id)
    permissions.check_visible(project, me(), is_auditor=current_user.is_auditor)
    own = receipt.by_id == me()
    if not (own or current_user.is_auditor or me() in permissions.readers(project.id)):
        raise NotFound
    rulebook = rulebooks.rulebook(receipt.rulebook_version_id)
    gate = rulebook.gates.get(receipt.gate)
    said, conditions = receipts.said_in(receipt)
    names = directory.names([receipt.by_id, *(one.owner_id for one in conditions)])
    just_done = own and "done" in request.args
    wanted = waiting.Narrowed.of(request.args)
    rows = waiting.waiting_for(me(), limit=1, wanted=wanted) if just_done else []
    return render(
        "approvals/receipt.html",
        receipt=receipt,
        project=project,
        gate_label=gate.label if gate else receipt.gate,
        rules=rulebook.title,
        name=names.get(receipt.by_id, "Somebody") if receipt.by_id else "okrgate",
        intact=receipts.is_intact(receipt),
        proof=canonical_json({"facts": receipt.facts, "content": receipt.content}),
        findings=receipt.verdict.get("findings", ()),
        said=said,
        may_take_back=own and said is not None and receipts.is_open(said),
        conditions=[(one, names.get(one.owner_id, "Somebody")) for one in conditions],
        just_done=just_done,
        went_on_to=_went_on_to(project, receipt.gate) if just_done else "",
        following=rows[0] if rows else None,
        narrowed=wanted.words(),
    )


def _went_on_to(project: Project, gate: str) -> str:
    """Return the stage a project is in once it has left the one a gate leads out of; nothing while it waits there."""
    rules = rulebooks.rulebook(project.rulebook_version_id)
    if any(one.gate == gate for one in rules.transitions_from(project.stage)):
        return ""
    stage = rules.stages.get(project.stage)
    return stage.label if stage else ""


@blueprint.get("/projects/<reference>/receipts")
@requires(signed_in)
def list_receipts(reference: str) -> ResponseReturnValue:
    """Show every decision on a project and every gate it passed, with its proof."""
    project = projects.find(reference)
    if project is None:
        raise NotFound
    permissions.check_visible(project, me(), is_auditor=current_user.is_auditor)
    if not (current_user.is_auditor or me() in permissions.readers(project.id)):
        raise NotFound
    found = receipts.of_project(project.id)
    return render(
        "approvals/receipts.html",
        project=project,
        receipts=found,
        names=directory.names(receipt.by_id for receipt in found),
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
