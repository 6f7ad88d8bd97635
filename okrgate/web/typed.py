"""What somebody typed into a form that could not be taken: it goes along to the page that says so."""

from flask import request

_MOST = 200_000
_SECRETS = ("password", "current", "csrf")


def typed(*, never: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return the fields of the form that was sent, without secrets; nothing when it is too much for a page."""
    unwanted = (*_SECRETS, *never)
    fields = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if not any(word in name.lower() for word in unwanted)
    ]
    return fields if sum(len(value) for _name, value in fields) <= _MOST else []
