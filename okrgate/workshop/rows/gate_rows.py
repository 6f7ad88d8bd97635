"""The gates of a draft in plain words: what each asks, how strictly, and which tests speak of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from okrgate.gates.problems import Problem
from okrgate.gates.reading_conditions import Names
from okrgate.workshop.rows.conditions_words import in_words, names_of
from okrgate.workshop.rows.gate_messages import filled
from okrgate.workshop.rows.plain_words import PlainWords
from okrgate.workshop.rows.process_draft import Findings
from okrgate.workshop.rows.process_rows import (
    Process,
    group,
    joined,
    listed,
    section_label,
    text,
    whole_number,
    words,
)

_PLAIN_ID = re.compile(r"[a-z][a-z0-9_-]{0,59}\Z", re.ASCII)
DEFAULT_REASON, DEFAULT_DAYS = 20, 30
SEVERITIES = {"hard": "Must", "soft": "Can be set aside", "advisory": "Advice"}


@dataclass(frozen=True)
class RequirementRow:
    """One requirement: where it stands, and what it says in words."""

    gate: str
    place: int
    token: str
    id: str
    message: str
    help: str
    severity: str
    mode: str
    needs: str
    only_if: str
    waiver: str
    section: str
    found: tuple[Problem, ...] = ()

    @property
    def anchor(self) -> str:
        """Return the id of its row on the page."""
        return f"rule-{self.gate}-{self.token}"


@dataclass(frozen=True)
class GateRow:
    """One gate, and the moves it stands on."""

    id: str
    label: str
    guards: tuple[str, ...]
    rules: tuple[RequirementRow, ...]
    found: tuple[Problem, ...]


def gates(process: Process, findings: Findings) -> list[GateRow]:
    """Return every gate, those of the way forward first and in its order."""
    names, plain = names_of(process.whole), PlainWords(process)
    known = process.named("gate")

    def gate(name: str) -> GateRow:
        said = known[name]
        rules = tuple(
            _requirement(process, names, name, place, group(one))
            for place, one in enumerate(listed(said.get("requirements")))
        )
        own = [findings.of("requirement", f"{name} {rule.place}") for rule in rules]
        inside = {one for found in own for one in found}
        outside = [one for one in findings.of("gate", name) if one not in inside]
        return GateRow(
            id=name,
            label=process.label("gate", name),
            guards=tuple(guarded(process, name)),
            rules=tuple(
                replace(rule, found=tuple(plain.of(found, rule.id)))
                for rule, found in zip(rules, own, strict=True)
            ),
            found=tuple(plain.of(outside)),
        )

    return [gate(name) for name in ordered(process)]


def ordered(process: Process) -> list[str]:
    """Return the ids of all gates: first those that a project meets on its way forward."""
    known, moves, stages = process.named("gate"), process.named("move"), process.named("stage")
    here = next((name for name, one in stages.items() if one.get("initial") is True), "")
    passed: list[str] = []
    seen: set[str] = set()
    while here and here not in seen:
        seen.add(here)
        onward = process.onward(here)
        move = moves[onward] if onward is not None else {}
        passed.append(text(move.get("gate")))
        here = text(move.get("to"))
    return [one for one in dict.fromkeys([*passed, *known]) if one in known]


def guarded(process: Process, gate: str) -> Iterator[str]:
    """Yield the moves that a gate stands on, as people call them."""
    for name, move in process.named("move").items():
        if move.get("gate") == gate:
            yield process.label("move", name)


def _requirement(
    process: Process,
    names: Names,
    gate: str,
    place: int,
    said: Mapping[str, Any],
) -> RequirementRow:
    return RequirementRow(
        gate=gate,
        place=place,
        token=token_of(process, gate, place),
        id=text(said.get("id")),
        message=filled(text(said.get("message")), names) or "(no message yet)",
        help=filled(text(said.get("help")), names),
        severity=text(said.get("severity")),
        mode=text(said.get("mode")) or "active",
        needs=in_words(said.get("if"), names),
        only_if=in_words(said.get("when"), names),
        waiver=_waiver(process, names, said),
        section=section_label(text(said.get("fix"))),
    )


def token_of(process: Process, gate: str, place: int) -> str:
    """Return how a requirement is named in an address: its id, or its place where that says too little."""
    rows = [group(one) for one in listed((process.one("gate", gate) or {}).get("requirements"))]
    name = text(rows[place].get("id"))
    is_clear = _PLAIN_ID.match(name) and [one.get("id") for one in rows].count(name) == 1
    return name if is_clear and name not in {"new", "remove"} else str(place)


def signed(process: Process, gate: str, place: int | None) -> list[tuple[str, str]]:
    """Return the requirements of a gate that ask for signatures as (id, message), but for the one at a place."""
    names = names_of(process.whole)
    rows = listed((process.one("gate", gate) or {}).get("requirements"))
    asked = [group(row) for index, row in enumerate(rows) if index != place]
    return [
        (text(one.get("id")), filled(text(one.get("message")), names) or text(one.get("id")))
        for one in asked
        if text(one.get("id")) and _asks_to_sign(one.get("if"))
    ]


def _asks_to_sign(condition: Any) -> bool:
    """Tell whether somebody has to sign for this to hold; to bear no objection asks nobody."""
    if isinstance(condition, list):
        return any(_asks_to_sign(one) for one in condition)
    if not isinstance(condition, dict):
        return False
    wanted = condition.get("signoff")
    if isinstance(wanted, dict) and "quorum" in wanted:
        return True
    return any(_asks_to_sign(one) for one in condition.values())


def found_by(process: Process, gate: str, token: str) -> int | None:
    """Return the place of the requirement that an address names."""
    rows = listed((process.one("gate", gate) or {}).get("requirements"))
    return next(
        (place for place in range(len(rows)) if token_of(process, gate, place) == token), None
    )


def _waiver(process: Process, names: Names, said: Mapping[str, Any]) -> str:
    waiver = group(said.get("waiver"))
    if not waiver:
        return ""
    who = joined([process.label("role", one) for one in words(waiver.get("by"))], "or")
    reason = _count(names, waiver.get("reason_min"), DEFAULT_REASON)
    days = _count(names, waiver.get("expires_days"), DEFAULT_DAYS)
    return f"{who or 'Nobody'} may set it aside, with a reason of at least {reason} characters, for {days} days."


def _count(names: Names, said: object, default: int) -> str:
    if isinstance(said, str):
        said = names.params.get(said[1:])
    number = whole_number(said)
    return f"{default if number is None else number:,}"


def tests_of(process: Process, requirement: str) -> list[str]:
    """Return the names of the tests that speak of a requirement."""
    return [
        text(group(one).get("name"))
        for one in listed(process.whole.get("tests"))
        if _speaks_of(group(one), requirement)
    ]


def _speaks_of(test: Mapping[str, Any], requirement: str) -> bool:
    expect, waivers = group(test.get("expect")), listed(group(test.get("set")).get("waivers"))
    return (
        any(requirement in words(expect.get(key)) for key in ("missing", "met", "waived", "na"))
        or requirement in group(expect.get("items"))
        or any(group(one).get("requirement") == requirement for one in waivers)
    )
