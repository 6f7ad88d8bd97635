"""`okrgate import FILE --map MAP`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from okrgate.imports.mapping import BadMap, load_map
from okrgate.imports.reading import Unreadable, read_table
from okrgate.imports.service import adopt


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "map_file",
    required=True,
    type=click.Path(path_type=Path),
    help="How columns become fields.",
)
@click.option(
    "--by", "email", required=True, help="Your address: the administrator who answers for this."
)
@click.option(
    "--reason", required=True, help="Why these projects are taken over; it is kept in the audit."
)
@click.pass_obj
def import_projects(
    application: Callable[[], AbstractContextManager[object]],
    file: Path,
    map_file: Path,
    email: str,
    reason: str,
) -> None:
    """Take projects over from a delimited file. A second run brings in only what is new."""
    from okrgate.accounts import directory

    try:
        mapping = load_map(map_file)
        table = read_table(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
        with application():
            person = directory.by_email(email)
            if person is None:
                raise click.ClickException(f"There is nobody with the address {email}.")
            report = adopt(table, mapping, by=person, reason=reason)
    except (BadMap, Unreadable) as problem:
        raise click.ClickException(str(problem)) from problem
    for one in report.refused:
        where = f" in “{one.column}”" if one.column else ""
        click.echo(f"{file}: row {one.line}{where}: {one.sentence}")
    click.echo(
        f"{len(report.adopted)} adopted, {len(report.known)} known already, {report.refused_rows} refused"
    )
    if report.refused:
        raise SystemExit(1)
