"""`okrgate audit`: check the record from outside the application.

Only the database is opened, so that the check works whatever state the rest is in.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

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
    metavar="NUMBER:HASH",
    help="What `okrgate audit head` said before. Without it, rows cut off at the end go unnoticed.",
)
def verify(expect: str | None) -> None:
    """Check that nothing in the record was changed, removed or slipped in. Exits with 1 if something was."""
    from okrgate.audit import chain

    expected = _read_head(expect)
    with opened():
        count, breaks = chain.verify(expected)
    if not breaks:
        click.echo(f"{count} rows, unbroken.")
        return
    for broken in breaks:
        click.echo(f"row {broken.seq}: {broken.what}")
    click.echo(f"{count} rows, broken in {len(breaks)} places.", err=True)
    raise click.exceptions.Exit(1)


@audit.command()
def head() -> None:
    """Print number and hash of the newest row, to be kept elsewhere."""
    from okrgate.audit import service

    with opened():
        number, digest = service.head()
    click.echo(f"{number}:{digest}")


@audit.command()
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True))
def export(file: TextIO) -> None:
    """Write the whole record to FILE as CSV ("-" for standard output). The export is itself recorded."""
    from okrgate.audit import reading, service
    from okrgate.database import transaction
    from okrgate.web.exports import csv_lines

    with opened():
        with transaction():
            service.record("audit.exported", by=None, details={"to": "file"})
        rows = reading.table(service.stream(service.Filter()))
        for line in csv_lines(reading.HEADER, rows):
            file.write(line)


def _read_head(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
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
