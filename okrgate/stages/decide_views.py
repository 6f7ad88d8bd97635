"""The deciding page: everything needed to decide on a gate, and the decision."""

import secrets

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.approvals import refusals
from okrgate.approvals.queue import Narrowed
from okrgate.errors import Forbidden, Invalid
from okrgate.factors import asking
from okrgate.stages import cards, choices, confirm_page, service
from okrgate.stages.forms import DecisionForm
from okrgate.stages.views import blueprint, reader
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me, remove_row

_MOST_CONDITIONS = 20


@blueprint.route("/approvals/<int(max=2147483647):round_id>", methods=["GET", "POST"])
@requires(signed_in)
def decide(round_id: int) -> ResponseReturnValue:
    """Show everything needed to decide on a gate, and take the decision."""
    wanted = Narrowed.of(request.args)
    said = request.form if request.method == "POST" else request.args
    in_name_of = said.get("in_name_of", "" if request.method == "POST" else None)
    card = cards.card(round_id, reader(), wanted, in_name_of)
    if isinstance(card, cards.Barred):
        return _barred(card)
    form = DecisionForm()
    _prepare(form, card)
    status = 200
    if request.method == "GET":
        form.key.data, form.digest.data = secrets.token_hex(16), card.round.digest
        form.in_name_of.data = str(card.standing.on_behalf_of or "")
    elif _changes_rows(form):
        _prepare(form, card)
    # Whoever may not decide (any more) is offered nothing to choose from: the service says why, or shows the receipt.
    elif card.standing.refusal or form.validate():
        try:
            receipt = _decided(card, form)
        except confirm_page.UNPROVED as refusal:
            return confirm_page.page(card, form, refusal, wanted.words())
        if receipt is not None:
            return redirect(
                url_for("approvals.show_receipt", receipt_id=receipt, done=1, **wanted.words()),
                303,
            )
        status = 422
    else:
        status = 422
    return render(
        "stages/decide.html",
        status=status,
        card=card,
        loaded=card.loaded,
        project=card.loaded.project,
        narrowed=wanted.words(),
        form=form,
        form_errors=form.errors if status == 422 else None,
        confirms=confirm_page.outlook(card),
    )


def _prepare(form: DecisionForm, card: cards.Card) -> None:
    choices.prepare(form, card.options, card.people, card.awaitable, card.loaded.rulebook)


def _decided(card: cards.Card, form: DecisionForm) -> int | None:
    """Record the decision and return its receipt; nothing when something is still needed, which the form then says."""
    try:
        said = choices.ask(form, card.standing)
        proof = asking.proof_in(request.form)
        return service.decide(card.round.id, said, by=me(), proof=proof)
    except Forbidden as refusal:
        refusals.note(card.round, by=me(), sentence=refusal.sentence)
        raise
    except confirm_page.UNPROVED:
        raise
    except Invalid as problem:
        for name, sentence in problem.fields.items():
            field = form[name if name in form else "decision"]
            field.errors = [*field.errors, sentence]
        return None


def _barred(card: cards.Barred) -> ResponseReturnValue:
    if request.method == "POST":
        refusals.note(card.round, by=me(), sentence=card.refusal)
        raise Forbidden(card.refusal)
    return render("stages/barred.html", card=card, loaded=card.loaded, project=card.loaded.project)


def _changes_rows(form: DecisionForm) -> bool:
    """Add or remove a condition when one of these buttons was pressed."""
    if request.form.get("add_row") == "conditions":
        if len(form.conditions.entries) < _MOST_CONDITIONS:
            form.conditions.append_entry()
        return True
    if request.form.get("remove_row", "").startswith("conditions-"):
        remove_row(form.conditions, request.form["remove_row"])
        return True
    return False
