"""Serve pages, send mail, catch mail."""

import gc
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from typing import TYPE_CHECKING

import click

from okrgate.commands import surroundings, upkeep

if TYPE_CHECKING:
    from flask import Flask

    from okrgate.config import Settings


def build() -> "Flask":
    """Build the application in a server's own process."""
    gc.disable()
    from okrgate.app import create_app
    from okrgate.watching import watchman

    app = create_app(surroundings.settings())
    watchman.start(app)
    _keep()
    return app


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; at most one a core.",
)
@click.option("--no-migrate", is_flag=True, help="Leave the database's tables as they are.")
@click.option(
    "--with-mail-catcher",
    is_flag=True,
    help="Keep mail in a folder instead of sending it (demo only).",
)
def serve(host: str, port: int, workers: int, no_migrate: bool, with_mail_catcher: bool) -> None:
    """Serve the pages. Needs `okrgate worker` beside it, which sends the mail."""
    gc.disable()
    from granian import Granian
    from granian.constants import Interfaces

    settings = surroundings.settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    figures = _folder_for_figures(settings, workers)
    if not no_migrate:
        upkeep.prepare(settings)
    catcher = None
    if with_mail_catcher:
        from okrgate.commands.children import Children

        catcher = Children()
        catcher.start("demo-mail")
    server = Granian(
        "okrgate.commands.serving:build",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=1,
        backpressure=64,
        workers_kill_timeout=20,
        respawn_failed_workers=True,
        factory=True,
        websockets=False,
    )
    _load()
    try:
        server.serve()
    finally:
        if catcher is not None:
            catcher.end()
        if figures is not None:
            shutil.rmtree(figures, ignore_errors=True)


def _load() -> None:
    """Load the code before the serving processes part from this one: once for all, in memory that they share."""
    if multiprocessing.get_start_method() != "fork":
        gc.enable()
        return
    from sqlalchemy.orm import configure_mappers

    import okrgate.app  # noqa: F401

    configure_mappers()
    _keep()


def _keep() -> None:
    """Look for rubbish from now on, but never among what was loaded: it stays, and its pages stay shared."""
    gc.freeze()
    gc.enable()


def _folder_for_figures(settings: "Settings", workers: int) -> str | None:
    """Let several processes count together, each in a file of its own. Must be said before anything counts."""
    if not settings.metrics_token or workers == 1:
        return None
    folder = tempfile.mkdtemp(prefix="okrgate-figures-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    return folder


@click.command()
def worker() -> None:
    """Send mail and do what is due each minute and each day. Any number may run, on any number of hosts."""
    from okrgate.notifications import worker as notifications_worker

    with surroundings.application() as app:
        notifications_worker.run(app)


@click.command("demo-mail")
def demo_mail() -> None:
    """Catch mail at the configured mail server's address and keep it in a folder. For the demo."""
    from okrgate.notifications import catcher

    settings = surroundings.settings()
    controller = catcher.start(settings.data_dir, host=settings.mail.host, port=settings.mail.port)
    click.echo(
        f"Catching mail on {settings.mail.host}:{settings.mail.port} in {catcher.folder_in(settings.data_dir)}"
    )
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    over.wait()
    controller.stop()
