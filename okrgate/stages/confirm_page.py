"""The page between a decision and its record: what is about to be signed, in words, and the second factor that signs it."""

from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from okrgate.accounts.service import TooMany
from okrgate.errors import Refused
from okrgate.factors import asking, service
from okrgate.factors.asking import Asked
from okrgate.factors.challenges import FactorRefused, digest_of
from okrgate.factors.forms import ProofForm
from okrgate.factors.proving import FactorNeeded
from okrgate.stages import choices, confirming
from okrgate.stages.cards import Card
from okrgate.stages.forms import DecisionForm
from okrgate.stages.standing import SPOKEN
from okrgate.web.htmx import render
from okrgate.web.render import me

UNPROVED = (FactorNeeded, FactorRefused, TooMany)
_OURS = ("csrf_token", "factor_")


@dataclass(frozen=True)
class Outlook:
    """Whether the reader can sign at this strict gate yet."""

    ready: bool


def outlook(card: Card) -> Outlook | None:
    """Say whether a decision here will be confirmed with a second factor, and whether the reader has one."""
    if card.standing.refusal or not confirming.is_strict(card.loaded.rulebook, card.round.gate):
        return None
    return Outlook(ready=service.has_any(me()))


def page(
    card: Card, form: DecisionForm, refusal: Refused, narrowed: dict[str, str]
) -> ResponseReturnValue:
    """Show what is about to be signed and ask for the second factor. Nothing is stored."""
    said = choices.ask(form, card.standing)
    asked: Asked = asking.ask(digest_of(confirming.act_of(card.round, said, me())))
    proof, status = ProofForm(formdata=None, factor_token=asked.token), 200
    if not isinstance(refusal, FactorNeeded):
        proof.factor_code.errors = [refusal.sentence]
        status = 429 if isinstance(refusal, TooMany) else 422
    option = next((one for one in card.options if one.value == form.decision.data), None)
    return render(
        "stages/confirm.html",
        status=status,
        card=card,
        project=card.loaded.project,
        narrowed=narrowed,
        said=said,
        spoken=SPOKEN[said.decision].rstrip(","),
        consequence=option.consequence if option else "",
        owners=dict(card.people),
        sent=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if not name.startswith(_OURS)
        ],
        asked=asked,
        form=proof,
        form_errors=status != 200,
    )
