"""From what an administrator does to promises to the changes of the file; everything else stays as it is written."""

from collections.abc import Mapping
from typing import Any

from okrgate.gates.revising import Add, Change, Put, Remove
from okrgate.workshop.rows.gate_changes import says_the_same
from okrgate.workshop.rows.process_names import id_from
from okrgate.workshop.rows.process_rows import Process, text
from okrgate.workshop.rows.promise_rows import promises

_ORDER = ("id", "label", "never_reach", "unless", "at", "always")
_WORDS = 6
Entry = Mapping[str, Any]


def new_id(process: Process, label: str) -> str:
    """Return an id made of a label that no promise has yet, in the spelling that promises use."""
    used = {text(one.get("id")).replace("-", "_") for one in promises(process)} | {"new"}
    return id_from("_".join(label.split()[:_WORDS]), used).replace("_", "-")


def added(process: Process, wanted: Entry) -> list[Change]:
    """Return the change that adds a promise as the last."""
    entry = {key: wanted[key] for key in _ORDER if wanted.get(key) is not None}
    if promises(process):
        return [Add(("invariants",), entry)]
    return [Put(("invariants",), [entry])]


def edited(process: Process, place: int, wanted: Entry) -> list[Change]:
    """Return the changes that make a promise say what is wanted; what says the same already stays as written."""
    before = promises(process)[place]
    path = ("invariants", place)
    changes: list[Change] = []
    there = list(before)
    for key in _ORDER:
        value = wanted.get(key)
        if key in before and value is None:
            changes.append(Remove((*path, key)))
            there.remove(key)
        elif key in before and not says_the_same(process, key, before[key], value):
            changes.append(Put((*path, key), value))
        elif key not in before and value is not None:
            changes.append(Add(path, value, key=key, after=_before(key, there)))
            there.append(key)
    # What goes is taken away last: a promise is never empty in between.
    return sorted(changes, key=lambda one: isinstance(one, Remove))


def removed(process: Process, place: int) -> list[Change]:
    """Return the change that takes a promise away."""
    if len(promises(process)) == 1:
        return [Remove(("invariants",))]
    return [Remove(("invariants", place))]


def _before(key: str, there: list[str]) -> str | None:
    earlier = [one for one in _ORDER[: _ORDER.index(key)] if one in there]
    return earlier[-1] if earlier else None
