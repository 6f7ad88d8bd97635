"""What is told of proposals: who is asked, and how they end."""

from collections.abc import Mapping

from okrgate.events import Recipient, RulesApprovalAsked, RulesProposalDecided
from okrgate.workshop.publishing.models import KEEP, MIGRATE, REFUSED, SCHEDULED, Proposal

IN_FLIGHT = {
    KEEP: "Open projects keep the rules they were started under.",
    MIGRATE: "Open projects move to the new rules.",
}
_SHOWN = 40


def asking(proposal: Proposal, title: str, name: str) -> RulesApprovalAsked:
    """Ask for approval, with all that is needed to think about it."""
    moment = proposal.takes_effect_at
    lines = [line(one) for one in proposal.changes]
    return RulesApprovalAsked(
        recipients=tuple(
            Recipient(one, "your approval is needed", asked=True) for one in proposal.asked
        ),
        by=name,
        by_id=proposal.author_id,
        path=f"/rules/proposals/{proposal.id}",
        process=title,
        note=proposal.note,
        changes=tuple(lines[:_SHOWN] + ["… and more, on the page"] * (len(lines) > _SHOWN)),
        impact=tuple(proposal.impact),
        in_flight=IN_FLIGHT[proposal.in_flight],
        counts_from=moment.isoformat() if moment else "",
        needed=proposal.needed,
        loosens=proposal.loosens,
    )


def decided(
    proposal: Proposal, title: str, *, by: int, name: str, words: str, still_needed: int
) -> RulesProposalDecided:
    """Tell the author what somebody said, and what came of it."""
    outcome = proposal.state if proposal.state in (SCHEDULED, REFUSED) else "approved"
    moment = proposal.takes_effect_at
    return RulesProposalDecided(
        recipients=(Recipient(proposal.author_id, "you proposed it"),),
        by=name,
        by_id=by,
        path=f"/rules/proposals/{proposal.id}",
        process=title,
        note=proposal.note,
        outcome=outcome,
        reason=words.strip(),
        counts_from=moment.isoformat() if moment and outcome == SCHEDULED else "",
        still_needed=still_needed,
    )


def ended(
    proposal: Proposal, title: str, people: tuple[Recipient, ...], name: str, by: int | None
) -> RulesProposalDecided:
    """Tell that a proposal will not become a version."""
    return RulesProposalDecided(
        recipients=people,
        by=name,
        by_id=by,
        path=f"/rules/proposals/{proposal.id}",
        process=title,
        note=proposal.note,
        outcome=proposal.state,
        reason=proposal.ended_because,
    )


def line(change: Mapping[str, str]) -> str:
    """Say one stored change in a line."""
    word = "" if change["direction"] == "other" else f"{change['direction']}: "
    where = f" ({change['where']})" if change["where"] else ""
    return f"{word}{change['sentence']}{where}"
