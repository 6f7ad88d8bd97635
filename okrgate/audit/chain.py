"""How a row is hashed, and how the whole chain is checked.

The check reads what the database holds, column by column, and trusts nothing: a row that cannot even be read is
a broken place like any other.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from okrgate.database import canonical_json, db

GENESIS = "0" * 64
_BATCH = 500
_COLUMNS = (
    "seq, at, action, actor_id, on_behalf_of_id, project_id, target, reason, details, request_id,"
    " prev_hash, hash"
)
_UNREADABLE = "cannot be read: a column holds what was never written there"


@dataclass(frozen=True)
class Break:
    """Where the chain is broken, and how."""

    seq: int
    what: str


def hash_of(body: Mapping[str, Any], previous: str) -> str:
    """Return the hash of a row with this body, behind a row with this hash."""
    return hashlib.sha256((previous + canonical_json(body)).encode()).hexdigest()


def verify(expected: tuple[int, str] | None = None) -> tuple[int, list[Break]]:
    """Walk the whole chain. Return how many rows it has and every place where it is broken.

    `expected` is a number and hash that `head()` gave before and that was kept elsewhere: only with it does one
    notice that the newest rows are gone or that the whole chain was written anew.
    """
    count, position, previous = 0, 0, GENESIS
    breaks: list[Break] = []
    missing = expected
    for seq, row in rows():
        count += 1
        position += 1
        if seq != position:
            breaks.append(Break(seq, f"row {position} is missing before it"))
            position = seq
        if row is None:
            breaks.append(Break(seq, _UNREADABLE))
            previous = ""
            continue
        breaks += faults(seq, row, previous)
        previous = str(row["hash"])
        if expected and seq == expected[0] and previous == expected[1]:
            missing = None
    if missing:
        breaks.append(Break(missing[0], "is not the row that was noted before"))
    return count, breaks


def look(seq: int) -> tuple[Mapping[str, Any] | None, list[Break]]:
    """Return the columns of one row (None: it is gone or cannot be read) and what is wrong with it and its link."""
    found = dict(_batch([seq - 1, seq] if seq > 1 else [seq]))
    row, before = found.get(seq), found.get(seq - 1)
    if row is None:
        return None, [Break(seq, _UNREADABLE)]
    previous = GENESIS if seq == 1 else str(before["hash"]) if before else ""
    return row, list(faults(seq, row, previous))


def marks_at(seq: int) -> tuple[str, ...]:
    """Return the hash of a row, and the digest of the list of all hashes up to it; nothing when it is not there."""
    listing, last, found = hashlib.sha256(), 0, GENESIS
    while last < seq:
        query = text(
            "SELECT seq, hash FROM audit_entries WHERE seq > :last AND seq <= :most ORDER BY seq LIMIT :many"
        )
        rows = db.session().execute(query, {"last": last, "most": seq, "many": 20 * _BATCH}).all()
        if not rows:
            return ()
        for row in rows:
            listing.update(str(row.hash).encode())
        last, found = rows[-1].seq, rows[-1].hash
    return str(found), listing.hexdigest()


def faults(seq: int, row: Mapping[str, Any], previous: str) -> Iterator[Break]:
    """Yield what is wrong with a row behind one with this hash ("": not known)."""
    if previous and row["prev_hash"] != previous:
        yield Break(seq, "does not follow the row before it")
    try:
        found = hash_of(body_of(row), row["prev_hash"])
    except (TypeError, ValueError):
        yield Break(seq, _UNREADABLE)
        return
    if row["hash"] != found:
        yield Break(seq, "was changed after it was written")


def body_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Build the body from raw columns. Raises TypeError or ValueError when one is not what it should be."""
    details = json.loads(row["details"])
    if canonical_json(details) != row["details"]:
        raise ValueError("The details are spelled otherwise.")
    return {
        "seq": row["seq"],
        "at": moment_of(row["at"]).isoformat(timespec="microseconds"),
        "action": row["action"],
        "actor": row["actor_id"],
        "on_behalf_of": row["on_behalf_of_id"],
        "project": row["project_id"],
        "target": row["target"],
        "reason": row["reason"],
        "details": details,
        "request": row["request_id"],
    }


def moment_of(value: Any) -> datetime:
    """Read a moment as PostgreSQL (with a zone) or SQLite (a text in UTC) gives it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    found = datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ007 the zone is set below
    if found.strftime("%Y-%m-%d %H:%M:%S.%f") != value:
        raise ValueError("The moment is spelled otherwise.")
    return found.replace(tzinfo=UTC)


def rows() -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """Yield (number, columns) of every row in order; no columns for a row that cannot be read."""
    last = -(2**63)
    while numbers := _numbers_behind(last):
        yield from _batch(numbers)
        last = numbers[-1]


def _numbers_behind(last: int) -> list[int]:
    query = text("SELECT seq FROM audit_entries WHERE seq > :last ORDER BY seq LIMIT :most")
    return list(db.session().scalars(query, {"last": last, "most": _BATCH}))


def _batch(numbers: list[int]) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    query = text(
        f"SELECT {_COLUMNS} FROM audit_entries WHERE seq BETWEEN :first AND :last ORDER BY seq"  # noqa: S608 fixed names
    )
    try:
        found = db.session().execute(query, {"first": numbers[0], "last": numbers[-1]})
        rows = {row["seq"]: dict(row) for row in found.mappings()}
    except (SQLAlchemyError, ValueError):
        db.session().rollback()
        if len(numbers) == 1:
            yield numbers[0], None
            return
        # One row spoils the batch: find it by halves.
        middle = len(numbers) // 2
        yield from _batch(numbers[:middle])
        yield from _batch(numbers[middle:])
        return
    for number in numbers:
        yield number, rows.get(number)
