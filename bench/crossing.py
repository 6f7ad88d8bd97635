"""What one guarded transition costs: the page with its form, then the POST. Reports; never fails a build.

    python bench/crossing.py [--rounds 60] [--database sqlite|postgresql] [--profile]

Shapes: one client in one process, no network, a project of six stages in a circle (`circle.yaml`), ten criteria at each
gate, judged twice at every crossing; one mail goes to the outbox. `cpu` is this process's own time, p50 over the rounds
after twelve that are not counted; `queries` counts statements. PostgreSQL is the private server of the tests, and its
own time is not in `cpu`.
"""

import argparse
import cProfile
import itertools
import pstats
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import company
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from okrgate.database import db
from okrgate.projects.models import Project

_WARM_UP = 12
_HIDDEN = re.compile(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"')


@dataclass
class Costs:
    """CPU seconds and statements of one kind of request, one entry a round."""

    seconds: list[float]
    queries: list[int]

    def line(self, name: str) -> str:
        """Return a row of the table."""
        cuts = statistics.quantiles(self.seconds, n=20)
        asked = statistics.median(self.queries)
        return f"{name:12} {cuts[9] * 1000:8.1f} {cuts[18] * 1000:8.1f} {asked:8.0f}"


def main() -> None:
    """Make a company, go round the circle, print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--profile", action="store_true", help="print where the time goes")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with company.database(chosen.database, folder) as url:
            app = company.application(url, folder)
            with app.app_context():
                made = company.found()
                number = company.going_round(made, 0)
                reference = db.session().get_one(Project, number).reference
                client = company.browser(app, made.directors[0])
            _measure(app, client, reference, chosen.rounds, profile=chosen.profile)
            with app.app_context():
                db.engine.dispose()


def _measure(
    app: Flask, client: FlaskClient, reference: str, rounds: int, *, profile: bool
) -> None:
    asked = itertools.count()
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *_given: next(asked))
    page, post = Costs([], []), Costs([], [])
    profiler = cProfile.Profile()
    for turn in range(_WARM_UP + rounds):
        path = f"/projects/{reference}/moves/from_{company.STAGES[turn % len(company.STAGES)]}"
        counted = turn >= _WARM_UP
        if profile and counted:
            profiler.enable()
        before, began = next(asked), time.process_time()
        shown = client.get(path)
        between, middle = next(asked), time.process_time()
        typed = {name: value for name, value in _HIDDEN.findall(shown.text) if name != "csrf_token"}
        after, again = next(asked), time.process_time()
        moved = client.post(path, data=typed)
        ended = time.process_time()
        profiler.disable()
        if (shown.status_code, moved.status_code) != (200, 303):
            raise SystemExit(f"{path}: {shown.status_code}, then {moved.status_code}")
        if counted:
            page.seconds.append(middle - began)
            page.queries.append(between - before - 1)
            post.seconds.append(ended - again)
            post.queries.append(next(asked) - after - 1)
    both = Costs([sum(pair) for pair in zip(page.seconds, post.seconds, strict=True)], [0])
    both.queries = [sum(pair) for pair in zip(page.queries, post.queries, strict=True)]
    print(f"{'':12} {'p50 cpu':>8} {'p95 cpu':>8} {'queries':>8}   (ms)")
    for name, costs in (("the page", page), ("the POST", post), ("together", both)):
        print(costs.line(name))
    if profile:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("cumtime").print_stats("okrgate", 60)


if __name__ == "__main__":
    main()
