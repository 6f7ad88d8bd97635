"""How long it takes to see what a draft would do to a thousand projects, in seconds. Reports; never fails a build.

    python bench/impact.py [--projects 1300] [--keep FOLDER]

Shapes: the demo's projects and copies of them, one process and the children that judge; SQLite. Three drafts: one asks
otherwise at the last gate, which all projects have ahead; one early, for which few are touched; one in words only.
`own` is the processor time of this process: gathering; the children judge. A kept folder is used again as it is.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import company
import copies
from flask import Flask
from sqlalchemy import func, select

from okrgate.app import create_app
from okrgate.config import Settings
from okrgate.database import db
from okrgate.demo import seed
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import impact

_KEY = "okr_delivery"
_ROUNDS = 3


def main() -> None:
    """Make the projects, measure, print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--projects", type=int, default=1_300)
    options.add_argument("--keep", type=Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = asked.keep or Path(made)
        folder.mkdir(exist_ok=True)
        app = _application(folder)
        if not _count(app):
            seed(app, lambda _line: None)
            with app.app_context():
                _multiply(asked.projects)
        print(f"{'':10} {'seconds':>8} {'own':>8}  found, best of {_ROUNDS}")
        with app.app_context():
            for name, text in _drafts().items():
                _report(name, text)


def _application(folder: Path) -> Flask:
    app = create_app(
        Settings(
            database_url=f"sqlite:///{folder}/bench.db",
            secret_key=company.SECRET,
            data_dir=folder,
            testing=True,
        )
    )
    with app.app_context():
        db.create_all()
    return app


def _count(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Project)) or 0


def _multiply(wanted: int) -> None:
    originals = list(
        db.session.scalars(select(Project.id).where(Project.submitted_at.is_not(None)))
    )
    for number in originals:
        copies.multiply(number, max(0, wanted // len(originals) - 1))
    copies.finish()


def _drafts() -> Mapping[str, str]:
    text = rulebooks.newest(_KEY).text
    drafts = {
        "the last": text.replace("summary.length, gte: 40", "summary.length, gte: 41"),
        "an early": text.replace("attendees, gte: 2", "attendees, gte: 3"),
        "in words": f"{text}\n# Nothing else.\n",
    }
    if text in drafts.values():
        raise SystemExit("The shipped rulebook no longer says what this bench changes.")
    return drafts


def _report(name: str, text: str) -> None:
    found, best = "", (float("inf"), 0.0)
    for _ in range(_ROUNDS):
        db.session.remove()
        wall, own = time.perf_counter(), time.process_time()
        looked = impact.look(_KEY, text)
        taken = time.perf_counter() - wall, time.process_time() - own
        best = min(best, taken)
        found = looked if isinstance(looked, str) else f"{len(looked.found):,} projects"
    print(f"{name:10} {best[0]:8.2f} {best[1]:8.2f}  {found}")


if __name__ == "__main__":
    main()
