"""What somebody may decide, each with its consequence in words, and how the form says which."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import literal, select, union_all
from wtforms import SelectChoice

from okrgate.accounts.models import Person
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round
from okrgate.approvals.service import MOVING, NewCondition
from okrgate.database import db
from okrgate.errors import Invalid
from okrgate.gates.model import Rulebook, Transition
from okrgate.okrs import service as okrs
from okrgate.stages.comebacks import DECLINE
from okrgate.stages.forms import NO_REASON, AgainFields, DecisionForm
from okrgate.stages.reaching import AT_LEAST, Reach
from okrgate.stages.standing import Ask, Standing
from okrgate.web.fields import NOTHING
from okrgate.web.keys import whole

CODE, KEY_RESULT = "code", "key_result"
_LABELS = {
    "approved": "Approve",
    "approved_with_conditions": "Approve with conditions",
    "returned": "Send back for changes",
    "held": "Put on hold",
    "objected": "Object",
    "declined": "Decline",
}
_NOBODY = 0


@dataclass(frozen=True)
class Outlook:
    """What an approval would do: `last` when every seat is filled with it, `others_missing` what else the gate wants."""

    have: int
    need: int
    last: bool
    others_missing: int


@dataclass(frozen=True)
class Option:
    """A decision to choose: its value in the form, its label, what follows from it, and what it asks for."""

    value: str
    decision: str
    label: str
    consequence: str
    asks: tuple[str, ...] = ()


def options(
    rulebook: Rulebook, found: Round, standing: Standing, outlook: Outlook
) -> tuple[Option, ...]:
    """Return what this person may choose, in the order of the page; nothing for whoever may not decide."""
    if standing.refusal:
        return ()
    shown: list[Option] = []
    for decision in approvals.DECISIONS:
        if decision in MOVING:
            shown += _moving(rulebook, decision, standing.moves.get(MOVING[decision], ()))
        else:
            asks = ("conditions",) if decision == approvals.WITH_CONDITIONS else ()
            said = _staying(rulebook, found, decision, outlook)
            shown.append(Option(decision, decision, _LABELS[decision], said, asks))
    return tuple(shown)


def prepare(
    form: DecisionForm,
    offered: tuple[Option, ...],
    people: list[tuple[int, str]],
    results: list[tuple[int, str]],
    rulebook: Rulebook,
) -> None:
    """Offer the decisions this person may take, who may own a condition, and the key results to wait for."""
    form.decision.choices = [(one.value, one.label) for one in offered]
    offer_again(form, rulebook, {asked for one in offered for asked in one.asks}, results)
    owners = [("", "Choose a person"), *people]
    for row in form.conditions:
        row.form.owner.choices = owners


def people_and_results() -> tuple[list[tuple[int, str, bool]], list[tuple[int, str]]]:
    """Return (id, name, active) of everybody there ever was, by name, and (id, label) of key results. One query."""
    result = okrs.choices_query().subquery()
    rows = db.session().execute(
        union_all(
            select(literal(""), Person.id, Person.name, Person.active),
            select(literal(KEY_RESULT), result.c.id, result.c.name, literal(True)),
        )
    )
    read = sorted(((kind, name, one, bool(active)) for kind, one, name, active in rows))
    return (
        [(one, name, active) for kind, name, one, active in read if not kind],
        [(one, name) for kind, name, one, _ in read if kind],
    )


def offer_again(
    form: AgainFields,
    rulebook: Rulebook,
    asks: Collection[str],
    results: Iterable[tuple[int, str]],
) -> None:
    """Offer the reasons to decline and the key results to wait for, where they are asked for."""
    if CODE in asks:
        form.code.choices = [
            NO_REASON,
            *(SelectChoice(one, said) for one, said in rulebook.reasons_to_decline.items()),
        ]
    if KEY_RESULT in asks:
        form.key_result.choices = [
            NOTHING,
            *(SelectChoice(str(one), said) for one, said in results),
        ]


def reach(form: AgainFields) -> Reach | None:
    """Return the key result that somebody waits for. Raises Invalid when only half of it is said."""
    chosen, value = form.key_result.data, form.value.data
    if chosen is None and value is None:
        return None
    if chosen is None or value is None:
        missing = KEY_RESULT if chosen is None else "value"
        raise Invalid("Something is still needed.", {missing: "Choose a key result and a value."})
    return Reach(chosen, form.bound.data == AT_LEAST, value)


def ask(form: DecisionForm, standing: Standing) -> Ask:
    """Return the decision as the service takes it. A condition needs a text and an owner.

    Where a decision leads to one move only, its value need not name the move.
    """
    decision, _, move = (form.decision.data or "").partition(":")
    if decision in MOVING and not move:
        offered = standing.moves.get(MOVING[decision], ())
        move = offered[0].id if len(offered) == 1 else ""
    return Ask(
        decision=decision,
        digest=form.digest.data or "",
        key=(form.key.data or secrets.token_hex(16))[:64],
        reason=form.reason.data or "",
        conditions=_conditions(form) if decision == approvals.WITH_CONDITIONS else (),
        move=move if decision in MOVING else "",
        revisit=form.revisit.data or "",
        condition=form.revisit.data or "",
        date=form.date.data,
        on_behalf_of=_away(form.in_name_of.data or ""),
        code=form.code.data or "",
        reach=reach(form) if decision in {"held", "declined"} else None,
    )


def _away(said: str) -> int | None:
    """Return for whom it is signed; nobody's number for what makes no sense, never the signer's own name instead."""
    number = whole(said)
    return number if number is not None or not said else _NOBODY


def _conditions(form: DecisionForm) -> tuple[NewCondition, ...]:
    found: list[NewCondition] = []
    for row in form.conditions.entries:
        text, owner = (row.form.text.data or "").strip(), row.form.owner.data
        if not text and owner is None:
            continue
        if not text or owner is None:
            raise Invalid(
                "Something is still needed.",
                {"conditions": "Give each condition a text and an owner."},
            )
        found.append(NewCondition(text, owner, row.form.due.data))
    return tuple(found)


def _staying(rulebook: Rulebook, found: Round, decision: str, outlook: Outlook) -> str:
    if decision == approvals.OBJECTED:
        return (
            "The project stays here. Your objection stands on record, and the others still decide."
        )
    said = _approving(rulebook, found, outlook)
    if decision == approvals.WITH_CONDITIONS:
        return f"{said} Whoever sees to a condition is told at once."
    return said


def _approving(rulebook: Rulebook, found: Round, outlook: Outlook) -> str:
    if not outlook.last:
        return f"Yours is sign-off {outlook.have + 1} of {outlook.need}; the others are still waited for."
    if outlook.others_missing:
        count = outlook.others_missing
        still = f"{count} requirement{'s are' if count != 1 else ' is'}"
        return f"All sign-offs are then there; {still} still missing."
    onward = rulebook.transitions.get(found.transition)
    if onward is None:
        return "All sign-offs are then there."
    goes = "goes" if onward.auto else "may go"
    return (
        f"All sign-offs are then there, and the project {goes} on to {_target(rulebook, onward)}."
    )


def _moving(rulebook: Rulebook, decision: str, moves: tuple[Transition, ...]) -> list[Option]:
    return [
        Option(
            value=decision if len(moves) == 1 else f"{decision}:{one.id}",
            decision=decision,
            label=_LABELS[decision] if len(moves) == 1 else one.label,
            consequence=_leaving(rulebook, one),
            asks=further(one),
        )
        for one in moves
    ]


def further(move: Transition) -> tuple[str, ...]:
    """Return what a move asks besides a reason, as the form has it: words for a condition serve for both kinds."""
    asks = dict.fromkeys({"condition": "revisit"}.get(one, one) for one in move.asks)
    asks.pop("reason", None)
    if "revisit" in asks:
        asks |= dict.fromkeys(("date", KEY_RESULT))
    if move.kind == DECLINE:
        asks |= dict.fromkeys((CODE,))
    return tuple(asks)


def _leaving(rulebook: Rulebook, move: Transition) -> str:
    stage = rulebook.stages.get(move.target)
    said = f"Goes to {_target(rulebook, move)}"
    if stage is not None and stage.terminal:
        said += ", which is its end"
    elif stage is not None and stage.holding:
        said += " until its day comes, its key result is there, or somebody takes it up again"
    lapse = "the sign-offs so far lapse" if move.voids_signoffs else "this round of sign-off ends"
    return f"{said}; {lapse}."


def _target(rulebook: Rulebook, move: Transition) -> str:
    stage = rulebook.stages.get(move.target)
    return stage.label if stage else "where it was before"
