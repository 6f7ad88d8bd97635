"""Bring a database to this version's tables, all of it or nothing.

Several hosts may start at once: on SQLite the write lock and on PostgreSQL an advisory lock lets one migrate
while the others wait and then find nothing to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import command, op
from alembic.autogenerate import compare_metadata, renderers
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import ops
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import registry
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DDL
from sqlalchemy.types import TypeDecorator

from okrgate.database import Model

_FOLDER = Path(__file__).resolve().parent
_LOCK = 0x6D696772


class BrokenReferences(RuntimeError):
    """After a migration some rows point to rows that are not there; nothing of it was kept."""


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to a revision (the newest). Everything happens in one transaction."""
    with _connected(database_url, writing=True) as connection:
        command.upgrade(_configuration(connection), revision)
        _check_references(connection)


def is_current(database_url: str) -> bool:
    """Tell whether the database has exactly this version's tables."""
    with _connected(database_url) as connection:
        found = set(MigrationContext.configure(connection).get_current_heads())
        wanted = set(ScriptDirectory.from_config(_configuration(connection)).get_heads())
    return bool(wanted) and found == wanted


def revisions() -> set[str]:
    """Return every revision that this version knows."""
    return {str(one.revision) for one in _scripts().walk_revisions()}


def newest() -> set[str]:
    """Return the revision (one, as long as nobody forks) that this version's tables have."""
    return {str(one) for one in _scripts().get_heads()}


def differences(database_url: str) -> list[Any]:
    """Return how the tables differ from the models that are imported. Empty when the migrations are complete."""
    with _connected(database_url) as connection:
        migration = MigrationContext.configure(connection)
        return list(compare_metadata(migration, Model.metadata))


def autogenerate(message: str, database_url: str, *, revision_id: str | None = None) -> str:
    """Write the next migration from the difference between a migrated database and the imported models.

    For developers. Returns the path of the new file, to be read and corrected.
    """
    with _connected(database_url, writing=True) as connection:
        configuration = _configuration(connection)
        command.upgrade(configuration, "head")
        number = revision_id or f"{_next_number(configuration):04d}"
        script = command.revision(configuration, message, autogenerate=True, rev_id=number)
    if script is None or isinstance(script, list):
        raise RuntimeError("Alembic wrote no migration.")
    return str(script.path)


def execute_on(dialect: str, statement: str) -> None:
    """Execute a statement only on the databases it is written for. Used by migrations."""
    if op.get_context().dialect.name == dialect:
        # Word for word: neither ":" nor "%" in a trigger's body is a parameter.
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as what the database knows, so that old migrations never need our classes."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    return f"sa.{item.impl!r}"


def complete(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Add the triggers that belong to new tables: they are DDL beside the models."""
    for script in directives:
        operations = script.upgrade_ops.ops
        for operation in list(operations):
            if isinstance(operation, ops.CreateTableOp):
                triggers = list(_triggers_of(operation.table_name))
                operations += triggers
                if triggers:
                    script.imports.add("from okrgate.migrations import execute_on")


class ExecuteOnOp(ops.MigrateOperation):
    """A statement for one kind of database, in a migration that is being written."""

    def __init__(self, dialect: str, statement: str) -> None:
        """Remember what to write."""
        self.dialect = dialect
        self.statement = statement


@renderers.dispatch_for(ExecuteOnOp)
def _render_execute_on(_context: Any, operation: ExecuteOnOp) -> str:
    return f"execute_on({operation.dialect!r}, {operation.statement!r})"


def _triggers_of(table_name: str) -> Iterator[ExecuteOnOp]:
    table = Model.metadata.tables[table_name]
    for listener in table.dispatch.after_create:
        condition = getattr(listener, "_ddl_if", None)
        if isinstance(listener, DDL) and condition is not None:
            # Compiled against its table, as create_all() would; the dialect's own name says where it runs.
            statement = str(
                listener.against(table).compile(dialect=registry.load(condition.dialect)())
            )
            yield ExecuteOnOp(condition.dialect, statement)


def _scripts() -> ScriptDirectory:
    configuration = Config()
    configuration.set_main_option("script_location", str(_FOLDER))
    configuration.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(configuration)


def _configuration(connection: Connection) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(_FOLDER))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    return configuration


def _next_number(configuration: Config) -> int:
    return 1 + sum(1 for _ in ScriptDirectory.from_config(configuration).walk_revisions())


@contextmanager
def _connected(database_url: str, *, writing: bool = False) -> Iterator[Connection]:
    """Open a connection of our own in one transaction. SQLite checks references afterwards: tables are rebuilt."""
    engine = create_engine(database_url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        _make_folder(engine)
        _prepare_sqlite(engine, "BEGIN IMMEDIATE" if writing else "BEGIN")
    try:
        with engine.connect() as connection, connection.begin():
            if writing and engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
    finally:
        engine.dispose()


def _make_folder(engine: Engine) -> None:
    if engine.url.database and engine.url.database != ":memory:":
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise BrokenReferences(f"Rows in {tables} point to rows that are not there.")
