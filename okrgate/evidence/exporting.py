"""The record to take away: one ZIP with all that proves it, and the program that checks it without us.

Of a part of the record the other rows are in it as well, but as hashes only: what is left out cannot be read, and
what is in it still has its place.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import checking
from okrgate.approvals.models import Receipt
from okrgate.approvals.receipts import SEALED
from okrgate.audit import chain
from okrgate.database import canonical_json, db
from okrgate.projects import service as projects

PROGRAM = Path(__file__).with_name("verify_export.py")
FORMAT = "okrgate record 1"
_CHUNK = 64 * 1024
_BATCH = 200
_README = """What this is
============
The record of an okrgate installation, or a part of it, with all that proves it. To check it you need
Python 3.8 or newer and nothing else: no okrgate, no network, no key.

    python3 verify.py THIS.zip
    python3 verify.py THIS.zip --checkpoint 1407:4f3a...      (a line of a mail that auditors got)

What is in it
-------------
records.jsonl   a row of the record on each line, oldest first. A row is here in full ("body"), or, when only a part was
                asked for, as its hash alone: so each row that is here keeps its place among all others.
receipts.jsonl  a receipt on each line: every decision and every gate that was passed, with the facts and the verdict.
rules/          the rules that these were judged by, each under its own hash.
people.json     who the numbers are, as it is known today. Names are hashed nowhere and can be forgotten; numbers stay.
projects.json   the same for projects.
manifest.json   how far the record goes, and the hash of each file.
verify.py       checks all of it. It is short: read it first, or write your own from what stands here.

How the hashes are made
-----------------------
"Canonical JSON" is JSON in UTF-8 with sorted keys, no spaces, and letters as they are (Python's json.dumps with
sort_keys=True, separators=(",", ":"), ensure_ascii=False).

A row:      hash = sha256(prev_hash + canonical JSON of body), as hexadecimal digits. prev_hash is the hash of the row
            before it; the first row follows 64 zeros. A row that is changed, removed or slipped in breaks this.
A receipt:  hash = sha256(canonical JSON of its body). A row with the action "receipt.written" and the target
            "receipt:NUMBER" holds that hash in its details; "parts", "signed" and "signature" there are the first
            16 digits of sha256(canonical JSON of {name: value}) of each field of the receipt, of its sign-off and of
            the second factor it was confirmed with, where the rules asked for one.
Signed:     "digest" of a sign-off = sha256(canonical JSON of "content" in the receipt's body).
Rules:      sha256 of the text; "rulebook_sha256" in each verdict.
The list:   sha256(all hashes of rows 1 to N, one after the other, as text).

A checkpoint is a number and a hash that was mailed to auditors: N:HASH of row N, and N:HASH of the list up to row N.
If the record holds them still, nothing up to there was written anew. The first proves a whole record. Of a part it
is the second that counts, for it covers the hashes of the rows that are not here.
"""


@dataclass(frozen=True)
class Scope:
    """What to take: all of it, one project, a time (`until` is exclusive), or both."""

    project_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left out."""
        return self == Scope()

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of the record belongs to it."""
        if self.is_whole:
            return True
        at = chain.moment_of(row["at"])
        return (
            (self.project_id is None or row["project_id"] == self.project_id)
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )

    def said(self) -> dict[str, str]:
        """Return what was asked for, in words."""
        parts = {
            "project": projects.references_of([self.project_id]).get(self.project_id or 0),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }
        return {name: text for name, text in parts.items() if text} or {"all": "the whole record"}


def stream(scope: Scope) -> Iterator[bytes]:
    """Yield the ZIP, piece by piece, while it is read: it never lies in memory as a whole."""
    return _Export(scope).pieces()


class _Pipe(io.RawIOBase):
    """Takes what is written until somebody fetches it."""

    def __init__(self) -> None:
        super().__init__()
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self.held += piece
        return len(piece)

    def take(self) -> bytes:
        found = bytes(self.held)
        self.held.clear()
        return found


class _Export:
    """One export on its way: what it has come across so far."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.pipe = _Pipe()
        self.hashes: dict[str, str] = {}
        self.people: set[int] = set()
        self.projects: set[int] = set()
        self.rules: set[int] = set()
        self.sealed: set[int] = set()
        self.head: tuple[int, str] = (0, chain.GENESIS)
        self.now = clock.now()

    def pieces(self) -> Iterator[bytes]:
        with zipfile.ZipFile(self.pipe, "w", zipfile.ZIP_DEFLATED) as archive:
            yield from self._file(archive, "README.txt", [_README])
            yield from self._file(archive, "verify.py", [PROGRAM.read_text(encoding="utf-8")])
            yield from self._file(archive, "records.jsonl", self._records())
            yield from self._file(archive, "receipts.jsonl", self._receipts())
            for row in checking.columns("rulebook_versions", sorted(self.rules)).values():
                if not isinstance(row["text"], str):
                    continue  # It cannot be read. The program that checks says that it is not here.
                digest = hashlib.sha256(row["text"].encode()).hexdigest()
                if f"rules/{digest}.yaml" not in self.hashes:
                    yield from self._file(archive, f"rules/{digest}.yaml", [row["text"]])
            people = directory.names(sorted(self.people))
            yield from self._file(archive, "people.json", [_listed(people)])
            references = projects.references_of(self.projects)
            yield from self._file(archive, "projects.json", [_listed(references)])
            yield from self._file(archive, "manifest.json", [self._manifest()])
        yield self.pipe.take()

    def _file(self, archive: zipfile.ZipFile, name: str, texts: Iterable[str]) -> Iterator[bytes]:
        local = self.now.astimezone(clock.company_zone())
        info = zipfile.ZipInfo(name, date_time=local.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        digest = hashlib.sha256()
        with archive.open(info, "w", force_zip64=True) as file:
            for text in texts:
                content = text.encode()
                digest.update(content)
                file.write(content)
                if len(self.pipe.held) > _CHUNK:
                    yield self.pipe.take()
        self.hashes[name] = digest.hexdigest()
        yield self.pipe.take()

    def _records(self) -> Iterator[str]:
        for seq, row in chain.rows():
            yield canonical_json(self._record(seq, row)) + "\n"

    def _record(self, seq: int, row: Mapping[str, Any] | None) -> dict[str, Any]:
        if row is None:
            return {"seq": seq, "hash": "", "unreadable": True}
        said = {"seq": seq, "hash": row["hash"]}
        self.head = (seq, row["hash"])
        try:
            if not self.scope.holds(row):
                return said
            body = chain.body_of(row)
        except (TypeError, ValueError):
            return {**said, "unreadable": True}
        self.people |= {one for one in (row["actor_id"], row["on_behalf_of_id"]) if one}
        self.projects |= {row["project_id"]} if row["project_id"] else set()
        if row["action"] == SEALED and (number := checking.number_in(row["target"])):
            self.sealed.add(number)
        return {**said, "prev_hash": row["prev_hash"], "body": body}

    def _receipts(self) -> Iterator[str]:
        for numbers in _batches(self._receipt_numbers()):
            receipts = checking.columns("receipts", numbers)
            signed = [one for row in receipts.values() if (one := row["signoff_id"]) is not None]
            signoffs = checking.columns("signoffs", signed)
            signatures = checking.columns("signature_proofs", signed)
            for number, row in sorted(receipts.items()):
                signoff = signoffs.get(row["signoff_id"] or 0)
                factor = signatures.get(row["signoff_id"] or 0)
                if isinstance(row["rulebook_version_id"], int):
                    self.rules.add(row["rulebook_version_id"])
                said = {
                    "id": number,
                    "hash": row["hash"],
                    "body": checking.body(row, checking.RECEIPT)[0],
                    "signoff": checking.body(signoff, checking.SIGNOFF)[0] if signoff else None,
                    "signature": checking.body(factor, checking.SIGNATURE)[0] if factor else None,
                }
                yield canonical_json(said) + "\n"

    def _receipt_numbers(self) -> Sequence[int]:
        scope, query = self.scope, select(Receipt.id).order_by(Receipt.id)
        if scope.project_id is not None:
            query = query.where(Receipt.project_id == scope.project_id)
        if scope.since is not None:
            query = query.where(Receipt.at >= scope.since)
        if scope.until is not None:
            query = query.where(Receipt.at < scope.until)
        # At the edge of a time a receipt and the row that seals it may stand on either side.
        return sorted({*db.session().scalars(query), *self.sealed})

    def _manifest(self) -> str:
        return canonical_json(
            {
                "format": FORMAT,
                "made_at": self.now.isoformat(timespec="seconds"),
                "scope": self.scope.said(),
                "head": {"seq": self.head[0], "hash": self.head[1]},
                "files": self.hashes,
            }
        )


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _BATCH):
        yield numbers[start : start + _BATCH]


def _listed(names: Mapping[int, str]) -> str:
    return canonical_json({str(number): name for number, name in sorted(names.items())})
