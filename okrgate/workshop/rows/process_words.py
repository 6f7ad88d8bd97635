"""Rows of a process in plain words, for administrators who have never seen its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from okrgate.workshop.rows.process_rows import (
    PREVIOUS,
    Process,
    asks_of,
    editors,
    fact_label,
    joined,
    kind_of,
    section_label,
    text,
    whole_number,
    words,
)

KINDS: Mapping[str, str] = {
    "forward": "Leads on",
    "return": "Sends back, for more work",
    "park": "Puts on hold",
    "resume": "Resumes what was on hold",
    "decline": "Declines",
    "withdraw": "Withdraws",
    "stop": "Stops work that has begun",
}
ASKS: Mapping[str, str] = {
    "reason": "A reason",
    "date": "A date",
    "condition": "What it waits for",
    "revisit": "When to look at it again",
}
EFFECTS: Mapping[str, str] = {
    "freeze_bands": "The outcome bands are frozen",
    "create_checkpoints": "The checkpoints of the metrics are made",
    "ask_steward": "Stewards are asked to confirm the metrics",
    "ask_stakeholders": "Stakeholders are asked how it went",
    "invite_kickoff": "Everybody is invited to the kick-off",
    "send_summary": "The summary is sent to leadership",
    "celebrate": "Everybody involved is thanked",
}
SCOPES: Mapping[str, str] = {
    "home": "in the project's unit, or in a unit above",
    "teams": "in the project's unit or a unit of its teams, or above",
    "company": "in any unit",
}
TYPES: Mapping[str, str] = {
    "enum": "One of a list",
    "boolean": "Yes or no",
    "string": "A short text",
    "integer": "A whole number",
    "number": "A number",
    "money": "An amount of money",
    "date": "A date",
}
PLACES: Mapping[str, str] = {
    "": "On the way",
    "initial": "Where every project begins",
    "holding": "Where projects wait",
    "terminal": "An end",
}


@dataclass(frozen=True)
class Row:
    """One thing of a process in words: what it is called, and sentences about it."""

    kind: str
    id: str
    label: str
    tag: str
    sentences: tuple[str, ...]


def rows(process: Process, kind: str) -> list[Row]:
    """Return everything of one kind in words, in the order of the file."""
    return [_SAID[kind](process, name, one) for name, one in process.named(kind).items()]


def place_of(stage: Mapping[str, Any]) -> str:
    """Return what sort of place a stage is: initial, holding, terminal, or on the way."""
    return next((one for one in PLACES if one and stage.get(one) is True), "")


def _days(count: int) -> str:
    """Return “1 working day”, “5 working days”."""
    return f"{count:,} working day{'' if count == 1 else 's'}"


def _stage(process: Process, name: str, stage: Mapping[str, Any]) -> Row:
    place = place_of(stage)
    said = [text(stage.get("help"))]
    if place == "terminal":
        outcome = text(stage.get("outcome")).replace("_", " ")
        said.append(f"Outcome: {outcome}." if outcome else "It has no outcome yet.")
    said += [_deadline(process, stage), *_filled_in(process, stage)]
    entered = [EFFECTS.get(one, one) for one in words(stage.get("on_enter"))]
    if entered:
        said.append(f"When a project comes in: {joined([_lower(one) for one in entered])}.")
    tag = PLACES[place] if place else ""
    return Row("stage", name, process.label("stage", name), tag, _only(said))


def _deadline(process: Process, stage: Mapping[str, Any]) -> str:
    limit, remind = whole_number(stage.get("sla_days")), whole_number(stage.get("remind_days"))
    told = process.labels("role", words(stage.get("escalate_to")))
    parts = [f"should take at most {_days(limit)}"] if limit is not None else []
    parts += [f"a reminder after {_days(remind)}"] if remind is not None else []
    parts += [f"late sign-offs are told to {told}"] if told else []
    return _sentence("; ".join(parts))


def _filled_in(process: Process, stage: Mapping[str, Any]) -> list[str]:
    by_roles: dict[tuple[str, ...], list[str]] = {}
    for section, roles in editors(stage).items():
        by_roles.setdefault(tuple(roles), []).append(section_label(section))
    return [
        f"{joined([process.label('role', one) for one in roles], 'or') or 'Nobody'} fills in: {', '.join(sections)}."
        for roles, sections in by_roles.items()
    ]


def _move(process: Process, name: str, move: Mapping[str, Any]) -> Row:
    sources = process.labels("stage", words(move.get("from"))) or "nowhere"
    who = joined([process.label("role", one) for one in words(move.get("by"))], "or")
    how = (
        "by itself, as soon as its gate is open"
        if move.get("auto") is True
        else f"by {who or 'nobody'}"
    )
    said = [f"From {sources} to {process.target(move)}, {how}."]
    gate = text(move.get("gate"))
    if gate:
        said.append(f"Gate: {process.label('gate', gate)}.")
    asked = [ASKS.get(one, one) for one in asks_of(move)]
    if asked:
        said.append(f"Asks for: {', '.join(_lower(one) for one in asked)}.")
    if move.get("voids_signoffs") is True:
        said.append("Sign-offs given before are void afterwards.")
    told = process.labels("role", words(move.get("notify")))
    if told:
        said.append(f"Mail to {told}.")
    if text(move.get("mail")):
        said.append(f"The mail says besides: {text(move.get('mail'))}")
    kind = kind_of(move)
    tag = KINDS.get(kind, kind) if kind != "forward" else ""
    return Row("move", name, process.label("move", name), tag, _only(said))


def _role(process: Process, name: str, role: Mapping[str, Any]) -> Row:
    if role.get("kind") == "project":
        fact = text(role.get("fact"))
        said = f"Named in each project: {fact_label(fact)}." if fact else "Nobody is named yet."
    else:
        scope = text(role.get("scope")) or "home"
        said = f"Given to people: whoever holds it {SCOPES.get(scope, scope)}."
    return Row("role", name, process.label("role", name), "", (said,))


def _question(process: Process, name: str, one: Mapping[str, Any]) -> Row:
    kind = text(one.get("type"))
    values = words(one.get("values"))
    answer = f"One of: {', '.join(values)}" if values else TYPES.get(kind, kind)
    where = f"{section_label(text(one.get('section')))}, {process.label('stage', text(one.get('stage')))}"
    said = [f"{answer}. Asked under {where}.", text(one.get("help"))]
    return Row("question", name, process.label("question", name), "", _only(said))


_SAID = {"stage": _stage, "move": _move, "role": _role, "question": _question}


def between(process: Process, move: str) -> str:
    """Return where a forward move stands: “after Planning, before Final approval”."""
    said = process.forward[move]
    sources = process.labels("stage", words(said.get("from")))
    return f"after {sources}, before {process.target(said)}"


def is_back_to_before(move: Mapping[str, Any]) -> bool:
    """Tell whether a move leads to wherever a project was before."""
    return text(move.get("to")) == PREVIOUS


def _only(said: list[str]) -> tuple[str, ...]:
    return tuple(one for one in said if one)


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _lower(said: str) -> str:
    return f"{said[:1].lower()}{said[1:]}"
