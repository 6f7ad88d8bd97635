"""htmx-flask, tamed.

Version 0.1.0 replaces the application's request class, knows htmx 2's headers and sets no Vary. We keep the
request class ours, choose by htmx 4's HX-Request-Type, and tell caches what an answer depended on.
"""

from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from htmx_flask import Htmx
from htmx_flask.requests import HtmxAwareRequest

_VARY = ("HX-Request", "HX-Request-Type")


class Request(HtmxAwareRequest):
    """Our request: knows whether htmx asks, and keeps a form's size in bounds."""

    max_form_parts = 2000
    max_form_memory_size = 2 * 1024 * 1024


def wants_part() -> bool:
    """Tell whether htmx asks for a part of a page rather than the page."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type", "partial") == "partial"
    )


def render(
    page: str, *, part: str | None = None, status: int = 200, **context: object
) -> ResponseReturnValue:
    """Render the page, or only its part when htmx asks for it and there is one."""
    return render_template(part if part and wants_part() else page, **context), status


def install(app: Flask) -> None:
    """Put htmx under our request class, and name in Vary what chose the answer."""
    Htmx(app)
    app.request_class = Request

    @app.after_request
    def _vary(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.vary.update(_VARY)
        return response
