"""From what an administrator typed of one row to the changes of the file."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from okrgate.gates.places import Path
from okrgate.gates.revising import Add, Change, Put, Remove
from okrgate.workshop.rows.process_names import id_from, renamed
from okrgate.workshop.rows.process_rows import (
    GROUPS,
    Process,
    asks_of,
    editors,
    group,
    kind_of,
    text,
    words,
)
from okrgate.workshop.rows.process_words import PLACES

_PLACES = tuple(one for one in PLACES if one)
_LISTS = frozenset({"from", "by", "notify", "asks", "escalate_to", "on_enter", "values", "edit"})

Entry = dict[str, Any]


def differences(path: Path, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Change]:
    """Return the changes that make an entry say what is wanted; keys that are not spoken of stay as they are."""
    changes: list[Change] = []
    for name, value in wanted.items():
        old = before.get(name)
        if _is_nothing(value):
            if name in before and old is not False:
                changes.append(Remove((*path, name)))
        elif not _is_same(name, old, value):
            changes.append(Put((*path, name), value))
    return changes


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", [])


def _is_same(name: str, old: Any, new: Any) -> bool:
    if name in _LISTS:
        return set(words(old)) == set(words(new)) and bool(words(old))
    return type(old) is type(new) and bool(old == new)


def compact(wanted: Mapping[str, Any]) -> Entry:
    """Return a new entry: only what it says."""
    return {name: value for name, value in wanted.items() if not _is_nothing(value)}


def edited(process: Process, kind: str, name: str, wanted: Entry, *, to: str = "") -> list[Change]:
    """Return the changes of one row; `to` is its new id, if it gets one."""
    before = process.one(kind, name) or {}
    path = (GROUPS[kind], name)
    changes = differences(path, before, _without_old_words(kind, before, wanted))
    changes += _other_beginning(process, kind, name, wanted)
    return [*changes, *renamed(process, kind, name, to)] if to and to != name else changes


def added(
    process: Process, kind: str, name: str, wanted: Entry, *, after: str | None
) -> list[Change]:
    """Return the changes that add a row behind another one, or as the last."""
    return [
        Add((GROUPS[kind],), compact(wanted), key=name, after=after)
        if group(process.whole.get(GROUPS[kind]))
        else Put((GROUPS[kind], name), compact(wanted)),
        *_other_beginning(process, kind, name, wanted),
    ]


def copied(process: Process, kind: str, name: str) -> tuple[str, list[Change]]:
    """Return the id of a copy of a row, and the changes that put it behind the row."""
    entry = dict(process.one(kind, name) or {})
    entry["label"] = f"{process.label(kind, name)} (copy)"
    if kind == "stage":
        entry.pop("initial", None)
    fresh = id_from(entry["label"], process.named(kind))
    return fresh, [Add((GROUPS[kind],), entry, key=fresh, after=name)]


def place_words(place: str) -> Entry:
    """Return what a stage says of its place: one of initial, holding and terminal, or none."""
    return {one: one == place for one in _PLACES}


def stage_sections(
    process: Process, name: str, wanted: Mapping[str, list[str]], shown: list[str]
) -> list[Change]:
    """Return the changes that open sections of the form in a stage to roles, and close the others that were shown."""
    before = editors(process.one("stage", name) or {})
    path = (GROUPS["stage"], name, "sections")
    after = {one: wanted.get(one, []) for one in shown}
    if before and not any({**before, **after}.values()):
        return [Remove(path)]
    changes: list[Change] = []
    for section, roles in after.items():
        if roles and set(roles) != set(before.get(section, [])):
            changes.append(Put((*path, section), {"edit": roles}))
        elif not roles and section in before:
            changes.append(Remove((*path, section)))
    return changes


def opened_to(process: Process, stage: str, section: str, roles: list[str]) -> list[Change]:
    """Return the changes that open one section in a stage to some roles more."""
    before = editors(process.one("stage", stage) or {}).get(section, [])
    wanted = [*before, *(one for one in roles if one not in before)]
    if wanted == before:
        return []
    path = (GROUPS["stage"], stage, "sections", section)
    return [Put(path, {"edit": wanted})]


def never_sign(process: Process, wanted: list[str]) -> list[Change]:
    """Return the changes by which these people never sign."""
    before = words(group(process.whole.get("signing")).get("never"))
    if set(before) == set(wanted):
        return []
    if not wanted:
        return [Remove(("signing", "never"))]
    return [Put(("signing", "never"), wanted)]


def answer_asked(process: Process, name: str, entry: Mapping[str, Any]) -> list[Change]:
    """Return the changes that keep a project in a question's stage until it is answered.

    The requirement is asked by the gate on the way on; where there is none it gets one. The file's own example
    projects answer the question, so that its tests go on saying what they said.
    """
    stage = text(entry.get("stage"))
    move = process.onward(stage)
    if move is None:
        return []
    taken = {text(one.get("id")) for _gate, _place, one in process.requirements()}
    requirement = {
        "id": id_from(f"{name} answered", taken).replace("_", "-"),
        "message": f"Answer: {text(entry.get('label'))}",
        "severity": "hard",
        "fix": text(entry.get("section")),
        "if": {"fact": f"answers.{name}", "is_set": True},
    }
    gate = text(process.forward[move].get("gate"))
    changes: list[Change] = []
    if gate in process.named("gate"):
        changes.append(Add(("gates", gate, "requirements"), requirement))
        covers = process.named("gate")[gate].get("material")
        if isinstance(covers, list):
            # What is asked before a sign-off is part of what is signed.
            changes.append(Add(("gates", gate, "material"), f"answers.{name}"))
    else:
        label = process.label("stage", stage)
        gate = id_from(f"{label} done", process.named("gate"))
        changes.append(
            Put(("gates", gate), {"label": f"{label} done", "requirements": [requirement]})
        )
        changes.append(Put((GROUPS["move"], move, "gate"), gate))
    return changes + _examples_answer(process, name, entry)


def _examples_answer(process: Process, name: str, entry: Mapping[str, Any]) -> list[Change]:
    example = _EXAMPLES.get(text(entry.get("type")), "")
    values = words(entry.get("values"))
    answer = values[0] if values else example
    return [
        Put(("fixtures", fixture, "facts", f"answers.{name}"), answer)
        for fixture in group(process.whole.get("fixtures"))
    ]


_EXAMPLES: Mapping[str, Any] = {
    "boolean": True,
    "string": "An answer",
    "integer": 1,
    "number": 1,
    "money": 1,
    "date": date(2027, 1, 4),
}


def _without_old_words(kind: str, before: Mapping[str, Any], wanted: Entry) -> Entry:
    """Leave out what says the same in other words; take the old word away where it changes."""
    if kind != "move":
        return wanted
    found = dict(wanted)
    if found.get("kind") == kind_of(before):
        found.pop("kind")
    if set(asks_of(before)) == set(found.get("asks") or []):
        found.pop("asks", None)
    elif "reason" in before:
        found["reason"] = None
    return found


def _other_beginning(process: Process, kind: str, name: str, wanted: Entry) -> list[Change]:
    """A process has one beginning: the stage that was it is one on the way now."""
    if kind != "stage" or not wanted.get("initial"):
        return []
    return [
        Remove((GROUPS["stage"], other, "initial"))
        for other, stage in process.named("stage").items()
        if other != name and stage.get("initial") is True
    ]
