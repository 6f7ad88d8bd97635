"""How long pages and a transition take, in milliseconds, on the demo's company. Reports; never fails a build.

    python bench/pages.py [--rounds 30]

Shapes: one client, one process, no network; the database is SQLite in a temporary folder. Times are whole requests
through the application, p50 and p95 over the rounds after three that are not counted.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate.accounts import sessions
from okrgate.accounts.models import Person
from okrgate.app import create_app
from okrgate.approvals import entitlement
from okrgate.approvals.models import Round
from okrgate.config import Settings
from okrgate.database import db
from okrgate.demo import seed
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service as stages
from okrgate.stages.facts import gather

_WARM_UP = 3
_PAGES = {
    "my work": "/",
    "projects": "/projects",
    "project": "/projects/OKR-009",
    "a part": "/projects/OKR-016/parts/scope",
    "approvals": "/approvals",
    "decide": "/approvals/{round}",
    "OKRs": "/okrs",
    "a metric": "/metrics/1",
    "audit": "/audit",
}


def main() -> None:
    """Seed, measure, print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=30)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        app = _application(Path(folder))
        with app.app_context():
            db.create_all()
        seed(app, lambda _line: None)
        print(f"{'':20} {'p50 ms':>8} {'p95 ms':>8}")
        with app.app_context():
            client = _signed_in(app)
            for name, path in _PAGES.items():
                _report(name, _times(lambda path=path: _open(client, path), rounds))
            _report("hold and resume", _times(_there_and_back(), max(rounds // 3, 5)), per=2)


def _application(folder: Path) -> Flask:
    return create_app(
        Settings(
            database_url=f"sqlite:///{folder}/bench.db",
            secret_key="b" * 24 + "-4r7Kq2Xw9Zt",
            data_dir=folder,
            testing=True,
        )
    )


def _signed_in(app: Flask) -> FlaskClient:
    who = db.session.scalars(select(Person).where(Person.is_auditor)).one()
    token = sessions.start(who.id, device="bench")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return client


def _open(client: FlaskClient, path: str) -> None:
    answer = client.get(path.format(round=_round()))
    if answer.status_code != 200:
        raise SystemExit(f"{path} answers {answer.status_code}")


def _round() -> int:
    return db.session.scalars(select(Round.id).where(Round.closed_at.is_(None)).limit(1)).one()


def _there_and_back() -> Callable[[], None]:
    """Return an act of two transitions: a running project is put on hold and resumed."""
    project = db.session.scalars(select(Project).where(Project.reference == "OKR-009")).one()
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    hold = next(one for one in rulebook.transitions.values() if one.kind == "park")
    resume = next(one for one in rulebook.transitions.values() if one.kind == "resume")
    around = gather(project, rulebook).around
    held = entitlement.holders(rulebook, hold.by, around)
    who = min(person for people in held.values() for person in people)
    project_id = project.id

    def act() -> None:
        stages.move(project_id, hold.id, by=who, answers=stages.Answers(reason="To measure."))
        stages.move(project_id, resume.id, by=who)

    return act


def _times(act: Callable[[], None], rounds: int) -> list[float]:
    for _ in range(_WARM_UP):
        act()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    return found


def _report(name: str, times: list[float], per: int = 1) -> None:
    cuts = statistics.quantiles([one / per for one in times], n=20)
    print(f"{name:20} {cuts[9]:8.1f} {cuts[18]:8.1f}")


if __name__ == "__main__":
    main()
