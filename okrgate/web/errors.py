"""Turns each refusal into a page; the only place that knows status codes for errors."""

from collections.abc import Callable

import structlog
from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from okrgate.database import db
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable
from okrgate.gates.verdict import GateUnjudgeable
from okrgate.web.again import is_unsure, note, run_again
from okrgate.web.permissions import SignInNeeded, enforce
from okrgate.web.typed import typed, words

log = structlog.get_logger()

_STATUS: dict[type[Refused], int] = {
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Unavailable: 503,
}
_PAGES = {400, 403, 404, 405, 409, 413, 422, 429, 500, 503}
# What was written is shown on these, to be copied.
_WITH_WORDS = {409, 422}

# SQLSTATE: PostgreSQL takes no writes, as a standby does until it is promoted.
_READ_ONLY = "25006"


_SAFE = {"GET", "HEAD", "OPTIONS"}
_listeners: list[Callable[..., None]] = []


def on_denied(listener: Callable[..., None]) -> None:
    """Call `listener` (by, path, act, sentence) when somebody who is signed in tried to do what they may not."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_of_denial(sentence: str) -> None:
    """Tell that an act was denied: not of looking, nor of what another site sent, nor of what was recorded already."""
    # Before it is known who asks, `is_unsure` is true: a form from elsewhere was nobody's own act.
    if request.method in _SAFE or is_unsure() or not current_user.is_authenticated:
        return
    for listener in _listeners:
        listener(current_user.id, path=request.path, act=request.endpoint or "", sentence=sentence)


def page(status: int, sentence: str) -> ResponseReturnValue:
    """Show the error page of a status, with one sentence about what to do."""
    template = f"errors/{status if status in _PAGES else 500}.html"
    if status == 503:
        return _unavailable(template, sentence)
    written = words() if request.method == "POST" and status in _WITH_WORDS else []
    return render_template(template, sentence=sentence, status=status, written=written), status


def _unavailable(template: str, sentence: str) -> ResponseReturnValue:
    """Show the page without what pages otherwise ask the database for, and with what was typed."""
    shown = current_app.jinja_env.get_template(template).render(
        sentence=sentence,
        request_id=g.get("request_id", ""),
        fields=typed() if request.method == "POST" else [],
        path=request.full_path.rstrip("?"),
    )
    return shown, 503, {"Retry-After": "5"}


def install(app: Flask) -> None:
    """Register a handler for everything that may be raised."""
    app.before_request(note)

    @app.errorhandler(Refused)
    def _refused(refusal: Refused) -> ResponseReturnValue:
        status = next((code for kind, code in _STATUS.items() if isinstance(refusal, kind)), 422)
        log.info("refused", status=status, sentence=refusal.sentence, endpoint=request.endpoint)
        if isinstance(refusal, Forbidden):
            tell_of_denial(refusal.sentence)
        return page(status, refusal.sentence)

    @app.errorhandler(GateUnjudgeable)
    def _doubt(doubt: GateUnjudgeable) -> ResponseReturnValue:
        db.session.rollback()
        log.error("gate unjudgeable", problem=str(doubt), endpoint=request.endpoint)
        return page(409, f"{doubt} Nothing was changed; tell an administrator.")

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> ResponseReturnValue:
        log.info("refused", status=400, sentence="csrf", endpoint=request.endpoint)
        if request.endpoint and not current_user.is_authenticated:
            # The token ended with the session: what was typed comes along through the sign-in.
            try:
                enforce()
            except SignInNeeded as needed:
                return app.handle_user_exception(needed)
        return page(
            400,
            "The page was open too long or was sent twice. Go back, reload it and send it again.",
        )

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.code is not None and error.code < 400:
            return error
        return page(error.code or 500, "")

    _install_for_database(app)

    @app.errorhandler(DBAPIError)
    @app.errorhandler(Exception)
    def _anything(error: Exception) -> ResponseReturnValue:
        return _unexpected(error)


def _unexpected(error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    log.error("unexpected", exc_info=error, endpoint=request.endpoint)
    if current_app.testing:
        raise error
    return page(500, "")


def _unreachable(problem: str, *, unsure: bool = False) -> ResponseReturnValue:
    db.session.rollback()
    log.error("database unavailable", problem=problem, request_id=g.get("request_id", ""))
    if unsure:
        return page(
            503,
            "The connection to the database broke while this was stored. Look whether it was, before you send it again.",
        )
    return page(
        503,
        "The database cannot take this right now. Nothing was changed; try again in a moment.",
    )


def _install_for_database(app: Flask) -> None:
    @app.errorhandler(StaleDataError)
    def _stale(_error: StaleDataError) -> ResponseReturnValue:
        db.session.rollback()
        return page(
            409,
            "Somebody changed this at the same moment. Go back, look at what is new, and try again.",
        )

    @app.errorhandler(IntegrityError)
    def _unfitting(error: IntegrityError) -> ResponseReturnValue:
        db.session.rollback()
        log.error("does not fit", problem=str(error.orig), endpoint=request.endpoint)
        if app.testing:
            raise error
        return page(
            409,
            "What you sent does not fit with what is stored by now. Go back, reload the page and try again.",
        )

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> ResponseReturnValue:
        return run_again(error) or _unreachable(str(error.orig), unsure=is_unsure())

    @app.errorhandler(InternalError)
    def _internal(error: InternalError) -> ResponseReturnValue:
        if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
            return _unreachable(str(error.orig))
        return _unexpected(error)

    @app.errorhandler(NoConnection)
    def _no_connection(error: NoConnection) -> ResponseReturnValue:
        return _unreachable(str(error))
