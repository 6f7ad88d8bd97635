"""Tell the rooms below what they may not ask for themselves. Called once, from app.py."""

from flask import Flask

from okrgate.accounts import directory
from okrgate.administration import overview
from okrgate.config import Settings
from okrgate.notifications import worker
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import owed
from okrgate.workshop.impacts import running, runs
from okrgate.workshop.processes import pages
from okrgate.workshop.publishing import arriving, filed, proposal_reading, read_only, rollouts


def install(app: Flask, _settings: Settings) -> None:
    """Register what waits for approval, and what the worker does for the rules."""
    rulebooks.register_proposed(proposal_reading.open_ones)
    rulebooks.register_coming(proposal_reading.coming)
    read_only.install(app)
    app.jinja_env.globals["rules_page"] = pages.about
    worker.every_minute(filed.follow)
    worker.every_minute(arriving.look)
    worker.errand(rollouts.work)
    worker.errand(running.work)
    worker.daily(runs.sweep)
    directory.register_held("rules", proposal_reading.held)
    overview.add_count("proposals", proposal_reading.count)
    owed.add_kind(
        proposal_reading.KIND,
        owed.Kind(proposal_reading.asked_of, proposal_reading.words, proposal_reading.where),
    )
