"""Follow a project, hear of it, and say up to where one has looked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Label, bindparam, func, literal, or_, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.comments.models import Comment, Follow, Look
from okrgate.database import ask, db, insert_into, transaction
from okrgate.events import Event, ProjectMoved, Recipient, StatusPosted
from okrgate.projects import permissions
from okrgate.projects.models import Project

WHY = "you follow this project"
_HEARD = (ProjectMoved, StatusPosted)


@dataclass(frozen=True)
class Talk:
    """What a project's page says of its comments: how many the reader may read, and who follows."""

    comments: int = 0
    followers: int = 0
    follows: bool = False


def columns(reader: permissions.Reader, *, is_auditor: bool) -> tuple[Label[Any], ...]:
    """Return what a query of projects asks besides, to know a project's `Talk`."""
    readable = or_(Comment.private.is_(False), literal(is_auditor), permissions.reads_all(reader))
    comments = select(func.count(Comment.id)).where(
        Comment.project_id == Project.id, Comment.withdrawn_at.is_(None), readable
    )
    followers = select(func.count(Follow.id)).where(Follow.project_id == Project.id)
    return (
        comments.correlate(Project).scalar_subquery().label("talk_comments"),
        followers.correlate(Project).scalar_subquery().label("talk_followers"),
        followed_by(reader).label("talk_follows"),
    )


def talk_of(row: Any) -> Talk:
    """Return the `Talk` out of a row that was asked for with `columns`."""
    return Talk(row.talk_comments, row.talk_followers, bool(row.talk_follows))


def followed_by(person: permissions.Reader) -> ColumnElement[bool]:
    """Return what says, in a query of projects, whether this person follows one."""
    return Project.id.in_(select(Follow.project_id).where(Follow.person_id == person))


def followers(project: Project) -> dict[int, str]:
    """Return the names of the active people who follow a project and may read it, by id."""
    rows = ask(_FOLLOWERS, {"project": project.id})
    found = {row.id: row.name for row in rows}
    may = readers_of(project) if found else None
    return found if may is None else {one: name for one, name in found.items() if one in may}


_FOLLOWERS = (
    select(Person.id, Person.name)
    .join(Follow, Follow.person_id == Person.id)
    .where(Follow.project_id == bindparam("project"), Person.active)
    .order_by(Person.name, Person.id)
)


def readers_of(project: Project, *, private: bool = False) -> set[int] | None:
    """Return who may read a project (or what is private in it); None when everybody may."""
    if project.submitted_at is None:
        return {project.submitter_id, *permissions.co_editors(project.id)}
    if not project.confidential and not private:
        return None
    auditors = db.session().scalars(select(Person.id).where(Person.is_auditor, Person.active))
    return permissions.readers(project.id) | set(auditors)


def follow(project_id: int, *, by: int) -> None:
    """Follow a project; a second time changes nothing. The caller has checked that they may read it."""
    values = {"project_id": project_id, "person_id": by, "at": clock.now()}
    with transaction() as session:
        session.execute(insert_into(Follow).on_conflict_do_nothing(), values)


def unfollow(project_id: int, *, by: int) -> None:
    """Follow a project no longer."""
    with transaction() as session:
        row = session.scalar(
            select(Follow).where(Follow.project_id == project_id, Follow.person_id == by)
        )
        if row is not None:
            session.delete(row)


def hearers(event: Event) -> Iterable[Recipient]:
    """Return who hears of an event besides, because they follow its project and may still read it."""
    if not isinstance(event, _HEARD):
        return ()
    project = db.session().get(Project, event.project_id)
    if project is None:
        return ()
    return [Recipient(one, WHY) for one in followers(project)]


def look(seen: Mapping[int, int], *, by: int) -> None:
    """Remember up to which row of the record somebody has seen each of these projects. Never goes back."""
    now = clock.now()
    with transaction() as session:
        query = select(Look).where(Look.person_id == by, Look.project_id.in_(seen))
        known = {row.project_id: row for row in session.scalars(query.with_for_update())}
        for project_id, seq in seen.items():
            row = known.get(project_id)
            if row is None:
                session.add(Look(person_id=by, project_id=project_id, seq=seq, at=now))
            elif row.seq < seq:
                row.seq, row.at = seq, now
