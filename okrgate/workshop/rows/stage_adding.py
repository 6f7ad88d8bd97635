"""Put a stage between two others: the stage itself, the move into it and on from it, its gate, its role, in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from okrgate.gates.revising import Add, Change, Put
from okrgate.workshop.rows.process_changes import compact
from okrgate.workshop.rows.process_names import id_from
from okrgate.workshop.rows.process_rows import GROUPS, Process, kind_of, text, words
from okrgate.workshop.rows.process_words import KINDS, between

NEW_ROLE = "+"
_MOVES, _STAGES, _GATES, _ROLES = (GROUPS[one] for one in ("move", "stage", "gate", "role"))


@dataclass(frozen=True)
class Wanted:
    """What an administrator says of a stage to add. `at`: the forward move that leads into it from now on."""

    id: str
    label: str
    at: str
    help: str = ""
    days: int | None = None
    into_label: str = ""
    onward_label: str = ""
    onward_by: tuple[str, ...] = ()
    signed_by: str = ""
    role_label: str = ""
    role_scope: str = "home"
    quorum: int = 1
    objections_stop: bool = True
    sent_back: bool = True
    told_in: tuple[str, ...] = ()
    told_on: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class SideMove:
    """A way off the normal one that could also be taken from a new stage; `likely`: it is open on both sides of it."""

    id: str
    label: str
    words: str
    likely: bool


def positions(process: Process) -> list[tuple[str, str]]:
    """Return (move, words) of every place where a stage can be put: on each move that leads on."""
    return [(name, between(process, name)) for name in process.forward]


def side_moves(process: Process, at: str | None = None) -> list[SideMove]:
    """Return the moves that do not lead on: they can be open from a new stage as well."""
    around = _around(process, at) if at else set()
    found = []
    for name, move in process.named("move").items():
        kind = kind_of(move)
        if kind in {"forward", "resume"}:
            continue
        sources = set(words(move.get("from")))
        said = f"{KINDS.get(kind, kind)}, to {process.target(move)}"
        likely = bool(around) and around <= sources
        found.append(SideMove(name, process.label("move", name), said, likely))
    return found


def _around(process: Process, at: str) -> set[str]:
    move = process.forward[at]
    return {*words(move.get("from")), text(move.get("to"))}


def changes_for(process: Process, wanted: Wanted) -> list[Change]:
    """Return the changes that add the stage."""
    move = process.forward[wanted.at]
    role = _role_id(process, wanted)
    stage = compact({"label": wanted.label, "help": wanted.help, "sla_days": wanted.days})
    before = words(move.get("from"))
    changes: list[Change] = [
        *_new_role(process, wanted, role),
        Add((_STAGES,), stage, key=wanted.id, after=before[-1] if before else None),
        *_renamed(process, wanted),
        Put((_MOVES, wanted.at, "to"), wanted.id),
        *_told(move, (_MOVES, wanted.at), _with(wanted.told_in, role)),
    ]
    gate = id_from(wanted.label, process.named("gate")) if role else ""
    if gate:
        after = text(move.get("gate"))
        place = after if after in process.named("gate") else None
        changes.append(
            Add((_GATES,), _gate(process, wanted, role, gate), key=gate, after=place)
            if process.named("gate")
            else Put((_GATES, gate), _gate(process, wanted, role, gate))
        )
    onward = id_from(wanted.onward_label, process.named("move"))
    changes.append(Add((_MOVES,), _onward(wanted, move, role, gate), key=onward, after=wanted.at))
    if wanted.sent_back and before:
        changes.append(_back(process, wanted, move, role, {onward}))
    return [*changes, *_also(process, wanted)]


def _renamed(process: Process, wanted: Wanted) -> list[Change]:
    """The button may say something else, now that it leads to another stage."""
    if wanted.into_label in ("", process.label("move", wanted.at)):
        return []
    return [Put((_MOVES, wanted.at, "label"), wanted.into_label)]


def _role_id(process: Process, wanted: Wanted) -> str:
    if wanted.signed_by == NEW_ROLE:
        return id_from(wanted.role_label, process.named("role"))
    return wanted.signed_by


def _with(roles: tuple[str, ...], role: str) -> list[str]:
    """Return roles by their ids; the new one has got its id by now."""
    named = [role if one == NEW_ROLE else one for one in roles]
    return list(dict.fromkeys(one for one in named if one))


def _new_role(process: Process, wanted: Wanted, role: str) -> list[Change]:
    if wanted.signed_by != NEW_ROLE:
        return []
    scope = "" if wanted.role_scope == "home" else wanted.role_scope
    entry = compact({"label": wanted.role_label, "kind": "org", "scope": scope})
    if process.named("role"):
        return [Add((_ROLES,), entry, key=role)]
    return [Put((_ROLES, role), entry)]


def _told(move: Mapping[str, Any], path: tuple[str, ...], roles: list[str]) -> list[Change]:
    before = words(move.get("notify"))
    wanted = [*before, *(one for one in roles if one not in before)]
    return [Put((*path, "notify"), wanted)] if wanted != before else []


def _gate(process: Process, wanted: Wanted, role: str, gate: str) -> dict[str, Any]:
    taken = {text(one.get("id")) for _gate_id, _place, one in process.requirements()}
    signs = id_from(f"{gate} signed", taken)
    stops = id_from(f"{gate} not objected", {*taken, signs})
    who = wanted.role_label if wanted.signed_by == NEW_ROLE else process.label("role", role)
    people = (
        f"{who} must sign off"
        if wanted.quorum == 1
        else f"{wanted.quorum} people must sign off as {who}"
    )
    never = _excluded(process)
    signoff: dict[str, Any] = {"role": role, "quorum": wanted.quorum}
    if never:
        signoff["exclude"] = never
    requirements = [
        {
            "id": signs.replace("_", "-"),
            "message": people,
            "severity": "hard",
            "if": {"signoff": signoff},
        }
    ]
    if wanted.objections_stop:
        objection = {"role": role, "decision": "rejected", "at_most": 0}
        requirements.append(
            {
                "id": stops.replace("_", "-"),
                "message": f"{who} may not object",
                "severity": "hard",
                "if": {"signoff": objection},
            }
        )
    covers = _covered_next(process, wanted.at)
    return compact({"label": wanted.label, "material": covers, "requirements": requirements})


def _covered_next(process: Process, at: str) -> list[str]:
    """Return what the next sign-off on the way says it covers: the new one is to cover the same.

    Left open it would cover all that was asked before, so that whoever filled that in could sign nowhere.
    """
    gates, seen = process.named("gate"), set()
    move: str | None = at
    while move is not None and move not in seen:
        seen.add(move)
        stage = text(process.forward[move].get("to"))
        move = process.onward(stage)
        gate = gates.get(text(process.forward[move].get("gate")), {}) if move else {}
        if words(gate.get("material")) and _asks_for_sign_off(gate):
            return words(gate.get("material"))
    return []


def _asks_for_sign_off(gate: Mapping[str, Any]) -> bool:
    return "'signoff'" in str(gate.get("requirements"))


def _excluded(process: Process) -> list[str]:
    """Return whom this process never lets sign, so that the new seat says it as well."""
    signing = process.whole.get("signing")
    return words(signing.get("never")) if isinstance(signing, dict) else []


def _onward(wanted: Wanted, move: Mapping[str, Any], role: str, gate: str) -> dict[str, Any]:
    by_itself = bool(gate) and not wanted.onward_by
    return compact(
        {
            "label": wanted.onward_label,
            "from": wanted.id,
            "to": text(move.get("to")),
            "by": _with(wanted.onward_by, role),
            "gate": gate,
            "auto": by_itself,
            "notify": _with(wanted.told_on, role),
        }
    )


def _back(
    process: Process, wanted: Wanted, move: Mapping[str, Any], role: str, taken: set[str]
) -> Change:
    """The way back to the stage before, for whoever decides here.

    Sign-offs given before stay valid until what they cover changes: to void them could undo what a promise rests on.
    """
    before = words(move.get("from"))
    label = f"Send back to {process.label('stage', before[0])}"
    entry = {
        "label": label,
        "from": wanted.id,
        "to": before[0],
        "by": [role] if role else _with(wanted.onward_by, role),
        "kind": "return",
        "asks": ["reason"],
    }
    name = id_from(f"return {wanted.id}", {*process.named("move"), *taken})
    return Add((_MOVES,), entry, key=name, after=next(iter(taken)))


def _also(process: Process, wanted: Wanted) -> list[Change]:
    found: list[Change] = []
    for name in wanted.also:
        move = process.one("move", name)
        if move is not None:
            sources = words(move.get("from"))
            found.append(Put((_MOVES, name, "from"), [*sources, wanted.id]))
    return found
