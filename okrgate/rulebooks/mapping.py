"""The map of a process as a picture of its own, for documents: the same that pages show."""

import re

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from okrgate.config import resources
from okrgate.gates.model import Rulebook
from okrgate.rulebooks.drawing import draw

_LIGHT = {
    "paper": "#ffffff", "ink": "#182433", "quiet": "#4a5a6a", "line": "#6c7a89",
    "accent": "#1d4fd8", "tint": "#e8eefc",
}  # fmt: skip
_DARK = {
    "paper": "#1b2430", "ink": "#e8edf3", "quiet": "#b0bcc8", "line": "#8595a5",
    "accent": "#8fb0ff", "tint": "#22345c",
}  # fmt: skip
_LOOKS = """\
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.map-stage, .map-gate-word { font-weight: 600; }
.map-exit, .map-move { font-size: 12px; fill: var(--quiet); }
.map-box { fill: var(--paper); stroke: var(--line); }
.map-box-start, .map-box-end { fill: var(--tint); stroke: var(--accent); }
.map-line, .map-return { fill: none; stroke: var(--line); stroke-width: 1.5; }
.map-return { stroke-dasharray: 4 3; }
.map-tip { fill: var(--line); }
.map-gate { fill: var(--accent); }
"""


def as_svg(rulebook: Rulebook) -> str:
    """Return the map of a rulebook as one SVG file, light or dark as its reader's screen is."""
    environment = Environment(
        loader=FileSystemLoader(resources() / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    macros: object = environment.get_template("components/process_map.html").module
    drawn = str(macros.process_map(draw(rulebook), f"The way through {rulebook.title}"))  # type: ignore[attr-defined] # a template's macros
    looks = f"<style>:root {{ {_tokens(_LIGHT)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(_DARK)} }} }}\n{_LOOKS}</style>"
    lines = (line.strip() for line in drawn.strip().splitlines())
    body = "\n".join(line for line in lines if line)
    return re.sub(r"(<svg[^>]*>)", lambda found: f"{found[1]}\n{looks}", body, count=1) + "\n"


def _tokens(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
