"""What was proposed for a process before: how it ended, who agreed, and when."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.rulebooks.models import Process, RulebookVersion
from okrgate.workshop.publishing.models import OPEN, Proposal, ProposalDecision

PAGE = 50


@dataclass(frozen=True)
class Said:
    """What one administrator said to a proposal."""

    name: str
    decision: str
    at: datetime
    words: str


@dataclass(frozen=True)
class Ended:
    """A proposal that is over. `version` is the one it became, if it did."""

    id: int
    state: str
    author: str
    note: str
    created_at: datetime
    ended_at: datetime
    ended_by: str
    because: str
    version: int | None
    said: Sequence[Said]


def of(key: str, *, before: int | None = None) -> list[Ended]:
    """Return the proposals of a process that are over, the newest first: at most PAGE, and one more if there is any."""
    author, ender = aliased(Person), aliased(Person)
    query = (
        select(
            Proposal.id,
            Proposal.state,
            author.name,
            Proposal.note,
            Proposal.created_at,
            Proposal.ended_at,
            ender.name,
            Proposal.ended_because,
            RulebookVersion.number,
        )
        .join(Process, Process.id == Proposal.process_id)
        .join(author, author.id == Proposal.author_id)
        .outerjoin(ender, ender.id == Proposal.ended_by_id)
        .outerjoin(RulebookVersion, RulebookVersion.id == Proposal.version_id)
        .where(Process.key == key, Proposal.state.not_in(OPEN))
        .order_by(Proposal.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(Proposal.id < before)
    rows = db.session().execute(query).all()
    said = _said([row[0] for row in rows])
    return [
        Ended(
            id=row[0],
            state=row[1],
            author=row[2],
            note=row[3],
            created_at=row[4],
            ended_at=row[5] or row[4],
            ended_by=row[6] or "",
            because=row[7],
            version=row[8],
            said=said[row[0]],
        )
        for row in rows
    ]


def _said(proposals: Sequence[int]) -> defaultdict[int, list[Said]]:
    query = (
        select(
            ProposalDecision.proposal_id,
            Person.name,
            ProposalDecision.decision,
            ProposalDecision.at,
            ProposalDecision.words,
        )
        .join(Person, Person.id == ProposalDecision.person_id)
        .where(ProposalDecision.proposal_id.in_(proposals))
        .order_by(ProposalDecision.id)
    )
    found: defaultdict[int, list[Said]] = defaultdict(list)
    for proposal, name, decision, at, words in db.session().execute(query):
        found[proposal].append(Said(name, decision, at, words))
    return found
