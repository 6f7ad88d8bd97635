"""Take a project through a transition.

Outside the transaction the facts are gathered and judged; inside they are gathered again and must be the same.
"""

from dataclasses import dataclass

from sqlalchemy import select

from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.gates.engine import GateUnjudgeable
from okrgate.gates.verdict import Verdict
from okrgate.projects.models import Visit
from okrgate.stages.crossing import cross
from okrgate.stages.preparing import Answers, prepare, still_true

_TRIES = 3


@dataclass(frozen=True)
class Outcome:
    """What came of asking for a move: moved, or the verdict that keeps the gate closed."""

    moved: bool
    target: str = ""
    verdict: Verdict | None = None
    doubt: str = ""


def move(
    project_id: int,
    transition_id: str,
    *,
    by: int | None,
    answers: Answers | None = None,
    expected_version: int | None = None,
    key: str | None = None,
    after: str = "",
) -> Outcome:
    """Take a project through a transition, if its gate is open.

    `by` is None for an automatic move, `after` then names whose act it follows. A closed gate is an answer; raises
    Forbidden (may not), Invalid (something asked for is missing), Conflict (the project is elsewhere by now).
    """
    answers = answers or Answers()
    if key and _is_known(key, project_id):
        return Outcome(moved=True)
    for _ in range(_TRIES):
        try:
            prepared = prepare(
                project_id, transition_id, by=by, answers=answers, expected_version=expected_version
            )
        except GateUnjudgeable as problem:
            return Outcome(moved=False, doubt=str(problem))
        if prepared.verdict is not None and not prepared.verdict.allowed:
            return Outcome(moved=False, verdict=prepared.verdict)
        with transaction():
            if still_true(prepared):
                cross(prepared, by=by, answers=answers, key=key, after=after)
                return Outcome(moved=True, target=prepared.target.id, verdict=prepared.verdict)
    raise Conflict("Somebody keeps changing this project. Look at what is new and try again.")


def _is_known(key: str, project_id: int) -> bool:
    """Tell whether this move was made before. A key is one project's own."""
    known = db.session().scalar(select(Visit.project_id).where(Visit.key == key))
    if known is not None and known != project_id:
        raise Conflict("This page was sent before. Open it again.")
    return known is not None
