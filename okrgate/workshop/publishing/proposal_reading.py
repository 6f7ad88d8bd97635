"""Proposals as pages show them: one with all that surrounds it, and those that wait."""

from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import Date, Select, Text, cast, exists, func, literal, null, select
from sqlalchemy.orm import aliased

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.gates.model import Rulebook
from okrgate.rulebooks import service
from okrgate.rulebooks.models import Process
from okrgate.rulebooks.standing import version_at
from okrgate.workshop.publishing.models import (
    APPROVED,
    OPEN,
    SCHEDULED,
    WAITING,
    Proposal,
    ProposalDecision,
)
from okrgate.workshop.publishing.proposal_terms import counts

KIND = "proposal"


@dataclass(frozen=True)
class Page:
    """What surrounds a proposal: its process, the version it changes, what was said to it, what it became."""

    process: str
    title: str
    base_id: int
    base_text: str
    decisions: tuple[ProposalDecision, ...]
    counting: frozenset[int]
    version: int | None

    @property
    def approvals(self) -> int:
        """Return how many approved and still count."""
        return len(self.counting)


def page_of(proposal: Proposal) -> Page:
    """Return what surrounds a proposal."""
    process = db.session().get_one(Process, proposal.process_id)
    base = version_at(process.key, proposal.based_on) if proposal.based_on else None
    decided = (
        db.session()
        .execute(
            select(ProposalDecision, counts().label("counts"))
            .join(Person, Person.id == ProposalDecision.person_id)
            .where(ProposalDecision.proposal_id == proposal.id)
            .order_by(ProposalDecision.id)
        )
        .all()
    )
    over = proposal.state not in OPEN
    return Page(
        process=process.key,
        title=process.title,
        base_id=base.id if base else 0,
        base_text=base.text if base else "",
        decisions=tuple(one for one, _counts in decided),
        # What is over was counted when it ended.
        counting=frozenset(
            one.id for one, still in decided if still or (over and one.decision == APPROVED)
        ),
        version=service.get_version(proposal.version_id).number if proposal.version_id else None,
    )


def of_version(version_id: int) -> int | None:
    """Return the proposal that became a version; one that came from a shell or a file has none."""
    return db.session().scalar(select(Proposal.id).where(Proposal.version_id == version_id))


def held(person: int) -> list[dict[str, Any]]:
    """Return what somebody proposed and said to proposals, for their own export."""
    made = select(Proposal.created_at, Proposal.note, Proposal.state).where(
        Proposal.author_id == person
    )
    said = select(ProposalDecision.at, ProposalDecision.decision, ProposalDecision.words).where(
        ProposalDecision.person_id == person
    )
    return [
        *(
            {"at": at.isoformat(), "proposed": note, "state": state}
            for at, note, state in db.session().execute(made.order_by(Proposal.id))
        ),
        *(
            {"at": at.isoformat(), "decided": decision, "words": words}
            for at, decision, words in db.session().execute(said.order_by(ProposalDecision.id))
        ),
    ]


def coming() -> list[Rulebook]:
    """Return the approved rules that wait for their day: people can be given their roles before."""
    texts = select(Proposal.text).where(Proposal.state == SCHEDULED).order_by(Proposal.id)
    return [service.parsed(text) for text in db.session().scalars(texts)]


def open_ones() -> list[service.Proposed]:
    """Return what waits for approval or for its day, the newest first."""
    approver = aliased(Person)
    given = (
        select(func.count())
        .select_from(ProposalDecision)
        .join(approver, approver.id == ProposalDecision.person_id)
        .where(ProposalDecision.proposal_id == Proposal.id, counts(approver))
        .correlate(Proposal)
        .scalar_subquery()
    )
    query = (
        select(
            Proposal.id,
            Process.key.label("process"),
            Process.title,
            Person.name.label("author"),
            Proposal.author_id,
            Proposal.asked,
            Proposal.note,
            Proposal.created_at,
            Proposal.takes_effect_at,
            Proposal.state,
            Proposal.needed,
            given.label("given"),
        )
        .join(Process, Process.id == Proposal.process_id)
        .join(Person, Person.id == Proposal.author_id)
        .where(Proposal.state.in_(OPEN))
        .order_by(Proposal.id.desc())
        .limit(50)
    )
    return [service.Proposed(**row._mapping) for row in db.session().execute(query)]


def asked_of(person: int) -> Select[Any]:
    """Return a query for the proposals that wait for an administrator's word, in the columns of what people owe."""
    spoken = select(ProposalDecision.proposal_id).where(ProposalDecision.person_id == person)
    is_admin = exists().where(Person.id == person, Person.is_admin, Person.active)
    among = cast(Proposal.asked, Text)
    columns: tuple[Any, ...] = (
        literal(KIND).label("kind"),
        Proposal.id,
        Proposal.note.label("text"),
        cast(null(), Date).label("due"),
        literal("").label("reference"),
        Process.title,
    )
    return (
        select(*columns)
        .join(Process, Process.id == Proposal.process_id)
        .where(
            Proposal.state == WAITING,
            Proposal.id.not_in(spoken),
            is_admin,
            # A list of numbers as it is stored: [2,5,7].
            func.replace(func.replace(among, "[", ","), "]", ",").like(f"%,{person},%"),
        )
        .order_by(Proposal.id)
    )


def words(note: str) -> str:
    """Say what is asked of an administrator."""
    return f"Approve or refuse new rules: {note}"[:200]


def where(proposal_id: int) -> str:
    """Return the page to do it on."""
    return url_for("workshop.show_proposal", proposal_id=proposal_id)


def count() -> Select[int]:
    """Return a query that counts what waits for approval or for its day."""
    return select(func.count()).select_from(Proposal).where(Proposal.state.in_(OPEN))
