"""A requirement in work: as the draft says it, or as the form sent it after a button."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, request

from okrgate.gates.reading_conditions import Names
from okrgate.workshop.rows import conditions_forms as conditions
from okrgate.workshop.rows import gate_rows
from okrgate.workshop.rows.conditions_pages import fitted
from okrgate.workshop.rows.conditions_parts import Group
from okrgate.workshop.rows.conditions_reading import parts_of
from okrgate.workshop.rows.conditions_words import names_of
from okrgate.workshop.rows.conditions_writing import Faults, plain_of
from okrgate.workshop.rows.gate_forms import RequirementForm, shown
from okrgate.workshop.rows.process_draft import Opened
from okrgate.workshop.rows.process_pages import open_draft
from okrgate.workshop.rows.process_rows import group, listed

KEYS = ("if", "when")


@dataclass(frozen=True)
class Work:
    """A requirement in work: the draft, where it stands (None: nowhere yet), and what the form says of it."""

    key: str
    opened: Opened
    names: Names
    gate: str
    place: int | None
    before: Mapping[str, Any]
    form: RequirementForm
    conditions: Mapping[str, Group]
    faults: Mapping[str, Faults]

    @property
    def wrong(self) -> bool:
        """Tell whether something in the conditions has to be mended."""
        return any(self.faults.values())


def begun(key: str, gate: str, token: str | None) -> Work:
    """Return a requirement as the draft says it."""
    opened = open_draft(key)
    place, before = _before(opened, gate, token)
    names = names_of(opened.process.whole)
    form = RequirementForm(formdata=None, seen=opened.seen, **(shown(before) if before else {}))
    form.offer(opened.process, names, before, gate_rows.signed(opened.process, gate, place))
    parts = {name: fitted(parts_of(before.get(name), names), names) for name in KEYS}
    return Work(key, opened, names, gate, place, before, form, parts, {})


def sent(key: str, gate: str, token: str | None, *, form: RequirementForm | None = None) -> Work:
    """Return a requirement as the form sent it, after the button that was pressed; as a new one if it is gone."""
    opened = open_draft(key)
    if token is not None and gate_rows.found_by(opened.process, gate, token) is None:
        token = None
    place, before = _before(opened, gate, token)
    names = names_of(opened.process.whole)
    form = form or RequirementForm()
    form.offer(opened.process, names, before, gate_rows.signed(opened.process, gate, place))
    verb, prefix, path = pressed()
    parts = {}
    for name in KEYS:
        found = conditions.read(request.form, name)
        if name == prefix:
            found = conditions.after(found, verb, path)
        parts[name] = fitted(found, names) if reshaped() else found
    faults = {} if reshaped() else {name: plain_of(parts[name], names)[1] for name in KEYS}
    return Work(key, opened, names, gate, place, before, form, parts, faults)


def _before(opened: Opened, gate: str, token: str | None) -> tuple[int | None, Mapping[str, Any]]:
    if opened.process.one("gate", gate) is None:
        abort(404)
    if token is None:
        return None, {}
    place = place_of(opened, gate, token)
    rows = listed((opened.process.one("gate", gate) or {}).get("requirements"))
    return place, group(rows[place])


def place_of(opened: Opened, gate: str, token: str) -> int:
    """Return the place of the requirement that an address names. Answers 404 where there is none."""
    place = gate_rows.found_by(opened.process, gate, token)
    if place is None:
        abort(404)
    return place


def pressed() -> tuple[str, str, tuple[str, ...]]:
    """Return which button was pressed: what it does, in which condition, at which part."""
    verb, _, rest = request.form.get("do", "save").partition(":")
    prefix, _, path = rest.partition(":")
    return verb, prefix, tuple(path.split("-"))


def reshaped() -> bool:
    """Tell whether a button was pressed that only changes what the page shows."""
    return pressed()[0] != "save"
