"""`okrgate rules …`: the judge's own commands need nothing; publishing needs the database."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from okrgate.commands import surroundings
from okrgate.gates.commands import loaded, rules

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


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


@rules.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Say in words what changes from OLD to NEW, each with a project that shows it. Exit 1 if one cannot be read."""
    from okrgate.rulebooks import meaning

    before, after = (loaded(file) for file in (old, new))
    told = meaning.compare(before.text, after.text)
    if told.problem:
        raise click.ClickException(told.problem)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in told.changes], ensure_ascii=False, indent=2))
        return
    for kind, changes in told.groups:
        click.echo(f"{kind}:")
        for one in changes:
            word = "" if one.direction == "other" else f"{one.direction}: "
            where = f" [{one.where}]" if one.where else ""
            click.echo(f"  {word}{one.sentence}{where}")
            for example in one.examples:
                click.echo(f"    {example}")
    click.echo(f"{told.stricter} stricter, {told.looser} looser, {told.other} other", err=True)
