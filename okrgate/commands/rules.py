"""`okrgate rules …`: the judge's own commands need nothing; publishing needs the database."""

from pathlib import Path

import click

from okrgate.commands import surroundings
from okrgate.gates.commands import rules


@rules.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--note", default="", help="What changed, for those who read the list of versions.")
def publish(file: Path, note: str) -> None:
    """Check FILE and make it the version that binds new projects from now on."""
    from okrgate.gates.language import RulebookError
    from okrgate.rulebooks import service as rulebooks

    text = file.read_text(encoding="utf-8")
    with surroundings.application():
        try:
            version = rulebooks.publish(text, by=None, note=note)
        except RulebookError as error:
            for problem in error.problems:
                click.echo(f"{file}:{problem}", err=True)
            raise click.ClickException("The file was not published.") from error
        click.echo(f"Published as version {version.number}.")
