"""What has to happen before a text binds, as the page says it to whoever is about to ask."""

import hashlib
import time
from dataclasses import dataclass

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.stages import impact
from okrgate.stages.impact_report import Impact
from okrgate.workshop.meaning import Told
from okrgate.workshop.publishing import policy
from okrgate.workshop.publishing.policy import Policy

_FRESH_SECONDS = 600.0
_KEPT = 8
_seen: dict[tuple[str, str, str], tuple[float, Impact]] = {}


def impact_of(key: str, text: str, *, reader: int) -> Impact:
    """Return what a text would do, and remember it for whoever asks for it to be published next."""
    found = impact.of(key, text, reader=reader)
    if not found.problem:
        _seen[_place(key, text)] = time.monotonic(), found
        while len(_seen) > _KEPT:
            _seen.pop(next(iter(_seen)), None)
    return found


def sentences(key: str, text: str) -> tuple[str, ...]:
    """Return the same in sentences, as it was when somebody last looked, if that is not long ago."""
    moment, found = _seen.get(_place(key, text), (float("-inf"), None))
    if found is None or time.monotonic() - moment > _FRESH_SECONDS:
        found = impact.of(key, text, reader=None, most=0)
    return tuple(found.sentences)


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
