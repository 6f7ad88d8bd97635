"""The database: one `db`, one way to write.

SQLite takes one writer at a time and lets a reader that turns writer fail at once, so every write begins
with BEGIN IMMEDIATE. On PostgreSQL the same block is an ordinary transaction and services lock rows. On both, whoever
only reads sees one moment until the next block: what is put together from many questions fits together.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    MetaData,
    Table,
    Text,
    event,
    inspect,
    text,
)
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

_WRITING = "okrgate_writing"
_AFTERWARDS = "okrgate_afterwards"
_STORED = "okrgate_stored"
_FILE = "okrgate_file"

Found = TypeVar("Found")
Memory = dict[Hashable, Any]
_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


class Model(DeclarativeBase):
    """Base of every table; constraints are named so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Model)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC. Refuses a time without a zone; always gives one back."""

    impl = SqlDateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC; SQLite keeps no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every moment its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Millionths(TypeDecorator[Decimal]):
    """An exact decimal with six places, as a scaled integer: SQLite's Numeric is a float in disguise.

    Range: |value| < 9e12. Used for metric values, bands and days of effort.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Store millionths; refuse what would lose digits."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(6)
        if scaled != scaled.to_integral_value() or abs(scaled) >= 2**63:
            raise ValueError(f"{value} does not fit: six decimal places, below 9 000 000 000 000.")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Give the exact decimal back, without trailing zeros."""
        if value is None:
            return None
        number = Decimal(value).scaleb(-6)
        whole = number.to_integral_value()
        return whole if number == whole else number.normalize()


class JsonText(TypeDecorator[Any]):
    """JSON kept as text in one canonical spelling, so that it hashes the same on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write sorted, compact JSON."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read it back."""
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """Spell a value of plain JSON types in exactly one way."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


@contextmanager
def transaction() -> Iterator[Session]:
    """Write: everything in the block is stored together, or nothing is.

    Whatever was being read is ended first, so load again inside the block what you decide on. A block inside
    a block joins it. Raises RuntimeError if unsaved changes were made outside any block.
    """
    session = db.session()
    if session.info.get(_WRITING):
        yield session
        return
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("Something was changed outside a transaction().")
    session.rollback()
    session.connection(execution_options={_WRITING: True})
    session.info[_WRITING] = True
    session.info[_AFTERWARDS] = {}
    try:
        yield session
        _commit(session)
    except BaseException:
        session.info.pop(_AFTERWARDS, None)
        session.rollback()
        raise
    finally:
        session.info.pop(_WRITING, None)
    for act in session.info.pop(_AFTERWARDS, {}).values():
        act()


def _commit(session: Session) -> None:
    """Commit and count. A connection that breaks meanwhile leaves open whether it was stored: then it counts."""
    try:
        session.commit()
    except DBAPIError as problem:
        if not problem.connection_invalidated:
            raise
        session.info[_STORED] = stored() + 1
        raise
    session.info[_STORED] = stored() + 1


def ask(statement: Executable, values: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
    """Ask for columns, in the open transaction: what the session does for objects costs more than the question."""
    session = db.session()
    if session.info.get(_WRITING):
        session.flush()
    return session.connection().execute(statement, values)


def insert_into(table: type[Model]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that can say what becomes of rows that are there already (`on_conflict_…`).

    It goes to the table, not through objects: types and defaults of columns are minded, nothing is refreshed.
    """
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    return insert(table_of(table))


def replace_in(table: type[Model], key: str) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT of whole rows that takes the place of a row with the same `key` (a unique column)."""
    return _replacing(table, key, db.engine.dialect.name)


def insert_unless_known(table: type[Model], key: str) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT of whole rows that leaves a row with the same `key` (a unique column) as it is."""
    return _unless_known(table, key, db.engine.dialect.name)


# Written once: to write these takes longer than to ask them.
@cache
def _replacing(table: type[Model], key: str, _dialect: str) -> postgresql.Insert | sqlite.Insert:
    row = insert_into(table)
    others = {
        one.name: row.excluded[one.name] for one in table_of(table).columns if one.name != key
    }
    return row.on_conflict_do_update(index_elements=[key], set_=others)


@cache
def _unless_known(table: type[Model], key: str, _dialect: str) -> postgresql.Insert | sqlite.Insert:
    return insert_into(table).on_conflict_do_nothing(index_elements=[key])


def table_of(model: type[Model]) -> Table:
    """Return the table behind a model: what is written to it needs no objects."""
    return cast(Table, inspect(model).local_table)


def after_commit(key: str, act: Callable[[], None]) -> None:
    """Do something once the open transaction() is stored; the same key twice is done once."""
    check_writing()
    db.session().info[_AFTERWARDS].setdefault(key, act)


def stored() -> int:
    """Return how many transaction() blocks of this session were, or may have been, stored."""
    return int(db.session().info.get(_STORED, 0))


def is_writing() -> bool:
    """Tell whether a transaction() block is open."""
    return bool(db.session().info.get(_WRITING))


def check_writing() -> None:
    """Raise unless a transaction() block is open: records of a change belong into the change."""
    if not is_writing():
        raise RuntimeError("This may only be written inside a transaction().")


@contextmanager
def remembering(memory: Memory) -> Iterator[Memory]:
    """Ask for the same thing once only while the block reads: what is found stays in `memory`.

    For a block that only reads. Should anything be written in it all the same, all that was found is forgotten.
    """
    token = _memory.set(memory)
    try:
        yield memory
    finally:
        _memory.reset(token)


def remembered(key: Hashable, read: Callable[[], Found]) -> Found:
    """Return what `read` returned for this key before in the block of remembering(), or read it now."""
    memory = _memory.get()
    if memory is None:
        return read()
    if key not in memory:
        memory[key] = read()
    found: Found = memory[key]
    return found


@event.listens_for(Session, "after_flush")
def _forget(_session: Session, _context: Any) -> None:
    memory = _memory.get()
    if memory is not None:
        memory.clear()


def ping() -> None:
    """Ask the database for nothing, to see that it answers."""
    db.session().execute(text("SELECT 1"))


def prepare_engine(engine: Engine) -> None:
    """Teach an engine our ways: how long it waits for another writer; for SQLite, when a transaction begins."""
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    else:
        _prepare_postgresql(engine)


def _prepare_postgresql(engine: Engine) -> None:
    from psycopg import IsolationLevel  # only where it is used: SQLite needs no driver in memory

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.execute("SET lock_timeout = '10s'")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        writing = connection.get_execution_options().get(_WRITING)
        level = None if writing else IsolationLevel.REPEATABLE_READ
        if raw.isolation_level != level:
            # Told to the driver, which begins with it: that costs no question.
            raw.isolation_level = level


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=10000",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "cache_size=-32000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        path = cursor.execute("PRAGMA database_list").fetchone()[2]
        record.info[_FILE] = path, _identity(path)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING)
        if writing:
            _check_file(connection)
        try:
            # Not through SQLAlchemy: every request begins several times.
            connection.connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        except sqlite3.OperationalError as problem:
            raise OperationalError("BEGIN", None, problem) from problem


def _check_file(connection: Connection) -> None:
    """Refuse to write into a file that was taken away or replaced: what is stored there is lost with it."""
    path, opened = connection.info[_FILE]
    if _identity(path) != opened:
        connection.invalidate()
        gone = sqlite3.OperationalError("the database file was taken away or replaced")
        raise OperationalError("BEGIN IMMEDIATE", None, gone)


def _identity(path: str) -> tuple[int, int] | None:
    """Return which file a path leads to; None for a database in memory, or when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 a Path would cost more than the question
    except OSError:
        return None
    return found.st_dev, found.st_ino
