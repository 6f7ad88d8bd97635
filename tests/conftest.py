"""Fixtures: an application on a fresh database, on SQLite and on PostgreSQL."""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Dialect, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from okrgate import clock, logs
from okrgate.administration import preferences
from okrgate.app import create_app
from okrgate.config import Mail, Settings
from okrgate.database import db
from okrgate.projects import money
from tests.factories import Factory
from tests.faults.profile import LONG
from tests.machine import PATIENCE, private_postgresql

SECRET = "k3-9fJq_7sLx2Vw8Zr5Tb1Nc6Hy4Dm0Pg"
DATABASES = os.environ.get("OKRGATE_TEST_DATABASES", "sqlite,postgresql").split(",")


_ROOM = 2 * 2**30  # bytes
_BUILT: dict[str, "_Built"] = {}


def _memory() -> Path:
    """Return a folder that waits for no disk, where there is one with room.

    No test pulls the plug of the machine, and to copy a PostgreSQL database takes ten times longer on a disk.
    """
    shared = Path("/dev/shm")  # noqa: S108 every name in it is random
    if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM:
        return shared
    return Path(tempfile.gettempdir())


MEMORY = _memory()
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
os.environ.setdefault("AIOSMTPD_CONTROLLER_TIMEOUT", str(PATIENCE))
# How fast a machine is decides nothing. The ordinary run tries the same examples each time; the long one looks for new ones.
hypothesis_settings.register_profile(
    "okrgate",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not LONG,
    database=None,
)
hypothesis_settings.load_profile("okrgate")


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


# Each process has applications of its own; what their templates compile to is the same for all of them.
TEMPLATES = FileSystemBytecodeCache(tempfile.mkdtemp(prefix="okrgate-templates-"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest: one that comes last is waited for by everybody.

    All browsers in the first half also leaves a core to the rest: one browser keeps more than one busy.
    """
    items.sort(key=lambda item: "e2e" not in item.keywords)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a private PostgreSQL once per test process; yield the address of its `postgres` database."""
    server = private_postgresql(MEMORY / f"okrgate-pg-{uuid.uuid4().hex[:8]}")
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
    copy_database(server, request.getfixturevalue("postgresql_template"), name)
    yield server.replace("/postgres?", f"/{name}?")
    on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """Yield an application inside its context."""
    built = application(database_url, tmp_path)
    with built.app_context():
        yield built
        db.session.remove()
        db.engine.dispose()
    # Tests without an application go by the zone and the currency of a company that chose none.
    clock.set_company_zone("UTC")
    money.set_company_currency("EUR")


@pytest.fixture
def another(app: Flask) -> Iterator[Callable[[], Flask]]:
    """Yield what builds one more application on the same database, as another process would have it."""
    built: list[Flask] = []

    def build() -> Flask:
        built.append(create_app(app.extensions["okrgate.settings"]))
        return built[-1]

    yield build
    for one in built:
        with one.app_context():
            db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser that nobody is signed in with."""
    return app.test_client()


@pytest.fixture
def factory(app: Flask) -> Factory:
    """Return the teller of test stories."""
    return Factory(app)


def application(url: str, folder: Path) -> Flask:
    """Return an application on this database, as if it were new.

    To build one, to compile its templates and to learn its SQL takes longer than most tests do, so each process
    has one for SQLite and one for PostgreSQL, and leads it to another database. Do not teach it routes: build another.
    """
    settings = settings_for(url, folder)
    kind = make_url(url).get_backend_name()
    if kind not in _BUILT:
        _BUILT[kind] = _Built(create_app(settings))
    built = _BUILT[kind]
    built.begin_again(settings)
    return built.app


class _Built:
    """An application and what it was like when it was new."""

    def __init__(self, app: Flask) -> None:
        """Make it fit for tests."""
        app.config["WTF_CSRF_ENABLED"] = False
        # The context of a test outlives each request, and so would what a request keeps in g: who is signed in, its token.
        app.teardown_request(lambda _problem: vars(g._get_current_object()).clear())
        app.jinja_env.bytecode_cache = TEMPLATES
        self.app = app
        self.config = dict(app.config)
        self.extensions = dict(app.extensions)
        with app.app_context():
            self.engine = db.engine
        event.listen(self.engine, "do_connect", self._lead)

    def begin_again(self, settings: Settings) -> None:
        """Forget what a test before this one left, and go to another database."""
        for kept, first in ((self.app.config, self.config), (self.app.extensions, self.extensions)):
            kept.clear()
            kept.update(first)
        self.app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
        self.app.extensions["okrgate.settings"] = settings
        logs.configure(as_json=settings.log_json)
        preferences.install(self.app, settings)
        clock.set_company_zone(settings.timezone)
        money.set_company_currency(settings.currency)
        self.engine.url = make_url(settings.database_url)

    def _lead(
        self, dialect: Dialect, _record: object, where: list[object], how: dict[str, object]
    ) -> None:
        where[:], found = dialect.create_connect_args(self.engine.url)
        how.update(found)


def copy_database(server: str, source: str, name: str) -> None:
    """Make a database like another one: by its files, which takes half as long as through the log."""
    on_server(server, f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")


def on_server(url: str, statement: str) -> None:
    """Run one statement outside any transaction.

    The server's own upkeep may look into a database that is to be copied: then it is asked again a little later.
    """
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                with engine.connect() as connection:
                    connection.execute(text(statement))
                return
            except OperationalError as problem:
                asked_in_vain = "being accessed by other users" in str(problem)
                if not asked_in_vain or time.monotonic() > deadline:
                    raise
            time.sleep(0.2)
    finally:
        engine.dispose()
