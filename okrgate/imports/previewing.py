"""The first projects of a file as they would come in, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from okrgate.accounts import directory
from okrgate.errors import Conflict, Invalid
from okrgate.imports.detecting import Kind, read
from okrgate.imports.mapping import LEAD, UNIT, BadMap
from okrgate.imports.models import ImportFile
from okrgate.imports.offered import STAGE_DATES, offers, to_map
from okrgate.imports.proposing import rulebook_of
from okrgate.imports.reading import Unreadable
from okrgate.imports.service import Coming, Import

_SHOWN = 5
# Refused and known rows are passed over, but a page is not kept waiting for a whole file of them.
_LOOKED_AT = 60


@dataclass(frozen=True)
class Shown:
    """One project as it would come in. `line` is its row in the file."""

    line: int
    title: str
    stage: str
    unit: str
    lead: str
    start: date | None
    end: date | None


def first_projects(file: ImportFile) -> list[Shown]:
    """Return the first projects of a file that was tried; none once its choices fit no longer."""
    try:
        table = read(file.content, Kind(**file.kind))
        known = offers(rulebook_of(str(file.choices.get("process", ""))))
        bound = Import(table, to_map(file.choices, known), by=file.by_id, reason="")
    except (BadMap, Unreadable, Invalid, Conflict):
        return []
    return _in_words(bound.first(_SHOWN, among=_LOOKED_AT))


def _in_words(found: Sequence[Coming]) -> list[Shown]:
    units = {str(key): name for key, name in directory.unit_choices()}
    people = directory.names(one.values.get(LEAD) for one in found)
    return [
        Shown(
            line=one.line,
            title=one.title,
            stage=one.stage,
            unit=units.get(str(one.values.get(UNIT)), ""),
            lead=people.get(one.values.get(LEAD) or 0, ""),
            start=one.values.get(STAGE_DATES["start"]),
            end=one.values.get(STAGE_DATES["end"]),
        )
        for one in found
    ]
