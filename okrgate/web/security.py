"""What every request must pass and every answer must carry."""

import re
import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from okrgate.config import Settings
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.logs import request_id

csrf = CSRFProtect()

_CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Machines ask these by the address of this host.
_BY_ADDRESS = {"web.healthz", "watching.readyz", "watching.metrics"}
_SAFE = {"GET", "HEAD", "OPTIONS"}
_CONTROL = re.compile("[\x00\ud800-\udfff]")
_MEGABYTE = 1024 * 1024


_files_wanted: set[str] = set()


def takes_files(endpoint: str) -> None:
    """Let one endpoint take files. Done once, where the room begins."""
    _files_wanted.add(endpoint)


def install(app: Flask, settings: Settings) -> None:
    """Set limits, cookies, CSRF and headers."""
    app.config.update(
        MAX_CONTENT_LENGTH=8 * _MEGABYTE,
        SESSION_COOKIE_NAME="__Host-okrgate" if settings.secure else "okrgate",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # A form may lie open all day: the token lives as long as the session does.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.secure,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    csrf.init_app(app)
    app.before_request(lambda: _start(settings))
    app.after_request(lambda response: _finish(response, settings))


def _start(settings: Settings) -> None:
    g.request_id = uuid.uuid4().hex[:12]
    request_id.set(g.request_id)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if (
        not settings.testing
        and request.endpoint not in _BY_ADDRESS
        and request.host != settings.host
    ):
        raise Invalid("This address is not served here.")
    if request.method not in _SAFE and request.headers.get("Sec-Fetch-Site", "same-origin") not in {
        "same-origin",
        "none",
    }:
        raise Forbidden("This form was sent from another site, so it was not taken.")
    if _CONTROL.search(request.path):
        raise NotFound
    if request.files and request.endpoint not in _files_wanted:
        raise Invalid("No form here takes files. Copy the text into its field instead.")
    for values in (request.args, request.form):
        for key, value in values.items(multi=True):
            if _CONTROL.search(key) or _CONTROL.search(value):
                raise Invalid(
                    "The text holds characters that cannot be stored. Remove them and try again."
                )


def _finish(response: Response, settings: Settings) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if settings.secure:
        response.headers.setdefault(
            "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
        )
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=3600"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response


def context() -> dict[str, Any]:
    """Give the request's id to every template."""
    return {"request_id": g.get("request_id", "")}
