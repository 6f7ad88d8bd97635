"""Look after an installation: its tables, its first administrator."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from okrgate.commands import surroundings

if TYPE_CHECKING:
    from okrgate.config import Settings


@click.command()
@click.option(
    "--autogenerate",
    "message",
    default=None,
    hidden=True,
    help="Write the next migration (developers).",
)
def migrate(message: str | None) -> None:
    """Bring the database to this version's tables; publish the first rulebook where there is none."""
    from okrgate import migrations

    settings = surroundings.settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if message is not None:
        import okrgate.app  # noqa: F401 every room's tables must be known

        click.echo(migrations.autogenerate(message, settings.database_url))
        return
    prepare(settings)
    click.echo("The database is up to date.")


def prepare(settings: "Settings") -> None:
    """Make a database ready to serve: its tables, and rules to begin with."""
    from okrgate import migrations
    from okrgate.rulebooks import service as rulebooks
    from okrgate.watching import filesystems

    filesystems.check(settings)
    migrations.upgrade(settings.database_url)
    with surroundings.application(settings):
        if settings.rules_source is not None:
            _follow(settings.rules_source)
            return
        first = rulebooks.publish_first(settings.rules_file.read_text(encoding="utf-8"))
    if first is not None:
        click.echo(f"Published {settings.rules_file.name}: it binds new projects from now on.")


def _follow(file: Path) -> None:
    """Put the rules of a file in force. Without any rules yet there is no start; with some the old ones stay."""
    from okrgate.rulebooks import service as rulebooks
    from okrgate.workshop.publishing import filed

    wrong = filed.follow()
    if not wrong:
        return
    if not rulebooks.binding():
        raise click.ClickException(f"OKRGATE_RULES: {wrong}")
    click.echo(f"{file.name} was not put in force, the rules that bind stay: {wrong}", err=True)


@click.command()
def reindex() -> None:
    """Compare the words by which projects are found with their texts, and mend what differs."""
    from okrgate.projects import search

    with surroundings.application():
        looked_at = search.rebuild()
    click.echo(f"The words of {looked_at} projects are right.")


@click.command("first-admin")
@click.argument("email")
@click.argument("name")
def first_admin(email: str, name: str) -> None:
    """Print a link with which EMAIL becomes the first administrator. It works once."""
    from okrgate.accounts import service as accounts

    with surroundings.application():
        link = accounts.first_admin_link(email=email, name=name)
    click.echo(link)
