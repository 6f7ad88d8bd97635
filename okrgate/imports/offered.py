"""Which fields of the forms a column may fill, and how a person's choices become a map."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import BooleanField, DateField, FieldList, FormField, HiddenField
from wtforms.fields.choices import SelectFieldBase

from okrgate.gates.model import Rulebook
from okrgate.imports.mapping import Map, map_of
from okrgate.projects.fields import Amount
from okrgate.stages.sections import section_for
from okrgate.web.fields import Moment, Somebody
from okrgate.web.keys import whole

KEY, TITLE, BOTH = "key", "title", "title+key"
OWN = {
    KEY: "What tells the projects apart",
    TITLE: "Title",
    BOTH: "Title, which also tells them apart",
}
# Chosen for the stage's start or end: the column that fills this field, whichever it is.
SAME = "same"
STAGE_DATES = {"start": "scope.time.start", "end": "scope.time.end"}
MOST_FIXED = 4
# A title is the project's own; a form that repeats it gets it from there.
_TAKEN = {"title"}
_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Offer:
    """A field that a column may fill. `kind` says how a cell is read: text, choice, date, money or person."""

    target: str
    label: str
    group: str
    kind: str


def offers(rulebook: Rulebook) -> list[Offer]:
    """Return every single field of every part that this process uses, in the order of its stages."""
    used = {key: None for stage in rulebook.stages.values() for key in stage.sections}
    found = []
    for key in used:
        section = section_for(rulebook, key)
        for page in section.pages if section else ():
            form = page.form(formdata=None, meta={"csrf": False})
            found += [
                Offer(f"{key}.{page.key}.{one.name}", one.label.text, section.title, _kind(one))
                for one in form
                if section and _is_single(one)
            ]
    return found


def _is_single(field: Any) -> bool:
    if isinstance(field, (FieldList, FormField, HiddenField, Moment)):
        return False
    return field.name not in _TAKEN and field.type != "CSRFTokenField"


def _kind(field: Any) -> str:
    if isinstance(field, Somebody):
        return "person"
    if isinstance(field, Amount):
        return "money"
    if isinstance(field, DateField):
        return "date"
    return "choice" if isinstance(field, (SelectFieldBase, BooleanField)) else "text"


def row_named(text: str) -> int | None:
    """Return the number of a row that was chosen from a list, `#12`; nothing for a name."""
    return whole(text.removeprefix("#")) if text.startswith("#") else None


def to_map(choices: Mapping[str, Any], known: Sequence[Offer]) -> Map:
    """Return the map that these choices describe. Raises BadMap with what is missing.

    `columns`: the target of each column by its place; `fixed`: (target, value) for every row.
    """
    kinds = {offer.target: offer.kind for offer in known}
    columns = [str(one) for one in choices.get("columns", ())]
    fields: dict[str, Any] = {
        target: {"column": place, "as": kinds[target]}
        for place, target in enumerate(columns, start=1)
        if target in kinds
    }
    for target, value in choices.get("fixed", ()):
        if target in kinds and value:
            fields[target] = {"value": value, "as": kinds[target]}
    stage = {
        name: choices.get(f"stage_{name}") for name in ("none", "future", "running", "past")
    } | {
        name: _stage_place(str(choices.get(f"stage_{name}") or ""), columns, target)
        for name, target in STAGE_DATES.items()
    }
    return map_of(
        {
            "name": choices.get("name", ""),
            "process": choices.get("process", ""),
            "unit": f"#{choices['unit']}" if choices.get("unit") else "",
            "submitter": f"#{choices['submitter']}" if choices.get("submitter") else "",
            "key": _place(columns, KEY) or _place(columns, BOTH),
            "title": _place(columns, TITLE) or _place(columns, BOTH),
            "empty": list(choices.get("empty", ())),
            "dates": _dates(choices),
            "money": {
                "factor": choices.get("factor", "1"),
                "decimal": choices.get("decimal", "."),
            },
            "fields": fields,
            "stage": stage,
        }
    )


def _dates(choices: Mapping[str, Any]) -> list[str]:
    """A spreadsheet's own dates are read as ISO, whatever else it holds as text."""
    return list(dict.fromkeys([str(choices.get("dates", "%Y-%m-%d")), "%Y-%m-%d"]))


def _stage_place(chosen: str, columns: Sequence[str], target: str) -> int | None:
    if chosen == SAME:
        return _place(columns, target)
    return int(chosen) if chosen else None


def _place(columns: Sequence[str], wanted: str) -> int | None:
    return columns.index(wanted) + 1 if wanted in columns else None


def guess(header: Sequence[str], known: Sequence[Offer], earlier: Mapping[str, Any]) -> list[str]:
    """Return a target for each column: as the last time, by name or else by place; or by a like name.

    `earlier` is what was chosen for a list that looks alike: its `header` and `columns`; or nothing.
    """
    targets = {*OWN, *(offer.target for offer in known)}
    old_header, old_columns = list(earlier.get("header", ())), list(earlier.get("columns", ()))
    by_name = {
        _plain(name): target
        for name, target in zip(old_header, old_columns, strict=False)
        if old_header.count(name) == 1
    }
    same_shape = len(old_header) == len(header)
    # What a field is called on its page goes before its name in the code; of two alike, the earlier page's.
    labels: dict[str, str] = {}
    for offer in known:
        labels.setdefault(_plain(offer.label), offer.target)
    for offer in known:
        labels.setdefault(_plain(offer.target.rpartition(".")[2]), offer.target)
    found: list[str] = []
    for place, name in enumerate(header):
        target = by_name.get(_plain(name), "")
        if not target and same_shape and name not in old_header:
            target = old_columns[place] if old_header[place] not in header else ""
        if not target and not old_columns:
            target = _by_words(_plain(name), labels)
        found.append(target if target in targets and target not in found else "")
    return found


def _by_words(name: str, labels: Mapping[str, str]) -> str:
    if name in {"title", "name", "project name", "project", "project title"}:
        return TITLE
    if name in {"id", "key", "number", "reference", "code", "project id", "project number"}:
        return KEY
    return labels.get(name, "")


def _plain(text: str) -> str:
    return _WORD.sub(" ", text.casefold()).strip()


def likeness(header: Sequence[str], other: Sequence[str]) -> float:
    """Return how alike two headers are, from 0 to 1: shared names, or the same number of columns for a renamed copy."""
    mine, theirs = {_plain(one) for one in header}, {_plain(one) for one in other}
    shared = len(mine & theirs) / max(len(mine | theirs), 1)
    return max(shared, 0.3 if len(header) == len(other) else 0.0)
