"""All that a database holds, to see whether anything was left behind."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.engine import Connection

from okrgate.database import Model, db

# Of each table its rows, every one as it is stored: equal or not, never looked into.
Dump = dict[str, list[Any]]


def dump(leave_out: Iterable[str] = ()) -> Dump:
    """Return the stored rows of every table (without those in `leave_out`), read over a connection of its own."""
    names = sorted({table.name for table in Model.metadata.sorted_tables} - set(leave_out))
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            return _in_one_question(connection, names)
        return {
            name: sorted(connection.exec_driver_sql(f'SELECT * FROM "{name}"').all(), key=repr)  # noqa: S608 our own names
            for name in names
        }


def _in_one_question(connection: Connection, names: list[str]) -> Dump:
    """Return each row as PostgreSQL writes it down: eighty questions would take ten times longer."""
    found: Dump = {name: [] for name in names}
    asked = " UNION ALL ".join(f"SELECT '{name}', t::text FROM \"{name}\" t" for name in names)  # noqa: S608 our own names
    for name, row in connection.exec_driver_sql(asked.replace("%", "%%")):
        found[name].append(row)
    return {name: sorted(rows) for name, rows in found.items()}


def differences(before: Dump, after: Dump) -> dict[str, tuple[int, int]]:
    """Return the tables that differ, with their numbers of rows, for the message of a failing test."""
    return {
        name: (len(before[name]), len(after[name]))
        for name in before
        if before[name] != after[name]
    }
