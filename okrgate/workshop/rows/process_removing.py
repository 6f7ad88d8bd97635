"""Take a row out of a process, with what cannot be without it, and say in words what else changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from okrgate.gates.places import Path
from okrgate.gates.revising import Change, Put, Remove
from okrgate.workshop.rows.process_names import Use, keys_meant, uses, where
from okrgate.workshop.rows.process_rows import GROUPS, Process, group, listed, text, words

_MOVES, _GATES = GROUPS["move"], GROUPS["gate"]
NOTHING = "-"
_MAY_BE_EMPTY = ("notify", "escalate_to")
_EXPECTED = ("missing", "met", "waived", "na")


@dataclass
class Plan:
    """What taking a row out comes to: `said` what else changes, `open_` what has to be decided first."""

    puts: dict[Path, Any] = field(default_factory=dict)
    removes: set[Path] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        """Return the changes, in an order in which no place moves before its turn."""
        gone = sorted(self.removes, key=_deepest_last_first)
        puts = [Put(path, value) for path, value in self.puts.items() if not _is_inside(path, gone)]
        return [*puts, *(Remove(path) for path in gone if not _is_inside(path[:-1], gone))]


def _deepest_last_first(path: Path) -> tuple[Any, ...]:
    """Later items of a list go before earlier ones, so that places stay what they are."""
    return tuple(-step if isinstance(step, int) else 0 for step in path), tuple(map(str, path))


def _is_inside(path: Path, gone: Iterable[Path]) -> bool:
    return any(path[: len(one)] == one for one in gone)


def plan(process: Process, kind: str, name: str, instead: str = "") -> Plan:
    """Return what taking a row out comes to; `instead` is what takes its place, where something has to."""
    found = Plan()
    found.removes.add((GROUPS[kind], name))
    _PLANS[kind](process, name, instead, found)
    return found


def replacements(process: Process, kind: str, name: str) -> list[tuple[str, str]]:
    """Return (id, label) of what can take a row's place; nothing where nothing has to."""
    if kind not in ("stage", "role"):
        return []
    nothing = [(NOTHING, "Nothing: the moves that lead here go as well")]
    others = [(one, label) for one, label in process.choices(kind) if one != name]
    return [*nothing, *others] if kind == "stage" else others


def usual_replacement(process: Process, kind: str, name: str) -> str:
    """Return what takes a row's place unless somebody says otherwise: of a stage, where one goes on to from it."""
    if kind != "stage":
        return ""
    move = process.onward(name)
    return text(process.forward[move].get("to")) if move else NOTHING


def _stage(process: Process, name: str, instead: str, found: Plan) -> None:
    if (process.one("stage", name) or {}).get("initial") is True:
        found.open_.append("Every project begins here: make another stage the beginning first.")
    gone = []
    for move, said in process.named("move").items():
        goes = instead == NOTHING and text(said.get("to")) == name
        if goes or not _reroute(process, name, instead, (move, said), found):
            gone.append(move)
    _without_moves(process, gone, found)
    for use in uses(process, "stage", name):
        if use.owner[0] in ("questions", "invariants"):
            _speak_of(process, use, instead, found)


def _speak_of(process: Process, use: Use, instead: str, found: Plan) -> None:
    """A question is asked in another stage; a promise speaks of another one, or goes."""
    spoken = where(process, use)
    spoken = f"{spoken[:1].upper()}{spoken[1:]}"
    if instead == NOTHING and use.owner[0] == "invariants":
        found.removes.add(use.path[:2])
        found.said.append(f"{spoken} goes.")
    elif instead in ("", NOTHING):
        found.open_.append(
            f"Choose the stage that takes its place: {spoken[:1].lower()}{spoken[1:]} needs one."
        )
    else:
        found.puts[use.path] = instead
        found.said.append(f"{spoken} speaks of {process.label('stage', instead)} instead.")


def _reroute(
    process: Process, name: str, instead: str, move: tuple[str, Mapping[str, Any]], found: Plan
) -> bool:
    """Let a move lead past a stage; False when it has no way left."""
    move_id, said = move
    before, to = words(said.get("from")), text(said.get("to"))
    target = instead if to == name else to
    sources = [one for one in before if one not in (name, target)] if to == name else before
    sources = [one for one in sources if one != name]
    if not sources:
        return False
    label = process.label("move", move_id)
    if to == name:
        if not instead:
            found.open_.append(f"Choose where “{label}” leads instead.")
        found.puts[_MOVES, move_id, "to"] = instead
        found.said.append(f"“{label}” leads to {process.label('stage', instead)}.")
    if sources != before:
        found.puts[_MOVES, move_id, "from"] = sources[0] if len(sources) == 1 else sources
        if to != name:
            found.said.append(f"“{label}” is no longer taken from here.")
    return True


def _without_moves(process: Process, gone: list[str], found: Plan) -> None:
    """Take moves out: with the tests that try them, the promises about them, and gates that stand on no move then."""
    for move in gone:
        found.removes.add((_MOVES, move))
        found.said.append(f"The move “{process.label('move', move)}” goes.")
        _without_uses(process, move, found)
    left = {
        text(said.get("gate")) for move, said in process.named("move").items() if move not in gone
    }
    for gate in dict.fromkeys(text((process.one("move", move) or {}).get("gate")) for move in gone):
        if gate in process.named("gate") and gate not in left:
            found.removes.add((_GATES, gate))
            found.said.append(
                f"The gate {process.label('gate', gate)} goes: it stands on no other move."
            )


def _without_uses(process: Process, move: str, found: Plan) -> None:
    tests = 0
    for use in uses(process, "move", move):
        found.removes.add(use.path[:2])
        if use.owner[0] == "tests":
            tests += 1
        else:
            spoken = where(process, use)
            found.said.append(f"{spoken[:1].upper()}{spoken[1:]} goes.")
    if tests:
        found.said.append(_tests_go(tests))


def _move(process: Process, name: str, _instead: str, found: Plan) -> None:
    _without_moves(process, [name], found)
    found.said = found.said[1:]


def _role(process: Process, name: str, instead: str, found: Plan) -> None:
    lists: dict[Path, None] = {}
    for use in uses(process, "role", name):
        if isinstance(use.path[-1], int):
            lists[use.path[:-1]] = None
        elif instead:
            found.puts[use.path] = instead
            _say_replaced(process, use, instead, found)
        else:
            _needs_somebody(process, use, found)
    for path in lists:
        _role_in_list(process, path, (name, instead), found)


def _role_in_list(process: Process, path: Path, roles: tuple[str, str], found: Plan) -> None:
    name, instead = roles
    here = Use(path, "")
    named = words(_at(process.whole, path))
    left = list(dict.fromkeys(instead if one == name else one for one in named))
    left = [one for one in left if one]
    if left:
        found.puts[path] = left
        _say_replaced(process, here, instead, found)
    elif path[-1] in _MAY_BE_EMPTY:
        found.removes.add(path)
        _say_replaced(process, here, instead, found)
    elif path[-1] == "edit":
        found.removes.add(path[:-1])
        _say_replaced(process, here, instead, found)
    else:
        _needs_somebody(process, here, found)


def _needs_somebody(process: Process, use: Use, found: Plan) -> None:
    is_tried = use.owner[0] in ("tests", "fixtures")
    place = "the file's own tests" if is_tried else where(process, use)
    sentence = f"Choose who takes its place in {place}."
    if sentence not in found.open_:
        found.open_.append(sentence)


def _say_replaced(process: Process, use: Use, instead: str, found: Plan) -> None:
    if use.owner[0] in ("tests", "fixtures"):
        return
    spoken = where(process, use)
    now = f"names {process.label('role', instead)}" if instead else "does not name it any more"
    found.said.append(f"{spoken[:1].upper()}{spoken[1:]} {now}.")


def _question(process: Process, name: str, _instead: str, found: Plan) -> None:
    found.removes.update(keys_meant(process, "question", name))
    gone: set[str] = set()
    for use in uses(process, "question", name):
        if use.owner[0] == "invariants":
            found.open_.append(f"{where(process, use)} asks for it: change that first.")
        elif len(use.path) > 3 and use.path[2] == "requirements":
            found.removes.add(use.path[:4])
            gone.add(text(group(_at(process.whole, use.path[:4])).get("id")))
            found.said.append(f"The requirement {where(process, use)} goes.")
        else:
            found.removes.add(use.path)
    found.said = list(dict.fromkeys(found.said))
    _without_requirements(process, gone, found)
    for gate, said in process.named("gate").items():
        wanted = listed(said.get("requirements"))
        if wanted and all(
            (_GATES, gate, "requirements", at) in found.removes for at in range(len(wanted))
        ):
            found.open_.append(
                f"The gate {process.label('gate', gate)} would ask for nothing: take it off its moves first."
            )


def _without_requirements(process: Process, gone: set[str], found: Plan) -> None:
    """Tests that only showed these requirements missing go; the others expect nothing any more of them."""
    out = 0
    for place, test in enumerate(listed(process.whole.get("tests"))):
        expect = group(group(test).get("expect"))
        path: Path = ("tests", place, "expect")
        missing = set(words(expect.get("missing")))
        if missing and missing <= gone:
            found.removes.add(path[:2])
            out += 1
            continue
        for name in _EXPECTED:
            _without_names((*path, name), words(expect.get(name)), gone, found)
        for at, waiver in enumerate(listed(group(group(test).get("set")).get("waivers"))):
            if text(group(waiver).get("requirement")) in gone:
                found.removes.add(("tests", place, "set", "waivers", at))
        items = gone & set(group(expect.get("items")))
        found.removes.update((*path, "items", one) for one in items)
    if out:
        found.said.append(_tests_go(out))


def _without_names(path: Path, named: list[str], gone: set[str], found: Plan) -> None:
    left = [one for one in named if one not in gone]
    if left == named:
        return
    if left or path[-1] == "missing":
        found.puts[path] = left
    else:
        found.removes.add(path)


def _tests_go(count: int) -> str:
    return f"{count} of the file's own tests {'goes' if count == 1 else 'go'}."


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            items = listed(value)
            value = items[step] if step < len(items) else None
        else:
            value = group(value).get(step)
    return value


_PLANS = {"stage": _stage, "move": _move, "role": _role, "question": _question}
