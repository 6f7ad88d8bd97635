"""What the documents name is there: files, pictures, commands, pages."""

import re
import struct
from pathlib import Path

import click
import pytest
from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from okrgate.commands import main

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "rules").glob("*.md")]
)
IMAGES = sorted((ROOT / "docs" / "images").glob("*.png"))
MOST_BYTES = 2_500_000
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
_COMMAND = re.compile(r"(?:^|`)okrgate ([a-z][a-z -]*)", re.MULTILINE)
_PAGE = re.compile(r"`(/[a-z][a-z/-]*)`")


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_links_and_pictures_are_there(document: Path) -> None:
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (document.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_commands_exist(document: Path) -> None:
    for code in _CODE.findall(document.read_text(encoding="utf-8")):
        for words in _COMMAND.findall(code):
            _follow(words.split())


def _follow(words: list[str]) -> None:
    found: click.Command = main
    for word in words:
        if not isinstance(found, click.Group):
            return
        named = found.get_command(click.Context(found), word)
        assert named is not None, f"okrgate {' '.join(words)}"
        found = named


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_pages_exist(document: Path, app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for path in _PAGE.findall(document.read_text(encoding="utf-8")):
        try:
            adapter.match(path)
        except RequestRedirect:
            continue
        except NotFound:
            pytest.fail(f"{path} is no page")


def test_every_picture_is_shown_and_all_are_small() -> None:
    shown = {
        (document.parent / target).resolve()
        for document in DOCUMENTS
        for target in _LINK.findall(document.read_text(encoding="utf-8"))
        if target.endswith(".png")
    }
    assert shown == set(IMAGES)
    assert sum(image.stat().st_size for image in IMAGES) < MOST_BYTES


@pytest.mark.parametrize("image", IMAGES, ids=_id)
def test_pictures_are_no_wider_than_a_screen(image: Path) -> None:
    width, _height = struct.unpack(">II", image.read_bytes()[16:24])
    assert width <= 1280
