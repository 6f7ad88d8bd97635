"""Strict signing: a decision at such a gate counts only with a fresh second factor, bound to exactly this decision."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round
from okrgate.approvals.service import MOVING, NewCondition
from okrgate.errors import Forbidden
from okrgate.factors import challenges, proving
from okrgate.factors.proving import Checked, FactorNeeded, Proof
from okrgate.gates.model import Rulebook, Transition
from okrgate.projects.models import Project
from okrgate.stages.change_models import APPROVED, DECLINED, ChangeRequest
from okrgate.stages.facts import Snapshot, gather
from okrgate.stages.reaching import Reach
from okrgate.stages.standing import Ask, decided_in, standing


def is_strict(rulebook: Rulebook, gate: str) -> bool:
    """Tell whether each decision at a gate asks for a second factor."""
    found = rulebook.gates.get(gate)
    return found is not None and found.strict


class OnItsPage(Forbidden):
    """Somebody who signs at a strict gate would move the project past its page; `round_id` is what to decide."""

    def __init__(self, round_id: int) -> None:
        """Say where it is done."""
        super().__init__(
            "Decide on the page of the gate: there you confirm it with a second factor."
        )
        self.round_id = round_id


def check_not_past(
    project: Project,
    rulebook: Rulebook,
    transition: Transition,
    by: int,
    snapshot: Snapshot | None = None,
) -> None:
    """Raise OnItsPage for a move that is a decision at a strict gate, by somebody who signs there or has signed.

    Without a `snapshot` one is gathered, if it comes to that.
    """
    if transition.kind not in MOVING.values():
        return
    found = approvals.open_round(project.id)
    if found is None or not is_strict(rulebook, found.gate):
        return
    decided = any(by in one.hands for one in decided_in(found.id))
    now = snapshot or gather(project, rulebook)
    if decided or not standing(project, rulebook, now, found, by).refusal:
        raise OnItsPage(found.id)


def act_of(found: Round, ask: Ask, by: int) -> dict[str, Any]:
    """Return all that a decision is, in plain JSON values: who decides what, on which content, in which words."""
    said = {one.name: _plain(getattr(ask, one.name)) for one in fields(ask)}
    return {
        "act": "decide",
        "person": by,
        "project": found.project_id,
        "gate": found.gate,
        "round": found.id,
        "ask": said,
    }


def act_of_change(row: ChangeRequest, *, approve: bool, reason: str, by: int) -> dict[str, Any]:
    """Return the same for a decision on a change of what was signed."""
    return {
        "act": "decide on a change",
        "person": by,
        "project": row.project_id,
        "gate": row.gate,
        "request": row.id,
        "ask": {
            "decision": APPROVED if approve else DECLINED,
            "reason": reason.strip(),
            "asked": challenges.digest_of({"typed": row.data, "on": row.base}),
        },
    }


def confirmed(
    rulebook: Rulebook, gate: str, act: Mapping[str, Any], by: int, proof: Proof | None
) -> Checked | None:
    """Return what confirms a decision; nothing where the gate does not ask for it.

    Raises FactorNeeded without a proof, FactorRefused or TooMany for one that does not hold.
    """
    if not is_strict(rulebook, gate):
        return None
    binding = challenges.digest_of(act)
    if proof is None:
        raise FactorNeeded(binding)
    return proving.check(proof, binding, person=by)


def _plain(value: object) -> object:
    if isinstance(value, NewCondition | Reach):
        return [_plain(getattr(value, one.name)) for one in fields(value)]
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value
