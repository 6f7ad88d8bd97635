"""The menu, in one place."""

from typing import Any, Protocol

from flask import request, url_for


class Reader(Protocol):
    """Whoever looks at a page."""

    is_admin: bool
    is_auditor: bool


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
_AUDITORS: tuple[_Entry, ...] = (("audit.list_entries", "Audit", "list-check", None),)
_ADMINS: tuple[_Entry, ...] = (("administration.landing", "Admin", "settings", None),)


def menu(reader: Reader, badges: dict[str, int]) -> list[dict[str, Any]]:
    """Return the entries this reader may open: endpoint, url, label, icon, badge and whether it is current."""
    entries = _ENTRIES
    if reader.is_admin or reader.is_auditor:
        entries += _AUDITORS
    if reader.is_admin:
        entries += _ADMINS
    room = (
        "administration"
        if request.path.startswith("/admin/")
        else (request.endpoint or "").split(".")[0]
    )
    return [
        {
            "endpoint": endpoint,
            "url": url_for(endpoint),
            "label": label,
            "icon": icon,
            "badge": badges.get(badge, 0) if badge else 0,
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
