"""Say something about a project, correct it, take it back, and read what was said."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.comments import following
from okrgate.comments.mentions import Named, places
from okrgate.comments.models import Comment, Follow
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import CommentAdded, Mentioned, Recipient, publish
from okrgate.gates.model import Rulebook
from okrgate.once import once
from okrgate.projects import permissions
from okrgate.projects.models import CoEditor, Project

PAGE = 20
EDIT_FOR = timedelta(minutes=15)
MOST_TOLD = 30
_QUOTED = 600


Parts = Callable[[], Mapping[str, str]]


@dataclass
class _Registered:
    """What the rooms above have told us."""

    parts: Parts = dict


_registered = _Registered()


@dataclass(frozen=True)
class Seen:
    """A project that the reader may read; `involved` says whether also what is private in it."""

    project: Project
    involved: bool
    follows: bool


@dataclass(frozen=True)
class Words:
    """What is to be said. `told` are the people chosen beside the text."""

    text: str
    told: tuple[int, ...] = ()
    section: str = ""
    private: bool = False


@dataclass(frozen=True)
class Line:
    """One comment as people read it; `text` is empty when it was withdrawn."""

    id: int
    by: str
    mine: bool
    text: str
    told: tuple[Named, ...]
    section: str
    private: bool
    at: datetime
    edited_at: datetime | None
    withdrawn: bool
    editable: bool


def find_project(reference: str, *, reader: int, is_auditor: bool) -> Seen:
    """Return a project that this person may read. Raises NotFound for what is hidden or missing alike."""
    query = select(Project, permissions.reads_all(reader), following.followed_by(reader))
    row = (
        db.session().execute(query.where(Project.reference == reference)).first()
        if reference.isprintable()
        else None
    )
    return _seen(row, reader, is_auditor)


def people() -> list[Named]:
    """Return everybody there ever was, by name."""
    query = select(Person.id, Person.name, Person.email, Person.active)
    rows = db.session().execute(query.order_by(Person.name, Person.id))
    return [Named(*row) for row in rows]


def page_of(
    seen: Seen,
    everybody: Sequence[Named],
    *,
    reader: int,
    before: int | None = None,
    section: str = "",
) -> list[Line]:
    """Return one page of a project's comments, newest first; one more than PAGE if there is more."""
    query = select(Comment).where(Comment.project_id == seen.project.id)
    if not seen.involved:
        query = query.where(Comment.private.is_(False))
    if section:
        query = query.where(Comment.section == section)
    if before is not None:
        query = query.where(Comment.id < before)
    known = {one.id: one for one in everybody}
    rows = db.session().scalars(query.order_by(Comment.id.desc()).limit(PAGE + 1))
    return [_line(row, known, reader) for row in rows]


def count_about(project_id: int, section: str, *, private: bool) -> int:
    """Return how many comments about one part somebody may read who may, or may not, read what is private."""
    query = select(func.count(Comment.id)).where(
        Comment.project_id == project_id,
        Comment.section == section,
        Comment.withdrawn_at.is_(None),
    )
    if not private:
        query = query.where(Comment.private.is_(False))
    return db.session().scalar(query) or 0


def add(seen: Seen, words: Words, *, by: int, key: str | None = None) -> Comment:
    """Store a comment, follow the project, and tell people. The same key twice stores one.

    Raises Invalid when somebody is named who may not read it, Forbidden for a private one by somebody not involved.
    """
    return once(
        lambda: _stored(key, seen.project.id, by), lambda: _check_and_add(seen, words, by, key)
    )


def _check_and_add(seen: Seen, words: Words, by: int, key: str | None) -> Comment:
    if words.private and not seen.involved:
        raise Forbidden("Only those involved in the project can write a private comment.")
    told = _told(seen.project, words, by)
    return _add(seen.project.id, words, told, by, key)


def edit(comment_id: int, text: str, *, by: int, is_auditor: bool) -> Project:
    """Correct one's own comment while it is fresh; the old text stays in the record. Tells those newly named."""
    comment, seen = own(comment_id, by=by, is_auditor=is_auditor)
    if not is_fresh(comment):
        raise Forbidden(
            f"A comment can be corrected for {_minutes()} minutes. Write another one, or withdraw this one."
        )
    told = _told(seen.project, Words(text, private=comment.private), by)
    with transaction() as session:
        row = session.get_one(Comment, comment_id, with_for_update=True, populate_existing=True)
        if row.withdrawn_at is not None or row.text == text:
            return seen.project
        added = sorted(told - set(row.told))
        audit.record(
            "comment.edited",
            by=by,
            project_id=row.project_id,
            target=f"comment:{row.id}",
            details={"text": [row.text, text], "private": row.private},
        )
        row.text, row.told, row.edited_at = text, sorted({*row.told, *told}), clock.now()
        project = session.get_one(Project, row.project_id)
        publish(Mentioned(**_about(project, row, by), recipients=_recipients(added)))
    return seen.project


def withdraw(comment_id: int, *, by: int, is_auditor: bool) -> Project:
    """Take one's own comment back: its text leaves the page and stays in the record. Twice changes nothing."""
    _comment, seen = own(comment_id, by=by, is_auditor=is_auditor)
    with transaction() as session:
        row = session.get_one(Comment, comment_id, with_for_update=True, populate_existing=True)
        if row.withdrawn_at is None:
            audit.record(
                "comment.withdrawn",
                by=by,
                project_id=row.project_id,
                target=f"comment:{row.id}",
                details={"text": row.text, "private": row.private},
            )
            row.text, row.told, row.withdrawn_at = "", [], clock.now()
    return seen.project


def own(comment_id: int, *, by: int, is_auditor: bool) -> tuple[Comment, Seen]:
    """Return somebody's own comment. NotFound for what they may not read, Forbidden for another's."""
    query = (
        select(Project, permissions.reads_all(by), following.followed_by(by), Comment)
        .join(Comment, Comment.project_id == Project.id)
        .where(Comment.id == comment_id)
    )
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound
    seen, comment = _seen(row, by, is_auditor), row.Comment
    if comment.private and not seen.involved:
        raise NotFound
    if comment.by_id != by:
        raise Forbidden("Only whoever wrote a comment can change it.")
    return comment, seen


def register_parts(provider: Parts) -> None:
    """Say what the parts of a project are called: `provider` returns section key → title. Done once, in app.py."""
    _registered.parts = provider


def parts_of(rulebook: Rulebook) -> dict[str, str]:
    """Return the parts that a process uses, section key → title."""
    titles = _registered.parts()
    used = {key: None for stage in rulebook.stages.values() for key in stage.sections}
    return {key: titles[key] for key in used if key in titles}


def mark_seen(seen: Mapping[int, int], *, by: int, is_auditor: bool) -> None:
    """Remember up to which row of the record somebody saw these projects; those they may not read are left out."""
    may = permissions.visible_clause(by, is_auditor=is_auditor)
    query = select(Project.id).where(Project.id.in_(seen), may)
    readable = set(db.session().scalars(query)) if seen else set()
    if readable:
        newest = audit.head()[0]
        following.look({one: min(seen[one], newest) for one in readable}, by=by)


def held(person_id: int) -> list[dict[str, Any]]:
    """Return what this room holds on a person, as plain JSON."""
    said = db.session().scalars(select(Comment).where(Comment.by_id == person_id))
    follows = db.session().scalars(select(Follow).where(Follow.person_id == person_id))
    return [
        *({"project": row.project_id, "at": row.at.isoformat(), "text": row.text} for row in said),
        *(
            {"project": row.project_id, "at": row.at.isoformat(), "follows": True}
            for row in follows
        ),
    ]


def _add(project_id: int, words: Words, told: set[int], by: int, key: str | None) -> Comment:
    with transaction() as session:
        row = Comment(
            project_id=project_id,
            by_id=by,
            section=words.section,
            text=words.text,
            told=sorted(told),
            private=words.private,
            at=clock.now(),
            key=key,
        )
        session.add(row)
        session.flush()
        project = session.get_one(Project, project_id)
        following.follow(project_id, by=by)
        audit.record(
            "comment.added",
            by=by,
            project_id=project_id,
            target=f"comment:{row.id}",
            details={"private": row.private, "section": row.section, "told": sorted(told)},
        )
        about = _about(project, row, by)
        publish(Mentioned(**about, recipients=_recipients(told)))
        publish(CommentAdded(**about, recipients=_listeners(project, row, told | {by})))
    return row


def _recipients(told: Iterable[int]) -> tuple[Recipient, ...]:
    return tuple(Recipient(one, "you were named in a comment") for one in sorted(told))


def _listeners(project: Project, row: Comment, without: set[int]) -> tuple[Recipient, ...]:
    """Return who hears of a comment: those who carry the project, and those who follow it and may read this."""
    found = dict.fromkeys(following.followers(project), following.WHY)
    writers = db.session().scalars(
        select(CoEditor.person_id).where(CoEditor.project_id == project.id)
    )
    found |= dict.fromkeys(writers, "you write it together with the submitter")
    found[project.submitter_id] = "you submitted it"
    if project.lead_id is not None:
        found[project.lead_id] = "you lead it"
    may = following.readers_of(project, private=row.private)
    active = directory.active(found)
    return tuple(
        Recipient(one, why)
        for one, why in found.items()
        if one not in without and one in active and (may is None or one in may)
    )


def _about(project: Project, row: Comment, by: int) -> dict[str, Any]:
    said = row.text if len(row.text) <= _QUOTED else f"{row.text[:_QUOTED]}…"
    return {
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
        "by": directory.names([by]).get(by, "Somebody"),
        "by_id": by,
        "path": f"/projects/{project.reference}/comments#comment-{row.id}",
        "said": "" if row.private else said,
    }


def _told(project: Project, words: Words, by: int) -> set[int]:
    """Return everybody who is named or chosen. Raises Invalid, in words, for whoever is not clear or may not read."""
    everybody = people()
    active = [one for one in everybody if one.active]
    near = permissions.readers(project.id)
    problems: list[str] = []
    found = {one for one in words.told if any(one == person.id for person in active)}
    for place in places(words.text, active, first=near):
        if len(place.people) == 1:
            found.add(place.people[0].id)
        elif place.people:
            names = ", ".join(f'@"{one.name}"' for one in place.people[:4])
            problems.append(f"Several people are called {place.written}. Write one of {names}.")
        elif place.quoted:
            problems.append(f"Nobody here is called {place.written}.")
    found.discard(by)
    problems += _unable(project, words.private, [one for one in active if one.id in found])
    if len(found) > MOST_TOLD:
        problems.append(f"Tell at most {MOST_TOLD} people at once.")
    if problems:
        raise Invalid("The comment was not stored.", {"text": " ".join(problems[:3])})
    return found


def _unable(project: Project, private: bool, named: Sequence[Named]) -> list[str]:
    may = following.readers_of(project, private=private)
    what = "a private comment on this project" if private else "this project"
    return [
        f"{one.name} may not read {what} and cannot be told of it. Take the name out."
        for one in named
        if may is not None and one.id not in may
    ]


def _stored(key: str | None, project_id: int, by: int) -> Comment | None:
    """Return the comment that was stored with this key; nobody gets another's."""
    known = db.session().scalar(select(Comment).where(Comment.key == key)) if key else None
    if known is not None and (known.by_id, known.project_id) != (by, project_id):
        raise Conflict("This page was sent before. Open it again.")
    return known


def _seen(row: Any, reader: int, is_auditor: bool) -> Seen:
    if row is None:
        raise NotFound
    project, involved, follows = row[:3]
    also = (reader,) if involved else ()
    permissions.check_visible(project, reader, is_auditor=is_auditor, also=also)
    return Seen(project, is_auditor or bool(involved), bool(follows))


def _line(row: Comment, known: Mapping[int, Named], reader: int) -> Line:
    by = known.get(row.by_id)
    mine = row.by_id == reader
    withdrawn = row.withdrawn_at is not None
    return Line(
        id=row.id,
        by=by.name if by else "Somebody",
        mine=mine,
        text=row.text,
        told=tuple(known[one] for one in row.told if one in known),
        section=row.section,
        private=row.private,
        at=row.at,
        edited_at=row.edited_at,
        withdrawn=withdrawn,
        editable=mine and is_fresh(row),
    )


def is_fresh(row: Comment) -> bool:
    """Tell whether a comment can still be corrected."""
    return row.withdrawn_at is None and clock.now() - row.at <= EDIT_FOR


def _minutes() -> int:
    return int(EDIT_FOR.total_seconds() // 60)
