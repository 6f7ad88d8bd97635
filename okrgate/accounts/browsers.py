"""What a request tells of the browser behind it."""

from flask import request

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device() -> str:
    """Name the browser and the system of this request, as a person would."""
    said = request.user_agent.string
    browser = next((name for word, name in _BROWSERS if word in said), "")
    system = next((name for word, name in _SYSTEMS if word in said), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown browser"


def network() -> str:
    """Return the network address the request came from (behind proxies as configured)."""
    return request.remote_addr or ""
