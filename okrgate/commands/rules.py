"""`okrgate rules …`: the judge's own commands need nothing; publishing needs the database."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from okrgate.commands import surroundings
from okrgate.errors import NotFound
from okrgate.gates.commands import loaded, rules, text_of

if TYPE_CHECKING:
    from okrgate.stages.impact_report import Impact

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@rules.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--note", default="", help="What changed, for those who read the list of versions.")
@click.option(
    "--in-flight",
    type=click.Choice(["keep", "migrate"]),
    help="Whether open projects keep their rules or move to these. Default: what FILE says.",
)
def publish(file: Path, note: str, in_flight: str | None) -> None:
    """Check FILE and make it the version that binds new projects from now on.

    At once, and nobody is asked for approval: this is for whoever runs the installation. Everybody concerned is told.
    """
    from okrgate.gates.language import RulebookError
    from okrgate.workshop.publishing import filed, rollouts

    text = file.read_text(encoding="utf-8")
    with surroundings.application():
        if filed.source() is not None:
            raise click.ClickException(
                "OKRGATE_RULES names the file that the rules come from: change that one."
            )
        try:
            version = rollouts.publish_now(text, by=None, note=note, in_flight=in_flight or "")
        except RulebookError as error:
            for problem in error.problems:
                click.echo(f"{file}:{problem}", err=True)
            raise click.ClickException("The file was not published.") from error
        click.echo(f"Published as version {version.number}.")


@rules.command("map")
@click.argument("file", type=_FILE)
def draw_map(file: Path) -> None:
    """Print the map of FILE's process as an SVG picture."""
    from okrgate.rulebooks.mapping import as_svg

    click.echo(as_svg(loaded(file)), nl=False)


@rules.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Say in words what changes from OLD to NEW, each with a project that shows it. Exit 1 if one cannot be read."""
    from okrgate.workshop import meaning

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


@rules.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--most", default=100, help="How many projects to name; all are counted.")
def impact(file: Path, as_json: bool, most: int) -> None:
    """Say what FILE would do to the projects of its process, if they lived under it. Changes nothing."""
    from okrgate.rulebooks import service as rulebooks
    from okrgate.stages import impact as impacts
    from okrgate.workshop import checking

    key, text = loaded(file).id, text_of(file)
    with surroundings.application():
        try:
            rulebooks.newest(key)
        except NotFound:
            raise click.ClickException(f"There is no process {key} yet.") from None
        if not checking.is_readable(key, text):
            raise click.ClickException("Only rules with “vocabulary: application” bind projects.")
        found = impacts.of(key, text, reader=None, most=max(0, most))
    if found.problem:
        raise click.ClickException(found.problem)
    click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2) if as_json else told(found))


def told(found: "Impact") -> str:
    """Return an impact in lines: the counts, then each project by name."""
    lines = list(found.sentences)
    for one in found.affected:
        lines.append(f"{one.reference} {one.title} ({one.stage}, {one.lead}): {one.label}")
        lines += [f"  lacks: {each}" for each in one.asked]
        lines += [f"  no longer asked: {each}" for each in one.dropped]
        lines += [
            f"  sign-off needed at {need.gate}: {need.count} of {need.roles}, "
            f"from {', '.join(need.holders) or 'nobody'}"
            for need in one.needed
        ]
        lines += [f"  {one.problem}"] if one.problem else []
    if found.older is not None:
        lines.append("… and more")
    return "\n".join(lines)
