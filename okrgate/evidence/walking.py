"""Walk over all that can be proved: the chain of the record, the receipts it seals, what was signed, and the rules.

It reads what the database holds and trusts nothing; every place that was changed is named as far as it can be.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from okrgate.approvals import checking
from okrgate.approvals.checking import Columns, Fault
from okrgate.approvals.receipts import SEALED
from okrgate.audit import chain
from okrgate.audit.chain import GENESIS, Break
from okrgate.database import db
from okrgate.evidence.verify_export import changed_field, row_hash

_Found = TypeVar("_Found")
_log = logging.getLogger(__name__)
_BATCH = 200
# To find the one byte that was changed is work; after so many places nobody asks for it any more.
_NAMED = 20
_FIELDS = {
    "actor": "actor_id",
    "on_behalf_of": "on_behalf_of_id",
    "project": "project_id",
    "request": "request_id",
}
_COLUMNS = (
    *("at", "action", "actor_id", "on_behalf_of_id", "project_id", "target", "reason"),
    *("details", "request_id", "prev_hash", "hash"),
)


@dataclass(frozen=True)
class Place:
    """Where the record is broken: the row, the column if it can be told, and how."""

    seq: int
    column: str
    what: str

    def __str__(self) -> str:
        where = f"row {self.seq}, column {self.column}" if self.column else f"row {self.seq}"
        return f"{where}: {self.what}"


@dataclass(frozen=True)
class Walk:
    """What a walk came to: how many rows and receipts there are, and every place that no longer holds.

    `stopped`: what it could not walk to the end, and why. Then nothing may be said to hold.
    """

    rows: int
    receipts: int
    places: tuple[Place, ...]
    faults: tuple[Fault, ...]
    stopped: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Return every place in words, those of the record first."""
        return (*map(str, self.places), *map(str, self.faults), *self.stopped)


def walk(*expected: tuple[int, str]) -> Walk:
    """Walk over everything. `expected`: heads or lists of hashes that were noted before, which must still hold."""
    rows: list[int] = []
    sealed: set[int] = set()
    stopped: list[str] = []
    places = [*_to_the_end("the record", _places(expected, rows), stopped)]
    faults = [*_to_the_end("what is sealed", _sealed_faults(sealed), stopped)]
    if not stopped:
        faults += _to_the_end("what is not sealed", _unsealed_faults(sealed), stopped)
    faults += _to_the_end("what was signed", _content_faults(), stopped)
    found = tuple(dict.fromkeys(faults))
    return Walk(sum(rows), len(sealed), tuple(places), found, tuple(stopped))


def _to_the_end(part: str, found: Iterator[_Found], stopped: list[str]) -> Iterator[_Found]:
    """Yield all that is found. Whatever is stored, a walk tells: where it must stop, that is a problem by itself."""
    try:
        yield from found
    except Exception as problem:
        _log.exception("The walk stopped.")
        db.session().rollback()
        stopped.append(f"{part} cannot be read to its end ({type(problem).__name__})")


def _places(expected: Sequence[tuple[int, str]], rows: list[int]) -> Iterator[Place]:
    """Yield where the record is broken; note how many rows it has."""
    count, breaks = chain.verify()
    rows.append(count)
    yield from (_place(one, named=at < _NAMED) for at, one in enumerate(breaks))
    yield from (Place(seq, "", said) for seq, said in _missing(expected))


def _missing(expected: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    wanted = sorted(expected)
    known = {number: chain.marks_at(number) for number in {number for number, _ in wanted}}
    for number, said in wanted:
        if said not in known[number]:
            yield number, "is not the row that was noted before"


def _place(found: Break, *, named: bool) -> Place:
    """Name the column of a broken row, if one byte or one number is all that was changed."""
    if not named:
        return Place(found.seq, "", found.what)
    row, before, after = (_row(found.seq + step) for step in (0, -1, 1))
    if row is None:
        return Place(found.seq, _unreadable_column(found.seq), found.what)
    previous = before["hash"] if before else (GENESIS if found.seq == 1 else row["prev_hash"])
    try:
        body = chain.body_of(row)
    except (TypeError, ValueError):
        return Place(found.seq, _odd_column(row), found.what)
    if row_hash(body, previous) == row["hash"]:
        return Place(found.seq, "prev_hash" if row["prev_hash"] != previous else "", found.what)
    if after and row_hash(body, previous) == after["prev_hash"]:
        return Place(found.seq, "hash", found.what)
    field = changed_field(body, previous, row["hash"]) if row["prev_hash"] == previous else None
    if field is None:
        return Place(found.seq, "", found.what)
    column, how = field
    return Place(found.seq, _FIELDS.get(column, column), f"{found.what} ({how})")


def _row(seq: int) -> Columns | None:
    return chain.look(seq)[0] if seq > 0 else None


def _unreadable_column(seq: int) -> str:
    for column in _COLUMNS:
        query = text(f"SELECT {column} FROM audit_entries WHERE seq = :seq")  # noqa: S608 fixed names
        try:
            db.session().execute(query, {"seq": seq}).scalar()
        except (SQLAlchemyError, ValueError):
            db.session().rollback()
            return column
    return ""


def _odd_column(row: Columns) -> str:
    try:
        chain.moment_of(row["at"])
    except (TypeError, ValueError):
        return "at"
    return "details"


def _sealed_faults(sealed: set[int]) -> Iterator[Fault]:
    """Check every receipt that a row of the record seals, the first one of each; note their numbers."""
    last = 0
    query = text(
        "SELECT seq, target, details FROM audit_entries WHERE action = :action AND seq > :last"
        " ORDER BY seq LIMIT :most"
    )
    while rows := _fetched(query, {"action": SEALED, "last": last, "most": _BATCH}):
        last = rows[-1]["seq"]
        seals: dict[int, Any] = {}
        for row in rows:
            number = checking.number_in(row["target"])
            if number is None:
                yield Fault("row", row["seq"], "target", "seals no receipt")
            elif number in sealed:
                yield Fault("receipt", number, "", checking.TWICE)
            else:
                sealed.add(number)
                seals[number] = checking.read_json(row["details"])
        receipts = checking.columns("receipts", [*seals])
        yield from _receipt_faults(receipts, seals)
        for gone in sorted(seals.keys() - receipts.keys()):
            yield Fault("receipt", gone, "", "is sealed in the record, but it is gone")


def _receipt_faults(receipts: Mapping[int, Columns], seals: Mapping[int, Any]) -> Iterator[Fault]:
    signed = _numbers(receipts, "signoff_id")
    signoffs = checking.columns("signoffs", signed)
    signatures = checking.columns("signature_proofs", signed)
    rounds = checking.columns("rounds", _numbers(signoffs, "round_id"))
    versions = checking.columns("rulebook_versions", _numbers(receipts, "rulebook_version_id"))
    for number, row in receipts.items():
        details = seals.get(number)
        known = details if isinstance(details, dict) else None
        yield from checking.faults_of(row, known)
        yield from checking.signoff_faults(row, signoffs, rounds, known)
        yield from checking.signature_faults(row, signatures, signoffs, known)
        yield from checking.rules_faults(row, versions)


def _unsealed_faults(sealed: set[int]) -> Iterator[Fault]:
    """Check receipts that no row seals. Since they are sealed, each has to be: one without was slipped in."""
    first = min(sealed, default=None)
    for found in _ids("receipts"):
        numbers = [number for number in found if number not in sealed]
        yield from _receipt_faults(checking.columns("receipts", numbers), {})
        for number in numbers:
            if number <= 0 or (first is not None and number > first):
                yield Fault("receipt", number, "", "has no row of the record that seals it")


def _content_faults() -> Iterator[Fault]:
    """Check what was ever put before signers: its digest is that of its content, and that of the record."""
    opened = text(
        "SELECT target, details FROM audit_entries"
        " WHERE action = 'round.opened' AND target IN :targets AND project_id IN :projects"
    ).bindparams(bindparam("targets", expanding=True), bindparam("projects", expanding=True))
    for found in _ids("rounds"):
        rounds = checking.columns("rounds", found)
        asked = {
            "targets": [f"round:{number}" for number in rounds],
            "projects": _numbers(rounds, "project_id"),
        }
        said = {
            row["target"]: checking.read_json(row["details"]) for row in _fetched(opened, asked)
        }
        for number, row in rounds.items():
            yield from checking.round_faults(row)
            noted = said.get(f"round:{number}")
            if not isinstance(noted, dict):
                yield Fault("round", number, "", "is not in the record of its project")
            elif noted.get("digest") != row["digest"]:
                yield Fault("round", number, "digest", "is not the one of the record")


def _ids(table: str) -> Iterator[list[int]]:
    """Yield the ids of all rows, some at a time. Begin with the lowest there is: it need not be above zero."""
    where, last = "", 0
    while True:
        query = text(f"SELECT id FROM {table} {where} ORDER BY id LIMIT :most")  # noqa: S608 fixed names
        values = {"last": last, "most": _BATCH} if where else {"most": _BATCH}
        found = [row["id"] for row in _fetched(query, values)]
        if not found:
            return
        yield found
        where, last = "WHERE id > :last", found[-1]


def _numbers(rows: Mapping[int, Columns], column: str) -> list[int]:
    found = {row.get(column) for row in rows.values()}
    return sorted(one for one in found if isinstance(one, int))


def _fetched(query: Any, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [dict(row) for row in db.session().execute(query, values).mappings()]
