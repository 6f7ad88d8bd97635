"""Check what okrgate gave you: an export of the record (ZIP, or the folder out of it) or a receipt (PDF or JSON).

    python3 verify.py EXPORT.zip
    python3 verify.py RECEIPT.pdf
    python3 verify.py EXPORT.zip --checkpoint 1407:4f3a…   (a line out of an old mail; as many as you have)

It needs Python 3.8 or newer and nothing else: no okrgate, no network, no key. Read it; it is short.
It prints PASS, or FAIL and the first thing that is wrong, with its place. It ends with 0 or 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

Json = Dict[str, Any]
Checkpoints = Sequence[Tuple[int, str]]

GENESIS = "0" * 64
SEALED = "receipt.written"
FIELDS = (
    "action",
    "actor",
    "at",
    "details",
    "on_behalf_of",
    "project",
    "reason",
    "request",
    "seq",
    "target",
)
_MARK = 16
_SEARCHED = 3000
_NUMBERS = 5000


class Wrong(Exception):
    """The first thing that is wrong, as a sentence."""


def canonical(value: Any) -> str:
    """Spell plain JSON in the one way that is hashed: keys sorted, no spaces, letters as they are."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: Any) -> str:
    """Return the sha256 of the canonical spelling."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def row_hash(body: Json, previous: str) -> str:
    """Return a row's hash: sha256 over the hash before it, followed by the row's canonical spelling."""
    return hashlib.sha256((previous + canonical(body)).encode()).hexdigest()


def marks(body: Json) -> Json:
    """Return a short fingerprint of each field."""
    return {name: digest({name: part})[:_MARK] for name, part in body.items()}


def changed_field(body: Json, previous: str, wanted: str) -> Optional[Tuple[str, str]]:
    """Say which field of a row was changed, by looking for the one byte or number that makes its hash right again.

    Return (field, how), or None when more than that was changed.
    """
    found = _one_byte(canonical(body).encode(), previous.encode(), wanted)
    if found is not None:
        at, how = found
        return _field_at(body, at), how
    for field in ("actor", "on_behalf_of", "project"):
        for number in [None, *range(_NUMBERS)]:
            if row_hash({**body, field: number}, previous) == wanted:
                return field, f"it was {number}"
    return None


def _one_byte(text: bytes, before: bytes, wanted: str) -> Optional[Tuple[int, str]]:
    """Return where one byte was changed, added or taken away, and what it was."""
    if len(text) > _SEARCHED:
        return None
    for skipped, how in ((1, "the byte was"), (0, "a byte was taken away:")):
        head = hashlib.sha256(before)
        for at in range(len(text) + 1):
            rest = text[at + skipped :]
            for byte in range(256):
                other = head.copy()
                other.update(bytes((byte,)) + rest)
                if other.hexdigest() == wanted:
                    return at, f"{how} {_shown(byte)}"
            head.update(text[at : at + 1])
    for at in range(len(text)):
        if hashlib.sha256(before + text[:at] + text[at + 1 :]).hexdigest() == wanted:
            return at, f"a byte was added: {_shown(text[at])}"
    return None


def _shown(byte: int) -> str:
    return repr(chr(byte)) if 32 <= byte < 127 else f"0x{byte:02x}"


def _field_at(body: Json, at: int) -> str:
    """Return the field in whose spelling a byte stands."""
    reached, named = 1, ""
    for name in sorted(body):
        if at < reached and named:
            break
        named = name
        reached += len(canonical({name: body[name]}).encode()) - 1
    return named


class Files:
    """The files of an export: in the ZIP, or in the folder it was unpacked to."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self.folder = path
        self.archive = zipfile.ZipFile(path) if path.is_file() else None

    def names(self) -> Set[str]:
        """Return the names of all files."""
        if self.archive is not None:
            return {one.filename for one in self.archive.infolist()}
        found = (one for one in self.folder.rglob("*") if one.is_file())
        return {one.relative_to(self.folder).as_posix() for one in found}

    def open(self, name: str) -> IO[bytes]:
        """Open one for reading."""
        if name not in self.names():
            raise Wrong(f"{name} is missing")
        if self.archive is not None:
            return self.archive.open(name)
        return (self.folder / name).open("rb")

    def read(self, name: str) -> bytes:
        """Return one, whole."""
        try:
            with self.open(name) as file:
                return file.read()
        except (zipfile.BadZipFile, zlib.error) as problem:
            raise Wrong(f"{name} is damaged ({problem})") from None


def _lines(files: Files, name: str) -> Iterator[Json]:
    """Yield the objects of a file with one JSON object a line."""
    try:
        with files.open(name) as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise Wrong(f"{name}, line {number}: is not JSON any more") from None
    except (zipfile.BadZipFile, zlib.error) as problem:
        raise Wrong(f"{name} is damaged ({problem})") from None


def _with_next(rows: Iterable[Json]) -> Iterator[Tuple[Json, Optional[Json]]]:
    """Yield each row with the one behind it."""
    waiting: Optional[Json] = None
    for row in rows:
        if waiting is not None:
            yield waiting, row
        waiting = row
    if waiting is not None:
        yield waiting, None


def check_records(
    files: Files, checkpoints: Checkpoints
) -> Tuple[int, int, str, str, Dict[str, Json]]:
    """Walk the chain. Return (rows, rows in full, the last row's hash, the digest of the list, what seals each receipt)."""
    count, full, previous = 0, 0, GENESIS
    listing = hashlib.sha256()
    sealed: Dict[str, Json] = {}
    wanted: Dict[int, List[str]] = {}
    for number, said in checkpoints:
        wanted.setdefault(number, []).append(said)
    for row, following in _with_next(_lines(files, "records.jsonl")):
        count += 1
        if row.get("seq") != count:
            raise Wrong(
                f"row {count} of the record is missing (row {row.get('seq')} stands in its place)"
            )
        if "body" in row:
            full += 1
            _check_row(row, previous, (following or {}).get("prev_hash"))
            _note_seal(row["body"], sealed)
        elif row.get("unreadable"):
            raise Wrong(f"row {count} of the record could not be read when it was exported")
        previous = row["hash"]
        listing.update(previous.encode())
        if not set(wanted.pop(count, ())) <= {previous, listing.hexdigest()}:
            raise Wrong(f"row {count} of the record is not the one of the checkpoint")
    if wanted:
        raise Wrong(f"the record ends at row {count}, before the checkpoint at row {min(wanted)}")
    return count, full, previous, listing.hexdigest(), sealed


def _check_row(row: Json, previous: str, next_previous: Optional[str]) -> None:
    seq, body = row["seq"], row["body"]
    if sorted(body) != sorted(FIELDS):
        raise Wrong(f"row {seq} of the record has not the fields of a row")
    if (
        row["prev_hash"] == previous
        and row_hash(body, previous) == row["hash"]
        and body["seq"] == seq
    ):
        return
    if row_hash(body, previous) == row["hash"]:
        raise Wrong(f"row {seq} of the record, field prev_hash: was changed")
    if next_previous is not None and row_hash(body, previous) == next_previous:
        raise Wrong(f"row {seq} of the record, field hash: was changed")
    if row["prev_hash"] != previous and row_hash(body, row["prev_hash"]) == row["hash"]:
        raise Wrong(f"row {seq} of the record does not follow the row before it")
    found = changed_field(body, previous, row["hash"])
    if found is None:
        raise Wrong(f"row {seq} of the record was changed, in more than one byte")
    raise Wrong(f"row {seq} of the record, field {found[0]}: was changed ({found[1]})")


def _note_seal(body: Json, sealed: Dict[str, Json]) -> None:
    if body["action"] != SEALED:
        return
    target = body["target"]
    if not re.fullmatch("receipt:[1-9][0-9]{0,18}", target):
        raise Wrong(f"row {body['seq']} of the record seals no receipt")
    if target in sealed:
        raise Wrong(f"{target.replace(':', ' ')} is sealed twice, again by row {body['seq']}")
    sealed[target] = body["details"]


def check_receipt(receipt: Json, details: Optional[Json], rules: Set[str]) -> None:
    """Check one receipt: its hash, the row that seals it, its sign-off, and the hash of its rules."""
    number, body = receipt["id"], receipt["body"]
    where = f"receipt {number}"
    if body is None:
        raise Wrong(f"{where} could not be read when it was exported")
    found = digest(body)
    if details is not None and details.get("receipt") != found:
        raise Wrong(
            f"{where}, {_named(body, details.get('parts'))}: was changed after it was sealed"
        )
    if found != receipt["hash"]:
        raise Wrong(f"{where}, field hash: was changed" if details else f"{where} was changed")
    signoff = receipt.get("signoff")
    if details is not None:
        _check_marks(f"the sign-off of {where}", signoff, details.get("signed"))
        factor = receipt.get("signature")
        _check_marks(f"the second factor of {where}", factor, details.get("signature"))
    if signoff is not None and digest(body["content"]) != signoff["digest"]:
        raise Wrong(f"{where}: what was signed does not match its digest")
    judged = (body["verdict"] or {}).get("rulebook_sha256")
    if judged and judged not in rules:
        raise Wrong(
            f"{where}: the rules {judged[:16]} it was judged by are not here, or were changed"
        )


def _check_marks(what: str, body: Optional[Json], known: Optional[Json]) -> None:
    if body is None and known is not None:
        raise Wrong(f"{what} is missing")
    if body is not None and known is None:
        raise Wrong(f"{what} was added afterwards")
    if body is not None and marks(body) != known:
        raise Wrong(f"{what}, {_named(body, known)}: was changed")


def _named(body: Json, known: Optional[Json]) -> str:
    now = marks(body)
    named = [name for name in now if not known or known.get(name) != now[name]]
    return f"field {', '.join(named)}" if known and named else "as a whole"


def check_export(path: Path, checkpoints: Checkpoints) -> List[str]:
    """Check an export. Return what can be said of it."""
    files = Files(path)
    try:
        manifest = json.loads(files.read("manifest.json"))
    except ValueError:
        raise Wrong("manifest.json is not JSON any more") from None
    count, full, head, listing, sealed = check_records(files, checkpoints)
    if (count, head) != (manifest["head"]["seq"], manifest["head"]["hash"]):
        raise Wrong(f"the record ends at row {count}, not where manifest.json says")
    scope: Json = manifest["scope"]
    whole = "all" in scope
    if whole and full < count:
        raise Wrong(
            "the export says that it is whole, but rows of the record are in it as hashes alone"
        )
    rules: Set[str] = set()
    for name in sorted(one for one in files.names() if one.startswith("rules/")):
        found = hashlib.sha256(files.read(name)).hexdigest()
        if found not in name:
            raise Wrong(f"{name} was changed: its hash is {found[:16]}")
        rules.add(found)
    receipts, unsealed = _check_receipts(files, sealed, rules, whole)
    for name, wanted in manifest["files"].items():
        if hashlib.sha256(files.read(name)).hexdigest() != wanted:
            raise Wrong(f"{name} is not the file that was written")
    said = [f"{count} rows of the record, {full} of them in full, and {receipts} receipts."]
    said.append(
        f"What it is said to hold: {', '.join(f'{name}: {scope[name]}' for name in scope)}."
    )
    if not whole:
        said.append(
            "It is a part: even of that part, rows can have been left out without being noticed here."
        )
    if unsealed:
        said.append(
            f"{unsealed} of the receipts have no row here that seals them: only their own hash speaks for them."
        )
    said.append(f"The record ended with {count}:{head}")
    said.append(f"The list of all its hashes is {count}:{listing}")
    said.append(_about(checkpoints, count > full))
    return said


def _check_receipts(
    files: Files, sealed: Dict[str, Json], rules: Set[str], whole: bool
) -> Tuple[int, int]:
    """Check all receipts. Return how many there are, and how many of them no row seals."""
    receipts: Set[str] = set()
    unsealed, last = 0, 0
    first = min((int(target.partition(":")[2]) for target in sealed), default=None)
    for receipt in _lines(files, "receipts.jsonl"):
        number = receipt["id"]
        if type(number) is not int or number <= last:
            raise Wrong(f"receipt {number!r} has not a number that follows {last}")
        last, target = number, f"receipt:{number}"
        details = sealed.get(target)
        if whole and details is None and first is not None and number > first:
            raise Wrong(
                f"receipt {number} has no row of the record that seals it: it was slipped in"
            )
        check_receipt(receipt, details, rules)
        receipts.add(target)
        unsealed += details is None
    lost = sorted(set(sealed) - receipts)
    if lost:
        raise Wrong(f"{lost[0].replace(':', ' ')} is sealed in the record, but it is not here")
    return len(receipts), unsealed


def _about(checkpoints: Checkpoints, partial: bool) -> str:
    if not checkpoints:
        return (
            "No checkpoint was given: hold these lines against those that were mailed to auditors."
        )
    if partial:
        return "The checkpoint matches. Rows that are not here in full are known by the second line of a checkpoint only."
    return "The checkpoint matches: up to there the record is the one of that day."


def check_receipt_file(content: bytes) -> List[str]:
    """Check a receipt on its own, out of its PDF or as JSON. Return what can be said of it."""
    proof = json.loads(_attached(content) if content.startswith(b"%PDF") else content)
    rules = proof["rules"]
    if hashlib.sha256(rules["text"].encode()).hexdigest() != rules["sha256"]:
        raise Wrong("the rules were changed: they do not match their hash")
    row = proof["record"]
    details = None
    if row is not None:
        details = row["body"]["details"]
        if row_hash(row["body"], row["prev_hash"]) != row["hash"]:
            found = changed_field(row["body"], row["prev_hash"], row["hash"])
            raise Wrong(
                f"the row of the record, {'field ' + found[0] if found else 'as a whole'}: was changed"
            )
        if row["body"]["target"] != f"receipt:{proof['receipt']['id']}":
            raise Wrong("the row of the record seals another receipt")
        if row["body"]["action"] != SEALED:
            raise Wrong("the row of the record seals nothing")
        if row["body"]["seq"] != row["seq"]:
            raise Wrong("the row of the record has another number than it is given here")
    check_receipt(
        {**proof["receipt"], "signoff": proof["signoff"], "signature": proof["signature"]},
        details,
        {rules["sha256"]},
    )
    said = [
        f"Receipt {proof['receipt']['id']} says what was written.",
        *_told(proof["receipt"]["body"], proof["signoff"]),
    ]
    if row is None:
        return [
            *said,
            "It was written before receipts were sealed: only its own hash speaks for it.",
        ]
    return [
        *said,
        f"It is sealed by row {row['seq']}:{row['hash']} of the record.",
        "An export of the record, or “okrgate audit verify --checkpoint” with that line, shows that the row is still there.",
    ]


def _told(body: Json, signoff: Optional[Json]) -> List[str]:
    """Return what a receipt says, for whoever holds it against the page that it came with."""
    parts = {name: body[name] for name in ("meaning", "by", "at", "gate", "project")}
    if signoff is not None:
        parts["decision"] = signoff["decision"]
    return [
        *(f"  {name}: {said}" for name, said in parts.items()),
        "Hold this against the page: the page itself is not checked.",
    ]


def _attached(content: bytes) -> bytes:
    found = []
    for stream in re.finditer(rb"stream\r?\n(.*?)\nendstream", content, re.DOTALL):
        # A writer may end the line before "endstream" with \r\n; but \r may as well be the last byte of the stream.
        unpacking = zlib.decompressobj()
        try:
            said = unpacking.decompress(stream[1])
        except zlib.error:
            continue
        if unpacking.eof and b'"format":"okrgate receipt' in said[:200]:
            found.append(said)
    if not found:
        raise Wrong("no receipt is inside this PDF")
    if len(found) > 1:
        raise Wrong("more than one receipt is inside this PDF")
    return found[0]


def _checkpoint(text: str) -> Tuple[int, str]:
    found = re.fullmatch(r"([0-9]{1,12}):([0-9a-f]{64})", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError("it looks like 1407:4f3a… with 64 digits behind the colon")
    return int(found[1]), found[2]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Check what the command line names. Return how the process is to end."""
    parser = argparse.ArgumentParser(
        description="Check an export of okrgate's record, or a receipt."
    )
    parser.add_argument(
        "path", type=Path, help="the ZIP or its folder, or a receipt as PDF or JSON"
    )
    parser.add_argument(
        "--checkpoint", type=_checkpoint, action="append", default=[], metavar="SEQ:HASH"
    )
    asked = parser.parse_args(arguments)
    try:
        single = asked.path.suffix.lower() in (".pdf", ".json")
        said = (
            check_receipt_file(asked.path.read_bytes())
            if single
            else check_export(asked.path, asked.checkpoint)
        )
    except Wrong as problem:
        print(f"FAIL: {problem}.")
        return 1
    except (
        OSError,
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as problem:
        print(f"FAIL: this is not an export or a receipt as it was written ({problem}).")
        return 1
    print("PASS")
    print("\n".join(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
