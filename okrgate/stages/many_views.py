"""Deciding on many at once: one page that asks, and one that says what became of each."""

import re
import secrets

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.approvals.queue import Narrowed
from okrgate.errors import Invalid
from okrgate.stages import many
from okrgate.stages.forms import TogetherForm
from okrgate.stages.standing import Ask
from okrgate.stages.views import blueprint, reader
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

_KEY = re.compile(r"[0-9a-f]{32}")
_REASON_MIN = 3


@blueprint.get("/approvals/together")
@requires(signed_in)
def decide_together() -> ResponseReturnValue:
    """Show what would be decided together, and ask for it once."""
    rounds = [number for one in request.args.getlist("round") if (number := whole(one)) is not None]
    if not rounds:
        narrowed = Narrowed.of(request.args).words()
        return done(
            "Choose at least one project first.",
            url_for("approvals.queue", **narrowed),
            tone="info",
        )
    form = TogetherForm()
    form.key.data = secrets.token_hex(16)
    return _ask(form, many.choose(me(), rounds, _decision(request.args.get("decision", ""))))


@blueprint.post("/approvals/together")
@requires(signed_in)
def record_together() -> ResponseReturnValue:
    """Take the same decision for each of the projects, and say of each what became of it."""
    form = TogetherForm()
    decision = _decision(request.form.get("decision", ""))
    seen = _seen()
    results: tuple[many.Result, ...] = ()
    if _is_complete(form, decision) and form.validate():
        try:
            results = many.decide_each(
                seen, _said(form, decision), reader(), key=form.key.data or ""
            )
        except Invalid as problem:
            _show(form, problem)
    if not results:
        return _ask(form, many.choose(me(), list(seen), decision), seen=seen)
    return render(
        "stages/many_done.html",
        results=results,
        decision=decision,
        narrowed=Narrowed.of(request.args).words(),
    )


def _ask(
    form: TogetherForm, chosen: many.Selection, *, seen: dict[int, str] | None = None
) -> ResponseReturnValue:
    form.move.choices = [(one.id, one.label) for one in chosen.moves]
    if form.move.data is None and len(chosen.moves) == 1:
        form.move.data = chosen.moves[0].id
    return render(
        "stages/many.html",
        status=422 if seen is not None else 200,
        chosen=chosen,
        seen=seen or {},
        form=form,
        form_errors=form.errors or None,
        button=many.TOGETHER[chosen.decision],
        narrowed=Narrowed.of(request.args).words(),
        cut=len(request.args.getlist("round")) > many.MOST,
        most=many.MOST,
    )


def _decision(text: str) -> str:
    return text if text in many.TOGETHER else "approved"


def _seen() -> dict[int, str]:
    """Return the rounds that were sent, each with the digest that its page showed. Raises Invalid without a key."""
    if not _KEY.fullmatch(request.form.get("key", "")):
        raise Invalid("Open the page again: it was sent without its key.")
    found: dict[int, str] = {}
    for one in request.form.getlist("row"):
        number, _, digest = one.partition(":")
        known = whole(number)
        if known is not None:
            found[known] = digest[:64]
    return found


def _is_complete(form: TogetherForm, decision: str) -> bool:
    if decision == "approved" or len((form.reason.data or "").strip()) >= _REASON_MIN:
        return True
    form.reason.errors = [*form.reason.errors, "Say why, so that others can act on it."]
    return False


def _said(form: TogetherForm, decision: str) -> Ask:
    return Ask(
        decision=decision,
        digest="",
        key="",
        reason=form.reason.data or "",
        move=(form.move.data or "") if decision != "approved" else "",
        revisit=form.revisit.data or "",
        condition=form.revisit.data or "",
        date=form.date.data,
    )


def _show(form: TogetherForm, problem: Invalid) -> None:
    for name, sentence in (problem.fields or {"reason": problem.sentence}).items():
        field = form[{"condition": "revisit"}.get(name, name) if name != "decision" else "reason"]
        field.errors = [*field.errors, sentence]
