"""What an event is, and how the news of it reaches those who listen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from okrgate.database import check_writing


@dataclass(frozen=True)
class Recipient:
    """Somebody to tell, why they in particular, and whether they are asked to act."""

    person_id: int
    why: str
    asked: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened. `path` is the page to open; `by` the name of who did it.

    `guarded` is for news about several projects: (field, place in it, project, what stands there for whoever may not
    read that project when the mail is sent; None: nothing).
    """

    recipients: tuple[Recipient, ...] = ()
    by: str = "okrgate"
    by_id: int | None = None
    path: str = "/"
    channels: tuple[str, ...] = ("mail", "inbox")
    guarded: tuple[tuple[str, int, int, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProjectEvent(Event):
    """Something about one project."""

    project_id: int
    reference: str
    title: str


Listener = Callable[[Event], None]
Hearers = Callable[[Event], Iterable[Recipient]]


@dataclass
class _Listeners:
    all: list[Listener] = field(default_factory=list)
    hearers: list[Hearers] = field(default_factory=list)


listeners = _Listeners()


def subscribe(listener: Listener) -> None:
    """Hear every event, inside its transaction. Done once, in app.py; a second time changes nothing."""
    if listener not in listeners.all:
        listeners.all.append(listener)


def add_hearers(hearers: Hearers) -> None:
    """Let a room name more people who hear of an event: those who follow a project. Done once, in app.py."""
    if hearers not in listeners.hearers:
        listeners.hearers.append(hearers)


def publish(event: Event) -> None:
    """Tell the listeners. Raises RuntimeError outside a transaction: news without its cause is a rumour."""
    check_writing()
    heard = _with_hearers(event)
    for listener in listeners.all:
        listener(heard)


def _with_hearers(event: Event) -> Event:
    """Add those who hear of it besides; whoever is told already keeps the reason they have."""
    known = {one.person_id for one in event.recipients}
    more = {
        one.person_id: one
        for hearers in listeners.hearers
        for one in hearers(event)
        if one.person_id not in known
    }
    return replace(event, recipients=(*event.recipients, *more.values())) if more else event
