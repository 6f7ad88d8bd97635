"""Approved rules whose day has come bind, if they still can: people, rules and roles may have changed since.

The worker looks each minute. What can no longer bind is stopped and told, and nothing changes.
"""

import structlog
from sqlalchemy import func, select

from okrgate import clock
from okrgate.database import db
from okrgate.gates.checks import check_in_child_process
from okrgate.gates.problems import RulebookError
from okrgate.rulebooks.models import RulebookVersion
from okrgate.workshop.publishing import filed, holders, proposals
from okrgate.workshop.publishing.models import OPEN, SCHEDULED, Proposal
from okrgate.workshop.publishing.proposal_terms import unbacked

log = structlog.get_logger()


def look() -> None:
    """Put in force what is due, stop what was overtaken. Doing it twice changes nothing the second time."""
    for proposal_id, because in _hopeless():
        proposals.stop(proposal_id, because)
    for proposal_id in _due():
        because = _obstacle(proposal_id)
        if because:
            proposals.stop(proposal_id, because)
            continue
        try:
            proposals.put_in_force(proposal_id)
        except RulebookError as error:
            proposals.stop(proposal_id, _unsound(error.problems[0].sentence))


def _obstacle(proposal_id: int) -> str:
    """Say what keeps an approved text from binding now; empty when nothing does."""
    proposal = proposals.get(proposal_id)
    alone = unbacked(proposal)
    if alone:
        return alone
    wrong = [one for one in check_in_child_process(proposal.text) if one.severity == "error"]
    if wrong:
        return _unsound(wrong[0].sentence)
    gone = [one for one in holders.unheld(proposal.text) if one not in proposal.unheld]
    if gone:
        return f"Nobody holds this role any more: {'; '.join(gone)}. Give it to somebody, then ask again."
    return ""


def _unsound(sentence: str) -> str:
    return f"The text did not pass the check on its day: {sentence.rstrip('.')}."


def _due() -> list[int]:
    query = (
        select(Proposal.id)
        .where(Proposal.state == SCHEDULED, Proposal.takes_effect_at <= clock.now())
        .order_by(Proposal.takes_effect_at, Proposal.id)
    )
    return list(db.session().scalars(query))


def _hopeless() -> list[tuple[int, str]]:
    """Return the open proposals that cannot bind any more, and why."""
    if filed.source() is not None:
        query = select(Proposal.id).where(Proposal.state.in_(OPEN)).order_by(Proposal.id)
        return [(one, filed.sentence()) for one in db.session().scalars(query)]
    return [(one, proposals.OVERTAKEN) for one in _overtaken()]


def _overtaken() -> list[int]:
    newest = (
        select(func.max(RulebookVersion.number))
        .where(RulebookVersion.process_id == Proposal.process_id)
        .correlate(Proposal)
        .scalar_subquery()
    )
    query = select(Proposal.id).where(Proposal.state.in_(OPEN), Proposal.based_on != newest)
    return list(db.session().scalars(query.order_by(Proposal.id)))
