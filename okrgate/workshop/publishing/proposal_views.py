"""A text that somebody wants to publish: read it, approve or refuse it, withdraw it, take it up again."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.gates.differing import Change
from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import service
from okrgate.rulebooks.standing import standing
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import comparing, meaning
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.meaning import Told
from okrgate.workshop.publishing import ended, proposals
from okrgate.workshop.publishing import proposal_news as news
from okrgate.workshop.publishing.models import (
    OPEN,
    PUBLISHED,
    SCHEDULED,
    STOPPED,
    WAITING,
    Proposal,
)
from okrgate.workshop.publishing.proposal_reading import page_of
from okrgate.workshop.publishing.publish_forms import DecisionForm

_STATES = {
    WAITING: ("Waits for approval", "warning"),
    SCHEDULED: ("Approved, waits for its day", "info"),
    PUBLISHED: ("Published", "success"),
    "withdrawn": ("Withdrawn", "neutral"),
    "refused": ("Refused", "danger"),
    STOPPED: ("Not published", "danger"),
}
_PATH = "/rules/proposals/<int(max=2147483647):proposal_id>"


@blueprint.get(_PATH)
@requires(admin)
def show_proposal(proposal_id: int) -> ResponseReturnValue:
    """Show a proposal with all that is needed to decide on it."""
    proposal = proposals.get(proposal_id)
    return _page(proposal, DecisionForm(formdata=None, digest=proposal.sha256))


@blueprint.get("/rules/<key>/proposals")
@requires(admin)
def ended_proposals(key: str) -> ResponseReturnValue:
    """Show what was proposed before: how it ended, who agreed, and when."""
    base = standing(key)
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**31:
        before = None
    found = ended.of(key, before=before)
    shown = found[: ended.PAGE]
    return render(
        "workshop/proposals_ended.html",
        base=base,
        found=shown,
        older=shown[-1].id if len(found) > len(shown) else None,
        is_first=before is None,
        states=_STATES,
        waiting=[one for one in service.proposed() if one.process == key],
    )


@blueprint.post(_PATH + "/decide")
@requires(admin)
def decide_on_proposal(proposal_id: int) -> ResponseReturnValue:
    """Approve or refuse."""
    proposal = proposals.get(proposal_id)
    form = DecisionForm()
    said = request.form.get("decision")
    if said not in ("approve", "refuse"):
        form.form_errors.append("Say whether you approve or refuse.")
        return _page(proposal, form, status=422)
    if not form.validate_on_submit():
        return _page(proposal, form, status=422)
    try:
        decided = proposals.decide(
            proposal_id,
            by=me(),
            approves=said == "approve",
            words=form.words.data or "",
            digest=form.digest.data or "",
        )
    except Invalid as refusal:
        form.words.errors = [refusal.fields.get("words", refusal.sentence)]
        return _page(proposal, form, status=422)
    except (Conflict, Forbidden) as refusal:
        form.form_errors.append(refusal.sentence)
        status = 409 if isinstance(refusal, Conflict) else 403
        return _page(proposals.get(proposal_id), form, status=status)
    except RulebookError:
        proposals.stop(proposal_id, "The text is not sound any more.")
        return _show_again(proposals.get(proposal_id), "")
    return _show_again(decided, "You approved." if said == "approve" else "You refused.")


@blueprint.post(_PATH + "/withdraw")
@requires(admin)
def withdraw_proposal(proposal_id: int) -> ResponseReturnValue:
    """Take it back, before it binds anybody."""
    proposals.withdraw(proposal_id, by=me())
    return done(
        "Withdrawn. Nothing was published.", url_for(".show_proposal", proposal_id=proposal_id)
    )


@blueprint.post(_PATH + "/take-up")
@requires(admin)
def take_up_proposal(proposal_id: int) -> ResponseReturnValue:
    """Make the text the administrator's own draft, to work on it."""
    key = proposals.take_up(proposal_id, by=me())
    return done("The text is your draft now. It binds nobody.", url_for(".edit", key=key))


def _show_again(proposal: Proposal, sentence: str) -> ResponseReturnValue:
    here = url_for(".show_proposal", proposal_id=proposal.id)
    if proposal.state == PUBLISHED:
        number = service.get_version(proposal.version_id or 0).number
        return done(f"{sentence} Version {number} is published.".strip(), here)
    said = proposals.said_of(proposal)
    return done(
        f"{sentence} {said}".strip(),
        here,
        tone="warning" if proposal.state == STOPPED else "success",
    )


def _page(proposal: Proposal, form: DecisionForm, *, status: int = 200) -> ResponseReturnValue:
    found = page_of(proposal)
    names = directory.names(
        [proposal.author_id, proposal.ended_by_id, *proposal.asked]
        + [one.person_id for one in found.decisions]
    )
    spoken = {one.person_id for one in found.decisions}
    is_open = proposal.state in OPEN
    label, tone = _STATES[proposal.state]
    return render(
        "workshop/proposal.html",
        status=status,
        form=form,
        form_errors=status != 200,
        proposal=proposal,
        found=found,
        label=label,
        tone=tone,
        names=names,
        waiting=[one for one in proposal.asked if one not in spoken],
        is_open=is_open,
        is_author=proposal.author_id == me(),
        may_not=proposals.why_not(proposal, me())
        or ("You have said what you think of this text." if me() in spoken else ""),
        may_not_refuse=proposals.why_not(proposal, me(), approves=False),
        in_flight=news.IN_FLIGHT[proposal.in_flight],
        told=_told(proposal),
        is_without_example=meaning.is_without_example,
        difference=comparing.compare(found.base_text, proposal.text),
    )


def _told(proposal: Proposal) -> Told:
    """Return what was shown as the difference in words when it was proposed."""
    changes = tuple(_change(one) for one in proposal.changes)
    said = [one.direction for one in changes]
    return Told(
        changes,
        stricter=said.count("stricter"),
        looser=said.count("looser"),
        other=said.count("other"),
        loosens=proposal.loosens,
    )


def _change(stored: dict[str, Any]) -> Change:
    return Change(
        stored["kind"],
        stored["where"],
        stored["sentence"],
        stored["direction"],
        tuple(stored["examples"]),
    )
