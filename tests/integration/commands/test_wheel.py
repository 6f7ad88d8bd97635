"""The wheel, installed somewhere else and started from another folder: somebody signs in."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.integration.commands.hosts import Browser, started, wait_until
from tests.machine import free_port

CHECKOUT = Path(__file__).resolve().parents[3]
PARTS = (
    "okrgate",
    "templates",
    "static",
    "rules",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
)
PASSWORD = "a long enough pass phrase 7"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the wheel out of a copy: a build leaves traces where it is made."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in PARTS:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    folder = tmp_path_factory.mktemp("wheel")
    _run("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, copy)
    (found,) = folder.glob("okrgate-*.whl")
    yield found
    shutil.rmtree(copy)


def _run(*arguments: str | Path, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603 our own interpreter, no shell
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_all_that_is_shown_and_judged_by(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    for folder in ("templates", "static", "rules"):
        wanted = {
            f"okrgate/resources/{path.relative_to(CHECKOUT)}"
            for path in (CHECKOUT / folder).rglob("*")
            if path.is_file()
        }
        assert wanted <= names, sorted(wanted - names)[:5]
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"okrgate"}
    assert not [name for name in names if name.endswith((".pyc", ".db"))]


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_somebody_signs_in_where_it_was_installed(wheel: Path, tmp_path: Path) -> None:
    installed, elsewhere, port = tmp_path / "installed", tmp_path / "elsewhere", free_port()
    _run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", installed, wheel)
    elsewhere.mkdir()
    environment = {
        "PYTHONPATH": str(installed),
        "PYTHONSAFEPATH": "1",
        "OKRGATE_DATA": str(elsewhere / "data"),
        "OKRGATE_SECRET_KEY": SECRET,
        "OKRGATE_BASE_URL": f"http://127.0.0.1:{port}",
    }
    place = _run("-c", "import okrgate.config as c; print(c.resources())", **environment).strip()
    assert Path(place) == installed / "okrgate" / "resources"
    with started(environment, "serve", "--port", str(port), folder=elsewhere):
        browser = Browser(port, f"127.0.0.1:{port}")
        wait_until(lambda: browser.up("/readyz"))
        said = _run(
            "-m", "okrgate.commands", "first-admin", "ada@example.com", "Ada", **environment
        )
        path = said.strip().partition(f":{port}")[2]
        assert browser.post(path, {"password": PASSWORD})[0] == 303
        assert "Ada" in browser.get("/")[1]

        other = Browser(port, f"127.0.0.1:{port}")
        assert other.get("/admin")[0] == 303
        entered = {"email": "ada@example.com", "password": PASSWORD}
        status, page = other.post("/sign-in", entered)
        assert status == 303, page
        status, page = other.get("/admin")
        assert status == 200
        assert "version 1" in page, "the shipped rules were not found"
        for address in re.findall(r'(?:href|src)="(/static/[^"#]+)', page):
            assert other.get(address)[0] == 200, address
