"""A hundred thousand projects in a minute: copies of the rows of projects that the application made.

Nothing of a copy is made up but its numbers: each has its visits, answers, verdicts, round with seats, picture,
words, and its rows in the record, which stays whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Table, func, insert, select, text

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.audit.chain import hash_of
from okrgate.audit.models import Entry
from okrgate.database import Model, db, transaction

# The record is written anew; what was told and what was decided belongs to the original.
_LEFT_OUT = {
    "audit_entries",
    "change_requests",
    "conditions",
    "drafts",
    "outbox",
    "receipts",
    "signoffs",
}
_STEP = 2_000
_DAYS = 60

Row = dict[str, Any]


class _Original:
    """One project's rows in every table, and where the copies' ids begin."""

    def __init__(self, number: int, count: int) -> None:
        """Read them."""
        self.rows: dict[Table, list[Row]] = {}
        self.first: dict[str, dict[int, int]] = {}
        for table in Model.metadata.sorted_tables:
            if table.name not in _LEFT_OUT:
                self._read(table, number, count)
        query = select(Entry).where(Entry.project_id == number).order_by(Entry.seq)
        self.entries = list(db.session().scalars(query))
        self.number = number

    def _read(self, table: Table, number: int, count: int) -> None:
        if table.name == "projects":
            condition = f"id = {number}"
        else:
            parts = [
                f"{column.name} IN ({', '.join(map(str, self.first[above]))})"
                for column in table.columns
                if (above := _above(column)) in self.first
            ]
            if not parts:
                return
            condition = " OR ".join(parts)
        query = text(f"SELECT * FROM {table.name} WHERE {condition}")  # noqa: S608 our own names
        rows = [dict(row) for row in db.session().execute(query).mappings()]
        if not rows:
            return
        self.rows[table] = rows
        if "id" in table.columns:
            newest = db.session().scalar(select(func.max(table.c.id)))
            self.first[table.name] = {
                row["id"]: newest + 1 + place * count for place, row in enumerate(rows)
            }

    def copies(self, table: Table, which: range, seq: int) -> list[Row]:
        """Return a table's rows for these copies; `seq` is the newest number in the record before the first."""
        changing = {
            column.name: self.first.get(table.name if column.name == "id" else _above(column), {})
            for column in table.columns
            if column.name not in {"seq", "through"}
        }
        changing = {name: known for name, known in changing.items() if known}
        marks = [name for name in ("seq", "through") if name in table.columns]
        made = []
        for row in self.rows[table]:
            begins = {
                name: known[row[name]] for name, known in changing.items() if row[name] in known
            }
            for place, one in enumerate(which, start=1):
                newest = seq + place * len(self.entries)
                made.append(
                    row
                    | {name: begin + one for name, begin in begins.items()}
                    | dict.fromkeys(marks, newest)
                    | _own(table, begins, one)
                )
        return made


def _own(table: Table, begins: Mapping[str, int], which: int) -> Row:
    """Return what no two copies share besides their ids, or should not."""
    if table.name == "projects":
        return {"reference": f"OKR-{begins['id'] + which:03d}"}
    if table.name == "rounds":
        return {"due_on": (clock.today() + timedelta(days=which % _DAYS)).isoformat()}
    return {}


def multiply(number: int, count: int) -> range:
    """Copy a project so many times; return the ids of the copies."""
    original = _Original(number, count)
    first = original.first["projects"][number]
    for begin in range(0, count, _STEP):
        with transaction():
            _write(original, range(begin, min(begin + _STEP, count)))
    _number_on()
    return range(first, first + count)


def _write(original: _Original, which: range) -> None:
    seq, previous = audit.head()
    for table in original.rows:
        _insert(table, original.copies(table, which, seq))
    entries = list(_entries(original, which, seq, previous))
    db.session().execute(insert(Entry), entries)


def _entries(original: _Original, which: range, seq: int, previous: str) -> Iterator[Row]:
    for one in which:
        for entry in original.entries:
            seq += 1
            project = original.first["projects"][original.number] + one
            body = {
                "seq": seq,
                "at": entry.at.isoformat(timespec="microseconds"),
                "action": entry.action,
                "actor": entry.actor_id,
                "on_behalf_of": entry.on_behalf_of_id,
                "project": project,
                "target": entry.target,
                "reason": entry.reason,
                "details": entry.details,
                "request": entry.request_id,
            }
            row = {column.name: getattr(entry, column.name) for column in Entry.__table__.columns}
            row |= {"seq": seq, "project_id": project, "prev_hash": previous}
            previous = row["hash"] = hash_of(body, previous)
            yield row


def _insert(table: Table, rows: Sequence[Row]) -> None:
    """Write raw values, as they were read: nothing is converted there and back."""
    names = list(rows[0])
    values = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 our own names
    db.session().execute(text(statement), list(rows))


def _number_on() -> None:
    """Let PostgreSQL's own numbers go on after those that were copied; SQLite looks for itself."""
    if db.engine.dialect.name != "postgresql":
        return
    with db.engine.begin() as connection:
        for table in Model.metadata.sorted_tables:
            if "id" in table.columns and table.c.id.autoincrement is not False:
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"  # noqa: S608 our own names
                    f" greatest((SELECT max(id) FROM {table.name}), 1))"
                )


def finish() -> None:
    """Let the database know what it holds."""
    db.session().rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql("ANALYZE" if sqlite else "VACUUM ANALYZE")


def _above(column: Column[Any]) -> str:
    """Return the table whose id a column holds."""
    for key in column.foreign_keys:
        return key.column.table.name
    return ""
