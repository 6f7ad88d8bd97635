"""The record, for auditors: read, search, take away."""

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from okrgate import clock
from okrgate.audit import forms, reading, service
from okrgate.database import transaction
from okrgate.web.exports import csv_download
from okrgate.web.htmx import render
from okrgate.web.permissions import auditor, requires
from okrgate.web.render import me

blueprint = Blueprint("audit", __name__)
sources = reading.sources

_LIMIT = 50


@blueprint.get("/audit")
@requires(auditor)
def list_entries() -> ResponseReturnValue:
    """Show who did what, the newest first."""
    search = forms.read(request.args)
    return _page(search, before=_number(request.args.get("before", "")))


@blueprint.post("/audit/export")
@requires(auditor)
def export() -> ResponseReturnValue:
    """Give the rows that fit as a CSV file; taking them is itself recorded."""
    search = forms.read(request.form)
    if search.faults:
        return _page(search, before=None)
    with transaction():
        asked = {name: value for name, value in search.typed.items() if value}
        service.record("audit.exported", by=me(), details=asked)
    name = f"okrgate-audit-{clock.today().isoformat()}.csv"
    return csv_download(name, reading.HEADER, reading.table(service.stream(search.wanted)))


def _page(search: forms.Search, *, before: int | None) -> ResponseReturnValue:
    found = [] if search.faults else service.page(search.wanted, before=before, limit=_LIMIT + 1)
    shown = found[:_LIMIT]
    kept: dict[str, Any] = {name: value or None for name, value in search.typed.items()}
    older = (
        url_for("audit.list_entries", before=shown[-1].seq, **kept) if len(found) > _LIMIT else None
    )
    return render(
        "audit/list.html",
        status=422 if search.faults else 200,
        lines=reading.lines(shown),
        typed=search.typed,
        faults=[{"text": fault} for fault in search.faults],
        form_errors=search.faults,
        actions=forms.action_choices(),
        people=[("", "Everybody"), *reading.sources.people()],
        newest_url=url_for("audit.list_entries", **kept) if before else None,
        older_url=older,
        filtered=any(search.typed.values()),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
