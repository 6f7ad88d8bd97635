"""What has to happen before a text binds, as the page says it to whoever is about to ask."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.stages import impact
from okrgate.stages.impact import Looked
from okrgate.stages.impact_report import Impact
from okrgate.stages.impact_telling import ANYBODY, tell
from okrgate.workshop.meaning import Told
from okrgate.workshop.publishing import policy
from okrgate.workshop.publishing.policy import Policy

_FRESH_SECONDS = 600.0
_KEPT = 8
_seen: dict[tuple[str, str, str], tuple[float, Looked]] = {}


def impact_of(key: str, text: str, *, reader: int) -> Impact:
    """Return what a text would do as somebody may know it; what was found is kept for whoever proposes it next."""
    return _told(_look(key, text), reader=reader, most=impact.PAGE)


def sentences(key: str, text: str) -> tuple[str, ...]:
    """Return the same in sentences for all who are asked, as it was when somebody last looked, if not long ago."""
    moment, known = _seen.get(_place(key, text), (float("-inf"), None))
    is_fresh = time.monotonic() - moment <= _FRESH_SECONDS
    found = known if known is not None and is_fresh else _look(key, text)
    return _told(found, reader=ANYBODY, most=0, grouped=True).sentences


def _look(key: str, text: str) -> Looked | str:
    found = impact.look(key, text)
    if not isinstance(found, str):
        _seen[_place(key, text)] = time.monotonic(), found
        while len(_seen) > _KEPT:
            _seen.pop(next(iter(_seen)), None)
    return found


def _told(found: Looked | str, **more: Any) -> Impact:
    if isinstance(found, str):
        return Impact({}, {}, problem=impact.unknown(found))
    return tell(found, **more)


def _place(key: str, text: str) -> tuple[str, str, str]:
    return str(db.engine.url), key, hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Outlook:
    """How many approvals a text needs, from whom, and why that many. `not_yet` names those who are too new to count."""

    needed: int
    people: tuple[str, ...]
    policy: Policy
    loosens: bool
    is_alone: bool
    not_yet: tuple[str, ...]


def of(author: int, told: Told) -> Outlook:
    """Say what a text of this author would need."""
    terms = policy.in_force()
    people, possible = policy.electorate(author, terms)
    new = [one for one in policy.not_yet() if one != author]
    names = directory.names([*people, *new])
    return Outlook(
        needed=policy.needed(terms, loosens=told.loosens, possible=possible),
        people=tuple(names[one] for one in people if one in names),
        policy=terms,
        loosens=told.loosens,
        is_alone=not set(people) - {author},
        not_yet=tuple(names[one] for one in new if one in names),
    )
