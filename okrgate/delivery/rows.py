"""What the lists of rows share: whom their selects offer, and how typed rows become stored ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar

from wtforms import SelectChoice

from okrgate.accounts import directory
from okrgate.web.fields import NOBODY
from okrgate.web.filters import show_date


class Positioned(Protocol):
    """A stored row of a list."""

    id: Any
    position: Any


Row = TypeVar("Row", bound=Positioned)


def offer_people(fields: Iterable[Any], *, also: Callable[[], Iterable[int | None]]) -> None:
    """Let these fields choose among everybody active; `also` names people already in the list, who may have left."""
    fields = list(fields)
    people = dict(directory.people_choices())
    if any(field.data is not None and field.data not in people for field in fields):
        people |= directory.names(set(also()) - set(people))
    choices = [NOBODY, *(SelectChoice(str(one), name) for one, name in people.items())]
    for field in fields:
        field.choices = choices


def store_rows(
    known: Sequence[Row],
    typed: Iterable[Mapping[str, Any]],
    *,
    make: Callable[[], Row],
    fill: Callable[[Row, Mapping[str, Any]], None],
    drop: Callable[[Row], None],
) -> None:
    """Make the stored rows be the typed ones, in their order. A row keeps its identity by its hidden id."""
    by_id = {row.id: row for row in known}
    for position, data in enumerate(typed):
        row = by_id.pop(data.get("id"), None)
        if row is None:
            row = make()
        if row.position != position:
            row.position = position
        fill(row, data)
    for gone in by_id.values():
        drop(gone)


def day_or(value: date | None, otherwise: str) -> str:
    """Write a date, or a word for having none."""
    return show_date(value) if value else otherwise
