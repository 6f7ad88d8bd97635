"""What the two pages cost that are opened most: my queue, and a project with a long history. Reports; never fails a build.

    python bench/reading.py [--projects 1000,100000] [--rounds 40] [--database sqlite|postgresql]

Shapes: one client in one process, no network. So many projects wait for a sign-off, evenly for 20 directors, and one of
these opens the queue; then a project with 50 entries in its history. PostgreSQL is the private server of the tests, and
its own time is not in `cpu`.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import company
import seeding
from flask import Flask
from flask.testing import FlaskClient

from okrgate.database import db

_WARM_UP = 5


def main() -> None:
    """Fill, measure, fill on, measure."""
    options = argparse.ArgumentParser()
    options.add_argument("--projects", default="1000,100000")
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = options.parse_args()
    print(f"{'':34} {'p50 ms':>8} {'p95 ms':>8} {'p50 cpu':>8} {'bytes':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with company.database(chosen.database, folder) as url:
            app = company.application(url, folder)
            for projects in map(int, chosen.projects.split(",")):
                client, path = _filled(app, projects)
                _report(f"my queue, {projects} wait", client, "/approvals", chosen.rounds)
                _report("a project, 50 entries", client, path, chosen.rounds)
            with app.app_context():
                db.engine.dispose()


def _filled(app: Flask, projects: int) -> tuple[FlaskClient, str]:
    with app.app_context():
        made = seeding.fill(projects)
        reference = seeding.going_round(made)[1][0][0]
        client = company.browser(app, made.directors[1])
    return client, f"/projects/{reference}"


def _report(name: str, client: FlaskClient, path: str, rounds: int) -> None:
    taken, worked, size = [], [], 0
    for turn in range(_WARM_UP + rounds):
        began, busy = time.perf_counter(), time.process_time()
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        size = len(answer.data)
        if turn >= _WARM_UP:
            taken.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - busy) * 1000)
    p95 = statistics.quantiles(taken, n=20)[18]
    p50, cpu = statistics.median(taken), statistics.median(worked)
    print(f"{name:34} {p50:8.1f} {p95:8.1f} {cpu:8.1f} {size:8}", flush=True)


if __name__ == "__main__":
    main()
