"""What a draft, or a text that waits for approval, would do to all projects: begun with a button, shown by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.service import Listed
from okrgate.rulebooks.standing import standing
from okrgate.stages.impact_report import KINDS
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import checking
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.impacts import reading, running, runs
from okrgate.workshop.impacts.models import DONE, WAITING, ImpactRun
from okrgate.workshop.publishing import proposals
from okrgate.workshop.publishing.models import OPEN

_PROPOSAL = "/rules/proposals/<int(max=2147483647):proposal_id>/impact"
_AT_ONCE_SECONDS = 2.0
_LARGEST_ID = 2**31
_UNREADABLE = "This text cannot be read as rules of this process. Mend what the check names first."


@dataclass(frozen=True)
class _About:
    """What is looked at: a text, how its page is called, where it comes from, and who else sees it."""

    key: str
    text: str
    binding: Listed
    here: str
    back: tuple[str, str]
    is_draft: bool
    may_begin: bool
    grouped: bool

    @property
    def digest(self) -> str:
        """Return what tells the text from others."""
        return runs.digest(self.text)


@blueprint.get("/rules/<key>/impact")
@requires(admin)
def show_impact(key: str) -> ResponseReturnValue:
    """Show what somebody's own draft would do, or how far the look at it is."""
    about = _draft(key)
    run = runs.find(about.binding.process_id, about.digest)
    if run is None:
        run = runs.latest_of(about.binding.process_id, me())
    return _page(about, run)


@blueprint.post("/rules/<key>/impact")
@requires(admin)
def work_out_impact(key: str) -> ResponseReturnValue:
    """Have all projects looked at by the draft, or stop that."""
    about = _draft(key)
    if not about.may_begin:
        return done("You have no draft of these rules.", about.back[1])
    return _act(about)


@blueprint.get(_PROPOSAL)
@requires(admin)
def show_proposal_impact(proposal_id: int) -> ResponseReturnValue:
    """Show what a text that waits for approval would do."""
    about = _proposal(proposal_id)
    return _page(about, runs.find(about.binding.process_id, about.digest))


@blueprint.post(_PROPOSAL)
@requires(admin)
def work_out_proposal_impact(proposal_id: int) -> ResponseReturnValue:
    """Have all projects looked at by a text that waits for approval, or stop that."""
    about = _proposal(proposal_id)
    if not about.may_begin:
        return done("Nobody decides on this text any more.", about.back[1], tone="warning")
    return _act(about)


def begin(key: str, text: str) -> ResponseReturnValue:
    """Look at all projects by somebody's draft that can be read, and lead to what is found."""
    running.advance(runs.ask(key, text, by=me()), seconds=_AT_ONCE_SECONDS)
    return redirect(url_for("workshop.show_impact", key=key), 303)


def _draft(key: str) -> _About:
    draft, binding = drafts.begin(key, by=me()), standing(key)
    return _About(
        key,
        draft.text,
        binding,
        here=url_for(".show_impact", key=key),
        back=("Review", url_for(".review", key=key)),
        is_draft=True,
        may_begin=draft.changed_at is not None or not binding.number,
        grouped=False,
    )


def _proposal(proposal_id: int) -> _About:
    proposal = proposals.get(proposal_id)
    key = service.parsed(proposal.text).id
    return _About(
        key,
        proposal.text,
        standing(key),
        here=url_for(".show_proposal_impact", proposal_id=proposal_id),
        back=(f"Proposal {proposal_id}", url_for(".show_proposal", proposal_id=proposal_id)),
        is_draft=False,
        may_begin=proposal.state in OPEN,
        # Nobody else was asked: nobody would see what question its author put.
        grouped=proposal.needed > 0,
    )


def _act(about: _About) -> ResponseReturnValue:
    if request.form.get("act") == "stop":
        run = runs.find(about.binding.process_id, about.digest)
        if run is not None:
            runs.stop(run.id)
        return done("Stopped. What was found so far is thrown away.", about.here)
    if not checking.is_readable(about.key, about.text):
        return _page(about, None, problem=_UNREADABLE)
    running.advance(runs.ask(about.key, about.text, by=me()), seconds=_AT_ONCE_SECONDS)
    return redirect(about.here, 303)


def _page(about: _About, run: ImpactRun | None, *, problem: str = "") -> ResponseReturnValue:
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    shown: dict[str, Any] = {"impact": None, "progress": None}
    stale = _stale(about, run) if run is not None else []
    if run is not None and run.state == DONE:
        before = request.args.get("before", type=int)
        before = before if before is not None and 0 < before < _LARGEST_ID else None
        shown["impact"] = reading.told(
            run, reader=me(), grouped=about.grouped, before=before, kind=kind
        )
    elif run is not None and run.state in WAITING and not stale:
        shown["progress"] = reading.progress(run)
    return render(
        "workshop/impact.html",
        status=422 if problem else 200,
        form_errors=bool(problem),
        problem=problem,
        about=about,
        title=about.binding.title,
        run=run,
        stale=stale,
        count=runs.projects_of(about.binding.process_id),
        kind=kind,
        kinds=KINDS,
        **shown,
    )


def _stale(about: _About, run: ImpactRun) -> Sequence[str]:
    """Say why a result is not what one would find now."""
    said = []
    if run.sha256 != about.digest:
        said.append("Your draft has changed since.")
    if run.version != about.binding.number:
        said.append(f"Version {about.binding.number} was published since.")
    if run.state == DONE and not runs.is_fresh(run):
        said.append("Projects have gone on for more than a day since.")
    return said
