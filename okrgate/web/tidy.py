"""Templates without their indentation: what a page is sent with is what it says."""

import re

from flask import Flask
from jinja2.ext import Extension

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


class Tidy(Extension):
    """Takes the indentation from HTML templates when they are read; what people typed is never touched.

    Lines stay lines, so that an error names the right one.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return a template's source with one space where its lines are indented: two words stay two."""
        if name is None or not name.endswith(".html"):
            return source
        return _INDENTATION.sub(" ", source)


def install(app: Flask) -> None:
    """Tidy every template of this application."""
    app.jinja_env.add_extension(Tidy)
