"""My work, the list, the project page, moves and the deciding page. Sections are in `section_views.py`."""

import secrets
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.approvals.receipts import SEALED
from okrgate.audit import service as audit
from okrgate.delivery import service as delivery
from okrgate.delivery.running import DELIVERY
from okrgate.errors import Forbidden, Invalid
from okrgate.projects.models import Visit
from okrgate.projects.sections import Section
from okrgate.rulebooks import retiring
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import (
    cards,
    comebacks,
    editing,
    holding,
    panel,
    reading,
    requested,
    service,
    timeline,
    work,
)
from okrgate.stages.forms import StartForm, WaiveForm
from okrgate.stages.sections import ALL
from okrgate.web.fields import TITLE, one_line
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

blueprint = Blueprint("stages", __name__)

# As many lines of a history as tell what is new: the page stays short and quick, the rest is one link away.
_LATEST, _EARLIER = 12, 50


def reader() -> reading.Reader:
    """Return whoever looks."""
    return reading.Reader(me(), current_user.is_admin, current_user.is_auditor)


@blueprint.get("/")
@requires(signed_in)
def my_work() -> ResponseReturnValue:
    """Show what waits for me, what I owe and what is mine."""
    return render("stages/my_work.html", work=work.of(reader()))


@blueprint.route("/projects/new", methods=["GET", "POST"])
@requires(signed_in)
def start() -> ResponseReturnValue:
    """Begin a project: a title, a unit, and the form opens."""
    form = StartForm()
    form.home_unit.choices = [("", "Choose a unit"), *directory.unit_choices()]
    form.rulebook.choices = [
        (version.id, rulebooks.rulebook(version.id).title) for version in retiring.startable()
    ]
    if request.method == "GET":
        form.key.data = secrets.token_hex(16)
        form.title.data = one_line(request.args.get("title"))[:TITLE]
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
        _warn_of_gaps(project.rulebook_version_id, project.home_unit_id)
        return done(
            f"{project.reference} is yours. Fill in the parts below; what is missing stands beside them.",
            url_for("stages.show_project", reference=project.reference),
        )
    status = 422 if request.method == "POST" else 200
    return render("stages/start.html", status=status, form=form, form_errors=form.errors)


def _warn_of_gaps(version_id: int, unit_id: int | None) -> None:
    """Say early which roles a project of this unit will need and nobody holds."""
    unit = directory.unit(unit_id)
    roles = service.missing_roles(version_id, unit_id) if unit else []
    if unit and roles:
        flash(
            f"Nobody in {unit.name} is {', '.join(roles)} yet. You can go on; ask an administrator to give "
            "somebody the role before your project gets there.",
            "warning",
        )


@blueprint.get("/projects/<reference>")
@requires(signed_in)
def show_project(reference: str) -> ResponseReturnValue:
    """Show one project: where it is, what is missing, its parts, its history."""
    loaded = reading.load(reference, reader())
    project = loaded.project
    verdicts, requests = requested.beside(project.id)
    saved, drafted = editing.saved_and_drafted(project.id, me())
    before = whole(request.args.get("before", ""))
    shown = _LATEST if before is None else _EARLIER
    # Left out of the question too, so that a page is full.
    entries = audit.of_project(project.id, limit=shown + 1, before=before, without=SEALED)
    entries, further = entries[:shown], entries[shown:]
    private = _private(loaded)
    asked = panel.people_in(verdicts, requests)
    open_round = cards.open_round_line(project.id, me())
    signers = open_round["waiting"] if open_round else set()
    names = dict(loaded.names) | directory.names(timeline.people_in(entries) | asked | signers)
    gates = {gate.id: gate.label for gate in loaded.rulebook.gates.values()}
    tasks = reading.section_list(loaded, saved, drafted, verdicts)
    update, celebration = delivery.news(project.id)
    stays = reading.visits(project.id)
    return render(
        "stages/show.html",
        loaded=loaded,
        project=project,
        stage=loaded.rulebook.stages[project.stage],
        strip=reading.strip(loaded, stays),
        panels=panel.panels(loaded, verdicts, names, requests, me()),
        panel_mark=panel.mark(loaded, verdicts, requests, me()),
        moves=reading.moves(loaded, verdicts),
        tasks=[_task(reference, task) for task in tasks],
        post_update=_update_url(reference, tasks),
        timeline=timeline.tell(entries, names, gates, private=private),
        older_url=_history(reference, before=entries[-1].seq) if further else None,
        newest_url=_history(reference) if before is not None else None,
        round=open_round,
        waiting=sorted(names.get(one, "Somebody") for one in signers),
        private=private,
        update=update,
        celebration=celebration,
        session_planned=delivery.is_session_begun(saved),
        hold=holding.line_of(project, loaded.rulebook.stages[project.stage]),
        again=_again(loaded, stays),
    )


def _again(loaded: reading.Loaded, stays: Sequence[Visit]) -> comebacks.Again:
    """Return why it was declined and what came of it, or of which project it came: at its end and its beginning."""
    last = stays[-2].kind if len(stays) > 1 else ""
    if last != comebacks.DECLINE and loaded.project.submitted_at is not None:
        return comebacks.Again()
    return comebacks.again(loaded.project, loaded.rulebook)


def _history(reference: str, before: int | None = None) -> str:
    return url_for("stages.show_project", reference=reference, before=before, _anchor="history")


@blueprint.route("/projects/<reference>/waivers/<requirement>", methods=["GET", "POST"])
@requires(signed_in)
def waive(reference: str, requirement: str) -> ResponseReturnValue:
    """Set a soft requirement aside, with a reason."""
    loaded = reading.load(reference, reader())
    waiver = panel.waiver(loaded, requirement, me())
    form = WaiveForm()
    status = 200
    asked = requested.open_waivers(loaded.project.id, requirement)
    if request.method == "GET" and asked:
        form.reason.data = asked[0].reason
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
        asked=requested.said(asked),
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
        "editable": task["editable"],
        "url": url_for("stages.show_section", reference=reference, section=task["key"]),
        "hint": _hint(section, task),
    }


def _hint(section: Section, task: dict[str, Any]) -> str:
    """Say what an unfinished part is about, or who fills it in where the reader cannot."""
    if task["status"] == "completed":
        return ""
    return f"Filled in by {task['by']}." if task["by"] else section.intro


def _update_url(reference: str, tasks: list[dict[str, Any]]) -> str | None:
    """Return where the reader says how it goes, if they may: what a lead does most often."""
    if not any(task["key"] == DELIVERY.key and task["editable"] for task in tasks):
        return None
    page = DELIVERY.pages[0].key
    return url_for("stages.edit_page", reference=reference, section=DELIVERY.key, page=page)
