"""The gate panel on its own, what people ask each other from it, and projects like this one."""

from collections.abc import Sequence
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.errors import Invalid
from okrgate.stages import asking, panel, reading, requested, similar
from okrgate.stages.forms import WaiveForm
from okrgate.stages.views import blueprint, reader
from okrgate.web.fields import TITLE, one_line
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me


@blueprint.get("/projects/<reference>/panel")
@requires(signed_in)
def show_panel(reference: str) -> ResponseReturnValue:
    """Show every gate ahead in full; with `as=part` only the panel, or that of one section.

    The part carries an ETag, so that asking whether anything is new costs four short queries and sends nothing.
    """
    loaded = reading.load(reference, reader())
    verdicts, requests = requested.beside(loaded.project.id)
    part = request.args.get("as") == "part"
    if part:
        answer = Response(status=304)
        answer.set_etag(panel.mark(loaded, verdicts, requests, me()))
        if request.if_none_match.contains(answer.get_etag()[0] or ""):
            return answer
    names = dict(loaded.names) | directory.names(panel.people_in(verdicts, requests))
    context: dict[str, Any] = {
        "loaded": loaded,
        "project": loaded.project,
        "panels": panel.panels(loaded, verdicts, names, requests, me()),
    }
    if not part:
        return render("stages/panel.html", **context)
    section = request.args.get("section", "")
    if section:
        context["wanted"] = panel.wanted_of(loaded, verdicts, section)
    shown = make_response(
        render_template("stages/_wanted.html" if section else "stages/_panel.html", **context)
    )
    shown.set_etag(panel.mark(loaded, verdicts, requests, me()))
    return shown


@blueprint.post("/projects/<reference>/nudges/<requirement>")
@requires(signed_in)
def nudge(reference: str, requirement: str) -> ResponseReturnValue:
    """Ask somebody, politely and once a day, to put a missing requirement right."""
    loaded = reading.load(reference, reader())
    person = whole(request.form.get("person", ""))
    if person is None:
        raise Invalid("Choose somebody to ask.")
    name = asking.nudge(loaded.project.id, requirement, person, by=me())
    return done(
        f"{name} gets a mail that says what is missing, with a link to the place.",
        url_for("stages.show_project", reference=reference),
    )


@blueprint.route("/projects/<reference>/waivers/<requirement>/ask", methods=["GET", "POST"])
@requires(signed_in)
def ask_waiver(reference: str, requirement: str) -> ResponseReturnValue:
    """Ask those who may to set a soft requirement aside, with a reason."""
    loaded = reading.load(reference, reader())
    found = asking.asking(loaded.project.id, requirement, me())
    if found.may_grant:
        return redirect(url_for("stages.waive", reference=reference, requirement=requirement), 303)
    form = WaiveForm()
    status = 200
    if request.method == "POST":
        status = 422
        if found.refusal or form.validate():
            try:
                asking.ask_for_waiver(
                    loaded.project.id, requirement, reason=form.reason.data or "", by=me()
                )
            except Invalid as problem:
                form.reason.errors = [*form.reason.errors, problem.sentence]
            else:
                return done(
                    f"{_listed(found.granters)} can set it aside; each gets a mail with your reason.",
                    url_for("stages.show_project", reference=reference),
                )
    return render(
        "stages/ask_waiver.html",
        status=status,
        project=loaded.project,
        asking=found,
        granters=_listed(found.granters),
        form=form,
        form_errors=form.errors if status == 422 else None,
    )


@blueprint.post("/projects/<reference>/waivers/<requirement>/refuse")
@requires(signed_in)
def refuse_waiver(reference: str, requirement: str) -> ResponseReturnValue:
    """Refuse to set a requirement aside; whoever asked hears why."""
    loaded = reading.load(reference, reader())
    asking.refuse_waiver(
        loaded.project.id, requirement, reason=request.form.get("reason", "")[:4000], by=me()
    )
    return done(
        "It stays as it is. Whoever asked gets a mail with your reason.",
        url_for("stages.show_project", reference=reference),
    )


@blueprint.get("/projects/similar")
@requires(signed_in)
def show_similar() -> ResponseReturnValue:
    """Show projects that share words with a title, and what was learned there."""
    title = one_line(request.args.get("title"))[:TITLE]
    if "csrf_token" in request.args:
        # A form took its title along, and its token with it: that has no place in an address.
        return redirect(url_for("stages.show_similar", title=title or None), 303)
    return render(
        "stages/similar.html",
        part="stages/_similar.html",
        title=title,
        similar=similar.to(title, reader(), but=request.args.get("but", "")),
    )


def _listed(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
