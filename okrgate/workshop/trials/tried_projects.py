"""The projects at which rules can be tried: only those that the administrator may read, and only what they may read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.errors import NotFound
from okrgate.gates.model import Rulebook, Signoff, Waiver
from okrgate.gates.verdict import Facts
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.projects.search import asked_words, has_word
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process
from okrgate.stages.facts import gather
from okrgate.workshop.trials.trying import PROJECT, Begun

_MOST = 8
_LONGEST = 200
_TOLD = "statements"


@dataclass(frozen=True)
class Choice:
    """A project that can be chosen."""

    reference: str
    title: str
    stage: str


@dataclass(frozen=True)
class Taken:
    """A project's facts for a try, and its name for the page; `kept_back`: what this reader may not read, and what it is called."""

    begun: Begun
    reference: str
    title: str
    kept_back: Mapping[str, str]


def choices(key: str, query: str, *, reader: int, is_auditor: bool) -> list[Choice]:
    """Return projects of a process that somebody may read: those that a search finds, else the newest."""
    found = _mine(key, reader, is_auditor=is_auditor)
    text = query.strip()[:_LONGEST]
    if text:
        words = [has_word(word) for word in asked_words(text)]
        found = found.where(or_(Project.reference == text.upper(), _all(words)))
    rows = db.session().scalars(found.order_by(Project.id.desc()).limit(_MOST))
    return [Choice(one.reference, one.title, one.stage) for one in rows]


def _all(words: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = Project.id.is_not(None) if words else Project.id.is_(None)
    for one in words:
        found = found & one
    return found


def _mine(key: str, reader: int, *, is_auditor: bool) -> Select[Project]:
    process = select(Process.id).where(Process.key == key).scalar_subquery()
    clause = permissions.visible_clause(reader, is_auditor=is_auditor)
    return select(Project).where(Project.process_id == process, clause)


def take(key: str, reference: str, *, reader: int, is_auditor: bool) -> Taken:
    """Return the facts of a project by its reference. Raises NotFound where it may not be read, and GateUnjudgeable."""
    query = _mine(key, reader, is_auditor=is_auditor).where(Project.reference == reference)
    project = db.session().scalar(query)
    if project is None:
        raise NotFound
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    values, collections = dict(snapshot.values), dict(snapshot.collections)
    kept_back: dict[str, str] = {}
    if not permissions.private_visible(project, reader, is_auditor=is_auditor):
        kept_back = _keep_back(rulebook, values, collections)
    people = _Named(rulebook, values, collections, snapshot.waivers, snapshot.signed)
    begun = Begun(PROJECT, project.reference, people.facts(), signed=people.signed())
    return Taken(begun, project.reference, project.title, kept_back)


def _keep_back(
    rulebook: Rulebook, values: dict[str, Any], collections: dict[str, Any]
) -> dict[str, str]:
    """Take out money and what stakeholders said: they are for those involved."""
    taken = {
        name: rulebook.facts[name].label for name in values if rulebook.facts[name].type == "money"
    }
    for name in taken:
        del values[name]
    if collections.pop(_TOLD, None):
        taken[_TOLD] = rulebook.collections[_TOLD].label
    return taken


class _Named:
    """A project's facts with the names of people in the place of their numbers; no two people are called the same."""

    def __init__(
        self,
        rulebook: Rulebook,
        values: Mapping[str, Any],
        collections: Mapping[str, Any],
        waivers: Iterable[Waiver],
        signed: Mapping[str, tuple[Signoff, ...]],
    ) -> None:
        self._rulebook = rulebook
        self._values = values
        self._collections = collections
        self._waivers = tuple(waivers)
        self._signed = signed
        ids = {int(one) for one in self._people() if one.isdecimal()}
        self._names = _unlike(directory.names(sorted(ids)))

    def _people(self) -> Iterable[str]:
        for name, value in self._values.items():
            if self._rulebook.facts[name].type == "user":
                yield from map(str, value if isinstance(value, list | tuple) else (value,))
        for name, rows in self._collections.items():
            users = self._users(name)
            yield from (str(row[one]) for row in rows for one in users if row.get(one))
        for signoffs in self._signed.values():
            yield from (who for one in signoffs for who in (one.by, one.on_behalf_of) if who)
        yield from (one.by for one in self._waivers)

    def _users(self, collection: str) -> list[str]:
        fields = self._rulebook.collections[collection].fields.values()
        return [one.name for one in fields if one.type == "user"]

    def _name(self, person: Any) -> str:
        return self._names.get(str(person), str(person))

    def facts(self) -> Facts:
        """Return the facts, without sign-offs."""
        values = dict(self._values)
        for name, value in values.items():
            if self._rulebook.facts[name].type == "user":
                many = isinstance(value, list | tuple)
                values[name] = tuple(map(self._name, value)) if many else self._name(value)
        collections = {
            name: [self._row(row, self._users(name)) for row in rows]
            for name, rows in self._collections.items()
        }
        waivers = tuple(replace(one, by=self._name(one.by)) for one in self._waivers)
        return Facts(values, collections, waivers=waivers)

    def _row(self, row: Mapping[str, Any], users: list[str]) -> dict[str, Any]:
        named = {one: self._name(row[one]) for one in users if row.get(one)}
        return {**row, **named}

    def signed(self) -> dict[str, tuple[Signoff, ...]]:
        """Return the sign-offs by gate."""
        return {
            gate: tuple(
                replace(
                    one,
                    by=self._name(one.by),
                    on_behalf_of=self._name(one.on_behalf_of) if one.on_behalf_of else None,
                )
                for one in signoffs
            )
            for gate, signoffs in self._signed.items()
        }


def _unlike(names: Mapping[int, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for person, name in sorted(names.items()):
        words, count = name, 1
        while words in found.values():
            count += 1
            words = f"{name} ({count})"
        found[str(person)] = words
    return found
