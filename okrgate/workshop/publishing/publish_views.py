"""What becomes of a text: publish it, bring an older one back."""

from contextlib import suppress

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate import clock
from okrgate.accounts import directory
from okrgate.errors import Conflict, Invalid
from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.standing import standing, version_at
from okrgate.stages.impact_report import KINDS
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import checking, comparing, editor_views, keeping, meaning
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.editor_views import draft_in, newer_page, show_editor, without_note
from okrgate.workshop.forms import RulesForm
from okrgate.workshop.publishing import merging, outlook, proposals, rollouts
from okrgate.workshop.publishing.models import PUBLISHED, SCHEDULED, STOPPED, Proposal
from okrgate.workshop.publishing.publish_forms import PublishForm, RollBackForm

_MOST_VERSIONS = 1_000_000


@blueprint.post("/rules/<key>/publish")
@requires(admin)
def publish(key: str) -> ResponseReturnValue:
    """Ask for it to be published, once the administrator has seen what it changes."""
    standing(key)
    form = PublishForm()
    if not form.validate_on_submit():
        if form.text.errors or form.note.errors or form.based_on.errors:
            return show_editor(key, form, status=422)
        return confirm(key, form, status=422)
    draft = draft_in(form)
    if not draft.note:
        return without_note(key, form)
    try:
        keeping.look(key, draft, seen=form.seen.data or "", by=me())
        proposal = proposals.propose(
            key,
            draft,
            by=me(),
            in_flight=form.in_flight.data or "",
            takes_effect=form.takes_effect.data,
            seen=form.seen.data or "",
        )
    except RulebookError as error:
        return show_editor(key, form, status=422, problems=error.problems, publishing=True)
    except service.Overtaken:
        return _overtaken(key, form)
    except keeping.Newer as newer:
        return newer_page(key, form, newer)
    except Invalid as refusal:
        _put(form, refusal)
        return confirm(key, form, status=422)
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return show_editor(key, form, status=409)
    return _proposed(proposal)


def _proposed(proposal: Proposal) -> ResponseReturnValue:
    """Say what came of asking."""
    if proposal.state == PUBLISHED and proposal.version_id:
        version = service.get_version(proposal.version_id)
        return done(
            f"Version {version.number} is published. It binds every project that starts from now on.",
            url_for("rulebooks.show_version", version_id=version.id),
        )
    here = url_for(".show_proposal", proposal_id=proposal.id)
    if proposal.state == STOPPED:
        return done(proposals.said_of(proposal), here, tone="warning")
    if proposal.state == SCHEDULED:
        return done("It will be published when its day comes, after one more check.", here)
    return done("The other administrators are asked by mail. Nothing binds yet.", here)


def _put(form: PublishForm | RollBackForm, refusal: Invalid) -> None:
    """Put each sentence of a refusal beside its field."""
    for name, sentence in refusal.fields.items():
        form[name].errors = [sentence or refusal.sentence]
    if not refusal.fields:
        form.form_errors.append(refusal.sentence)


@blueprint.get("/rules/<int(max=2147483647):version_id>/roll-back")
@requires(admin)
def roll_back_page(version_id: int) -> ResponseReturnValue:
    """Show what would change if an older version came back."""
    version = service.get_version(version_id)
    newest = standing(version.process)
    form = RollBackForm(
        formdata=None, based_on=newest.number, in_flight=rollouts.in_flight_of(newest.id)
    )
    return _back_page(version, form)


@blueprint.post("/rules/<int(max=2147483647):version_id>/roll-back")
@requires(admin)
def roll_back(version_id: int) -> ResponseReturnValue:
    """Publish the text of an older version again."""
    version = service.get_version(version_id)
    form = RollBackForm()
    if not form.validate_on_submit():
        return _back_page(version, form, status=422)
    try:
        if version.number == form.based_on.data:
            raise Conflict("This version binds already.")
        proposal = proposals.propose(
            version.process,
            Draft(version.text, form.note.data or "", form.based_on.data or 0),
            by=me(),
            in_flight=form.in_flight.data or "",
            takes_effect=form.takes_effect.data,
            ends_draft=False,
        )
    except Invalid as refusal:
        _put(form, refusal)
        return _back_page(version, form, status=422)
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        form.based_on.data = standing(version.process).number
        return _back_page(version, form, status=409)
    except RulebookError as error:
        form.form_errors += [str(one) for one in error.problems if one.severity == "error"][:20]
        return _back_page(version, form, status=422)
    if proposal.state == PUBLISHED and proposal.version_id:
        fresh = service.get_version(proposal.version_id)
        return done(
            f"The rules of version {version.number} bind again, as version {fresh.number}.",
            url_for("rulebooks.show_version", version_id=fresh.id),
        )
    return _proposed(proposal)


def confirm(key: str, typed: RulesForm, *, status: int = 200) -> ResponseReturnValue:
    """Show what publishing would do; the text goes along."""
    form = typed if isinstance(typed, PublishForm) else PublishForm()
    if not (form.note.data or "").strip():
        return without_note(key, form)
    problems = checking.problems(key, form.text.data or "")
    if any(one.severity == "error" for one in problems):
        return show_editor(key, form, status=422, problems=problems, checked=True, publishing=True)
    binding = standing(key)
    if binding.number != form.based_on.data:
        return _overtaken(key, form)
    keeping.look(key, draft_in(form), seen=form.seen.data or "", by=me())
    told = meaning.since(binding, form.text.data or "")
    rulebook = service.parsed(form.text.data or "")
    form.in_flight.data = form.in_flight.data or rulebook.in_flight
    if "takes_effect" not in request.form and rulebook.effective_from:
        coming = rulebook.effective_from > clock.today()
        form.takes_effect.data = rulebook.effective_from if coming else None
    return render(
        "workshop/publish.html",
        status=status,
        form_errors=status != 200,
        outlook=outlook.of(me(), told),
        key=key,
        form=form,
        binding=binding,
        title=binding.title,
        warnings=[one for one in problems if one.severity == "warning"],
        difference=comparing.compare(binding.text if binding.number else "", form.text.data or ""),
        told=told,
        is_without_example=meaning.is_without_example,
        impact=outlook.impact_of(key, form.text.data or "", reader=me()),
        kinds=KINDS,
        staying=_staying(key),
    )


editor_views.ACTS["publish"] = confirm


def _overtaken(key: str, form: RulesForm) -> ResponseReturnValue:
    """Keep the text as a draft, and show what somebody else published meanwhile."""
    keeping.keep(key, draft_in(form), seen=form.seen.data or "", by=me())
    form.seen.data = keeping.digest(draft_in(form))
    theirs = standing(key)
    name = directory.names([theirs.published_by_id])
    begun = version_at(key, form.based_on.data or 0)
    text = form.text.data or ""
    return render(
        "workshop/overtaken.html",
        status=409,
        key=key,
        form=form,
        theirs=theirs,
        title=theirs.title,
        who=name.get(theirs.published_by_id or 0, "okrgate"),
        their_changes=comparing.compare(begun.text, theirs.text),
        my_changes=comparing.compare(begun.text, text),
        begun=begun.number,
    )


def _merge(key: str, form: RulesForm) -> ResponseReturnValue:
    """Put what others published meanwhile and what was typed into one text; it is the draft from now on."""
    theirs = standing(key)
    said = request.form.get("began", type=int)
    began = said if said is not None and 0 < said < _MOST_VERSIONS else form.based_on.data
    begun = version_at(key, began or 0)
    name = directory.names([theirs.published_by_id]).get(theirs.published_by_id or 0, "okrgate")
    named = (f"version {theirs.number}, published by {name}", "your text")
    try:
        merged = merging.merge(begun.text, theirs.text, form.text.data or "", named=named)
    except Conflict as refusal:
        form.form_errors.append(refusal.sentence)
        return show_editor(key, form, status=409)
    draft = Draft(merged.text, form.note.data or "", theirs.number)
    keeping.keep(key, draft, seen=form.seen.data or "", by=me())
    if not merged.conflicts:
        return done(
            f"Your draft has the changes of version {theirs.number} and your own. Read it, then publish.",
            url_for(".edit", key=key),
        )
    fresh = RulesForm(formdata=None, text=draft.text, note=draft.note, based_on=draft.based_on)
    fresh.seen.data = keeping.digest(draft)
    return show_editor(key, fresh, problems=merging.undecided(draft.text))


editor_views.ACTS["merge"] = _merge


def _back_page(
    version: service.Listed, form: RollBackForm, *, status: int = 200
) -> ResponseReturnValue:
    binding = standing(version.process)
    told = None
    if binding.id != version.id:
        # A text of an older language than today's: publishing says on which line.
        with suppress(RulebookError):
            told = meaning.compare(binding.text, version.text)
    return render(
        "workshop/roll_back.html",
        told=told,
        outlook=outlook.of(me(), told) if told else None,
        is_without_example=meaning.is_without_example,
        status=status,
        form=form,
        form_errors=status != 200,
        version=version,
        binding=binding,
        difference=comparing.compare(binding.text, version.text),
        staying=_staying(version.process),
    )


def _staying(key: str) -> list[tuple[int, int]]:
    """Return (number of a version, open projects that stay with it), of this process."""
    counts = service.open_projects()
    return [
        (one.number, counts[one.id])
        for one in service.versions()
        if one.process == key and counts.get(one.id)
    ]
