"""The deciding page: all that somebody needs to decide on a gate, in one place."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round, SeatPerson, SignoffRow
from okrgate.approvals.service import MOVING, NewCondition
from okrgate.database import db
from okrgate.errors import Invalid, NotFound
from okrgate.stages import judging, panel, picture, reading
from okrgate.stages.forms import DecisionForm
from okrgate.stages.picture import Picture
from okrgate.stages.reading import Loaded, Reader
from okrgate.stages.sections import ALL
from okrgate.stages.settling import label_of
from okrgate.stages.standing import Ask, Known, Standing, stand

_LABELS = {
    "approved": "Approve",
    "approved_with_conditions": "Approve with conditions",
    "returned": "Send back for changes",
    "held": "Put on hold",
    "objected": "Object",
    "declined": "Decline",
}


@dataclass(frozen=True)
class Card:
    """What the page shows. `changed` compares with what this person last decided on, or with the last round."""

    round: Round
    loaded: Loaded
    gate: str
    standing: Standing
    signs_as: str
    facts: list[dict[str, str]]
    panel: dict[str, Any]
    sections: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    changed: list[dict[str, str]]
    changed_since: str
    waiting: list[str]
    people: list[tuple[int, str]]


def card(round_id: int, reader: Reader) -> Card:
    """Gather the deciding page. Raises NotFound for a round the reader may not see."""
    loaded, found = reading.load_round(round_id, reader)
    project, rulebook = loaded.project, loaded.rulebook
    seen = picture.of(project, rulebook)
    people = directory.roster()
    names = {person: name for person, name, _ in people}
    decisions = approvals.decisions_of(project.id, names)
    seats, waiting = approvals.seats_and_waiting(found.id)
    known = Known(
        roles=entitlement.roles_held(rulebook, loaded.held, seen.around, reader.id),
        around=seen.around,
        settled=seen.settled,
        seats=seats,
        decided=[
            (one["person_id"], one["decision"])
            for one in reversed(decisions)
            if one["round_id"] == found.id
        ],
        names=names,
    )
    standing = stand(project, rulebook, found, reader.id, known)
    if not (standing.roles or reader.is_auditor or loaded.involved):
        raise NotFound
    gate = rulebook.gates.get(found.gate)
    shown = panel.panels(loaded, judging.stored(project.id), names)
    mine = [one for one in shown["now"] if gate is not None and one["title"] == gate.label]
    before, since = _last_seen(found, reader.id)
    return Card(
        round=found,
        loaded=loaded,
        gate=gate.label if gate else found.gate,
        standing=standing,
        signs_as=" and ".join(rulebook.roles[role].label for role in standing.roles),
        facts=[{"label": label, "value": value} for label, value in seen.facts],
        panel=mine[0] if mine else {},
        sections=_sections(seen),
        decisions=decisions,
        changed=_differences(loaded, before, found.content) if before is not None else [],
        changed_since=since,
        waiting=sorted(names.get(one, "Somebody") for one in waiting),
        people=[(person, name) for person, name, active in people if active],
    )


def prepare(form: DecisionForm, shown: Card) -> None:
    """Offer the decisions this person may take, the moves they lead to and the people who may own a condition."""
    stand = shown.standing
    form.decision.choices = [
        (decision, _LABELS[decision])
        for decision in approvals.DECISIONS
        if decision not in MOVING or stand.moves.get(MOVING[decision])
    ]
    form.move.choices = [("", "Only if you send back, hold or decline")] + [
        (transition.id, f"{transition.label} → {_target(shown, transition.target)}")
        for kind in MOVING.values()
        for transition in stand.moves.get(kind, ())
    ]
    people = [("", "Choose a person"), *shown.people]
    for row in form.conditions:
        row.form.owner.choices = people


def ask(form: DecisionForm, shown: Card) -> Ask:
    """Return the decision as the service takes it. A condition needs a text and an owner.

    Where a decision leads to one move only, nobody has to choose it.
    """
    conditions: list[NewCondition] = []
    for row in form.conditions.entries:
        text, owner = (row.form.text.data or "").strip(), row.form.owner.data
        if not text and owner is None:
            continue
        if not text or owner is None:
            raise Invalid(
                "Something is still needed.",
                {"conditions": "Give each condition a text and an owner."},
            )
        conditions.append(NewCondition(text, owner, row.form.due.data))
    decision, move = form.decision.data or "", form.move.data or ""
    if decision in MOVING and not move:
        offered = shown.standing.moves.get(MOVING[decision], ())
        move = offered[0].id if len(offered) == 1 else ""
    return Ask(
        decision=decision,
        digest=form.digest.data or "",
        key=(form.key.data or secrets.token_hex(16))[:64],
        reason=form.reason.data or "",
        conditions=tuple(conditions) if decision == approvals.WITH_CONDITIONS else (),
        move=move if decision in MOVING else "",
        revisit=form.revisit.data or "",
        condition=form.revisit.data or "",
        date=form.date.data,
    )


def open_round_line(project_id: int, person: int) -> dict[str, Any] | None:
    """Return the open round of a project, the ids of those it waits for, and whether this person is one."""
    rows = (
        db.session()
        .execute(
            select(Round, SeatPerson.person_id)
            .outerjoin(SeatPerson, SeatPerson.round_id == Round.id)
            .where(Round.project_id == project_id, Round.closed_at.is_(None))
            .order_by(Round.id)
        )
        .all()
    )
    if not rows:
        return None
    found = rows[0].Round
    waiting = {row.person_id for row in rows if row.Round is found and row.person_id is not None}
    return {
        "url": url_for("stages.decide", round_id=found.id),
        "mine": person in waiting,
        "waiting": waiting,
        "since": found.opened_at,
        "due": found.due_on,
        "number": found.number,
    }


def _sections(seen: Picture) -> list[dict[str, Any]]:
    """Return the parts of the project that have answers, as the signer reads them."""
    return [
        {
            "title": ALL[key].title,
            "rows": [{"label": one.label, "value": one.text} for one in lines],
        }
        for key, lines in seen.parts.items()
        if key in ALL
    ]


def _last_seen(found: Round, person: int) -> tuple[Mapping[str, Any] | None, str]:
    """Return the content this person decided on last, else that of the round before, and how to call it."""
    earlier = (Round.gate == found.gate) & (Round.number < found.number)
    row = (
        db.session()
        .execute(
            select(Round.content, SignoffRow.id.label("word"))
            .outerjoin(
                SignoffRow, (SignoffRow.round_id == Round.id) & (SignoffRow.person_id == person)
            )
            .where(
                Round.project_id == found.project_id,
                Round.id != found.id,
                SignoffRow.id.is_not(None) | earlier,
            )
            .order_by(SignoffRow.id.is_(None), Round.id.desc())
            .limit(1)
        )
        .first()
    )
    if row is None:
        return None, "the last round"
    return row.content, "the last round" if row.word is None else "your last decision"


def _differences(
    loaded: Loaded, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, str]]:
    return [
        {
            "label": label_of(loaded.rulebook, name),
            "before": _words(before.get(name)),
            "after": _words(after.get(name)),
        }
        for name in sorted(set(before) & set(after) | (set(after) - set(before)))
        if before.get(name) != after.get(name)
    ]


def _words(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return "; ".join(_words(one) for one in value) or "-"
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')} {_words(one)}"
            for key, one in value.items()
            if one not in (None, "")
        )
    return str(value)[:600]


def _target(shown: Card, target: str) -> str:
    stages = shown.loaded.rulebook.stages
    return stages[target].label if target in stages else "where it was"
