"""The menu, in one place."""

from functools import lru_cache
from typing import Any, Protocol

from flask import request, url_for
from sqlalchemy import Select, select

from okrgate.database import db

_badges: dict[str, Select[int]] = {}


def register_badge(name: str, query: Select[int]) -> None:
    """Let entries of the menu show a number: a query of one, with the reader's id as `me`."""
    _badges[name] = query
    _asking.cache_clear()


def badges(reader: int) -> dict[str, int]:
    """Return every number of the menu, asked in one go."""
    return dict(db.session().execute(_asking(), {"me": reader}).one()._mapping)


@lru_cache(maxsize=1)
def _asking() -> Select[*tuple[int, ...]]:
    return select(*(query.scalar_subquery().label(name) for name, query in _badges.items()))


class Reader(Protocol):
    """Whoever looks at a page."""

    is_admin: bool
    is_auditor: bool


# Pages whose place in the menu is not that of the room they are written in: "account" stands beside one's own name.
_OWN = {
    "account": "",
    "admin": "administration",
    "approvals": "approvals",
    "audit": "audit",
    "rules": "rulebooks",
    "signoffs": "approvals",
    "standing-in": "approvals",
}
_Entry = tuple[str, str, str, str | None]
_ENTRIES: tuple[_Entry, ...] = (
    ("stages.my_work", "My work", "home", None),
    ("stages.list_projects", "Projects", "folders", None),
    ("approvals.queue", "Approvals", "checks", "approvals"),
    ("portfolio.show_overview", "Overview", "chart-bar", None),
    ("okrs.list_objectives", "OKRs", "target", None),
    ("metrics.list_metrics", "Metrics", "chart-line", None),
    ("notifications.inbox", "Inbox", "inbox", "inbox"),
    ("rulebooks.show_rules", "Rules", "book", None),
)
# Rooms without an entry of their own.
_WITHIN = {"meetings": "approvals"}
_AUDITORS: tuple[_Entry, ...] = (("audit.list_entries", "Audit", "list-check", None),)
_ADMINS: tuple[_Entry, ...] = (("administration.landing", "Admin", "settings", None),)


def menu(reader: Reader, badges: dict[str, int]) -> list[dict[str, Any]]:
    """Return the entries this reader may open: endpoint, url, label, icon, badge, what it counts and whether it is current."""
    entries = _ENTRIES
    if reader.is_admin or reader.is_auditor:
        entries += _AUDITORS
    if reader.is_admin:
        entries += _ADMINS
    room = _OWN.get(request.path.split("/")[1], (request.endpoint or "").split(".")[0])
    room = _WITHIN.get(room, room)
    return [
        {
            "endpoint": endpoint,
            "url": url_for(endpoint),
            "label": label,
            "icon": icon,
            "badge": badges.get(badge, 0) if badge else 0,
            "counts": badge,
            "current": request.endpoint == endpoint
            or (room == endpoint.split(".")[0] and room != "stages"),
        }
        for endpoint, label, icon, badge in entries
    ]


def own_links() -> list[dict[str, Any]]:
    """Return what the menu beside one's own name leads to."""
    return [
        {
            "endpoint": "accounts.my_account",
            "url": url_for("accounts.my_account"),
            "label": "My account",
            "icon": "user",
        }
    ]
