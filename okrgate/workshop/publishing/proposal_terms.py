"""On which terms a text is proposed: from when on, beside what, and how that is kept and recorded."""

from dataclasses import asdict
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import db
from okrgate.errors import Conflict, Invalid
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.service import Listed
from okrgate.web.filters import show_date
from okrgate.workshop.meaning import Told
from okrgate.workshop.publishing import proposal_news as news
from okrgate.workshop.publishing.models import APPROVED, Proposal, ProposalDecision

_FARTHEST = timedelta(days=366)


def moment_of(day: date | None) -> datetime | None:
    """Return when a day begins for this company. Raises Invalid for one that is not to come, or far away."""
    if day is None:
        return None
    if not clock.today() < day <= clock.today() + _FARTHEST:
        sentence = "Give a day that is still to come, within a year. Leave it empty for “at once”."
        raise Invalid(sentence, {"takes_effect": sentence})
    return datetime.combine(day, time(), tzinfo=clock.company_zone())


def check_new(base: Listed, draft: Draft, digest: str) -> None:
    """Raise Overtaken or Conflict unless a text would be the next version of what it was begun from."""
    if base.number != draft.based_on:
        raise service.Overtaken(f"Version {base.number} was published meanwhile.")
    if base.number and base.sha256 == digest:
        raise Conflict(f"This text is already version {base.number}: it binds.")


def as_stored(told: Told) -> list[dict[str, object]]:
    """Return what changes as a proposal keeps it."""
    if told.problem:
        return [
            {
                "kind": "process",
                "where": "",
                "sentence": told.problem,
                "direction": "other",
                "examples": [],
            }
        ]
    return [{**asdict(one), "examples": list(one.examples)} for one in told.changes]


def asked_already(proposal: Proposal) -> str:
    """Say that a text was asked for before, and on which terms."""
    moment, day = proposal.takes_effect_at, "at once"
    if moment is not None:
        day = f"from {show_date(moment.astimezone(clock.company_zone()).date())}"
    kept = news.IN_FLIGHT[proposal.in_flight]
    return f"You have asked for this text already, to bind {day}. {kept} Withdraw that first to ask on other terms."


def approvals_of(proposal_id: int) -> int:
    """Return how many administrators approved of a proposal: whoever is none any more does not count."""
    return (
        db.session().scalar(
            select(func.count())
            .select_from(ProposalDecision)
            .join(Person, Person.id == ProposalDecision.person_id)
            .where(ProposalDecision.proposal_id == proposal_id, counts())
        )
        or 0
    )


def unbacked(proposal: Proposal) -> str:
    """Say why those who agreed are not enough any more; empty when they are."""
    left = approvals_of(proposal.id)
    if left < proposal.needed:
        return (
            f"{left} of {proposal.needed} approvals still count: whoever does not administer okrgate any more "
            "is not counted. Ask again."
        )
    if not proposal.needed and proposal.author_id not in directory.admins():
        return "Nobody else had to approve, and its author does not administer okrgate any more."
    return ""


def counts(person: type[Person] = Person) -> ColumnElement[bool]:
    """Tell, in a query over decisions and their people, which ones are approvals that count now."""
    return (ProposalDecision.decision == APPROVED) & person.is_admin & person.active


def record(what: str, proposal: Proposal, *, by: int | None, reason: str = "") -> None:
    """Put into the record what became of a proposal."""
    audit.record(
        f"rulebook.{what}",
        by=by,
        target=f"proposal:{proposal.id}",
        reason=reason,
        details={"sha256": proposal.sha256, "based_on": proposal.based_on}
        | (
            {
                "needed": proposal.needed,
                "loosens": proposal.loosens,
                "in_flight": proposal.in_flight,
                "takes_effect": proposal.takes_effect_at.isoformat()
                if proposal.takes_effect_at
                else "",
            }
            if what == "proposed"
            else {}
        ),
    )
