"""From what an administrator does to gates and requirements to the changes of the file, references along with them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from okrgate.gates.places import Path
from okrgate.gates.rendering import Plain
from okrgate.gates.revising import Add, Change, Put, Remove, Rename
from okrgate.workshop.rows.conditions_reading import parts_of
from okrgate.workshop.rows.conditions_words import names_of
from okrgate.workshop.rows.conditions_writing import plain_of
from okrgate.workshop.rows.process_names import id_from
from okrgate.workshop.rows.process_rows import Process, group, listed, text

_ORDER = ("id", "message", "help", "severity", "mode", "fix", "after", "waiver", "when", "if")
_CONDITIONS = frozenset({"if", "when", "unless", "always"})
_EXPECTED = ("missing", "met", "waived", "na")
Entry = Mapping[str, Any]


def path_of(gate: str, place: int) -> Path:
    """Return where a requirement stands."""
    return ("gates", gate, "requirements", place)


def taken(process: Process) -> set[str]:
    """Return the ids of all requirements."""
    return {text(one.get("id")) for _, _, one in process.requirements()}


def new_id(process: Process, message: str) -> str:
    """Return an id made of a message that no requirement has yet, in the spelling that requirements use."""
    used = taken(process)
    spelled = {one.replace("-", "_") for one in used} | {"new"}
    short = "_".join(message.split()[:5])
    return id_from(short, spelled).replace("_", "-")


def edited(process: Process, gate: str, place: int, wanted: Entry, *, to: str = "") -> list[Change]:
    """Return the changes that make a requirement say what is wanted; what says the same already stays as written."""
    before = group(listed((process.one("gate", gate) or {}).get("requirements"))[place])
    path = path_of(gate, place)
    changes: list[Change] = []
    there = list(before)
    for key in _ORDER:
        if key not in wanted or says_the_same(process, key, before.get(key), wanted[key]):
            continue
        if wanted[key] is None:
            changes.append(Remove((*path, key)))
        elif key in before:
            changes += _put((*path, key), before[key], wanted[key])
        else:
            changes.append(Add(path, wanted[key], key=key, after=_before(key, there)))
            there.append(key)
    old = text(before.get("id"))
    return [*changes, *(renamed(process, gate, place, old, to) if to and to != old else [])]


def _put(path: Path, before: Plain, wanted: Plain) -> list[Change]:
    """Return the change of one value; of a waiver only what is different."""
    if path[-1] != "waiver" or not isinstance(before, dict):
        return [Put(path, wanted)]
    return [Put((*path, key), one) for key, one in wanted.items() if before.get(key) != one]


def _before(key: str, there: Collection[str]) -> str | None:
    earlier = [one for one in _ORDER[: _ORDER.index(key)] if one in there]
    return earlier[-1] if earlier else None


def says_the_same(process: Process, key: str, before: Plain, wanted: Plain) -> bool:
    """Tell whether a value of a requirement or a promise says what is wanted, perhaps in other words."""
    if key == "mode" and before == "active":
        before = None
    if before is None or wanted is None:
        return before is None and wanted is None
    if key in _CONDITIONS:
        names = names_of(process.whole)
        shown, faults = plain_of(parts_of(before, names), names)
        return not faults and bool(shown == wanted)
    return type(before) is type(wanted) and bool(before == wanted)


def renamed(process: Process, gate: str, place: int, old: str, to: str) -> list[Change]:
    """Return the changes by which a requirement gets another id, here and in every test."""
    own: list[Change] = [Put((*path_of(gate, place), "id"), to)]
    told = [
        Rename(path, to) if path[-2:] == ("items", old) else Put(path, to)
        for path in references(process, old)
    ]
    return [*own, *told]


def removed(process: Process, gate: str, place: int) -> list[Change]:
    """Return the changes that take a requirement away, with all that tests say of it."""
    rows = listed((process.one("gate", gate) or {}).get("requirements"))
    name = text(group(rows[place]).get("id"))
    is_last = name and sum(text(one.get("id")) == name for _, _, one in process.requirements()) == 1
    told = references(process, name) if is_last else []
    whole_items = [path[:-1] if path[-1] == "requirement" else path for path in told]
    # The last first, so that places in a list that are still to come stay what they are.
    return [*(Remove(path) for path in reversed(list(whole_items))), Remove(path_of(gate, place))]


def gate_removed(process: Process, gate: str) -> list[Change]:
    """Return the changes that take a gate away: its moves stay, and lead on without it."""
    changes: list[Change] = []
    rows = listed((process.one("gate", gate) or {}).get("requirements"))
    for place in reversed(range(len(rows))):
        changes += removed(process, gate, place)[:-1]
    for name, move in process.named("move").items():
        if move.get("gate") == gate:
            changes.append(Remove(("transitions", name, "gate")))
    return [*_from_the_end(changes), Remove(("gates", gate))]


def _from_the_end(changes: list[Change]) -> list[Change]:
    """Return removals in the order in which none of them moves another one's place."""
    return sorted(changes, key=lambda one: _sortable(one.path), reverse=True)


def _sortable(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((step, "") if isinstance(step, int) else (-1, step) for step in path)


def references(process: Process, requirement: str) -> Iterator[Path]:
    """Yield every place of other requirements, the tests and example projects that names a requirement."""
    if not requirement:
        return
    for gate, place, one in process.requirements():
        yield from _ordered((*path_of(gate, place), "after"), one.get("after"), requirement)
    for name, one in group(process.whole.get("fixtures")).items():
        yield from _waived(("fixtures", name, "waivers"), group(one).get("waivers"), requirement)
    for place, one in enumerate(listed(process.whole.get("tests"))):
        path: Path = ("tests", place)
        given = group(group(one).get("set")).get("waivers")
        yield from _waived((*path, "set", "waivers"), given, requirement)
        expect = group(group(one).get("expect"))
        for key in _EXPECTED:
            for index, value in enumerate(listed(expect.get(key))):
                if value == requirement:
                    yield (*path, "expect", key, index)
        if requirement in group(expect.get("items")):
            yield (*path, "expect", "items", requirement)


def _ordered(path: Path, after: Any, requirement: str) -> Iterator[Path]:
    if after == requirement:
        yield path
    for index, one in enumerate(listed(after)):
        if one == requirement:
            yield (*path, index)


def _waived(path: Path, waivers: Any, requirement: str) -> Iterator[Path]:
    for index, one in enumerate(listed(waivers)):
        if group(one).get("requirement") == requirement:
            yield (*path, index, "requirement")


def copied(process: Process, gate: str, place: int) -> tuple[str, list[Change]]:
    """Return the id of a copy of a requirement, and the changes that put it behind the original."""
    rows = listed((process.one("gate", gate) or {}).get("requirements"))
    one = group(rows[place])
    name = new_id(process, text(one.get("message")))
    return name, [Add(path_of(gate, place)[:-1], {**one, "id": name}, after=place)]


def added(gate: str, wanted: Entry) -> list[Change]:
    """Return the change that adds a requirement as the last of a gate."""
    entry = {key: wanted[key] for key in _ORDER if wanted.get(key) is not None}
    return [Add(("gates", gate, "requirements"), entry)]


def gate_added(process: Process, label: str, move: str) -> tuple[str, list[Change]]:
    """Return the id of a new gate without requirements, and the changes that put it on a move."""
    name = id_from(label, process.named("gate"))
    changes: list[Change] = [Put(("gates", name), {"label": label, "requirements": []})]
    if move:
        changes.append(Put(("transitions", move, "gate"), name))
    return name, changes
