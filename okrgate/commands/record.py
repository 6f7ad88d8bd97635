"""`okrgate audit`: check the record from outside the application.

Only the database is opened, so that the check works whatever state the rest is in.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from flask import Flask

from okrgate.config import Settings
from okrgate.database import db, prepare_engine

_HEAD = re.compile(r"([0-9]{1,12}):([0-9a-f]{64})")


@click.group()
def audit() -> None:
    """Verify and export the audit record."""


@audit.command()
@click.option(
    "--expect",
    "--checkpoint",
    "expect",
    multiple=True,
    metavar="NUMBER:HASH",
    help="What a mail to auditors or `okrgate audit head` said before; as many as you have. Without one, rows cut off at "
    "the end and a record that was written anew go unnoticed.",
)
def verify(expect: tuple[str, ...]) -> None:
    """Check that nothing in the record, no receipt and nothing that was signed was changed. Exits with 1 if something was."""
    from okrgate.evidence.walking import walk

    expected = [_read_head(one) for one in expect]
    with opened():
        found = walk(*expected)
    if not found.problems:
        click.echo(f"{found.rows} rows, unbroken. {found.receipts} receipts, as they were written.")
        return
    for problem in found.problems:
        click.echo(problem)
    count = len(found.problems)
    said = "1 place no longer holds" if count == 1 else f"{count} places no longer hold"
    click.echo(f"{found.rows} rows, {said}.", err=True)
    raise click.exceptions.Exit(1)


@audit.command()
def head() -> None:
    """Print number and hash of the newest row, to be kept elsewhere."""
    from okrgate.audit import service

    with opened():
        number, digest = service.head()
    click.echo(f"{number}:{digest}")


@audit.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "--project", metavar="REFERENCE", help="Only this project; other rows as hashes alone."
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day (UTC) on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only before this day (UTC).")
def export(file: str, project: str | None, since: datetime | None, until: datetime | None) -> None:
    """Write the record to FILE; the export is itself recorded.

    A name that ends with .zip gets all that proves it, with the program that checks it anywhere (verify.py). Any other,
    or "-" for standard output, gets the whole record as a table (CSV).
    """
    as_zip = file.lower().endswith(".zip")
    if not as_zip and (project or since or until):
        raise click.UsageError("Only a file that ends with .zip can hold a part of the record.")
    with opened():
        pieces = _as_zip(project, since, until) if as_zip else _as_table()
        with click.open_file(file, "wb") as out:
            for piece in pieces:
                out.write(piece)


def _as_zip(
    reference: str | None, since: datetime | None, until: datetime | None
) -> Iterator[bytes]:
    from okrgate.audit import service
    from okrgate.database import transaction
    from okrgate.evidence.exporting import Scope, stream
    from okrgate.projects import service as projects

    found = projects.id_named(reference) if reference else None
    if reference and found is None:
        raise click.BadParameter(f"There is no project {reference}.")
    start, end = (one.replace(tzinfo=UTC) if one else None for one in (since, until))
    scope = Scope(found, start, end)
    with transaction():
        service.record(
            "audit.exported", by=None, details={"to": "file", "with": "proof", **scope.said()}
        )
    return stream(scope)


def _as_table() -> Iterator[bytes]:
    from okrgate.audit import reading, service
    from okrgate.database import transaction
    from okrgate.web.exports import csv_lines

    with transaction():
        service.record("audit.exported", by=None, details={"to": "file"})
    rows = reading.table(service.stream(service.Filter()))
    return (line.encode() for line in csv_lines(reading.HEADER, rows))


def _read_head(text: str) -> tuple[int, str]:
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter("It looks like 120:4f…, as `okrgate audit head` prints it.")
    return int(found[1]), found[2]


@contextmanager
def opened(url: str | None = None) -> Iterator[None]:
    """Stand before a database (the configured one) with nothing else of the application."""
    app = Flask("okrgate")
    app.config["SQLALCHEMY_DATABASE_URI"] = url or Settings.from_environment().database_url
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()
