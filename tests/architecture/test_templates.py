"""What the strict content policy and the house style ask of every page's template."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
PAGES = [path for path in sorted(TEMPLATES.rglob("*.html")) if "email" not in path.parts]
PARSER = Environment(autoescape=True)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_INLINE = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*="),
    "a style element": re.compile(r"<style[\s>]"),
    "a script in the page": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>"),
    "an on… attribute": re.compile(r"<[^>]*\son[a-z]+\s*="),
    "hx-on": re.compile(r"\shx-on"),
    "a js: value": re.compile(r"[\"'](?:js|javascript):"),
}
_ICON = re.compile(r"""(?:\b(?:icon|glyph)\(|\bicon=|"icon":\s*)"([a-z0-9-]+)\"""")


def _markup(path: Path) -> str:
    return _COMMENT.sub("", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_a_page_holds_nothing_the_content_policy_forbids(path: Path) -> None:
    markup = _markup(path)

    assert [name for name, pattern in _INLINE.items() if pattern.search(markup)] == []


def test_every_icon_that_is_named_exists() -> None:
    drawn = set(
        re.findall(
            r'<symbol id="([a-z0-9-]+)"', (ROOT / "static/icons/sprite.svg").read_text("utf-8")
        )
    )
    named = {name for path in PAGES for name in _ICON.findall(_markup(path))}
    menu = (ROOT / "okrgate/web/navigation.py").read_text(encoding="utf-8")
    named |= set(re.findall(r'\("[a-z_]+\.[a-z_]+", "[^"]+", "([a-z0-9-]+)"', menu))

    assert named - drawn == set()
    assert len(named) > 10


def test_only_macros_write_htmx_attributes() -> None:
    pages = [path for path in PAGES if "components" not in path.parts]

    assert [path.name for path in pages if re.search(r"\s(?:data-)?hx-[a-z]+", _markup(path))] == []


def _macros(name: str) -> dict[str, list[str]]:
    tree = PARSER.parse((TEMPLATES / name).read_text(encoding="utf-8"))
    return {
        macro.name: [argument.name for argument in macro.args]
        for macro in tree.find_all(nodes.Macro)
    }


def _misfits(path: Path) -> list[str]:
    tree = PARSER.parse(path.read_text(encoding="utf-8"))
    imported = {
        one.target: _macros(one.template.value)
        for one in tree.find_all(nodes.Import)
        if isinstance(one.template, nodes.Const)
    }
    wrong = []
    for call in tree.find_all(nodes.Call):
        asked = call.node
        if not (isinstance(asked, nodes.Getattr) and isinstance(asked.node, nodes.Name)):
            continue
        if asked.node.name in imported:
            known = imported[asked.node.name].get(asked.attr)
            if (
                known is None
                or len(call.args) > len(known)
                or {one.key for one in call.kwargs} - set(known)
            ):
                wrong.append(f"{path.name}:{call.lineno} {asked.node.name}.{asked.attr}")
    return wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_a_macro_is_called_with_what_it_takes(path: Path) -> None:
    assert _misfits(path) == []
