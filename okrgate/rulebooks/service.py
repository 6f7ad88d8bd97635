"""Publish a rulebook, and find the one that binds a project."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from okrgate import clock, events
from okrgate.accounts import directory
from okrgate.audit import service as audit_service
from okrgate.database import db, transaction
from okrgate.errors import Conflict, NotFound
from okrgate.events import Recipient, RulesPublished
from okrgate.gates.checks import check_in_child_process
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from okrgate.gates.problems import Problem, RulebookError
from okrgate.gates.vocabulary import SECTIONS
from okrgate.rulebooks.models import Process, RulebookVersion

_KEPT = 32
_lock = threading.Lock()
_loaded: OrderedDict[tuple[str, int], Rulebook] = OrderedDict()


Counts = Callable[[], Mapping[int, int]]


@dataclass(frozen=True)
class Proposed:
    """A text that waits for approval, or for its day: who asks, since when, how many said yes. `state` is which."""

    id: int
    process: str
    title: str
    author: str
    author_id: int
    asked: Sequence[int]
    note: str
    created_at: datetime
    takes_effect_at: datetime | None
    state: str
    needed: int
    given: int


Proposals = Callable[[], Sequence[Proposed]]


@dataclass
class _Registered:
    open_projects: Counts = dict
    proposed: Proposals = tuple
    coming: Callable[[], Sequence[Rulebook]] = tuple


_registered = _Registered()


def register_open_projects(counts: Counts) -> None:
    """Say how many open projects each version binds. Done once, in app.py: projects lie above this room."""
    _registered.open_projects = counts


def open_projects() -> Mapping[int, int]:
    """Return how many open projects each version binds, by the version's id."""
    return _registered.open_projects()


def register_proposed(waiting: Proposals) -> None:
    """Say which texts wait to be published. Done once: proposals lie above this room."""
    _registered.proposed = waiting


def proposed() -> Sequence[Proposed]:
    """Return the texts that wait for approval or for their day, the newest first."""
    return _registered.proposed()


@dataclass(frozen=True)
class Listed:
    """A version as pages show it; `text` is left empty in lists. Number 0: what a process begins with (standing.py)."""

    id: int
    process: str
    title: str
    number: int
    sha256: str
    effective_from: datetime
    published_at: datetime
    published_by_id: int | None
    note: str
    process_id: int
    text: str = ""

    @property
    def name(self) -> str:
        """Say which text this is, within a sentence."""
        return f"version {self.number}" if self.number else "its beginning"


class Overtaken(Conflict):
    """Another version was published since the text was begun."""


def publish(
    text: str, *, by: int | None, note: str = "", based_on: int | None = None
) -> RulebookVersion:
    """Store a text as the next version of its process, effective now; the administrators are told.

    Raises RulebookError if it is not sound or fails its own tests, Conflict if it binds already, and Overtaken
    if the newest version is no longer the one it is `based_on` (None: whatever it is).
    """
    check_sound(text)
    rulebook = parsed(text)
    told = tuple(
        Recipient(admin, "you administer okrgate") for admin in directory.admins() if admin != by
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    name = directory.names([by]).get(by or 0, "okrgate")
    with transaction() as session:
        process = session.scalar(
            select(Process).where(Process.key == rulebook.id).with_for_update()
        )
        if process is None:
            process = Process(key=rulebook.id, title=rulebook.title)
            session.add(process)
            session.flush()
        process.title = rulebook.title
        newest = _newest(process.id)
        if based_on is not None and newest is not None and newest.number != based_on:
            raise Overtaken(f"Version {newest.number} was published meanwhile.")
        if newest is not None and newest.sha256 == digest:
            raise Conflict(f"This text is already version {newest.number} of {process.title}.")
        version = RulebookVersion(
            process_id=process.id,
            number=(newest.number if newest else 0) + 1,
            text=text,
            sha256=digest,
            effective_from=clock.now(),
            published_at=clock.now(),
            published_by_id=by,
            note=note or rulebook.change_note or "",
        )
        session.add(version)
        session.flush()
        audit_service.record(
            "rulebook.published",
            by=by,
            target=f"rulebook:{version.id}",
            reason=version.note,
            details={"process": process.key, "number": version.number, "sha256": digest},
        )
        events.publish(
            RulesPublished(
                recipients=told,
                by=name,
                by_id=by,
                path=f"/rules/{version.id}",
                process=process.title,
                version=version.number,
                note=version.note,
            )
        )
        return version


@lru_cache(maxsize=_KEPT)
def parsed(text: str) -> Rulebook:
    """Read a text once: a rulebook never changes after it was loaded."""
    return load_rulebook(text)


@lru_cache(maxsize=_KEPT)
def check_sound(text: str) -> None:
    """Raise RulebookError unless a text can bind projects of this application.

    A process of its own tries it: a text that nobody has run yet may end or hang the engine.
    """
    problems = check_in_child_process(text)
    if any(problem.severity == "error" for problem in problems):
        raise RulebookError(problems)
    if parsed(text).vocabulary != "application":
        sentence = "Only a rulebook that says “vocabulary: application” can bind projects here."
        raise RulebookError((Problem(1, 1, "error", sentence),))


def publish_first(text: str) -> RulebookVersion | None:
    """Publish the rulebook that an installation begins with; nothing where one was published before."""
    if db.session().scalar(select(func.count()).select_from(RulebookVersion)):
        return None
    return publish(text, by=None, note="First start")


def rulebook(version_id: int) -> Rulebook:
    """Return a stored version, parsed. Kept in memory by its database and id: versions never change."""
    key = (str(db.session().get_bind().engine.url), version_id)
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
            return _loaded[key]
    text = db.session().scalar(select(RulebookVersion.text).where(RulebookVersion.id == version_id))
    if text is None:
        raise NotFound
    found = parsed(text)
    with _lock:
        _loaded[key] = found
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
    return found


def binding() -> list[RulebookVersion]:
    """Return the newest effective version of each process: what a new project may start under."""
    found: dict[int, RulebookVersion] = {}
    query = (
        select(RulebookVersion)
        .where(RulebookVersion.effective_from <= clock.now())
        .order_by(RulebookVersion.process_id, RulebookVersion.number)
    )
    for version in db.session().scalars(query):
        found[version.process_id] = version
    return list(found.values())


def register_coming(coming: Callable[[], Sequence[Rulebook]]) -> None:
    """Say which approved rules wait for their day. Done once: proposals lie above this room."""
    _registered.coming = coming


def role_choices() -> list[tuple[str, str]]:
    """Return (id, label) of every role that people can hold in a unit: by rules that bind, or that will on their day."""
    found: dict[str, str] = {}
    for rules in (*(rulebook(version.id) for version in binding()), *_registered.coming()):
        for role in rules.roles.values():
            if role.kind == "org":
                found.setdefault(role.id, role.label)
    return list(found.items())


def labels() -> dict[str, str]:
    """Return what the rules that bind call their things, by kind and id: {"gate:<id>": label, …}."""
    found: dict[str, str] = {f"section:{name}": label for name, label in SECTIONS.items()}
    for version in binding():
        rules = rulebook(version.id)
        found[f"process:{rules.id}"] = rules.title
        found[f"rulebook:{version.id}"] = f"{rules.title}, version {version.number}"
        found |= {f"role:{one.id}": one.label for one in rules.roles.values()}
        found |= {f"stage:{one.id}": one.label for one in rules.stages.values()}
        found |= {f"gate:{one.id}": one.label for one in rules.gates.values()}
        for gate in rules.gates.values():
            found |= {f"requirement:{one.id}": one.message for one in gate.requirements}
    return found


def versions() -> list[Listed]:
    """Return every version, newest first."""
    query = (
        listed().order_by(RulebookVersion.published_at.desc(), RulebookVersion.id.desc()).limit(200)
    )
    return [Listed(*row) for row in db.session().execute(query)]


def get_version(version_id: int) -> Listed:
    """Return one version with its text. Raises NotFound."""
    query = listed().add_columns(RulebookVersion.text).where(RulebookVersion.id == version_id)
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound
    return Listed(*row)


def newest(key: str) -> RulebookVersion:
    """Return the newest version of a process. Raises NotFound."""
    version = db.session().scalar(
        select(RulebookVersion)
        .join(Process)
        .where(Process.key == key)
        .order_by(RulebookVersion.number.desc())
        .limit(1)
    )
    if version is None:
        raise NotFound
    return version


def version_of(key: str, number: int) -> RulebookVersion:
    """Return a version of a process by its number. Raises NotFound."""
    version = db.session().scalar(
        select(RulebookVersion)
        .join(Process)
        .where(Process.key == key, RulebookVersion.number == number)
    )
    if version is None:
        raise NotFound
    return version


def listed() -> Any:
    """Return a query for versions in the columns of Listed, but for the text."""
    return select(
        RulebookVersion.id,
        Process.key,
        Process.title,
        RulebookVersion.number,
        RulebookVersion.sha256,
        RulebookVersion.effective_from,
        RulebookVersion.published_at,
        RulebookVersion.published_by_id,
        RulebookVersion.note,
        RulebookVersion.process_id,
    ).join(Process)


def _newest(process_id: int) -> RulebookVersion | None:
    return db.session().scalar(
        select(RulebookVersion)
        .where(RulebookVersion.process_id == process_id)
        .order_by(RulebookVersion.number.desc())
        .limit(1)
    )
