"""How a change request stands on a page: its fields, its rows, and the bands of a metric, for those who may read them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import url_for

from okrgate.stages import change_rows
from okrgate.stages.change_models import ChangeRequest

_STATES = {"open": "waiting", "approved": "approved", "declined": "declined"}
_HIDDEN = "Only for those involved"


def line(
    row: ChangeRequest, reference: str, names: Mapping[int, str], *, private: bool
) -> dict[str, Any]:
    """Return a request as pages show it. `private` readers also read what is only for those involved."""
    return {
        "id": row.id,
        "url": url_for("stages.show_change", reference=reference, request_id=row.id),
        "by": names.get(row.by_id, "Somebody"),
        "at": row.asked_at,
        "status": _STATES.get(row.state, "inactive"),
        "label": row.state.replace("_", " ").capitalize(),
        "reason": row.reason,
        "changes": [
            _told(one, private) for one in row.changes if not (row.rows and one.get("in_row"))
        ],
        "rows": [_row_told(one, private) for one in row.rows],
    }


def _told(one: dict[str, Any], private: bool) -> dict[str, Any]:
    """Return one line of a change, with its values for those who may read them."""
    if private or not one.get("private"):
        return {name: one[name] for name in ("label", "before", "after")}
    return {"label": one["label"], "before": _HIDDEN, "after": _HIDDEN}


def _row_told(row: dict[str, Any], private: bool) -> dict[str, Any]:
    hidden = row["private"] and not private
    pictures = {
        side: _picture(row[side]) if row[side] and not hidden else None
        for side in ("before", "after")
    }
    lines = [_told({**one, "private": row["private"]}, private) for one in row["fields"]]
    title = row["called"] if hidden else row["title"]
    side = "before" if row["kind"] == change_rows.REMOVED else "after"
    values = [{"label": one["label"], "value": one[side]} for one in lines]
    return {**row, **pictures, "title": title, "fields": lines, "told": values}


def _picture(told: dict[str, Any]) -> dict[str, Any]:
    """Return what draws four bands, out of what was stored of them."""
    points = {
        name: None if told[name] is None else Decimal(told[name])
        for name in ("success", "partial", "negative", "baseline")
    }
    moves = told["mode"] != "absolute"
    unit = "%" if told["mode"] == "percent" else told["unit"]
    return {
        **points,
        "baseline": None if moves else points["baseline"],
        "direction": told["direction"],
        "unit": f" {unit}" if unit else "",
        "what": "change from the baseline" if moves else "",
    }
