"""Who administered okrgate a day ago: only they count for a text, and nobody brings others in or sends them away for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db

DELAY = timedelta(days=1)
_RIGHTS, _ERASED = "person.rights_changed", "person.erased"
_SHUT_OUT, _LET_IN = "person.deactivated", "person.activated"


@dataclass(frozen=True)
class Lately:
    """Who was administrator a day ago, who is now, and who made each new one an administrator."""

    were: frozenset[int]
    are: frozenset[int]
    made_by: Mapping[int, int | None]

    @property
    def new(self) -> set[int]:
        """Return who is administrator now and was not a day ago."""
        return set(self.are - self.were)

    def makers(self, person: int) -> set[int]:
        """Return who made somebody an administrator within the day, and who made those one."""
        found: set[int] = set()
        maker = self.made_by.get(person)
        while maker is not None and maker not in found:
            found.add(maker)
            maker = self.made_by.get(maker)
        return found


@dataclass
class _Past:
    """What the record says of somebody as they were a day ago; None: it is as it is now."""

    admin: bool | None = None
    active: bool | None = None
    maker: int | None = None


def lately() -> Lately:
    """Read it from the record: what changed within the day, taken back."""
    pasts = _pasts()
    rows = db.session().execute(
        select(Person.id, Person.is_admin, Person.active).where(
            Person.id.in_(pasts) | (Person.is_admin & Person.active)
        )
    )
    were, are = set(), set()
    for person, is_admin, active in rows:
        past = pasts.get(person, _Past())
        if is_admin and active:
            are.add(person)
        if _or(past.admin, is_admin) and _or(past.active, active):
            were.add(person)
    made_by = {one: pasts[one].maker for one in are - were}
    return Lately(frozenset(were), frozenset(are), made_by)


def _pasts() -> dict[int, _Past]:
    query = (
        select(Entry.action, Entry.target, Entry.details, Entry.actor_id)
        .where(
            Entry.action.in_((_RIGHTS, _ERASED, _SHUT_OUT, _LET_IN)), Entry.at > clock.now() - DELAY
        )
        .order_by(Entry.seq)
    )
    found: dict[int, _Past] = {}
    for action, target, details, by in db.session().execute(query):
        past = found.setdefault(int(target.partition(":")[2]), _Past())
        if action in (_SHUT_OUT, _LET_IN):
            past.active = _or(past.active, action == _SHUT_OUT)
        else:
            # Of somebody who was forgotten before this was noted nobody knows: they may have been one.
            before, after = (
                (details.get("admin", True), False)
                if action == _ERASED
                else details.get("admin", (False, False))
            )
            if before == after:
                continue
            past.admin = _or(past.admin, before)
        if action == _LET_IN or (action == _RIGHTS and not before):
            past.maker = by
    return found


def _or(past: bool | None, now: bool) -> bool:
    return now if past is None else past
