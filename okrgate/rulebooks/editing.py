"""Work on a rulebook before it binds: drafts, differences, tests. Nothing here publishes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid, NotFound
from okrgate.gates.checks import check_in_child_process, in_child, run_tests_in_child_process
from okrgate.gates.language import load_rulebook, read_rulebook
from okrgate.gates.model import EmbeddedTest
from okrgate.gates.problems import Problem, RulebookError
from okrgate.rulebooks import service
from okrgate.rulebooks.models import Process, RulebookDraft, RulebookVersion

LONGEST = 262_144
_SECONDS = 15.0
Counts = Callable[[], Mapping[int, int]]


@dataclass
class _Registered:
    open_projects: Counts = dict


_registered = _Registered()


def register_open_projects(counts: Counts) -> None:
    """Say how many open projects each version binds. Done once, in app.py: projects lie above this room."""
    _registered.open_projects = counts


def open_projects() -> Mapping[int, int]:
    """Return how many open projects each version binds, by the version's id."""
    return _registered.open_projects()


@dataclass(frozen=True)
class Draft:
    """A text in work."""

    text: str
    note: str
    based_on: int
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Kept:
    """That somebody keeps a draft."""

    process: str
    person_id: int
    based_on: int
    changed_at: datetime


@dataclass(frozen=True)
class Tested:
    """One embedded test: what it expects, what came out, where it stands."""

    name: str
    move: str
    line: int
    expected: str
    got: str
    passed: bool


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


def begin(key: str, *, by: int) -> Draft:
    """Return what somebody works on: their own draft, else the newest version."""
    kept = db.session().scalar(_draft(key, by))
    if kept is not None:
        return Draft(kept.text, kept.note, kept.based_on, kept.changed_at)
    version = newest(key)
    return Draft(version.text, "", version.number)


def drafts() -> list[Kept]:
    """Return who keeps a draft of what, the latest first."""
    query = (
        select(
            Process.key, RulebookDraft.person_id, RulebookDraft.based_on, RulebookDraft.changed_at
        )
        .join(Process, Process.id == RulebookDraft.process_id)
        .order_by(RulebookDraft.changed_at.desc())
        .limit(50)
    )
    return [Kept(*row) for row in db.session().execute(query)]


def keep(key: str, draft: Draft, *, by: int) -> None:
    """Store a text as somebody's draft, sound or not; the same text again stores nothing."""
    if len(draft.text.encode()) > LONGEST:
        raise Invalid("The text is longer than a rulebook may be.")
    with transaction() as session:
        process = session.scalar(select(Process).where(Process.key == key))
        if process is None:
            raise NotFound
        row = session.scalar(_draft(key, by))
        if row is None:
            row = RulebookDraft(process_id=process.id, person_id=by, text="", note="", based_on=0)
            session.add(row)
        elif (row.text, row.note, row.based_on) == (draft.text, draft.note, draft.based_on):
            return
        row.text, row.note, row.based_on = draft.text, draft.note, draft.based_on
        row.changed_at = clock.now()
        audit.record(
            "rulebook.draft_kept",
            by=by,
            details={"process": key, "based_on": draft.based_on},
        )


def discard(key: str, *, by: int) -> None:
    """Throw somebody's own draft away."""
    with transaction() as session:
        row = session.scalar(_draft(key, by))
        if row is None:
            return
        session.execute(delete(RulebookDraft).where(RulebookDraft.id == row.id))
        audit.record("rulebook.draft_discarded", by=by, details={"process": key})


def publish(key: str, draft: Draft, *, by: int) -> RulebookVersion:
    """Publish a text as the next version of this process; the author's draft is done with.

    Raises Invalid without a note or for another process's text, RulebookError for an unsound one, Overtaken when
    another version came first, Conflict when it binds already.
    """
    if not draft.note.strip():
        sentence = "Say what changes and why, for everybody who works by these rules."
        raise Invalid(sentence, {"note": sentence})
    check(key, draft.text)
    version = service.publish(draft.text, by=by, note=draft.note, based_on=draft.based_on)
    discard(key, by=by)
    return version


def roll_back(version: service.Listed, *, note: str, based_on: int, by: int) -> RulebookVersion:
    """Publish the text of an older version again. Raises what `publish` raises."""
    if version.number == based_on:
        raise Conflict("This version binds already.")
    return publish(version.process, Draft(version.text, note, based_on), by=by)


def check(key: str, text: str) -> None:
    """Raise RulebookError unless a text is sound and of this process."""
    service.check_sound(text)
    if load_rulebook(text).id != key:
        sentence = f"“id” of the ruleset must stay {key}: it says which process these rules are of."
        raise RulebookError((Problem(1, 1, "error", sentence),))


def is_readable(key: str, text: str) -> bool:
    """Tell whether a text is a rulebook of this process at all, however its own tests go; found out elsewhere."""
    return in_child(_is_readable, (key, text), _SECONDS) is True


def _is_readable(given: tuple[str, str]) -> bool:
    key, text = given
    rulebook, _problems = read_rulebook(text)
    return rulebook is not None and rulebook.id == key and rulebook.vocabulary == "application"


def problems(key: str, text: str) -> tuple[Problem, ...]:
    """Return every error and warning of a text, found in a process of its own."""
    found = check_in_child_process(text, seconds=_SECONDS)
    if any(one.severity == "error" for one in found):
        return found
    try:
        check(key, text)
    except RulebookError as error:
        return tuple(sorted({*found, *error.problems}))
    return found


def run_tests(text: str) -> tuple[Sequence[Tested], tuple[Problem, ...]]:
    """Return how a text's own tests go, or what keeps them from running."""
    results, faults = run_tests_in_child_process(text, seconds=_SECONDS)
    if faults:
        return (), faults
    rulebook = load_rulebook(text)
    return [
        Tested(
            name=result.name,
            move=rulebook.transitions[test.transition].label,
            line=test.line,
            expected=_expected(test),
            got="As expected" if result.passed else "; ".join(result.faults),
            passed=result.passed,
        )
        for test, result in zip(rulebook.tests, results, strict=True)
    ], ()


def _expected(test: EmbeddedTest) -> str:
    expect, said = test.expect, []
    if expect.allowed is not None:
        said.append("The move is allowed" if expect.allowed else "The move is refused")
    if expect.missing is not None:
        said.append("missing: " + (", ".join(sorted(expect.missing)) or "nothing"))
    for word, names in (("met", expect.met), ("set aside", expect.waived), ("n/a", expect.na)):
        if names:
            said.append(f"{word}: {', '.join(sorted(names))}")
    said += [f"items of {name}: {', '.join(items)}" for name, items in expect.items.items()]
    return "; ".join(said)


def _draft(key: str, person: int) -> Select[RulebookDraft]:
    return (
        select(RulebookDraft)
        .join(Process, Process.id == RulebookDraft.process_id)
        .where(Process.key == key, RulebookDraft.person_id == person)
    )
