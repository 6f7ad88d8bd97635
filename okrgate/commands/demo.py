"""A company to look at, in one command."""

import os
import secrets
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import click

from okrgate.commands import surroundings
from okrgate.commands.children import Children

_START_SECONDS = 60


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--mail-port", default=1025, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--data",
    "folder",
    default="var",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--no-serve", is_flag=True, help="Only prepare the data.")
def demo(port: int, mail_port: int, folder: Path, no_serve: bool) -> None:
    """Prepare a company with projects in every stage, and serve it on this machine."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(_environment(folder, port, mail_port))
    personas = _prepare()
    if no_serve:
        click.echo(f"The demo is prepared in {folder}.")
        return
    for wanted in (port, mail_port):
        _check_free(wanted)
    children = Children()
    # Ending us by a signal must end the children as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        children.start("demo-mail")
        children.start("worker")
        children.start("serve", "--port", str(port), "--no-migrate")
        _wait_until_up(port)
        _greet(port, personas)
        code = children.wait_for_any()
        raise click.ClickException(
            f"A part of the demo ended by itself (exit code {code}); see above."
        )
    except KeyboardInterrupt:
        click.echo("\nEnding the demo.")
    finally:
        children.end()


def _environment(folder: Path, port: int, mail_port: int) -> dict[str, str]:
    """Return the demo's own settings. Nothing of a real installation's is used: no mail can leave."""
    return {
        "OKRGATE_DEMO": "1",
        "OKRGATE_DATA": str(folder),
        "OKRGATE_DATABASE_URL": f"sqlite:///{folder}/okrgate.db",
        "OKRGATE_SECRET_FILE": str(_secret_file(folder)),
        "OKRGATE_BASE_URL": f"http://127.0.0.1:{port}",
        "OKRGATE_SMTP_HOST": "127.0.0.1",
        "OKRGATE_SMTP_PORT": str(mail_port),
        "OKRGATE_SMTP_USERNAME": "",
        "OKRGATE_SMTP_PASSWORD": "",
        "OKRGATE_SMTP_SECURITY": "none",
        "OKRGATE_LOG": "text",
    }


def _secret_file(folder: Path) -> Path:
    """Return the file with the demo's secret; make it the first time, for our eyes only."""
    path = folder / "secret"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
    return path


def _prepare() -> list[str]:
    """Migrate, publish the rules and tell the story; return one line for each persona."""
    from okrgate import migrations
    from okrgate.demo import seed

    settings = surroundings.settings()
    migrations.upgrade(settings.database_url)
    with surroundings.application(settings) as app:
        return seed(app, click.echo)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            raise click.ClickException(
                f"Port {port} is taken. Choose others with --port and --mail-port."
            ) from problem


def _wait_until_up(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise click.ClickException("The server did not start in time; see above.")


def _greet(port: int, personas: list[str]) -> None:
    click.echo(f"\n  okrgate is at http://127.0.0.1:{port}\n")
    for line in personas:
        click.echo(f"  {line}")
    click.echo(
        f"\n  Mail is caught and shown at http://127.0.0.1:{port}/demo/mail\n  Ctrl-C ends the demo.\n"
    )
