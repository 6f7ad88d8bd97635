"""Run a request again that the database sent away, as long as nothing of it was stored.

A serialisation failure, a deadlock or a connection that broke says nothing about the request itself. Nothing asks
the pool's connections whether they still live: that would cost every transaction a question, and the first one that
turns out dead takes all the others out of the pool with it.
"""

import structlog
from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from okrgate.database import db, stored

log = structlog.get_logger()

TIMES = 3
# SQLSTATE: serialisation failure, deadlock.
_PASSING = {"40001", "40P01"}


def note() -> None:
    """Note how much is stored already: called before a request, and once more when its person is known."""
    g.stored_before = stored()


def is_unsure() -> bool:
    """Tell whether something of this request was, or may have been, stored."""
    return bool(g.get("stored_before") != stored())


def passes(error: DBAPIError) -> bool:
    """Tell whether the same may well succeed on the next attempt."""
    state = getattr(error.orig, "sqlstate", None)
    return state in _PASSING or bool(error.connection_invalidated)


def run_again(error: DBAPIError) -> ResponseReturnValue | None:
    """Run the request up to three times more. None when that is no use, or something was stored already."""
    for attempt in range(1, TIMES + 1):
        db.session.rollback()
        if not passes(error) or is_unsure():
            return None
        log.warning(
            "run again", attempt=attempt, problem=str(error.orig), endpoint=request.endpoint
        )
        for file in request.files.values():
            file.stream.seek(0)
        try:
            return _run(current_app._get_current_object())  # type: ignore[attr-defined]
        except DBAPIError as problem:
            error = problem
        except Exception as problem:
            return current_app.handle_user_exception(problem)
    return None


def _run(app: Flask) -> ResponseReturnValue:
    answer = app.preprocess_request()
    if answer is not None:
        return answer
    view = app.view_functions[request.endpoint or ""]
    return app.ensure_sync(view)(**(request.view_args or {}))  # type: ignore[no-any-return]
