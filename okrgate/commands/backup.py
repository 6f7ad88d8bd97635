"""Keep a copy of everything in one file, and bring it back."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import click

from okrgate.commands import archive, copies, surroundings
from okrgate.commands.archive import FORMAT, Manifest, Unfit

_NOT_IN_IT = (
    "The secret (OKRGATE_SECRET_KEY or OKRGATE_SECRET_FILE) and the other settings are not in it:"
    " keep them in another place."
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write everything into FILE, a new file, while servers and workers go on.

    Everything is in the database: projects, the record, people, rules, files to import, mail that waits. The secret
    and the other settings are not in it. Keep the line with the record's head in another place than FILE: with it,
    `okrgate restore --expect` notices a file that somebody made anew.
    """
    settings = surroundings.settings()
    if file.exists():
        raise Unfit(f"{file} exists already. Choose another name.")
    with _workshop(file.absolute().parent) as folder:
        content = folder / "database"
        copied = copies.copy(settings.database_url, content)
        manifest = Manifest(
            format=FORMAT,
            version=version("okrgate"),
            made_at=_now(),
            database=copies.kind_of(settings.database_url),
            revision=copied.revision,
            audit_seq=copied.seq,
            audit_hash=copied.hash,
            size=content.stat().st_size,
            sha256=archive.digest_of(content),
        )
        archive.write(file, manifest, content)
    click.echo(f"{file}: {file.stat().st_size} bytes, record up to {manifest.head}")
    click.echo(_NOT_IN_IT)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--expect",
    metavar="NUMBER:HASH",
    help="The record's head that was noted when the file was made.",
)
@click.option(
    "--replace",
    metavar="NAME",
    help="Throw away what is in the database of this name (spell it out). Stop servers and workers first.",
)
def restore(file: Path, expect: str | None, replace: str | None) -> None:
    """Bring back what `okrgate backup` wrote into FILE.

    The file is looked through before anything is touched, brought to this version's tables, and the whole record is
    checked against the head it was made with. If anything is wrong, nothing is changed. Everybody has to sign in
    again; mail that waited when the file was made is sent (again).
    """
    from okrgate.watching import filesystems

    settings = surroundings.settings()
    url = settings.database_url
    filesystems.check(settings)
    manifest = archive.read(file)
    _check_fits(manifest, url, expect)
    _check_target(url, replace)
    with _workshop(settings.data_dir) as folder:
        content = folder / "database"
        archive.extract(file, manifest, content)
        click.echo(f"{file}: whole, made {manifest.made_at} by okrgate {manifest.version}.")
        copies.put_back(url, content, lambda where: _accept(where, manifest))
    click.echo(
        f"The record is unbroken: {manifest.audit_seq} rows up to {manifest.head}, as in the backup."
    )
    click.echo(f"{copies.name_of(url)} is restored. Everybody signs in again. {_NOT_IN_IT}")


def _check_fits(manifest: Manifest, url: str, expect: str | None) -> None:
    from okrgate import migrations

    if expect is not None and expect.strip() != manifest.head:
        raise Unfit(
            f"The file's record ends with {manifest.head}, not with what was noted. Nothing was changed."
        )
    kind = copies.kind_of(url)
    if manifest.database != kind:
        raise Unfit(
            f"The backup is one of {manifest.database}; OKRGATE_DATABASE_URL speaks of {kind}. Nothing was changed."
        )
    if manifest.revision not in migrations.revisions():
        raise Unfit(
            f"The backup was made by okrgate {manifest.version}, which is newer than this one. Nothing was changed."
        )


def _check_target(url: str, replace: str | None) -> None:
    if copies.is_empty(url):
        return
    name = copies.name_of(url)
    if replace is None:
        raise Unfit(
            f"The database {name} is not empty. Nothing was changed. To throw away what is in it, stop servers and"
            f" workers, keep a backup of it, and say --replace {name}."
        )
    if replace != name:
        raise Unfit(f"--replace names {replace}, but the database is {name}. Nothing was changed.")


def _accept(url: str, manifest: Manifest) -> None:
    """Bring a restored database to this version's tables and hold its record against the manifest. Raises Unfit."""
    from sqlalchemy import update

    from okrgate import clock, migrations
    from okrgate.accounts.models import SignInSession
    from okrgate.audit import chain, service
    from okrgate.commands.record import opened
    from okrgate.database import transaction

    migrations.upgrade(url)
    with opened(url):
        head = service.head()
        if head != (manifest.audit_seq, manifest.audit_hash):
            raise Unfit(
                f"The record ends with {head[0]}:{head[1]}, not with {manifest.head}. Nothing was changed."
            )
        count, breaks = chain.verify()
        if breaks:
            raise Unfit(
                f"The record is broken at row {breaks[0].seq}: it {breaks[0].what}. Nothing was changed."
            )
        click.echo(f"{count} rows of the record were checked.")
        with transaction() as session:
            # Who signed out or was shown the door since then must not be in again.
            session.execute(
                update(SignInSession)
                .where(SignInSession.ended_at.is_(None))
                .values(ended_at=clock.now())
            )


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """Yield a folder for us alone that is gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".okrgate-", dir=folder) as name:
        yield Path(name)


def _now() -> str:
    from okrgate import clock

    return clock.now().isoformat(timespec="seconds")
