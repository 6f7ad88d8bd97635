"""Small things that every view needs to answer."""

from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import FieldList, FormField, HiddenField, RadioField

from okrgate.web.keys import whole


def me() -> int:
    """Return the id of whoever is signed in."""
    return int(current_user.id)


def done(sentence: str, to: str, *, tone: str = "success") -> ResponseReturnValue:
    """Say what was done, and go to a page of ours (303: a reload does not post again)."""
    flash(sentence, tone)
    return redirect(to, 303)


def remove_row(rows: FieldList, name: str) -> None:
    """Take the row out that a "Remove" button names: `<list>-<place>`."""
    place = whole(name.rpartition("-")[2])
    if place is not None and place < len(rows.entries):
        del rows.entries[place]


def first_control(field: Any) -> str:
    """Return the id of the first thing in a field, or in a row of fields, that takes the focus."""
    if isinstance(field, FormField):
        inner = [one for one in field.form if not isinstance(one, HiddenField)]
        return first_control(inner[0]) if inner else ""
    return f"{field.id}-0" if isinstance(field, RadioField) else str(field.id)


def safe_next(default_endpoint: str) -> str:
    """Return the page asked for in `next`, if it is a path on this site; else the default."""
    wanted = request.values.get("next", "")
    return wanted if is_own_path(wanted) else url_for(default_endpoint)


def is_own_path(path: str) -> bool:
    """Tell whether a text is a path on this site and nothing a browser could read otherwise."""
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        return False
    if "\\" in path or any(ord(character) < 33 or ord(character) == 127 for character in path):
        return False
    parts = urlsplit(path)
    return not parts.scheme and not parts.netloc
