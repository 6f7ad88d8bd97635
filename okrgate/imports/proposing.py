"""What is proposed for a file: as it was chosen before, as for a list like it, or as its columns' names let guess."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.database import db
from okrgate.errors import Conflict
from okrgate.gates.model import Rulebook
from okrgate.imports.detecting import Kind, date_spelling, read
from okrgate.imports.models import ImportFile, ImportMap
from okrgate.imports.offered import SAME, Offer, guess, likeness, offers
from okrgate.imports.reading import Table
from okrgate.rulebooks import retiring
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process

_ALIKE = 0.5


@dataclass(frozen=True)
class Prepared:
    """A file as its mapping page shows it."""

    file: ImportFile
    table: Table
    rulebook: Rulebook
    offers: Sequence[Offer]
    choices: Mapping[str, Any]
    earlier: str


def processes() -> list[tuple[str, str]]:
    """Return (key, title) of the processes that projects may come into."""
    keys = {row.id: row.key for row in db.session().execute(select(Process.id, Process.key))}
    return [
        (keys[version.process_id], rulebooks.rulebook(version.id).title)
        for version in retiring.startable()
    ]


def prepare(file: ImportFile, *, process: str = "") -> Prepared:
    """Return a file with what may be chosen for it: as chosen before, as for a list like it, or as guessed."""
    table = read(file.content, Kind(**file.kind))
    wanted = process or file.choices.get("process", "")
    rulebook = rulebook_of(wanted)
    known = offers(rulebook)
    if file.choices.get("columns") and len(file.choices["columns"]) == len(table.header):
        return Prepared(file, table, rulebook, known, file.choices, "")
    alike = _alike(table.header)
    choices = _proposed(file, table, rulebook, known, alike)
    return Prepared(file, table, rulebook, known, choices, alike.name if alike else "")


def rulebook_of(process: str) -> Rulebook:
    """Return the rules of a process, or of the first there is. Raises Conflict when none binds projects."""
    found = [rulebooks.rulebook(version.id) for version in retiring.startable()]
    if not found:
        raise Conflict("No process binds projects yet. Publish rules first.")
    return next((one for one in found if one.id == process), found[0])


def _alike(header: Sequence[str]) -> ImportMap | None:
    maps = list(db.session().scalars(select(ImportMap).order_by(ImportMap.at.desc()).limit(50)))
    exact = [one for one in maps if likeness(header, one.header) >= _ALIKE]
    same_shape = [one for one in maps if len(one.header) == len(header)]
    return max(exact, key=lambda one: likeness(header, one.header), default=None) or next(
        iter(same_shape), None
    )


def _proposed(
    file: ImportFile,
    table: Table,
    rulebook: Rulebook,
    known: Sequence[Offer],
    alike: ImportMap | None,
) -> dict[str, Any]:
    earlier = dict(alike.choices) if alike and alike.choices.get("process") == rulebook.id else {}
    columns = guess(
        table.header,
        known,
        {"header": alike.header, "columns": earlier["columns"]} if alike and earlier else {},
    )
    way = [
        rulebook.initial.id,
        *(one.target for one in rulebook.forward_path(rulebook.initial.id)),
    ]
    proposed = {
        "name": file.name.rpartition(".")[0][:60] or file.name[:60],
        "process": rulebook.id,
        "dates": date_spelling(_dated(table, columns, known)),
        "factor": "1",
        "decimal": ".",
        "empty": [],
        "fixed": [],
        **{f"stage_{name}": way[0] for name in ("none", "future", "running", "past")},
        "stage_start": SAME,
        "stage_end": SAME,
    } | earlier
    proposed["columns"] = columns
    for name in ("stage_start", "stage_end"):
        proposed[name] = _moved(alike, table.header, str(proposed[name]), columns, earlier)
    return proposed


def _dated(table: Table, columns: Sequence[str], known: Sequence[Offer]) -> list[str]:
    """Return the cells that show how dates are written: of the columns known to hold them, else of any."""
    kinds = {offer.target: offer.kind for offer in known}
    places = [place for place, target in enumerate(columns) if kinds.get(target) == "date"]
    return [
        row[place]
        for place in places or range(len(columns))
        for row in table.rows[:200]
        if place < len(row)
    ]


def _moved(
    alike: ImportMap | None,
    header: Sequence[str],
    place: str,
    columns: Sequence[str],
    earlier: Mapping[str, Any],
) -> str:
    """Return where the column that decided about the stage stands now."""
    if place == SAME:
        return SAME
    if alike is None or not place.isdecimal() or int(place) > len(alike.header):
        return ""
    name = alike.header[int(place) - 1]
    if name in header:
        return str(list(header).index(name) + 1)
    target = list(earlier.get("columns", ()))[int(place) - 1]
    if target and target in columns:
        return str(columns.index(target) + 1)
    return place if len(alike.header) == len(header) else ""


def remember(header: Sequence[str], choices: Mapping[str, Any], by: int) -> None:
    """Keep how a list was read, so that it is proposed for the next file like it."""
    name = str(choices["name"])
    kept = db.session().scalar(select(ImportMap).where(ImportMap.name == name))
    if kept is None:
        kept = ImportMap(name=name)
        db.session().add(kept)
    kept.header, kept.choices, kept.by_id, kept.at = list(header), dict(choices), by, clock.now()
