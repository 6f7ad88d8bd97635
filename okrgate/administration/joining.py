"""Tell the rooms below what they may not ask for themselves. Called once, from app.py."""

from flask import Flask, request

from okrgate.accounts import people
from okrgate.administration import leaving, overview, preferences, unheld
from okrgate.audit import reading as audit
from okrgate.config import Settings
from okrgate.notifications import worker
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service as stages
from okrgate.stages import work

_WITHOUT = {None, "static", "web.healthz", "watching.readyz", "watching.metrics"}


def install(app: Flask, settings: Settings) -> None:
    """Put the company's settings in force, and register what only this room can count."""
    preferences.install(app, settings)
    app.before_request(_look)
    worker.before_work(preferences.refresh)
    rulebooks.register_open_projects(overview.open_projects)
    people.register_waiting(overview.waits_for)
    people.register_duties(leaving.must_hand_over)
    work.add_source(overview.incidents_owed)
    work.add_source(overview.gaps_owed)
    stages.register_missing(unheld.missing_in)
    audit.sources.units_of = overview.unit_names
    audit.sources.labels = rulebooks.labels


def _look() -> None:
    if request.endpoint not in _WITHOUT:
        preferences.refresh_if_stale()
