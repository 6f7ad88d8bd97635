"""The demo's tour: five steps through what okrgate does, each on the very page and as the very person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_login import current_user
from sqlalchemy import select

from okrgate.accounts import personas
from okrgate.accounts.models import Person
from okrgate.config import Settings
from okrgate.database import db
from okrgate.projects.models import Project

COOKIE = "tour"
ENDED = "ended"
_KNOWN = "okrgate.tour"
_FIRST_PAGE = "stages.my_work"


@dataclass(frozen=True)
class Place:
    """Where a step leads, and as whom; `mine` says that this person is signed in already."""

    number: int
    who: str
    label: str
    path: str
    mine: bool


@dataclass(frozen=True)
class Step:
    """One step of the tour."""

    number: int
    last: int
    title: str
    text: str
    places: Sequence[Place]
    current: bool

    @property
    def is_last(self) -> bool:
        """Tell whether no step follows."""
        return self.number == self.last


def is_demo() -> bool:
    """Tell whether this is the demo. Elsewhere there is no tour."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    return settings.demo


def how_many() -> int:
    """Return the number of steps."""
    return len(personas.welcome()["tour"])


def step() -> int | None:
    """Return the step at which this browser is; None before the tour and after it."""
    said = request.cookies.get(COOKIE, "")
    return int(said) if said in {str(one + 1) for one in range(how_many())} else None


def card() -> Step | None:
    """Return the step that the page shows: the current one, or on the first page the first one to who is new."""
    if not is_demo() or not current_user.is_authenticated:
        return None
    number = step()
    if number is None:
        if COOKIE in request.cookies or request.endpoint != _FIRST_PAGE:
            return None
        number = 1
    return _shown(number, number)


def steps() -> list[Step]:
    """Return all steps, for the page about the tour."""
    now = step()
    return [_shown(number + 1, now) for number in range(how_many())]


def place(number: int, index: int) -> tuple[Place, str] | None:
    """Return one place of a step and the address of who goes there; None if there is no such place or person."""
    if not 1 <= number <= how_many():
        return None
    places = _shown(number, number).places
    if not 1 <= index <= len(places):
        return None
    found = places[index - 1]
    query = select(Person.email).where(Person.name == found.who, Person.active)
    email = db.session().scalar(query.limit(1))
    return (found, email) if email else None


def _shown(number: int, now: int | None) -> Step:
    said = personas.welcome()["tour"][number - 1]
    name = current_user.name if current_user.is_authenticated else ""
    places = [
        Place(index, one["who"], one["label"], _path(one), one["who"] == name)
        for index, one in enumerate(said["places"], start=1)
    ]
    return Step(number, how_many(), said["title"], said["text"], places, number == now)


def _path(said: dict[str, Any]) -> str:
    if "page" in said:
        return str(said["page"])
    reference = _reference(said["project"])
    return f"/projects/{reference}{said.get('then', '')}" if reference else url_for(_FIRST_PAGE)


def _reference(title: str) -> str:
    """Return the reference of the project with this title. It never changes, so it is asked for once."""
    known: dict[str, str] = current_app.extensions.setdefault(_KNOWN, {})
    if title not in known:
        query = select(Project.reference).where(Project.title == title).order_by(Project.id)
        found = db.session().scalar(query.limit(1))
        if found is None:
            return ""
        known[title] = found
    return known[title]
