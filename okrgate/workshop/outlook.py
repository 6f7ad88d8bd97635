"""What has to happen before a text binds, as the page says it to whoever is about to ask."""

from dataclasses import dataclass

from okrgate.accounts import directory
from okrgate.workshop import policy
from okrgate.workshop.meaning import Told
from okrgate.workshop.policy import Policy


@dataclass(frozen=True)
class Outlook:
    """How many approvals a text needs, from whom, and why that many."""

    needed: int
    people: tuple[str, ...]
    policy: Policy
    loosens: bool
    is_alone: bool


def of(author: int, told: Told) -> Outlook:
    """Say what a text of this author would need."""
    terms = policy.in_force()
    people, possible = policy.electorate(author, terms)
    names = directory.names(people)
    return Outlook(
        needed=policy.needed(terms, loosens=told.loosens, possible=possible),
        people=tuple(names[one] for one in people if one in names),
        policy=terms,
        loosens=told.loosens,
        is_alone=not set(people) - {author},
    )
