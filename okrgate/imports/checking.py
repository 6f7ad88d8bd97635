"""What somebody has to choose otherwise before a file can be read: all of it at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from okrgate.accounts import directory
from okrgate.gates.model import Rulebook
from okrgate.imports.mapping import UNIT, quoted
from okrgate.imports.offered import BOTH, KEY, OWN, TITLE, Offer
from okrgate.imports.saying import take_words
from okrgate.projects.models import Project
from okrgate.stages.sections import section_for

LONGEST_NAME, LONGEST_VALUE, MOST_EMPTY = 60, 200, 20


def problems_of(
    choices: Mapping[str, Any], header: Sequence[str], known: Sequence[Offer], rulebook: Rulebook
) -> list[str]:
    """Return all that a person has to choose otherwise before the file can be read, as sentences."""
    columns = [str(one) for one in choices.get("columns", ())]
    fixed = [(str(target), str(value)) for target, value in choices.get("fixed", ())]
    found = [*_too_long(choices), *_column_problems(columns, header)]
    if not str(choices.get("name", "")).strip():
        found.append("Give this list a name: a second file of the same list is known by it.")
    if not choices.get("unit") and UNIT not in columns and (UNIT not in dict(fixed)):
        found.append(
            "Say to which unit the projects belong: choose one for all, or the column that says it."
        )
    offers = {offer.target: offer for offer in known}
    for target, value in fixed:
        found += _fixed_problems(target, value, columns, offers.get(target), rulebook)
    return found


def _too_long(choices: Mapping[str, Any]) -> list[str]:
    """Return what was typed longer than it can be kept."""
    name, empty = str(choices.get("name", "")), [str(one) for one in choices.get("empty", ())]
    found = []
    if len(name) > LONGEST_NAME:
        found.append(f"The name of this list may have at most {LONGEST_NAME} characters.")
    if any(len(one) > LONGEST_VALUE for one in empty):
        found.append(f"What an empty cell begins with has at most {LONGEST_VALUE} characters.")
    if len(empty) > MOST_EMPTY:
        found.append(f"Say at most {MOST_EMPTY} ways in which an empty cell begins, one a line.")
    return found


def _column_problems(columns: Sequence[str], header: Sequence[str]) -> list[str]:
    found = []
    if not {KEY, BOTH} & set(columns):
        found.append(
            "Say which column tells the projects apart: a number or a code of their own. "
            f"If there is none, choose “{OWN[BOTH]}” for the column with the titles."
        )
    if not {TITLE, BOTH} & set(columns):
        found.append("Say which column is the title.")
    found += [
        f"Two columns fill the same field: {_named(header, columns, {one})}."
        for one in sorted({one for one in columns if one and columns.count(one) > 1})
    ]
    found += [
        f"Two columns {do}: {_named(header, columns, {one, BOTH})}. Keep one."
        for one, do in ((KEY, "tell the projects apart"), (TITLE, "are the title"))
        if {one, BOTH} <= set(columns)
    ]
    return found


def _fixed_problems(
    target: str, value: str, columns: Sequence[str], offer: Offer | None, rulebook: Rulebook
) -> list[str]:
    """Return what is wrong with a value that is the same for every row."""
    if not target:
        return [f"Say which field gets {quoted(value)} in every row."]
    if offer is None:
        return []
    label = f"“{offer.label}”"
    if len(value) > LONGEST_VALUE:
        return [f"{label} for every row: At most {LONGEST_VALUE} characters."]
    if not value:
        return [f"Say what {label} is in every row, or leave it out."]
    if target in columns:
        return [f"{label} is filled by a column and the same for every row. Keep one."]
    sentence = _unfit(offer, value, rulebook)
    return [f"{label} for every row: {sentence}"] if sentence else []


def _unfit(offer: Offer, value: str, rulebook: Rulebook) -> str:
    if offer.kind == "person":
        known = directory.by_email(value)
        return "" if known else f"There is nobody with the address {quoted(value)}."
    if offer.kind != "choice":
        return ""
    section_key, page_key, name = offer.target.split(".")
    section = section_for(rulebook, section_key)
    page = section.page(page_key) if section else None
    if page is None:
        return ""
    form = page.form(formdata=None, meta={"csrf": False})
    page.prepare(form, Project(id=0, title=""))
    return take_words(form, {name: value}).get(name, "")


def _named(header: Sequence[str], columns: Sequence[str], targets: Collection[str]) -> str:
    named = [f"“{name}”" for name, one in zip(header, columns, strict=False) if one in targets]
    return " and ".join(named)
