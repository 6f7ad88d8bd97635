"""What was copied in is what its makers published, and no page asks another host for anything."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
_REMOTE = re.compile(
    r"""(?:src|href|action|srcset|poster|data)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?\s*(?:https?:)?//|@import"""
)


def _listed() -> dict[str, str]:
    lines = (VENDOR / "HASHES.txt").read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def _stored() -> set[str]:
    return {
        path.relative_to(VENDOR).as_posix()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "HASHES.txt"
    }


def test_every_vendored_file_is_listed_and_every_listed_file_is_there() -> None:
    assert set(_listed()) == _stored()


@pytest.mark.parametrize("path", sorted(_listed()))
def test_a_vendored_file_is_the_one_that_was_listed(path: str) -> None:
    digest = hashlib.sha256((VENDOR / path).read_bytes()).hexdigest()

    assert digest == _listed()[path]


@pytest.mark.parametrize("folder", sorted({path.split("/", 1)[0] for path in _listed()}))
def test_a_vendored_package_brings_its_licence(folder: str) -> None:
    assert (VENDOR / folder / "LICENSE").is_file()


@pytest.mark.parametrize(
    "path",
    [
        *(
            path
            for path in sorted((ROOT / "templates").rglob("*.html"))
            if "email" not in path.parts
        ),
        *sorted((ROOT / "static").rglob("*.css")),
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_page_and_no_style_asks_another_host(path: Path) -> None:
    assert _REMOTE.findall(path.read_text(encoding="utf-8")) == []
