"""How a file is read, in the words of its pages: for comparing what somebody chose with what is in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from okrgate.accounts import directory
from okrgate.imports.detecting import DATES, DELIMITERS, ENCODINGS, Kind
from okrgate.imports.offered import KEY, TITLE
from okrgate.imports.proposing import Prepared

FACTORS = {"1": "as they are", "1000": "in thousands", "1000000": "in millions"}
DECIMALS = {".": "1,234.50", ",": "1.234,50"}
STAGE_KINDS = {
    "none": "without dates",
    "future": "that begin later",
    "running": "under way",
    "past": "whose end has passed",
}
OWN = {KEY: "What tells the projects apart", TITLE: "Title"}
_NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """One thing that is read another way than somebody chose; each side in words."""

    name: str
    chosen: str
    holding: str


def kind_in_words(kind: Kind) -> str:
    """Return how a file is read: its sheet, or its encoding and delimiter."""
    if kind.sheet:
        return f"Sheet “{kind.sheet}”"
    encoding = ENCODINGS.get(kind.encoding, kind.encoding)
    return f"{encoding}, {DELIMITERS.get(kind.delimiter, kind.delimiter)}"


def differences(prepared: Prepared, chosen: Mapping[str, Any]) -> list[Difference]:
    """Return where these choices for a file differ from those in force."""
    mine, now = in_words(prepared, chosen), in_words(prepared, prepared.choices)
    return [
        Difference(name, mine.get(name, _NOTHING), now.get(name, _NOTHING))
        for name in dict.fromkeys([*now, *mine])
        if mine.get(name, _NOTHING) != now.get(name, _NOTHING)
    ]


def in_words(prepared: Prepared, choices: Mapping[str, Any]) -> dict[str, str]:
    """Return everything that these choices say, by what it is called on the page."""
    header = prepared.table.header
    fields = OWN | {offer.target: f"{offer.group}: {offer.label}" for offer in prepared.offers}
    columns = list(choices.get("columns", ()))
    said = {
        f"Column {place} “{name}”": fields.get(target, "Leave out")
        for place, (name, target) in enumerate(zip(header, columns, strict=False), start=1)
    }
    said["Name of this list"] = _text(choices, "name")
    said["Process"] = prepared.rulebook.title
    said |= _whose(choices)
    said["Dates"] = DATES.get(_text(choices, "dates"), _NOTHING)
    said["Amounts"] = DECIMALS.get(_text(choices, "decimal"), _NOTHING)
    said["Amounts are given"] = FACTORS.get(_text(choices, "factor"), _NOTHING)
    said["A cell is empty when it begins with"] = ", ".join(choices.get("empty", ())) or _NOTHING
    for target, value in choices.get("fixed", ()):
        said[f"Every row: {fields.get(target, target)}"] = value or _NOTHING
    return said | _where(prepared, choices, header)


def _whose(choices: Mapping[str, Any]) -> dict[str, str]:
    units = {str(key): name for key, name in directory.unit_choices()}
    people = {str(key): name for key, name in directory.people_choices()}
    return {
        "Unit": units.get(_text(choices, "unit"), _NOTHING),
        "Submitter": people.get(_text(choices, "submitter"), "Whoever takes them over"),
    }


def _where(prepared: Prepared, choices: Mapping[str, Any], header: Sequence[str]) -> dict[str, str]:
    places = {str(place): f"{place} {name}" for place, name in enumerate(header, start=1)}
    stages = prepared.rulebook.stages
    said = {
        "Column with the start": places.get(_text(choices, "stage_start"), "None"),
        "Column with the end": places.get(_text(choices, "stage_end"), "None"),
    }
    for kind, words in STAGE_KINDS.items():
        stage = stages.get(_text(choices, f"stage_{kind}"))
        said[f"Projects {words}"] = stage.label if stage else _NOTHING
    return said


def _text(choices: Mapping[str, Any], name: str) -> str:
    return str(choices.get(name) or "")


def column_names(prepared: Prepared) -> dict[str, str]:
    """Return what a refusal's column is called in the file: a place's header, or the field that would not take it."""
    header = prepared.table.header
    names = {str(place): name for place, name in enumerate(header, start=1)}
    columns = list(prepared.file.choices.get("columns", ()))
    for offer in prepared.offers:
        where = columns.index(offer.target) if offer.target in columns else None
        named = f"{header[where]} → " if where is not None and where < len(header) else ""
        names[offer.target] = f"{named}{offer.label}"
    return names
