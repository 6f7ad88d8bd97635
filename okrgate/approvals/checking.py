"""Whether a receipt still is what was written: read column by column, trusting nothing.

Everything is held against the row of the record that sealed it, which is itself part of the chain.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from okrgate.approvals import proofs
from okrgate.approvals.receipts import SEALED, hash_of, marks_of, target_of
from okrgate.audit import chain
from okrgate.database import canonical_json, db

Columns = Mapping[str, Any]

# What each part of a hashed body is called in its table.
RECEIPT = {
    "kind": "kind",
    "project": "project_id",
    "signoff": "signoff_id",
    "transition": "transition",
    "gate": "gate",
    "rulebook": "rulebook_version_id",
    "by": "by_id",
    "at": "at",
    "meaning": "meaning",
    "facts": "facts",
    "verdict": "verdict",
    "content": "content",
}
SIGNOFF = {
    "id": "id",
    "round": "round_id",
    "project": "project_id",
    "person": "person_id",
    "on_behalf_of": "on_behalf_of_id",
    "roles": "roles",
    "decision": "decision",
    "reason": "reason",
    "digest": "digest",
    "at": "at",
    "key": "key",
}
SIGNATURE = {
    "method": "method",
    "label": "label",
    "credential": "credential",
    "at": "at",
    "binding": "binding",
    "act": "act",
    "evidence": "evidence",
}
_JSON = {"facts", "verdict", "content", "roles", "act", "evidence"}
_UNREADABLE = "cannot be read"
TWICE = "is sealed twice"
_CHANGED = "was changed after it was written"


@dataclass(frozen=True)
class Fault:
    """What no longer matches: in which table, which row, which column ("" when it is the whole row), and how."""

    table: str
    id: int
    column: str
    what: str

    def __str__(self) -> str:
        where = f"{self.table} {self.id}"
        return (
            f"{where}, column {self.column}: {self.what}"
            if self.column
            else f"{where}: {self.what}"
        )


@dataclass(frozen=True)
class Sealed:
    """The row of the record that seals a receipt, with what is wrong with it; `is_again`: a later row does so, too."""

    seq: int
    hash: str
    previous: str
    body: Columns
    faults: tuple[str, ...]
    is_again: bool = False

    @property
    def details(self) -> Columns:
        """Return the hash of the receipt and the marks of its parts."""
        found: Columns = self.body["details"]
        return found


@dataclass(frozen=True)
class Looked:
    """All that was found about one receipt: its columns, what seals it, and what no longer matches."""

    receipt: Columns
    body: Mapping[str, Any] | None
    signoff: Mapping[str, Any] | None
    signature: Mapping[str, Any] | None
    sealed: Sealed | None
    faults: tuple[Fault, ...]


def look(receipt_id: int) -> Looked | None:
    """Return what is known of a receipt, or None when there is none. Never fails on what is stored."""
    found = columns("receipts", [receipt_id]).get(receipt_id)
    if found is None:
        return None
    sealed = sealed_by(receipt_id)
    signoff = found.get("signoff_id")
    rounds: Mapping[int, Columns] = {}
    signoffs: Mapping[int, Columns] = {}
    if isinstance(signoff, int):
        signoffs = columns("signoffs", [signoff])
        round_id = signoffs.get(signoff, {}).get("round_id")
        rounds = columns("rounds", [round_id]) if isinstance(round_id, int) else {}
    signatures = columns("signature_proofs", [signoff]) if isinstance(signoff, int) else {}
    version = found.get("rulebook_version_id")
    versions = columns("rulebook_versions", [version]) if isinstance(version, int) else {}
    faults = (
        *((Fault("receipt", receipt_id, "", TWICE),) if sealed and sealed.is_again else ()),
        *faults_of(found, sealed.details if sealed else None),
        *signoff_faults(found, signoffs, rounds, sealed.details if sealed else None),
        *signature_faults(found, signatures, signoffs, sealed.details if sealed else None),
        *rules_faults(found, versions),
    )
    proved = signatures.get(signoff) if isinstance(signoff, int) else None
    said = signoffs.get(signoff) if isinstance(signoff, int) else None
    return Looked(
        found,
        body(found, RECEIPT)[0],
        body(said, SIGNOFF)[0] if said else None,
        body(proved, SIGNATURE)[0] if proved else None,
        sealed,
        faults,
    )


def faults_of(receipt: Columns, details: Columns | None) -> Iterator[Fault]:
    """Yield what is wrong with a receipt's own row. `details`: of the row that seals it, if there is one."""
    number = receipt["id"]
    said, unreadable = body(receipt, RECEIPT)
    yield from (Fault("receipt", number, one, _UNREADABLE) for one in unreadable)
    if said is None:
        return
    digest = hash_of(said)
    if details is None:
        if digest != receipt["hash"]:
            yield Fault("receipt", number, "", _CHANGED)
        return
    if digest == details.get("receipt"):
        if receipt["hash"] != digest:
            yield Fault("receipt", number, "hash", _CHANGED)
        return
    yield from _changed("receipt", number, said, details.get("parts"), RECEIPT)


def signoff_faults(
    receipt: Columns,
    signoffs: Mapping[int, Columns],
    rounds: Mapping[int, Columns],
    details: Columns | None,
) -> Iterator[Fault]:
    """Yield what is wrong with the sign-off that a receipt proves, and with what was put before the signers."""
    number = receipt.get("signoff_id")
    if number is None:
        return
    row = signoffs.get(number)
    if row is None:
        yield Fault("sign-off", number, "", "is gone")
        return
    said, unreadable = body(row, SIGNOFF)
    yield from (Fault("sign-off", number, one, _UNREADABLE) for one in unreadable)
    marks = details.get("signed") if details else None
    if said is not None and marks is not None and marks_of(said) != marks:
        yield from _changed("sign-off", number, said, marks, SIGNOFF)
    round_row = rounds.get(row.get("round_id", 0))
    if round_row is not None:
        yield from round_faults(round_row)
        if round_row["digest"] != row["digest"]:
            yield Fault(
                "sign-off", number, "digest", "is not that of what was put before the signers"
            )


def signature_faults(
    receipt: Columns,
    signatures: Mapping[int, Columns],
    signoffs: Mapping[int, Columns],
    details: Columns | None,
) -> Iterator[Fault]:
    """Yield what is wrong with the second factor that a decision was confirmed with. `signatures` are by sign-off."""
    number = receipt.get("signoff_id")
    if number is None:
        return
    row, marks = signatures.get(number), details.get("signature") if details else None
    if row is None:
        if marks is not None:
            yield Fault("signature", number, "", "is gone")
        return
    said, unreadable = body(row, SIGNATURE)
    yield from (Fault("signature", number, one, _UNREADABLE) for one in unreadable)
    if said is None:
        return
    if marks is None:
        yield Fault("signature", number, "", "was added after the decision")
    elif marks_of(said) != marks:
        yield from _changed("signature", number, said, marks, SIGNATURE)
    signed = body(signoffs.get(number, {}), SIGNOFF)[0] or {}
    yield from (
        Fault("signature", number, part, what) for part, what in proofs.misfits(said, signed)
    )


def round_faults(row: Columns) -> Iterator[Fault]:
    """Yield what is wrong with what was put before the signers: its digest is that of its content."""
    content = read_json(row["content"])
    if content is _NOTHING:
        yield Fault("round", row["id"], "content", _UNREADABLE)
    elif hash_of(content) != row["digest"]:
        yield Fault("round", row["id"], "content", "does not match its digest")


def rules_faults(receipt: Columns, versions: Mapping[int, Columns]) -> Iterator[Fault]:
    """Yield what is wrong with the rules that a receipt was judged by."""
    number = receipt.get("rulebook_version_id")
    version = versions.get(number) if isinstance(number, int) else None
    if version is None:
        yield Fault("rulebook version", number or 0, "", "is gone")
        return
    yield from version_faults(version)
    verdict = read_json(receipt["verdict"])
    judged = verdict.get("rulebook_sha256") if isinstance(verdict, dict) else None
    if judged and version["sha256"] is not None and judged != version["sha256"]:
        yield Fault("rulebook version", version["id"], "sha256", "is not that of the verdict")


def version_faults(version: Columns) -> Iterator[Fault]:
    """Yield what is wrong with a stored text of rules."""
    if not isinstance(version["text"], str):
        yield Fault("rulebook version", version["id"], "text", _UNREADABLE)
    elif hashlib.sha256(version["text"].encode()).hexdigest() != version["sha256"]:
        yield Fault("rulebook version", version["id"], "text", "does not match its hash")


def body(row: Columns, parts: Mapping[str, str]) -> tuple[dict[str, Any] | None, list[str]]:
    """Build a hashed body out of raw columns. Return also the columns that cannot be read; then there is none."""
    said: dict[str, Any] = {}
    unreadable = []
    for name, column in parts.items():
        value = _told(column, row.get(column))
        if value is _NOTHING:
            unreadable.append(column)
        said[name] = value
    return (None if unreadable else said), unreadable


def sealed_by(receipt_id: int) -> Sealed | None:
    """Return the row of the record that seals a receipt: the first one binds, whatever was written later."""
    seqs = _seqs_of(receipt_id)
    if not seqs:
        return None
    row, breaks = chain.look(seqs[0])
    if row is None or not isinstance(details := read_json(row["details"]), dict):
        return None
    try:
        said = chain.body_of(row)
    except (TypeError, ValueError):
        said = {"details": details}
    whats = tuple(one.what for one in breaks)
    return Sealed(seqs[0], row["hash"], row["prev_hash"], said, whats, is_again=len(seqs) > 1)


def number_in(target: object) -> int | None:
    """Return the number of the receipt that a row of the record names, or None when it names none."""
    found = re.fullmatch(r"receipt:([1-9][0-9]{0,18})", str(target), re.ASCII)
    return int(found[1]) if found else None


def _seqs_of(receipt_id: int) -> Sequence[int]:
    query = text(
        "SELECT seq FROM audit_entries WHERE action = :action AND target = :target ORDER BY seq LIMIT 2"
    )
    values = {"action": SEALED, "target": target_of(receipt_id)}
    return db.session().scalars(query, values).all()


_COLUMNS = {
    "receipts": ("id", *RECEIPT.values(), "hash"),
    "signoffs": tuple(SIGNOFF.values()),
    "signature_proofs": ("id", *SIGNATURE.values()),
    "rounds": ("id", "project_id", "gate", "number", "digest", "content"),
    "rulebook_versions": ("id", "number", "text", "sha256"),
}


def columns(table: str, numbers: Sequence[int]) -> dict[int, Columns]:
    """Return the raw columns of rows by their id. A row that cannot even be fetched has its id only."""
    wanted = [f'"{one}"' for one in _COLUMNS[table]]
    query = text(f"SELECT {', '.join(wanted)} FROM {table} WHERE id IN :ids")  # noqa: S608 fixed names
    try:
        rows = db.session().execute(
            query.bindparams(bindparam("ids", expanding=True)), {"ids": list(numbers)}
        )
        return {row["id"]: dict(row) for row in rows.mappings()}
    except (SQLAlchemyError, ValueError, OverflowError):
        db.session().rollback()
        if len(numbers) == 1:
            return {numbers[0]: dict.fromkeys(_COLUMNS[table]) | {"id": numbers[0]}}
        return {key: row for one in numbers for key, row in columns(table, [one]).items()}


class _Nothing:
    """Stands for what cannot be read."""


_NOTHING = _Nothing()


def _told(column: str, value: Any) -> Any:
    if column in _JSON:
        return read_json(value)
    if column == "at":
        try:
            return chain.moment_of(value).isoformat(timespec="microseconds")
        except (TypeError, ValueError):
            return _NOTHING
    return value


def read_json(value: Any) -> Any:
    """Read canonical JSON; what is none, or is spelled otherwise, is NOTHING."""
    try:
        found = json.loads(value)
        return found if canonical_json(found) == value else _NOTHING
    except (TypeError, ValueError, RecursionError):
        return _NOTHING


def _changed(
    table: str, number: int, said: Mapping[str, Any], marks: Any, parts: Mapping[str, str]
) -> Iterator[Fault]:
    """Name the columns whose mark differs; if none does, the row is another one altogether."""
    known = marks if isinstance(marks, dict) else {}
    now = marks_of(said)
    named = [name for name in now if known.get(name) != now[name]] if known else []
    for name in named:
        yield Fault(table, number, parts[name], _CHANGED)
    if not named:
        yield Fault(table, number, "", _CHANGED)
