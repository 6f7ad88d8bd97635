"""My work, the list, the project page, moves and the deciding page. Sections are in `section_views.py`."""

import secrets
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.delivery import service as delivery
from okrgate.delivery.running import DELIVERY
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import cards, editing, judging, panel, reading, service, timeline, work
from okrgate.stages.forms import DecisionForm, MoveForm, StartForm, WaiveForm
from okrgate.stages.preparing import ASKS, Answers
from okrgate.stages.sections import ALL
from okrgate.web.htmx import render
from okrgate.web.keys import pack, unpack, whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me, remove_row

blueprint = Blueprint("stages", __name__)


def reader() -> reading.Reader:
    """Return whoever looks."""
    return reading.Reader(me(), current_user.is_admin, current_user.is_auditor)


@blueprint.get("/")
@requires(signed_in)
def my_work() -> ResponseReturnValue:
    """Show what waits for me, what I owe and what is mine."""
    return render("stages/my_work.html", work=work.of(reader()))


@blueprint.get("/projects")
@requires(signed_in)
def list_projects() -> ResponseReturnValue:
    """Show projects, a page at a time."""
    wanted = reading.Wanted(
        text=request.args.get("q", "").strip()[:100],
        stage=request.args.get("stage", ""),
        scope=request.args.get("scope", "all"),
        state=request.args.get("state", "open"),
    )
    found = reading.page_of(wanted, reader(), before=unpack(request.args.get("before", "")))
    last = found[reading.PAGE - 1] if len(found) > reading.PAGE else None
    here: dict[str, Any] = {
        "q": wanted.text,
        "stage": wanted.stage,
        "scope": wanted.scope,
        "state": wanted.state,
    }
    return render(
        "stages/list.html",
        lines=found[: reading.PAGE],
        wanted=wanted,
        stages=reading.stage_choices(),
        here=request.args,
        next_url=url_for("stages.list_projects", **here, before=pack(last.changed_at, last.id))
        if last
        else None,
        first_url=url_for("stages.list_projects", **here) if "before" in request.args else None,
    )


@blueprint.route("/projects/new", methods=["GET", "POST"])
@requires(signed_in)
def start() -> ResponseReturnValue:
    """Begin a project: a title, a unit, and the form opens."""
    form = StartForm()
    form.home_unit.choices = [("", "Choose a unit"), *directory.unit_choices()]
    form.rulebook.choices = [
        (version.id, rulebooks.rulebook(version.id).title) for version in rulebooks.binding()
    ]
    if request.method == "GET":
        form.key.data = secrets.token_hex(16)
        form.home_unit.data = current_user.unit_id
        form.rulebook.data = form.rulebook.choices[0][0] if form.rulebook.choices else None
    elif form.validate():
        project = service.start(
            form.title.data or "",
            version_id=form.rulebook.data,
            home_unit_id=form.home_unit.data,
            by=me(),
            key=(form.key.data or "")[:64] or None,
        )
        return done(
            f"{project.reference} is yours. Fill in the parts below; what is missing stands beside them.",
            url_for("stages.show_project", reference=project.reference),
        )
    status = 422 if request.method == "POST" else 200
    return render("stages/start.html", status=status, form=form, form_errors=form.errors)


@blueprint.get("/projects/<reference>")
@requires(signed_in)
def show_project(reference: str) -> ResponseReturnValue:
    """Show one project: where it is, what is missing, its parts, its history."""
    loaded = reading.load(reference, reader())
    project = loaded.project
    verdicts = judging.stored(project.id)
    saved, drafted = editing.saved_and_drafted(project.id, me())
    before = whole(request.args.get("before", ""))
    entries = audit.of_project(project.id, limit=60, before=before)
    private = _private(loaded)
    fixers = {one for row in verdicts for people in row.fixers.values() for one in people}
    open_round = cards.open_round_line(project.id, me())
    signers = open_round["waiting"] if open_round else set()
    names = dict(loaded.names) | directory.names(timeline.people_in(entries) | fixers | signers)
    gates = {gate.id: gate.label for gate in loaded.rulebook.gates.values()}
    tasks = reading.section_list(loaded, saved, drafted, verdicts)
    update, celebration = delivery.news(project.id)
    return render(
        "stages/show.html",
        loaded=loaded,
        project=project,
        stage=loaded.rulebook.stages[project.stage],
        strip=reading.strip(loaded, reading.visits(project.id)),
        panels=panel.panels(loaded, verdicts, names),
        moves=reading.moves(loaded, verdicts),
        tasks=[_task(reference, task) for task in tasks],
        post_update=_update_url(reference, tasks),
        timeline=timeline.tell(entries, names, gates, private=private),
        older=entries[-1].seq if len(entries) == 60 else None,
        round=open_round,
        waiting=sorted(names.get(one, "Somebody") for one in signers),
        private=private,
        update=update,
        celebration=celebration,
        session_planned=delivery.is_session_begun(saved),
    )


@blueprint.route("/projects/<reference>/moves/<transition_id>", methods=["GET", "POST"])
@requires(signed_in)
def move(reference: str, transition_id: str) -> ResponseReturnValue:
    """Ask for what the move needs, then take it."""
    loaded = reading.load(reference, reader())
    transition = loaded.rulebook.transitions.get(transition_id)
    if transition is None or transition.auto:
        raise NotFound
    form = MoveForm()
    _only_asked(form, transition.asks)
    shut: dict[str, Any] = {}
    status = 200
    if request.method == "GET":
        form.key.data, form.version.data = secrets.token_hex(16), str(loaded.project.version)
    elif form.validate():
        try:
            outcome = service.move(
                loaded.project.id,
                transition_id,
                by=me(),
                answers=_answers(form),
                expected_version=_version(form),
                key=(form.key.data or "")[:64] or None,
            )
        except Invalid as problem:
            for name, sentence in problem.fields.items():
                form[name].errors = [*form[name].errors, sentence]
            status = 422
        else:
            if outcome.moved:
                return done(
                    _moved(loaded, transition.target),
                    url_for("stages.show_project", reference=reference),
                )
            status, shut = 422, panel.shut(loaded, outcome.verdict)
    else:
        status = 422
    verdicts = judging.stored(loaded.project.id)
    mine = next(
        (one for one in reading.moves(loaded, verdicts) if one.url_id == transition_id), None
    )
    closed = next(
        (row for row in verdicts if row.transition == transition_id and not row.allowed), None
    )
    if mine and mine.refusal and closed and not shut:
        shut = panel.shut(loaded, reading.verdict_of(closed))
    return render(
        "stages/move.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        transition=transition,
        target=loaded.rulebook.stages.get(transition.target),
        form=form,
        form_errors=form.errors if status == 422 else None,
        refusal=mine.refusal
        if mine
        else "This move is not possible from where the project is now.",
        shut=shut,
    )


@blueprint.route("/approvals/<int(max=2147483647):round_id>", methods=["GET", "POST"])
@requires(signed_in)
def decide(round_id: int) -> ResponseReturnValue:
    """Show everything needed to decide on a gate, and take the decision."""
    card = cards.card(round_id, reader())
    form = DecisionForm()
    cards.prepare(form, card)
    status = 200
    if request.method == "GET":
        form.key.data, form.digest.data = secrets.token_hex(16), card.round.digest
    elif request.form.get("add_row") == "conditions":
        if len(form.conditions.entries) < 20:
            form.conditions.append_entry()
            cards.prepare(form, card)
    elif request.form.get("remove_row", "").startswith("conditions-"):
        remove_row(form.conditions, request.form["remove_row"])
    # Whoever may not decide (any more) is offered nothing to choose from: the service says why, or shows the receipt.
    elif card.standing.refusal or form.validate():
        try:
            receipt = service.decide(round_id, cards.ask(form, card), by=me())
        except Invalid as problem:
            for name, sentence in problem.fields.items():
                form[name].errors = [*form[name].errors, sentence]
            status = 422
        else:
            return redirect(url_for("approvals.show_receipt", receipt_id=receipt, done=1), 303)
    else:
        status = 422
    return render(
        "stages/decide.html",
        status=status,
        card=card,
        loaded=card.loaded,
        project=card.loaded.project,
        form=form,
        form_errors=form.errors if status == 422 else None,
    )


@blueprint.route("/projects/<reference>/waivers/<requirement>", methods=["GET", "POST"])
@requires(signed_in)
def waive(reference: str, requirement: str) -> ResponseReturnValue:
    """Set a soft requirement aside, with a reason."""
    loaded = reading.load(reference, reader())
    waiver = panel.waiver(loaded, requirement, me())
    form = WaiveForm()
    status = 200
    if request.method == "POST" and form.validate():
        try:
            service.waive(loaded.project.id, requirement, reason=form.reason.data or "", by=me())
        except Invalid as problem:
            for name, sentence in problem.fields.items():
                form[name].errors = [*form[name].errors, sentence]
            status = 422
        else:
            return done(
                "The requirement is set aside.", url_for("stages.show_project", reference=reference)
            )
    elif request.method == "POST":
        if waiver.refusal:
            raise Forbidden(waiver.refusal)
        status = 422
    return render(
        "stages/waive.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        waiver=waiver,
        form=form,
        form_errors=form.errors if status == 422 else None,
    )


def _private(loaded: reading.Loaded) -> bool:
    return current_user.is_auditor or loaded.involved


def _task(reference: str, task: dict[str, Any]) -> dict[str, Any]:
    section = ALL[task["key"]]
    return {
        "label": section.title,
        "status": task["status"],
        "url": url_for("stages.show_section", reference=reference, section=task["key"]),
        "hint": section.intro,
    }


def _update_url(reference: str, tasks: list[dict[str, Any]]) -> str | None:
    """Return where the reader says how it goes, if they may: what a lead does most often."""
    if not any(task["key"] == DELIVERY.key and task["editable"] for task in tasks):
        return None
    page = DELIVERY.pages[0].key
    return url_for("stages.edit_page", reference=reference, section=DELIVERY.key, page=page)


def _moved(loaded: reading.Loaded, target: str) -> str:
    stage = loaded.rulebook.stages.get(target)
    where = f"now in “{stage.label}”" if stage else "back where it was"
    return f"{loaded.project.reference} is {where}. Everybody with a part in it gets a mail."


def _only_asked(form: MoveForm, asks: tuple[str, ...]) -> None:
    for name in ASKS:
        if name not in asks:
            del form[name]


def _answers(form: MoveForm) -> Answers:
    said = {name: form[name].data for name in ASKS if name in form}
    return Answers(
        reason=said.get("reason") or "",
        revisit=said.get("revisit") or "",
        condition=said.get("condition") or "",
        date=said.get("date"),
    )


def _version(form: MoveForm) -> int:
    version = whole(str(form.version.data or ""))
    if version is None:
        raise Invalid("Open the page again: it did not say which version you saw.")
    return version
