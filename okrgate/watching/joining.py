"""Tell the rooms below what they may not ask for themselves. Called once, from app.py."""

from flask import Flask

from okrgate import logs
from okrgate.config import Settings
from okrgate.notifications import worker
from okrgate.watching import filesystems, heartbeats, incidents, metering, service


def install(app: Flask, settings: Settings) -> None:
    """Look whether the database is where it may be, count requests, and watch the machinery."""
    if not settings.testing:
        filesystems.check(settings)
    metering.install(app, settings)
    logs.on_error(incidents.hear)
    worker.before_work(heartbeats.beat_of_worker)
    worker.every_minute(incidents.write_down)
    worker.every_minute(service.look)
    worker.daily(service.check_chain)
