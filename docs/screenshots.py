"""Take the pictures of the guide anew, out of the demo: `make screenshots`.

It starts the demo with a data folder of its own on a free port, signs in as its people, and writes what the guide shows
into docs/images/. With `--at` it looks at a demo that runs already.
"""

import argparse
import contextlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, Page, sync_playwright

from okrgate.accounts.passwords import DEMO_PASSWORD

IMAGES = Path(__file__).parent / "images"
WIDE, TALL = 1280, 800
PHONE = 375
LONGEST_START = 900
MOST = 2_500_000
TABLE = "Idea;Begun;Problem\nOne address for every question;2026-02-02;Nobody knows whom to ask.\n"


@dataclass(frozen=True)
class Picture:
    """One picture: who looks, how to get there, and how much of the page it holds."""

    name: str
    who: str
    go: Callable[[Page], None]
    width: int = WIDE
    height: int = TALL
    only: str = ""


def at(path: str) -> Callable[[Page], None]:
    """Open one address."""

    def go(page: Page) -> None:
        _open(page, path)

    return go


def project(title: str, *links: str, more: str = "") -> Callable[[Page], None]:
    """Find a project by its title, then follow links by their words, or open what lies below its address."""

    def go(page: Page) -> None:
        _open(page, "/projects?state=all&q=" + title.replace(" ", "+"))
        page.locator("main table tbody").get_by_role("link", name=title).first.click()
        if more:
            _open(page, page.url.split("#")[0] + more)
        for words in links:
            page.locator("main").get_by_role("link", name=words).first.click()

    return go


def card(page: Page) -> None:
    """Open the first decision that waits."""
    _open(page, "/approvals")
    page.locator("main a[href*='/approvals/']").first.click()


def comment(page: Page) -> None:
    """Say something to somebody."""
    project("A first report on day one", more="/comments")(page)
    page.get_by_label("Your comment").fill(
        '@"Ines Moreau" can this be read each week, not each month?'
    )


def mistake(page: Page) -> None:
    """Put a mistake into the rules and have them checked."""
    _open(page, "/rules")
    page.get_by_role("link", name="Edit").first.click()
    text = page.locator("main textarea").first
    text.fill(text.input_value().replace("problem_min: 80", "problem_mn: 80", 1))
    page.get_by_role("button", name="Check", exact=True).click()


def columns(page: Page) -> None:
    """Bring a small table and look at its columns."""
    _open(page, "/admin/imports")
    page.locator("input[type=file]").set_input_files(
        {"name": "ideas.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    )
    page.get_by_role("button", name="Look at the file").click()


def requirement(page: Page) -> None:
    """Open a requirement of the plan."""
    _open(page, "/rules/okr_delivery/rows")
    page.get_by_role("link", name="Say how much work it is", exact=True).click()


def new_stage(page: Page) -> None:
    """Begin to put a stage between planning and the final approval."""
    _open(page, "/rules/okr_delivery/rows/process/add-stage")
    page.get_by_role("link", name="After Planning, before Final approval").click()
    page.get_by_label("What is the stage called?").fill("Security review")


def try_approval(page: Page) -> None:
    """Try the final approval on the example project."""
    _open(page, "/rules/okr_delivery/try?from=fixture:planned")
    page.get_by_label("Move", exact=True).select_option(label="Approve")
    page.get_by_role("button", name="Show").click()


def review(page: Page) -> None:
    """Ask for longer problems, look at what that changes, and throw it away."""
    _open(page, "/rules/okr_delivery/numbers")
    page.locator("table input").first.fill("60000.00")
    page.get_by_role("button", name="Save into the draft").click()
    _open(page, "/rules/okr_delivery/review")


PICTURES = [
    Picture("project", "chiara", project("A shorter form"), height=900),
    Picture("check", "chiara", project("A shorter form", more="/check")),
    Picture("form", "sven", project("A status page", "Target metrics", "Change")),
    Picture("comments", "chiara", comment, height=720),
    Picture("my-work", "chiara", at("/")),
    Picture("card", "greta", card, height=900),
    Picture("card-phone", "greta", card, width=PHONE, height=760),
    Picture("confirm", "ines", at("/measurement/confirmations"), height=640),
    Picture("change", "mei", project("Import from a spreadsheet", "Changes of what was signed")),
    Picture("reading", "sven", project("Answers before questions", "Checkpoint readings")),
    Picture("people", "mei", project("Import from a spreadsheet", more="/people"), height=640),
    Picture("park", "petra", project("Import from a spreadsheet", "Put on hold"), height=720),
    Picture("projects", "petra", at("/projects")),
    Picture("board", "petra", at("/projects/board")),
    Picture("overview", "omar", at("/overview"), height=900),
    Picture("admin", "ada", at("/admin"), height=720),
    Picture("rules-check", "ada", mistake),
    Picture("rules-rows", "ada", at("/rules/okr_delivery/rows"), height=760),
    Picture("rules-requirement", "ada", requirement, height=900),
    Picture("rules-stage", "ada", new_stage, height=900),
    Picture("rules-try", "ada", try_approval, height=900),
    Picture("rules-tests", "ada", at("/rules/okr_delivery/tests"), height=640),
    Picture("rules-review", "ada", review, height=820),
    Picture("map", "ada", at("/rules/1"), height=1500, only="#map svg"),
    Picture("import", "ada", columns, height=720),
]


def main() -> None:
    """Take all pictures, or those that are named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", help="only these pictures")
    asked.add_argument("--at", default="", help="the address of a demo that runs already")
    wanted = asked.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        address = wanted.at or stack.enter_context(_demo())
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"),
            args=["--no-sandbox", "--hide-scrollbars", "--force-color-profile=srgb"],
        )
        for picture in PICTURES:
            if not wanted.names or picture.name in wanted.names:
                print(picture.name, _take(browser, address, picture) // 1000, "kB", flush=True)
        browser.close()
    total = sum(file.stat().st_size for file in IMAGES.glob("*.png"))
    print(f"{total // 1000} kB in all")
    if total > MOST:
        sys.exit(f"More than {MOST // 1000} kB: show less.")


def _take(browser: Browser, address: str, picture: Picture) -> int:
    context = browser.new_context(
        base_url=address,
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.add_cookies([{"name": "tour", "value": "ended", "url": address}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/sign-in")
    page.fill("input[name=email]", f"{picture.who}@northwind.example")
    page.fill("input[name=password]", DEMO_PASSWORD)
    page.locator("form:has(input[name=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    picture.go(page)
    page.wait_for_load_state("networkidle")
    file = IMAGES / f"{picture.name}.png"
    shot = page.locator(picture.only).screenshot() if picture.only else page.screenshot()
    file.write_bytes(_smaller(shot))
    context.close()
    return file.stat().st_size


def _open(page: Page, path: str) -> None:
    answer = page.goto(path)
    if answer is None or not answer.ok:
        sys.exit(f"{path} does not open.")


@contextlib.contextmanager
def _demo() -> Iterator[str]:
    port, mail = _free_port(), _free_port()
    okrgate = Path(sys.executable).with_name("okrgate")
    with tempfile.TemporaryDirectory() as folder:
        command = [okrgate, "demo", "--data", folder, "--port", str(port), "--mail-port", str(mail)]
        running = subprocess.Popen(command)  # noqa: S603 - our own command
        try:
            _wait_for(f"http://127.0.0.1:{port}", running)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urllib.request.urlopen(address + "/healthz", timeout=2):  # noqa: S310 - this machine
                return
        except (URLError, OSError):
            time.sleep(0.3)
    sys.exit("The demo did not start.")


def _smaller(png: bytes) -> bytes:
    """Return the same picture packed as tightly as zlib can."""
    out, data, place = [png[:8]], b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IDAT":
            data += body
            continue
        if kind == b"IEND":
            out.append(_chunk(b"IDAT", zlib.compress(zlib.decompress(data), 9)))
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IEND"):
            out.append(_chunk(kind, body))
    return b"".join(out)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


if __name__ == "__main__":
    main()
