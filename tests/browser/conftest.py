"""A real browser before a real server that serves the demo's company."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from okrgate import clock
from okrgate.accounts.service import DEMO_PASSWORD
from okrgate.app import create_app
from okrgate.database import db
from okrgate.demo import seed
from tests.conftest import TEMPLATES, settings_for
from tests.machine import PATIENCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The first of them shows nothing anywhere, which is a third less to do.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
REQUIRED = os.environ.get("OKRGATE_REQUIRE_BROWSER") == "1"
_TELLING = 1200  # seconds; the whole story of a company is told meanwhile
_MILLISECONDS = PATIENCE * 1000
# What a page is asked for comes when it comes: only a page that hangs is a failure.
expect.set_options(timeout=_MILLISECONDS)

SignedIn = Callable[..., Page]


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tell the demo's story once, however many processes test; return the database's file."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    ready = shared / "demo.db"
    with _alone(shared / "demo.lock"):
        if not ready.exists():
            path = shared / "telling.db"
            app = create_app(settings_for(f"sqlite:///{path}", shared))
            with app.app_context():
                db.create_all()
                seed(app, lambda _line: None)
                db.session.remove()
                db.engine.dispose()
            path.rename(ready)
    return ready


@pytest.fixture
def address(demo_database: Path, tmp_path: Path) -> Iterator[str]:
    """Serve a copy of the demo; yield where."""
    copy = tmp_path / "okrgate.db"
    shutil.copy(demo_database, copy)
    with served(f"sqlite:///{copy}", tmp_path) as base:
        yield base


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the browser once. Where there is none, the tests are left out, unless it is required."""
    if CHROMIUM is None:
        if REQUIRED:
            pytest.fail("OKRGATE_REQUIRE_BROWSER is set, and there is no chromium.")
        pytest.skip("There is no chromium on this machine.")
    with sync_playwright() as playwright:
        # Its own memory need not fit into what a small machine shares out.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=_MILLISECONDS,
        )
        yield browser
        browser.close()


@pytest.fixture
def signed_in(chromium: Browser, address: str) -> Iterator[SignedIn]:
    """Return a way to sit down at a browser: `page = signed_in("greta", width=375)`."""
    contexts: list[BrowserContext] = []

    def sit_down(name: str, *, width: int = 1280, dark: bool = False, scripts: bool = True) -> Page:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            # A colour that is on its way to another is neither.
            reduced_motion="reduce",
        )
        contexts.append(context)
        be_patient(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("Mail address").fill(f"{name}@northwind.example")
        page.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        return page

    yield sit_down
    for context in contexts:
        context.close()


def be_patient(context: BrowserContext) -> None:
    """Let a browser wait as long as a busy machine takes."""
    context.set_default_timeout(_MILLISECONDS)


@contextmanager
def served(
    url: str,
    folder: Path,
    now: Callable[[], datetime] | None = None,
    prepare: Callable[[Flask], None] = lambda _app: None,
    host: str = "127.0.0.1",
) -> Iterator[str]:
    """Serve a database in threads of this process, at the time that `now` tells; yield where.

    `prepare` may change the application before it answers anybody. Passkeys need a `host` with a name: localhost.
    """
    server = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    base = f"http://{host}:{server.port}"
    app = create_app(replace(settings_for(url, folder), base_url=base))
    app.jinja_env.bytecode_cache = TEMPLATES
    prepare(app)
    server.app = _at_the_time(app, now) if now else app
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def _at_the_time(app: Flask, now: Callable[[], datetime]) -> "WSGIApplication":
    """Return the application as it answers at a moment that the test moves."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        with clock.moved_to(now()):
            return app(environ, start)

    return answer


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock file, so that one process works while the others wait."""
    deadline = time.monotonic() + _TELLING
    while True:
        try:
            path.touch(exist_ok=False)
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    try:
        yield
    finally:
        path.unlink()
