"""What somebody typed into a form that could not be taken: it goes along to the page that says so."""

import unicodedata

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

_MOST = 200_000
_SECRETS = ("password", "current", "csrf", "factor_")


def typed(*, never: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return the fields of the form that was sent, without secrets; nothing when it is too much for a page."""
    unwanted = (*_SECRETS, *never)
    try:
        sent = list(request.form.items(multi=True))
    except RequestEntityTooLarge:
        return []
    fields = [
        (name, value) for name, value in sent if not any(word in name.lower() for word in unwanted)
    ]
    return fields if sum(len(value) for _name, value in fields) <= _MOST else []


def words() -> list[tuple[str, str]]:
    """Return what somebody wrote, to be copied from a page that refuses it: texts, without signs nobody can see."""
    shown = [(_visible(name), _visible(value).strip()) for name, value in typed()]
    return [(name, value) for name, value in shown if any(letter.isspace() for letter in value)]


def _visible(text: str) -> str:
    return "".join(
        letter
        for letter in text.replace("\r\n", "\n")
        if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cs"}
    )
