"""What selects of people and units offer: everybody and everything active, and what is chosen already."""

from collections.abc import Iterable, Sequence
from typing import Any

from wtforms import SelectChoice

from okrgate.accounts import directory
from okrgate.web.fields import NOBODY, NOTHING


def offer(
    fields: Iterable[Any], choices: Iterable[tuple[int, str]], *, empty: SelectChoice = NOTHING
) -> None:
    """Let these fields choose among (id, label), or choose nothing."""
    offered = [empty, *(SelectChoice(str(one), label) for one, label in choices)]
    for field in fields:
        field.choices = offered


def offer_people(fields: Sequence[Any], *, chosen: Iterable[int | None]) -> None:
    """Let these fields choose among everybody active; `chosen` are people stored already, who may have left."""
    people = dict(directory.people_choices())
    gone = {one for one in chosen if one is not None} - set(people)
    offer(fields, (people | directory.names(gone)).items(), empty=NOBODY)


def offer_units(fields: Sequence[Any], *, chosen: Iterable[int | None]) -> None:
    """Let these fields choose among the active units; `chosen` are units stored already, which may be closed."""
    units = dict(directory.unit_choices())
    gone = {one for one in chosen if one is not None} - set(units)
    closed = {one: unit.name for one, unit in directory.units(gone).items()}
    offer(fields, (units | closed).items())


def person_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    """Return names by id, with a word for those who cannot be found and nothing for nobody."""
    wanted = {one for one in ids if one is not None}
    found = directory.names(wanted)
    return {None: "", **{one: found.get(one, "Somebody") for one in wanted}}


def unit_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    """Return names of units by id, with nothing for none."""
    wanted = {one for one in ids if one is not None}
    found = directory.units(wanted)
    return {None: "", **{one: found[one].name if one in found else "A unit" for one in wanted}}
