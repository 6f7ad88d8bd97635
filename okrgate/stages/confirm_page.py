"""The page between a decision and its record: what is about to be signed, in words, and the second factor that signs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.accounts.service import TooMany
from okrgate.approvals import service as approvals
from okrgate.errors import Refused
from okrgate.factors import asking, service
from okrgate.factors.challenges import FactorRefused, digest_of
from okrgate.factors.forms import ProofForm
from okrgate.factors.proving import FactorNeeded
from okrgate.stages import choices, confirming
from okrgate.stages.cards import Card
from okrgate.stages.change_models import ChangeRequest
from okrgate.stages.forms import DecisionForm
from okrgate.stages.reaching import in_words
from okrgate.stages.reading import Loaded
from okrgate.stages.standing import SPOKEN, Ask
from okrgate.web.filters import show_date
from okrgate.web.htmx import render
from okrgate.web.render import me

UNPROVED = (FactorNeeded, FactorRefused, TooMany)
_OURS = ("csrf_token", "factor_")


@dataclass(frozen=True)
class Outlook:
    """Whether the reader can sign at this strict gate yet."""

    ready: bool


@dataclass(frozen=True)
class Signing:
    """What is about to be signed, in words; `act` is the same as it is bound, `here` the page that decides."""

    act: dict[str, Any]
    sentence: str
    reason: str
    lines: tuple[str, ...]
    note: str
    here: str
    crumbs: tuple[dict[str, str], ...]


def outlook(card: Card) -> Outlook | None:
    """Say whether a decision here will be confirmed with a second factor, and whether the reader has one."""
    if card.standing.refusal or not confirming.is_strict(card.loaded.rulebook, card.round.gate):
        return None
    return Outlook(ready=service.has_any(me()))


def page(
    card: Card, form: DecisionForm, refusal: Refused, narrowed: dict[str, str]
) -> ResponseReturnValue:
    """Show the decision that is about to be signed and ask for the second factor. Nothing is stored."""
    said, project = choices.ask(form, card.standing), card.loaded.project
    option = next((one for one in card.options if one.value == form.decision.data), None)
    words: dict[str, Any] = dict(narrowed)
    here = url_for("stages.decide", round_id=card.round.id, **words)
    spoken = SPOKEN[said.decision].rstrip(",")
    names = directory.names([me(), said.on_behalf_of])
    who = approvals.said_by(me(), said.on_behalf_of, names)
    about = Signing(
        act=confirming.act_of(card.round, said, me()),
        sentence=f"{who} {spoken} “{card.gate}” of {project.reference} {project.title}.",
        reason=said.reason,
        lines=(
            option.consequence if option else "",
            *(one.label.text for one in form.code if said.code and one.checked),
            *_lines(said, dict(card.people)),
        ),
        note=f"Round {card.round.number}, content {card.round.digest[:12]}.",
        here=here,
        crumbs=_crumbs(("Approvals", url_for("approvals.queue", **words)), (card.gate, here)),
    )
    return _ask(about, refusal)


def for_change(
    loaded: Loaded,
    row: ChangeRequest,
    refusal: Refused,
    here: str,
    *,
    approve: bool,
    reason: str,
) -> ResponseReturnValue:
    """Show the decision on a change that is about to be signed, in the same way."""
    project, gates = loaded.project, loaded.rulebook.gates
    about = Signing(
        act=confirming.act_of_change(row, approve=approve, reason=reason, by=me()),
        sentence=f"{current_user.name} {'agrees to' if approve else 'declines'} change {row.id} of "
        f"{project.reference} {project.title}, signed at “{gates[row.gate].label}”.",
        reason=reason,
        lines=tuple(str(one["label"]) for one in row.changes),
        note="What is signed is the change as its page shows it.",
        here=here,
        crumbs=_crumbs(
            ("Changes", url_for("stages.list_changes", reference=project.reference)),
            (f"Change {row.id}", here),
        ),
    )
    return _ask(about, refusal)


def _crumbs(*places: tuple[str, str]) -> tuple[dict[str, str], ...]:
    return (*({"label": label, "url": url} for label, url in places), {"label": "Confirm"})


def _lines(said: Ask, people: dict[int, str]) -> Iterator[str]:
    for one in said.conditions:
        due = f", by {show_date(one.due_on)}" if one.due_on else ""
        yield f"Condition: {one.text} ({people.get(one.owner_id, 'Somebody')}{due})"
    if said.date:
        yield f"Until {show_date(said.date)}"
    if said.revisit:
        yield f"Looked at again: {said.revisit}"
    if said.reach:
        yield f"Looked at again when {in_words(said.reach)}"


def _ask(about: Signing, refusal: Refused) -> ResponseReturnValue:
    asked = asking.ask(digest_of(about.act))
    proof, status = ProofForm(formdata=None, factor_token=asked.token), 200
    if not isinstance(refusal, FactorNeeded):
        proof.factor_code.errors = [refusal.sentence]
        status = 429 if isinstance(refusal, TooMany) else 422
    return render(
        "stages/confirm.html",
        status=status,
        about=about,
        sent=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if not name.startswith(_OURS)
        ],
        asked=asked,
        form=proof,
        form_errors=status != 200,
    )
