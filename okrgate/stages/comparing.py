"""Two people on one page: which answers differ, who changed which, and how what they chose comes together."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FieldList, FormField, HiddenField, SelectFieldBase

from okrgate.web.filters import show_date, show_moment, show_number

MINE, THEIRS = "mine", "theirs"
CHOICE = "choose-"


@dataclass(frozen=True)
class Difference:
    """One answer that was changed meanwhile, and what this person has typed there."""

    name: str
    label: str
    mine: str
    theirs: str
    touched: bool


def seen(form: Any) -> str:
    """Return a short mark of every answer as it is shown first: what differs later was touched."""
    return " ".join(f"{field.name}:{_mark(field)}" for field in _answered(form))


def differences(typed: Any, stored: Any, marks: str) -> list[Difference]:
    """Return the answers that somebody else changed since this page was opened, unless both say the same now.

    Without marks nobody knows who changed what: then every answer that differs counts.
    """
    known = dict(one.partition(":")[::2] for one in marks.split())
    found = []
    for field in _answered(typed):
        other = stored[field.name]
        mine, theirs = shown(field), shown(other)
        if mine == theirs or known.get(field.name) == _mark(other):
            continue
        touched = known.get(field.name) != _mark(field)
        found.append(Difference(field.name, field.label.text, mine, theirs, touched))
    return found


def merged(typed: Mapping[str, Any], form: Any, stored: Any) -> MultiDict[str, str]:
    """Return what was typed, with the stored answer wherever "theirs" was chosen."""
    together = MultiDict(typed)
    for field in _answered(form):
        if together.get(CHOICE + field.name) != THEIRS:
            continue
        for name in [one for one in together if one == field.name or _is_inside(one, field.name)]:
            del together[name]
        for name, value in sent(stored[field.name]):
            together.add(name, value)
    return together


def shown(field: Any) -> str:
    """Return an answer as people read it; a row a line."""
    if isinstance(field, FieldList):
        rows = [shown(entry) for entry in field.entries]
        return "\n".join(f"{number}. {row}" for number, row in enumerate(filter(None, rows), 1))
    if isinstance(field, FormField):
        answers = [(inner.label.text, shown(inner)) for inner in _answered(field.form)]
        return "; ".join(f"{label}: {answer}" for label, answer in answers if answer)
    if isinstance(field, SelectFieldBase):
        return ", ".join(
            str(one.label) for one in field.iter_choices() if one.selected and one.value != ""
        )
    if field.process_errors and field.raw_data:
        return str(field.raw_data[0])
    return _words(field.data)


def sent(field: Any) -> list[tuple[str, str]]:
    """Return what a browser sends for a field as it stands."""
    if isinstance(field, FieldList):
        return [pair for entry in field.entries for pair in sent(entry)]
    if isinstance(field, FormField):
        return [pair for inner in field.form for pair in sent(inner)]
    if isinstance(field, SelectFieldBase):
        return [(field.name, str(one.value)) for one in field.iter_choices() if one.selected]
    if isinstance(field, BooleanField):
        return [(field.name, "y")] if field.data else []
    return [(field.name, str(field._value()))]


def _answered(form: Any) -> Iterable[Any]:
    return [field for field in form if not isinstance(field, HiddenField)]


def _mark(field: Any) -> str:
    return f"{zlib.crc32(shown(field).encode()):08x}"


def _is_inside(name: str, field: str) -> bool:
    return name.startswith(f"{field}-")


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else ""
    if isinstance(value, datetime):
        return show_moment(value) if value.tzinfo else f"{show_date(value.date())}, {value:%H:%M}"
    if isinstance(value, date):
        return show_date(value)
    if isinstance(value, Decimal):
        return show_number(value)
    return str(value).replace("\r\n", "\n").strip()
