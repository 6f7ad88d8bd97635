"""A thread of each web process that looks once a minute: a worker that stands still cannot say so itself."""

import threading
from datetime import datetime

import structlog
from flask import Flask

from okrgate import clock
from okrgate.events import AlertRaised
from okrgate.notifications import delivery, worker
from okrgate.watching import heartbeats, incidents, service
from okrgate.watching.models import WEB

log = structlog.get_logger()

_EVERY_SECONDS = 60.0
# The first requests of a new process come first.
_FIRST_SECONDS = 5.0


def start(app: Flask) -> threading.Thread:
    """Begin to look, until the process ends."""
    thread = threading.Thread(target=_watch, args=(app, clock.now()), name="watchman", daemon=True)
    thread.start()
    return thread


def go_round(since: datetime) -> None:
    """Note that this host serves, store what was heard of, look (once over all hosts), and tell.

    What is told of a worker that stands still is sent from here: the worker would send it too late.
    """
    heartbeats.beat(WEB)
    incidents.write_down()
    minute = clock.now().replace(second=0, microsecond=0).isoformat()
    worker.run_once("okrgate.watching.look", minute, lambda: service.look(since))
    if any(one.kind == incidents.WORKER for one in incidents.open_ones()):
        delivery.send_due(only=AlertRaised.__name__)


def _watch(app: Flask, since: datetime) -> None:
    never, seconds = threading.Event(), _FIRST_SECONDS
    while not never.wait(seconds):
        seconds = _EVERY_SECONDS
        try:
            with app.app_context():
                go_round(since)
        except Exception as problem:  # the database may be away; the next round is a minute away
            log.warning("watchman could not look", problem=type(problem).__name__)
