"""How a file is read, in the words of its pages: for comparing what somebody chose with what is in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from okrgate.accounts import directory
from okrgate.imports.detecting import DATES, DELIMITERS, ENCODINGS, Kind
from okrgate.imports.offered import OWN, SAME, STAGE_DATES, Offer
from okrgate.imports.proposing import Prepared

FACTORS = {"1": "as they are", "1000": "in thousands", "1000000": "in millions"}
DECIMALS = {".": "1,234.50", ",": "1.234,50"}
STAGE_KINDS = {
    "none": "without dates",
    "future": "that begin later",
    "running": "under way",
    "past": "whose end has passed",
}
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
        "Unit for rows without one": units.get(_text(choices, "unit"), _NOTHING),
        "Submitter": people.get(_text(choices, "submitter"), "Whoever takes them over"),
    }


def _where(prepared: Prepared, choices: Mapping[str, Any], header: Sequence[str]) -> dict[str, str]:
    places = {str(place): f"{place} {name}" for place, name in enumerate(header, start=1)}
    same = same_columns(prepared.offers)
    stages = prepared.rulebook.stages
    said = {
        f"Column whose date is the {name}": ({SAME: same[name]} | places).get(
            _text(choices, f"stage_{name}"), "None"
        )
        for name in STAGE_DATES
    }
    for kind, words in STAGE_KINDS.items():
        stage = stages.get(_text(choices, f"stage_{kind}"))
        said[f"Projects {words}"] = stage.label if stage else _NOTHING
    return said


def same_columns(offers: Sequence[Offer]) -> dict[str, str]:
    """Return, for the start and the end that decide about the stage, what "the same as above" means."""
    labels = {offer.target: offer.label for offer in offers}
    return {
        name: f"The one that fills “{labels[target]}”" if target in labels else "None"
        for name, target in STAGE_DATES.items()
    }


def _text(choices: Mapping[str, Any], name: str) -> str:
    return str(choices.get(name) or "")


def filled(choices: Mapping[str, Any]) -> set[str]:
    """Return the fields that the columns fill, or that are the same for every row."""
    return {*choices.get("columns", ()), *(target for target, _value in choices.get("fixed", ()))}


def column_names(prepared: Prepared) -> dict[str, str]:
    """Return what a refusal's column is called in the file: a place's header, or the field that would not take it."""
    header = prepared.table.header
    names = {str(place): name for place, name in enumerate(header, start=1)}
    columns = list(prepared.file.choices.get("columns", ()))
    for offer in prepared.offers:
        place = columns.index(offer.target) + 1 if offer.target in columns else 0
        names[offer.target] = offer.label
        if str(place) in names and names[str(place)] != offer.label:
            names[str(place)] += f" → {offer.label}"
    return names
