"""What auditors take away: the record with its proof."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from okrgate import clock
from okrgate.audit import forms, service
from okrgate.database import transaction
from okrgate.evidence import checkpoints
from okrgate.evidence.exporting import Scope, stream
from okrgate.web.htmx import render
from okrgate.web.permissions import auditor, requires
from okrgate.web.render import me

blueprint = Blueprint("evidence", __name__)


@blueprint.post("/audit/proof")
@requires(auditor)
def export_record() -> ResponseReturnValue:
    """Give the record, or a project's or a time's part of it, with all that proves it. Taking it is itself recorded."""
    search = forms.read(request.form)
    if search.faults:
        flash(" ".join(search.faults), "danger")
        return redirect(url_for("audit.list_entries", **_kept(search)), 303)
    scope = Scope(search.wanted.project_id, search.wanted.since, search.wanted.until)
    with transaction():
        service.record("audit.exported", by=me(), details={"with": "proof", **scope.said()})
    name = f"okrgate-record-{clock.today().isoformat()}.zip"
    return Response(
        stream_with_context(stream(scope)),
        mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@blueprint.get("/audit/checkpoints")
@requires(auditor)
def list_checkpoints() -> ResponseReturnValue:
    """Show every checkpoint, as it was mailed."""
    return render("evidence/checkpoints.html", checkpoints=checkpoints.listed())


def _kept(search: forms.Search) -> dict[str, Any]:
    return {name: text for name, text in search.typed.items() if text}
