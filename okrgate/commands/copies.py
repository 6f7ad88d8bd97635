"""Copy a database while people work, and put a copy back: SQLite by itself, PostgreSQL with its own tools."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import make_url

from okrgate.commands.archive import Unfit

_GENESIS = "0" * 64
_BUSY_MILLISECONDS = 30_000
_KEPT = "okrgate_before_restore"
_HEAD = "SELECT seq, hash FROM audit_entries ORDER BY seq DESC LIMIT 1"
_REVISION = "SELECT version_num FROM alembic_version"
_NO_TABLES = "The database has no tables of okrgate. Run `okrgate migrate` first."
# What is said of a database before it is believed; raises when it must not be.
Check = Callable[[str], None]


@dataclass(frozen=True)
class Copied:
    """What the copy itself says of its tables and of its record."""

    revision: str
    seq: int
    hash: str


def kind_of(url: str) -> str:
    """Return sqlite or postgresql."""
    return make_url(url).get_backend_name()


def name_of(url: str) -> str:
    """Return the name by which an operator knows a database: of its file, or on its server."""
    database = make_url(url).database or ""
    return Path(database).name if kind_of(url) == "sqlite" else database


def copy(url: str, to: Path) -> Copied:
    """Write a consistent copy of a database that may be in use. Raises Unfit."""
    return _copy_sqlite(url, to) if kind_of(url) == "sqlite" else _copy_postgresql(url, to)


def is_empty(url: str) -> bool:
    """Tell whether a database has no tables, or is not there yet."""
    if kind_of(url) != "sqlite":
        with _postgresql(url) as connection:
            return _tables(connection) == 0
    path = _file(url)
    if not path.exists():
        return True
    with closing(_sqlite(path)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def put_back(url: str, content: Path, check: Check) -> None:
    """Make a copy the content of a database, after `check` was content with it. Raises Unfit; then nothing changed."""
    if kind_of(url) == "sqlite":
        _put_back_sqlite(url, content, check)
    else:
        _put_back_postgresql(url, content, check)


def _copy_sqlite(url: str, to: Path) -> Copied:
    path = _file(url)
    if not path.exists():
        raise Unfit(_NO_TABLES)
    to.unlink(missing_ok=True)
    with closing(_sqlite(path)) as source, closing(sqlite3.connect(to)) as copied:
        # All pages in one step are one read: what others write meanwhile is not in it, and they need not wait.
        source.backup(copied, pages=-1)
        copied.execute("PRAGMA journal_mode=DELETE")
        found = copied.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise Unfit(f"SQLite says that the database is damaged: {found}.")
        try:
            head = copied.execute(_HEAD).fetchone()
            revision = copied.execute(_REVISION).fetchone()
        except sqlite3.OperationalError as problem:
            raise Unfit(_NO_TABLES) from problem
    return _copied(revision, head)


def _put_back_sqlite(url: str, content: Path, check: Check) -> None:
    """Try everything on the copy beside; the database gets it in one transaction of SQLite's own."""
    check(f"sqlite:///{content.absolute()}")
    path = _file(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(content)) as source, closing(sqlite3.connect(path)) as target:
        target.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        source.backup(target, pages=-1)
    path.chmod(0o600)


def _sqlite(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    return connection


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _copy_postgresql(url: str, to: Path) -> Copied:
    """Read the record's head and dump the rest in one and the same snapshot."""
    from psycopg import errors

    dump = _tool("pg_dump")
    with _postgresql(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]
        try:
            head = connection.execute(_HEAD).fetchone()
            revision = connection.execute(_REVISION).fetchone()
        except errors.UndefinedTable as problem:
            raise Unfit(_NO_TABLES) from problem
        _run(
            url,
            dump,
            "--format=custom",
            "--schema=public",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={to}",
        )
        connection.execute("COMMIT")
    return _copied(revision, head)


def _put_back_postgresql(url: str, content: Path, check: Check) -> None:
    """Put what is there aside, fill its place and look at it; if anything is wrong the old content comes back."""
    restore = _tool("pg_restore")
    with _postgresql(url) as connection:
        replaced = _tables(connection) > 0
        if replaced:
            _put_aside(connection)
        try:
            _run(
                url,
                restore,
                "--schema=public",
                "--no-owner",
                "--no-privileges",
                "--single-transaction",
                "--exit-on-error",
                str(content),
            )
            check(url)
        except BaseException:
            with connection.transaction():
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute(
                    f"ALTER SCHEMA {_KEPT} RENAME TO public" if replaced else "CREATE SCHEMA public"
                )
            raise
        if replaced:
            connection.execute(f"DROP SCHEMA {_KEPT} CASCADE")


def _put_aside(connection: Any) -> None:
    if connection.execute("SELECT to_regnamespace(%s)", (_KEPT,)).fetchone()[0] is not None:
        raise Unfit(
            f"An earlier restore was broken off: what was there stands in the schema {_KEPT}. Look which of the"
            " two you want, drop or rename the other, and begin again."
        )
    others = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    ).fetchone()[0]
    if others:
        raise Unfit(
            f"The database is in use ({others} connections). Stop servers and workers first. Nothing was changed."
        )
    with connection.transaction():
        connection.execute(f"ALTER SCHEMA public RENAME TO {_KEPT}")
        connection.execute("CREATE SCHEMA public")


def _tables(connection: Any) -> int:
    query = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p')"
    return int(connection.execute(query).fetchone()[0])


@contextmanager
def _postgresql(url: str) -> Iterator[Any]:
    import psycopg

    try:
        connection = psycopg.connect(**_parameters(url), autocommit=True)
    except psycopg.OperationalError as problem:
        raise Unfit(
            f"The database cannot be reached: {str(problem).strip().splitlines()[0]}"
        ) from problem
    with closing(connection):
        yield connection


def _parameters(url: str) -> dict[str, Any]:
    parsed = make_url(url)
    return dict(parsed.get_dialect()().create_connect_args(parsed)[1])


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unfit(
            f"{name} is not on the path. It comes with PostgreSQL's client programs (often a package named"
            " postgresql-client); it must not be older than the server."
        )
    return found


def _run(url: str, tool: str, *arguments: str) -> None:
    """Run a tool of PostgreSQL's. The password goes by its environment: others can see a command line."""
    from psycopg.conninfo import make_conninfo

    parameters = _parameters(url)
    password = parameters.pop("password", None)
    environment = dict(os.environ) | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run(  # noqa: S603 a tool found on the path, no shell
        [tool, f"--dbname={make_conninfo('', **parameters)}", "--no-password", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise Unfit(f"{Path(tool).name} did not do it: {said}")


def _copied(revision: Any, head: Any) -> Copied:
    if revision is None:
        raise Unfit(_NO_TABLES)
    seq, digest = head or (0, _GENESIS)
    return Copied(str(revision[0]), int(seq), str(digest))
