"""The record as people read it: sentences, names, and a table to take away.

This room lies below those that know people and projects; `app.py` tells it whom to ask.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from okrgate.audit.models import Entry
from okrgate.database import canonical_json

Names = Callable[[Iterable[int | None]], Mapping[int, str]]
# What a detail of this name holds: a thing of the rules, somebody, a unit. Codes are for machines and cut short.
_KINDS = {
    "gate": "gate",
    "role": "role",
    "roles": "role",
    "from": "stage",
    "to": "stage",
    "stage": "stage",
    "section": "section",
    "process": "process",
    "requirement": "requirement",
}
_PEOPLE = {"person", "people", "told", "owner"}
_UNITS = {"unit", "parent"}
_CODES = {"digest", "sha256", "receipt", "listing"}
# Fingerprints by which a check tells what was changed: nobody reads them.
_UNSAID = {"parts", "signed"}


def _nobody(_ids: Iterable[int | None]) -> Mapping[int, str]:
    return {}


@dataclass
class Sources:
    """Who knows what the numbers in the record mean. Set once, in app.py."""

    names_of: Names = _nobody
    references_of: Names = _nobody
    people: Callable[[], Sequence[tuple[int, str]]] = list
    project_named: Callable[[str], int | None] = lambda _reference: None
    units_of: Names = _nobody
    labels: Callable[[], Mapping[str, str]] = dict


sources = Sources()


@dataclass(frozen=True)
class Line:
    """One row of the record, in words."""

    seq: int
    at: datetime
    what: str
    who: str
    on_behalf_of: str
    project_id: int | None
    project: str
    target: str
    reason: str
    details: tuple[str, ...]


HEADER = (
    "number",
    "at (UTC)",
    "action",
    "what",
    "person id",
    "person",
    "for person id",
    "for person",
    "project",
    "target",
    "reason",
    "details",
    "request",
    "hash before",
    "hash",
)


def words_for(action: str) -> str:
    """Say an action in words: `project.moved` is "Project moved"."""
    said = action.replace(".", " ").replace("_", " ").replace("signoff", "sign-off").strip()
    return said[:1].upper() + said[1:]


@dataclass(frozen=True)
class _Words:
    """Everything that is called something, by its number or its id in the rules."""

    people: Mapping[int, str]
    units: Mapping[int, str]
    labels: Mapping[str, str]


def lines(entries: Sequence[Entry]) -> list[Line]:
    """Put rows into words, with every name asked for once."""
    names, references = _looked_up(entries)
    words = _Words(names, sources.units_of(_in_details(entries, _UNITS)), sources.labels())
    return [
        Line(
            seq=entry.seq,
            at=entry.at,
            what=words_for(entry.action),
            who=_who(entry.actor_id, names),
            on_behalf_of=_who(entry.on_behalf_of_id, names) if entry.on_behalf_of_id else "",
            project_id=entry.project_id,
            project=_project(entry.project_id, references),
            target=words.labels.get(entry.target) or _target(entry.target, names),
            reason=entry.reason,
            details=tuple(_details(entry.details, words)),
        )
        for entry in entries
    ]


def table(entries: Iterable[Entry], *, batch: int = 200) -> Iterator[Sequence[object]]:
    """Yield the rows of an export, asking for names a batch at a time."""
    waiting: list[Entry] = []
    for entry in entries:
        waiting.append(entry)
        if len(waiting) == batch:
            yield from _cells(waiting)
            waiting = []
    yield from _cells(waiting)


def _cells(entries: Sequence[Entry]) -> Iterator[Sequence[object]]:
    names, references = _looked_up(entries)
    for entry in entries:
        yield (
            entry.seq,
            entry.at.isoformat(timespec="microseconds"),
            entry.action,
            words_for(entry.action),
            entry.actor_id,
            _who(entry.actor_id, names),
            entry.on_behalf_of_id,
            names.get(entry.on_behalf_of_id or 0, ""),
            _project(entry.project_id, references),
            entry.target,
            entry.reason,
            canonical_json(entry.details),
            entry.request_id,
            entry.prev_hash,
            entry.hash,
        )


def _looked_up(entries: Sequence[Entry]) -> tuple[Mapping[int, str], Mapping[int, str]]:
    people: set[int | None] = {entry.actor_id for entry in entries}
    people |= {entry.on_behalf_of_id for entry in entries}
    people |= {_person_in(entry.target) for entry in entries}
    people |= _in_details(entries, _PEOPLE)
    projects = {entry.project_id for entry in entries}
    return sources.names_of(people - {None}), sources.references_of(projects - {None})


def _who(person_id: int | None, names: Mapping[int, str]) -> str:
    return names.get(person_id, f"Person {person_id}") if person_id else "okrgate"


def _project(project_id: int | None, references: Mapping[int, str]) -> str:
    return references.get(project_id, f"Project {project_id}") if project_id else ""


def _target(target: str, names: Mapping[int, str]) -> str:
    person = _person_in(target)
    if person is not None:
        return names.get(person, f"Person {person}")
    kind, colon, which = target.partition(":")
    return f"{words_for(kind)} {which}" if colon else target


def _person_in(target: str) -> int | None:
    kind, _colon, number = target.partition(":")
    return int(number) if kind == "person" and number.isdecimal() and len(number) < 10 else None


def _details(details: Mapping[str, Any], words: _Words) -> Iterator[str]:
    for name, value in details.items():
        field = words_for(str(name))
        if value is None or value in ("", [], {}) or name in _UNSAID:
            continue
        if str(name).endswith("_label") and str(name).removesuffix("_label") in details:
            continue
        if _are_changes(value):
            for one in value:
                yield f"{one['label']}: {_said(one['before'])} → {_said(one['after'])}"
        elif name in _KINDS or name in _PEOPLE or name in _UNITS or name in _CODES:
            yield f"{field}: {_called(str(name), value, words)}"
        elif isinstance(value, list) and len(value) == 2:
            yield f"{field}: {_said(value[0])} → {_said(value[1])}"
        else:
            yield f"{field}: {_said(value)}"


def _called(name: str, value: Any, words: _Words) -> str:
    """Return what people call a thing of the rules, somebody or a unit; what nobody knows stays as it is."""
    if isinstance(value, list):
        between = " → " if name in _UNITS else ", "
        return between.join(_called(name, one, words) for one in value)
    if name in _CODES:
        return str(value)[:12]
    if name in _KINDS:
        return words.labels.get(f"{_KINDS[name]}:{value}", _said(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return (words.people if name in _PEOPLE else words.units).get(value, str(value))
    return _said(value)


def _in_details(entries: Iterable[Entry], names: Iterable[str]) -> set[int | None]:
    """Return the numbers that details of these names hold."""
    found: set[int | None] = set()
    for entry in entries:
        for name in names:
            value = entry.details.get(name)
            listed = value if isinstance(value, list) else [value]
            found |= {one for one in listed if isinstance(one, int) and not isinstance(one, bool)}
    return found


def _are_changes(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and {"label", "before", "after"} <= one.keys() for one in value
    )


def _said(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else canonical_json(value)
