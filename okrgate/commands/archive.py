"""The one file of a backup: a manifest, the database's content, and a digest over all of it.

It is an ordinary zip, so that it can be looked into without okrgate. Its comment (its last bytes) is the SHA-256
of everything before: a changed byte anywhere is noticed before anything of the file is believed.
"""

import hashlib
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import click

FORMAT = 1
_MANIFEST, _CONTENT = "manifest.json", "database"
_DIGEST = 64
_CHUNK = 1024 * 1024


class Unfit(click.ClickException):
    """A backup or a restore that cannot be; nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds. `audit_seq` and `audit_hash` are number and hash of the record's last row."""

    format: int
    version: str
    made_at: str
    database: str
    revision: str
    audit_seq: int
    audit_hash: str
    size: int
    sha256: str

    @property
    def head(self) -> str:
        """Return the record's head as `okrgate audit head` prints it."""
        return f"{self.audit_seq}:{self.audit_hash}"


def digest_of(path: Path, *, but_last: int = 0) -> str:
    """Return the SHA-256 of a file, or of all but its last bytes."""
    found = hashlib.sha256()
    left = path.stat().st_size - but_last
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            found.update(chunk)
            left -= len(chunk)
    return found.hexdigest()


def write(path: Path, manifest: Manifest, content: Path) -> None:
    """Write the file in one go, readable by us only: it appears whole or not at all. Raises Unfit if it is there."""
    part = path.with_name(path.name + ".part")
    try:
        with _private(part) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2) + "\n")
                archive.write(content, _CONTENT)
                archive.comment = b"0" * _DIGEST
            file.flush()
            file.seek(-_DIGEST, os.SEEK_END)
            file.write(digest_of(part, but_last=_DIGEST).encode())
            file.flush()
            os.fsync(file.fileno())
        _appear(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> Manifest:
    """Return the manifest of a file whose every byte is as it was written. Raises Unfit otherwise."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _DIGEST))
        said = file.read()
    if size <= _DIGEST or said != digest_of(path, but_last=_DIGEST).encode():
        raise Unfit(f"{path} is damaged, or no backup of okrgate. Nothing was changed.")
    try:
        with zipfile.ZipFile(path) as archive:
            plain = json.loads(archive.read(_MANIFEST))
        if plain["format"] != FORMAT:
            raise Unfit(f"{path} is a backup of a form that this version of okrgate cannot read.")
        return Manifest(**plain)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as problem:
        raise Unfit(f"{path} is no backup of okrgate. Nothing was changed.") from problem


def extract(path: Path, manifest: Manifest, to: Path) -> None:
    """Write the database's content to a new file, and hold it against the manifest. Raises Unfit."""
    with (
        zipfile.ZipFile(path) as archive,
        archive.open(_CONTENT) as content,
        _private(to) as file,
    ):
        while chunk := content.read(_CHUNK):
            file.write(chunk)
    if to.stat().st_size != manifest.size or digest_of(to) != manifest.sha256:
        raise Unfit(f"The content of {path} is not what its manifest says. Nothing was changed.")


def _private(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "w+b")


def _appear(part: Path, path: Path) -> None:
    """Give the finished file its name, unless another has it already."""
    try:
        os.link(part, path)
    except FileExistsError as problem:
        raise Unfit(f"{path} exists already. Choose another name.") from problem
    except OSError:  # a file system without hard links
        if path.exists():
            raise Unfit(f"{path} exists already. Choose another name.") from None
        part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
