"""Look after an installation: its tables, its first administrator."""

import click

from okrgate.commands import surroundings


@click.command()
@click.option(
    "--autogenerate",
    "message",
    default=None,
    hidden=True,
    help="Write the next migration (developers).",
)
def migrate(message: str | None) -> None:
    """Bring the database to this version's tables."""
    from okrgate import migrations

    settings = surroundings.settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if message is not None:
        import okrgate.app  # noqa: F401 every room's tables must be known

        click.echo(migrations.autogenerate(message, settings.database_url))
        return
    migrations.upgrade(settings.database_url)
    click.echo("The database is up to date.")


@click.command("first-admin")
@click.argument("email")
@click.argument("name")
def first_admin(email: str, name: str) -> None:
    """Print a link with which EMAIL becomes the first administrator. It works once."""
    from okrgate.accounts import service as accounts

    with surroundings.application():
        link = accounts.first_admin_link(email=email, name=name)
    click.echo(link)
