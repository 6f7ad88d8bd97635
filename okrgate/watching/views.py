"""Figures for a monitoring system, and whether this process may be sent people."""

import hmac

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from okrgate.config import Settings
from okrgate.errors import NotFound
from okrgate.watching import metering, readiness
from okrgate.web.permissions import anyone, requires

blueprint = Blueprint("watching", __name__)


@blueprint.get("/readyz")
@requires(anyone)
def readyz() -> ResponseReturnValue:
    """Say whether the database answers and has this version's tables. Why not is nobody's business here."""
    if readiness.ready():
        return jsonify(status="ok")
    return jsonify(status="not ready"), 503, {"Retry-After": "5"}


@blueprint.get("/metricsz")
@requires(anyone)
def metrics() -> ResponseReturnValue:
    """Give the figures to whoever shows the token. Without a token in the settings there is no such page."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    if not settings.metrics_token:
        raise NotFound
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    fits = hmac.compare_digest(
        shown.strip().encode(errors="replace"), settings.metrics_token.encode()
    )
    if kind.lower() != "bearer" or not fits:
        answer = Response("A token is needed.\n", 401, content_type="text/plain; charset=utf-8")
        answer.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    return Response(metering.exposition(), content_type=metering.CONTENT_TYPE)
