"""Receipts: the page, the paper, and the list of a project's."""

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from okrgate.accounts import directory
from okrgate.approvals import checking, receipts, rejudging
from okrgate.approvals import queue as waiting
from okrgate.approvals.models import Receipt, Round
from okrgate.approvals.paper import paper_of
from okrgate.approvals.sheet import Sheet, sheet_of
from okrgate.approvals.views import blueprint
from okrgate.audit import service as audit
from okrgate.database import canonical_json, db
from okrgate.errors import NotFound
from okrgate.gates.problems import RulebookError
from okrgate.projects import permissions
from okrgate.projects import service as projects
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.web.filters import show_date
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me

_UNREADABLE = (
    SQLAlchemyError,
    RulebookError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@blueprint.get("/receipts/<int(max=2147483647):receipt_id>")
@requires(signed_in)
def show_receipt(receipt_id: int) -> ResponseReturnValue:
    """Show the proof of a decision, and whether it is still what was written."""
    loaded = _loaded(receipt_id)
    sheet = _in_words(*loaded) if loaded else None
    if sheet is None:
        return _broken(receipt_id, known=loaded is not None)
    receipt, project = sheet.receipt, sheet.project
    again = rejudging.judge_again(receipt) if "again" in request.args else None
    just_done = receipt.by_id == me() and "done" in request.args
    wanted = waiting.Narrowed.of(request.args)
    return render(
        "approvals/receipt.html",
        sheet=sheet,
        receipt=receipt,
        project=project,
        rows=[{"label": label, "value": text} for label, text in sheet.content],
        proof_rows=_proof(sheet),
        proof=canonical_json({"facts": receipt.facts, "content": receipt.content}),
        may_take_back=receipt.by_id == me()
        and sheet.said is not None
        and receipts.is_open(sheet.said),
        again=again,
        differs=[
            {"label": one.message, "before": one.then, "after": one.now} for one in again.differs
        ]
        if again
        else [],
        just_done=just_done,
        went_on_to=_went_on_to(project, receipt.gate) if just_done else "",
        following=_following(sheet, wanted) if just_done else None,
        narrowed=wanted.words(),
    )


@blueprint.get("/receipts/<int(max=2147483647):receipt_id>.pdf")
@requires(signed_in)
def receipt_paper(receipt_id: int) -> ResponseReturnValue:
    """Give a receipt as a PDF that proves itself: the same bytes each time."""
    loaded = _loaded(receipt_id)
    sheet = _in_words(*loaded) if loaded else None
    if sheet is None:
        return _broken(receipt_id, known=loaded is not None)
    name = f"{sheet.project.reference}-receipt-{receipt_id}.pdf"
    return Response(
        paper_of(sheet),
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


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


def _loaded(receipt_id: int) -> tuple[Receipt, Project] | None:
    """Return a receipt that the reader may see, or None when what is stored cannot be read. Raises NotFound."""
    try:
        receipt = receipts.get_receipt(receipt_id)
    except (SQLAlchemyError, ValueError):
        return None
    project = projects.get(receipt.project_id)
    _check_may_read(receipt, project)
    return receipt, project


def _in_words(receipt: Receipt, project: Project) -> Sheet | None:
    """Return a receipt in words; None when what it or its rules hold cannot be put into any."""
    try:
        return sheet_of(receipt, project)
    except _UNREADABLE:
        return None


def _check_may_read(receipt: Receipt, project: Project) -> None:
    permissions.check_visible(project, me(), is_auditor=current_user.is_auditor)
    own = receipt.by_id == me()
    if not (own or current_user.is_auditor or me() in permissions.readers(project.id)):
        raise NotFound


def _broken(receipt_id: int, *, known: bool) -> ResponseReturnValue:
    """Say what of a receipt can no longer be read. If nobody can tell whose it is, only auditors learn of it."""
    looked = checking.look(receipt_id)
    if looked is None or not (known or current_user.is_auditor):
        raise NotFound
    return render("approvals/receipt_broken.html", number=receipt_id, looked=looked)


def _proof(sheet: Sheet) -> list[dict[str, str]]:
    """Return the fingerprints, each with what became of it."""
    sealed = sheet.looked.sealed
    same = sheet.hash == sheet.looked.receipt["hash"]
    rows = [("Hash of the receipt", f"{sheet.hash} ({'matches' if same else 'no longer matches'})")]
    if sheet.said is not None:
        same = sheet.digest == sheet.said.digest
        rows.append(
            (
                "Digest of what was signed",
                f"{sheet.digest} ({'matches' if same else 'no longer matches'})",
            )
        )
    rows.append(("Hash of the rules", sheet.rules.sha256))
    if sealed is not None:
        rows += [
            ("Place in the record", f"Row {sealed.seq}"),
            ("Hash of that row", sealed.hash),
            ("Hash of the row before it", sealed.previous),
            ("Checkpoint that covers it", _checkpoint(sealed.seq)),
        ]
    return [{"label": label, "value": text} for label, text in rows]


def _checkpoint(seq: int) -> str:
    found = audit.checkpoint_over(seq)
    if found is None:
        return "None yet: the next one does"
    return f"{found.seq}:{found.hash}, mailed on {show_date(found.at)}"


def _following(sheet: Sheet, wanted: waiting.Narrowed) -> tuple[int, str] | None:
    """Return what comes next of the reader's queue after this decision; behind the last one the most urgent."""
    if sheet.said is None:
        return None
    place = waiting.place_of(me(), db.session().get_one(Round, sheet.said.round_id), wanted)
    return place.next or place.first


def _went_on_to(project: Project, gate: str) -> str:
    """Return the stage a project is in once it has left the one a gate leads out of; nothing while it waits there."""
    rules = rulebooks.rulebook(project.rulebook_version_id)
    if any(one.gate == gate for one in rules.transitions_from(project.stage)):
        return ""
    stage = rules.stages.get(project.stage)
    return stage.label if stage else ""
