"""All that a database holds, to see whether anything was left behind."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from okrgate.database import Model, db

Dump = dict[str, list[tuple[Any, ...]]]


def dump(leave_out: Iterable[str] = ()) -> Dump:
    """Return the stored rows of every table (without those in `leave_out`), read over a connection of its own."""
    left_out = set(leave_out)
    with db.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Model.metadata.sorted_tables
            if table.name not in left_out
        }


def differences(before: Dump, after: Dump) -> dict[str, tuple[int, int]]:
    """Return the tables that differ, with their numbers of rows, for the message of a failing test."""
    return {
        name: (len(before[name]), len(after[name]))
        for name in before
        if before[name] != after[name]
    }
